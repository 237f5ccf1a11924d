"""`python -m bench web`: asks a running city, shows the figures, keeps them."""

import asyncio
import logging
import tempfile
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from bench.comparison import RESULTS, keep
from bench.shown import shown
from bench.web import COMPARISON, LISTENING, Plan, measure, ways


def web(
    quick: Annotated[bool, typer.Option("--quick", help="One short round: a look.")] = False,  # noqa: FBT002
    rounds: Annotated[int, typer.Option(min=1, max=20, help="So often each way is measured.")] = 3,
    seed: int = 12345,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Measure the HTTP interface of a running city. 2 minutes; 15 seconds with --quick."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    plan = Plan(500, 0.3, 2, 1, seed) if quick else Plan(5_000, 2.0, 10, rounds, seed)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="hb") as folder:
        runs = asyncio.run(measure(plan, Path(folder), lambda text: console.print(text, style="dim")))
    names = [*(way.name for way in ways(())), LISTENING]
    console.print(shown(COMPARISON, runs, names))
    settings = {"records": plan.records, "for_s": plan.for_s, "changes": plan.changes, "rounds": plan.rounds}
    kept = keep(COMPARISON, runs, (), settings={**settings, "seed": seed}, folder=results)
    console.print(f"kept in {kept}", soft_wrap=True)
