"""`python -m bench all`: every benchmark, and the page that tells what was found."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.all import BENCHMARKS, Benchmark, End, Ended, run
from bench.comparison import RESULTS
from bench.machine import PROJECT


def everything(
    quick: Annotated[bool, typer.Option("--quick", help="A look at each; nothing is kept or judged.")] = False,  # noqa: FBT002
    only: Annotated[list[str] | None, typer.Option(help="Only this one; may be given several times.")] = None,
) -> None:
    """Run every benchmark, then write docs/benchmarks.md. Two and a half hours and more; 5 minutes with --quick."""
    chosen = [one for one in BENCHMARKS if only is None or one.id in only]
    if unknown := {*(only or ())} - {one.id for one in chosen}:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: one of {', '.join(one.id for one in BENCHMARKS)}")
    console = Console()
    if quick:
        with tempfile.TemporaryDirectory(prefix="hb") as folder:
            ended = _in_turn(chosen, console, quick=True, results=Path(folder))
    else:
        ended = _in_turn(chosen, console, quick=False, results=RESULTS)
    written = quick or subprocess.run([sys.executable, "-m", "bench", "page"], cwd=PROJECT, check=False).returncode == 0
    console.print(_table(ended))
    raise typer.Exit(0 if written and all(one.end is End.DONE for one in ended) else 1)


def _in_turn(chosen: Sequence[Benchmark], console: Console, *, quick: bool, results: Path) -> list[Ended]:
    left = sum(_seconds(one, quick=quick) for one in chosen)
    console.print(f"[bold]{len(chosen)} benchmarks, {_told(left)} in all on a quiet machine[/bold]")
    ended: list[Ended] = []
    for place, one in enumerate(chosen, start=1):
        console.rule(f"{place} of {len(chosen)}: {one.id}, {_told(_seconds(one, quick=quick))}")
        ended.append(run(one, quick=quick, results=results))
        console.print(f"{one.id}: {ended[-1].end.value}, {_told(ended[-1].took_s)}")
    return ended


def _seconds(one: Benchmark, *, quick: bool) -> float:
    return one.quick_s if quick else one.full_minutes * 60


def _told(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _table(ended: Sequence[Ended]) -> Table:
    table = Table("benchmark", "took", "ended", header_style="bold")
    for one in ended:
        table.add_row(one.benchmark.id, _told(one.took_s), one.end.value)
    return table
