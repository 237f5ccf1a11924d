"""The command as its users meet it, without Asterisk."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hotline.cli import app
from tests.support.settings_maker import write_city

runner = CliRunner()


def test_check_says_that_good_settings_can_be_used(project: Path) -> None:
    told = runner.invoke(app, ["check", "--config", str(project / "config")])
    assert told.exit_code == 0
    assert "can be used" in told.output


def test_check_shows_every_problem_with_its_place_and_mend(tmp_path: Path) -> None:
    folder = write_city(tmp_path)
    numbers = folder / "numbers.yaml"
    numbers.write_text(numbers.read_text(encoding="utf-8").replace("hello_social", "hello_socal"), encoding="utf-8")
    (folder / "menu.yaml").write_text("main: {}\n", encoding="utf-8")
    told = runner.invoke(app, ["check", "--config", str(folder), "--json"])
    assert told.exit_code == 1
    problems = [json.loads(line) for line in told.output.splitlines()]
    assert {"S020", "S002"} <= {problem["code"] for problem in problems}
    wrong = next(problem for problem in problems if problem["code"] == "S020")
    assert wrong["line"] > 1
    assert "hello_social" in wrong["mend"]


def test_check_writes_schemas_for_editors(tmp_path: Path, project: Path) -> None:
    told = runner.invoke(app, ["check", "--config", str(project / "config"), "--schema", str(tmp_path)])
    assert told.exit_code == 0
    assert json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))["title"] == "numbers.yaml"


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["check", "--config", "nowhere"], "give the settings' folder with --config"),
        (["calls", "--data", "nowhere"], "run 'hotline run' or 'hotline demo' first"),
        (["call", "123", "--data", "nowhere"], "run 'hotline run' or 'hotline demo' first"),
    ],
)
def test_a_folder_that_is_not_there_is_named_with_its_mend(words: list[str], mend: str, tmp_path: Path) -> None:
    places = [str(tmp_path / word) if word == "nowhere" else word for word in words]
    told = runner.invoke(app, places)
    assert told.exit_code == 1
    assert mend in " ".join(told.stderr.split())


@pytest.mark.parametrize("command", ["check", "compile", "run", "demo", "calls", "call", "prompts"])
def test_each_command_says_what_it_does(command: str) -> None:
    told = runner.invoke(app, [command, "--help"])
    assert told.exit_code == 0
    assert "--config" in told.output
