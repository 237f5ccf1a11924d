"""The command as its users meet it, without Asterisk."""

import json
import re
import socket
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from hotline import cli_serve
from hotline.cli import app
from hotline.failing import CannotGoOn
from hotline.ports import free_ports
from settings.shapes import Server
from tests.support.settings_maker import write_city

runner = CliRunner()
QUIET = "127.77.0.1"
"""An address that no other test uses."""


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


def test_a_data_folder_that_cannot_be_used_is_named_with_its_mend(tmp_path: Path, project: Path) -> None:
    in_the_way = tmp_path / "data"
    in_the_way.touch()
    told = runner.invoke(app, ["compile", "--config", str(project / "config"), "--data", str(in_the_way)])
    assert told.exit_code == 1
    assert told.stderr == f"hotline: {in_the_way}: File exists: give another folder; this one is a file\n"


def test_records_that_cannot_be_read_are_named_with_their_mend(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_text("these are no records", encoding="utf-8")
    told = runner.invoke(app, ["calls", "--data", str(tmp_path)])
    assert told.exit_code == 1
    assert re.search(r"records\.db cannot be read .*: put it aside", told.stderr)


def test_warnings_are_told_from_errors_and_do_not_fail(tmp_path: Path) -> None:
    folder = write_city(tmp_path)
    with (folder / "skills.yaml").open("a", encoding="utf-8") as skills:
        skills.write("nobody_asks:\n  name: { zh: 无人, en: Nobody }\n")
    told = runner.invoke(app, ["check", "--config", str(folder)])
    assert told.exit_code == 0
    assert re.search(r"S060 .*\(warning\)$", told.output, re.MULTILINE)
    assert "can be used; warnings: 1" in told.output


@pytest.mark.parametrize(("key", "kind"), [("sip", socket.SOCK_DGRAM), ("ami", socket.SOCK_STREAM)])
def test_a_port_that_is_taken_is_named_before_anything_starts(
    key: str, kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_serve, "LAST_MOMENT_S", 0.0)
    free = free_ports(QUIET, 3)
    server = Server.model_validate(
        {name: {"address": QUIET, "port": port} for name, port in zip(("sip", "ami", "http"), free, strict=True)}
    )
    cli_serve.require_ports(server)
    with socket.socket(socket.AF_INET, kind) as other:
        place = getattr(server, key)
        other.bind((str(place.address), place.port))
        if kind is socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(CannotGoOn, match=f"nothing can listen at {QUIET}:{place.port}.*under '{key}'"):
            cli_serve.require_ports(server)


@pytest.mark.parametrize("command", ["check", "compile", "run", "demo", "calls", "call", "prompts"])
def test_each_command_says_what_it_does(command: str) -> None:
    told = runner.invoke(app, [command, "--help"])
    assert told.exit_code == 0
    assert "--config" in told.output


def test_a_prompt_can_be_listened_to(tmp_path: Path) -> None:
    told = runner.invoke(app, ["prompts", "--play", "goodbye_not_there", "--data", str(tmp_path)])
    assert told.exit_code == 1
    assert "no prompt is called" in told.stderr
    config = write_city(tmp_path / "city")
    told = runner.invoke(app, ["prompts", "--play", "hello", "--config", str(config), "--data", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "hello" in told.output
    assert soundfile.info(tmp_path / "play" / "hello-zh.wav").samplerate == 8000
