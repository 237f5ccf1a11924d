"""`hotline blocked`: who is blocked, and the report for the police."""

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hotline.cli import app
from recordings.blocks import Blocks
from recordings.store import Store
from tests.support.journal_lines import MadeCall
from tests.support.keeping import Surroundings
from tests.support.settings_maker import write_city

runner = CliRunner()
WANG = "13812345678"
TOMORROW = (date.today() + timedelta(days=1)).isoformat()  # noqa: DTZ011 - any day not long past will do


@pytest.fixture
async def folders(tmp_path: Path) -> list[str]:
    """The options that lead to a city whose desk blocked a caller who then called."""
    config = write_city(tmp_path / "city")
    around = Surroundings(tmp_path / "data")
    call = MadeCall()
    call.arrive(caller=WANG, dialled="12333")
    call.step("REFUSED", why="blocked")
    call.end(by="dialplan/builtin")
    around.write(call.lines)
    await around.caught_up()
    with Store(around.database) as store:
        Blocks(store).add(WANG, "threats, again", "Li", TOMORROW, 0)
    return ["--config", str(config), "--data", str(tmp_path / "data")]


def told(*words: str) -> str:
    result = runner.invoke(app, ["blocked", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


async def test_it_shows_who_is_blocked_and_what_was_refused(folders: list[str]) -> None:
    text = told(*folders)
    assert "blocked now" in text
    assert "refused calls" in text
    assert text.count(WANG) == 2
    assert "threats, again" in text
    assert WANG not in told(*folders, "--mask")


async def test_the_report_is_a_table_in_the_citys_time(folders: list[str]) -> None:
    (line,) = csv.DictReader(io.StringIO(told(*folders, "--csv")))
    assert line == {
        "at": "2023-11-15T06:13:20+08:00",
        "caller": WANG,
        "dialled": "12333",
        "reason": "threats, again",
        "author": "Li",
        "until": TOMORROW,
        "call": MadeCall().ref,
    }


async def test_for_programs_it_prints_one_object_a_line_as_documented(folders: list[str], project: Path) -> None:
    lines = [json.loads(line) for line in told(*folders, "--json").splitlines()]
    desk = next(line for line in lines if line.get("source") == "desk")
    assert desk == {
        "kind": "blocked",
        "source": "desk",
        "number": WANG,
        "reason": "threats, again",
        "author": "Li",
        "until_day": TOMORROW,
    }
    assert [line["call"] for line in lines if line["kind"] == "refused"] == [MadeCall().ref]
    page = (
        (project / "docs/records.md").read_text("utf-8").split("bin/hotline blocked --json")[1].split("bin/hotline")[0]
    )
    assert {f"`{name}`" for line in lines for name in line} <= set(page.replace(",", "").split())


async def test_it_can_tell_of_one_caller_alone(folders: list[str]) -> None:
    assert WANG in told(*folders, "--number", WANG)
    assert told(*folders, "--number", "13900009999", "--json") == ""
