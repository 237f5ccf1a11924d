"""`hotline doctor`: whether an installation is well, and how to mend what is not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from hotline.doctor.case import Case
from hotline.doctor.examine import examine
from hotline.doctor.findings import Finding, Verdict, Weight, verdict
from hotline.failing import CannotGoOn, error_console
from hotline.options import DATA, DataFolder

_STYLES = {Weight.ERROR: "red", Weight.WARNING: "yellow", Weight.UNSEEN: "magenta"}


def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The folder with the city's settings; the one that is installed unless given."),
    ] = None,
    data: DataFolder = DATA,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for programs (docs/doctor.md).")
    ] = False,
) -> None:
    """Look at an installation, running or not, and name what is not well, with its mend. Nothing is changed.

    Exit code 0: healthy, perhaps with warnings; 1: not healthy; 2: not all could be looked at.
    """
    try:
        found = examine(Case.of(data, config))
    except (CannotGoOn, OSError) as error:
        told = str(error) if isinstance(error, CannotGoOn) else f"{error.filename}: {error.strerror}"
        error_console().print(f"[red]hotline:[/red] {escape(told)}")
        raise typer.Exit(Verdict.UNCLEAR.exit_code) from None
    judged = verdict(found)
    if as_json:
        _tell_programs(found, judged)
    else:
        _tell_people(found, judged)
    raise typer.Exit(judged.exit_code)


def _tell_programs(found: Sequence[Finding], judged: Verdict) -> None:
    for one in found:
        told = {"code": one.code, "weight": one.weight.value, "title": one.meaning.title, "matter": one.matter}
        typer.echo(json.dumps({**told, "follows": one.meaning.follows, "mend": one.mend}, ensure_ascii=False))
    typer.echo(json.dumps({"code": None, "verdict": judged.value, **_counts(found)}))


def _tell_people(found: Sequence[Finding], judged: Verdict) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for one in found:
        style = _STYLES[one.weight]
        console.print(f"[bold {style}]{one.code} {one.weight.value}[/]: {escape(one.matter)}")
        console.print(f"     so:   {escape(one.meaning.follows)}")
        console.print(f"     mend: {escape(one.mend)}")
    counts = [f"{name}: {count}" for name, count in _counts(found).items() if count]
    console.print("; ".join([judged.value, *counts]))


def _counts(found: Sequence[Finding]) -> dict[str, int]:
    names = {Weight.ERROR: "errors", Weight.WARNING: "warnings", Weight.UNSEEN: "unseen"}
    return {name: sum(one.weight is weight for one in found) for weight, name in names.items()}


COMMANDS = (doctor,)
