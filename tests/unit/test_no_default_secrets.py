"""No password is written anywhere: each is made up where it is used, and differs from installation to installation."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialplan.compile import compile_city
from dialplan.doors import guard_secret
from hotline.cli import app
from settings.check import load
from settings.secrets import Secrets, load_or_create
from tests.support.compiled_city import PLACES, TODAY, some_sounds
from web.tokens import local_token

ENDINGS = {".py", ".yaml", ".yml", ".json", ".conf", ".md", ".sh", ".toml", ".txt", ".service", ".timer", ".in", ""}
LEFT_OUT = {"var", "__pycache__", "tests"}
"""Tests have passwords of their own, for what lives as long as they do."""
LITERAL = re.compile(
    r"""(?ix) ["']? (?: [a-z_-]* (?: password | passwd | secret | api_?key | private_?key | credential ) s? | token )
    ["']? \s* (?: = | : ) \s* (?P<value> ["'] [^"'\s{}<>$…]{4,} ["'] )"""
)
KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}")


def sources(project: Path) -> Iterator[Path]:
    """Every text of the project that is handed to others."""
    for folder, below, files in os.walk(project):
        below[:] = [name for name in below if name not in LEFT_OUT and (not name.startswith(".") or name == ".ci")]
        yield from (Path(folder, name) for name in files if Path(name).suffix in ENDINGS and name[0] != ".")


def written(text: str) -> Iterator[re.Match[str]]:
    yield from LITERAL.finditer(text)
    yield from KEY.finditer(text)


def test_no_text_of_the_project_holds_a_password(project: Path) -> None:
    found = [
        f"{path.relative_to(project)}: {match[0]}"
        for path in sources(project)
        for match in written(path.read_text("utf-8", "replace"))
    ]
    assert found == []
    assert len(list(sources(project))) > 200


@pytest.mark.parametrize(
    "text",
    ['password = "hotline"', "secret: 'open sesame'".replace(" s", "-s"), '"ami_secret": "12345"', "TOKEN='abcdef'"],
)
def test_a_password_that_is_written_down_would_be_found(text: str) -> None:
    assert LITERAL.search(text)


def test_two_installations_share_no_password(project: Path, tmp_path: Path) -> None:
    settings = load(project / "config")
    one, other = (load_or_create(tmp_path / name / "secrets.yaml", settings) for name in ("a", "b"))
    assert not {one.ami, *one.seats.values()} & {other.ami, *other.seats.values()}
    assert len({one.ami, *one.seats.values()}) == 1 + len(one.seats)
    assert one.agents != other.agents
    assert guard_secret(one) != guard_secret(other)
    for name in ("a", "b"):
        (tmp_path / name).mkdir(exist_ok=True)
    assert local_token(tmp_path / "a") != local_token(tmp_path / "b")


def test_what_is_compiled_has_the_passwords_that_were_made_up_and_no_other(project: Path, tmp_path: Path) -> None:
    settings = load(project / "config")
    secrets = load_or_create(tmp_path / "secrets.yaml", settings)
    files = compile_city(settings, secrets, PLACES, some_sounds(settings), TODAY).files
    found = {
        value
        for text in files.values()
        for value in re.findall(r"^(?:secret|password|md5_cred) *=>? *(.+)$", text, re.MULTILINE)
    }
    assert found == {secrets.ami, guard_secret(secrets), *secrets.seats.values(), *secrets.trunks.values()}
    holding = {name for name, text in files.items() if any(secret in text for secret in found)}
    assert holding == {"manager.conf", "pjsip.conf"}


def commands_that_read() -> list[list[str]]:
    return [["check"], ["token", "list"], ["calls"], ["audit"]]


def test_no_command_prints_a_password(project: Path, tmp_path: Path) -> None:
    settings = load(project / "config")
    secrets: Secrets = load_or_create(tmp_path / "secrets.yaml", settings)
    token = local_token(tmp_path)
    hidden = (token, secrets.ami, *secrets.seats.values(), *secrets.agents.values())
    for command in commands_that_read():
        place = [] if command == ["check"] else ["--data", str(tmp_path)]
        told = CliRunner().invoke(app, [*command, *place])
        assert not [secret for secret in hidden if secret in told.output + told.stderr], command
