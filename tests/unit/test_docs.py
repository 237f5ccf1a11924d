"""What the documents say is there, and what is there is said."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from hotline.cli import app

ROOMS = (
    "settings",
    "calls",
    "routing",
    "ivr",
    "prompts",
    "phones",
    "asterisk",
    "dialplan",
    "recordings",
    "web",
    "hotline",
)
LEVELS = {"info", "warning", "error"}


def log_events(project: Path) -> Iterator[str]:
    """The fixed name of every log event: the first argument of a logger's info, warning or error."""
    for room in ROOMS:
        for source in (project / room).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                if node.func.attr in LEVELS and node.args and isinstance(node.args[0], ast.Constant):
                    yield str(node.args[0].value)


def test_every_log_event_is_explained(project: Path) -> None:
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", (project / "docs/operating.md").read_text("utf-8"), re.MULTILINE))
    assert explained == set(log_events(project))


def test_every_command_stands_in_the_readme(project: Path) -> None:
    readme = (project / "README.md").read_text("utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {name for name in commands if f"`bin/hotline {name}" not in readme} == set()


def test_every_make_target_stands_in_the_readme(project: Path) -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (project / "Makefile").read_text("utf-8"), re.MULTILINE)
    readme = (project / "README.md").read_text("utf-8")
    assert {target for target in targets if f"make {target}" not in readme} == set()


def test_the_layers_in_the_architecture_are_those_that_are_checked(project: Path) -> None:
    checked = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    drawn = re.search(r"```\n(hotline\n.*?)```", (project / "docs/architecture.md").read_text("utf-8"), re.DOTALL)
    assert drawn is not None
    assert drawn[1].split("\n")[:-1] == checked["layers"]


def documents(project: Path) -> list[Path]:
    return [*project.glob("*.md"), *(project / "docs").rglob("*.md")]


def test_links_between_documents_lead_somewhere(project: Path) -> None:
    broken = [
        f"{document.relative_to(project)}: {target}"
        for document in documents(project)
        for target in re.findall(r"\]\((?!http)([^)#]+)", document.read_text("utf-8"))
        if not (document.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt", "requirements-bench.txt"])
def test_locks_hold_hashes_and_no_address(project: Path, lock: str) -> None:
    text = (project / lock).read_text("utf-8")
    assert "://" not in text
    pins = re.findall(r"^[a-z0-9-]+(?:\[[a-z,]+\])?==", text, re.MULTILINE | re.IGNORECASE)
    assert len(pins) > 10
    assert text.count("--hash=sha256:") >= len(pins)
