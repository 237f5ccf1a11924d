"""`python -m bench calls`: the same calls answered in six ways; shows the figures beside the targets, keeps them."""

import asyncio
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from bench import calls as contest
from bench.calls_stage import WAYS
from bench.comparison import RESULTS, keep
from bench.shown import against, shown


def calls(
    quick: Annotated[bool, typer.Option("--quick", help="Few calls, no highest rate: a look, no judgement.")] = False,  # noqa: FBT002
    no_rate: Annotated[bool, typer.Option("--no-rate", help="Without the highest rate: 20 minutes.")] = False,  # noqa: FBT002
    rounds: Annotated[int | None, typer.Option(min=1, max=20, help="2 unless said otherwise; 1 with --quick.")] = None,
    results: Annotated[Path, typer.Option(help="The folder where the figures are kept.")] = RESULTS,
) -> None:
    """Measure the same calls answered in six ways. An hour or more; 2 minutes with --quick. It needs root."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    plan = contest.QUICK if quick else replace(contest.FULL, searching=None) if no_rate else contest.FULL
    count = rounds or (1 if quick else 2)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="hb") as folder:
        place = Path(folder)
        (place / "sounds").mkdir()
        runs = asyncio.run(contest.compete(plan, count, place, lambda line: console.print(line, highlight=False)))
    targets = [] if quick else contest.targets(runs, plan.size)
    console.print(shown(contest.COMPARISON, runs, [way.name for way in WAYS]))
    console.print(against(targets))
    path = keep(contest.COMPARISON, runs, targets, settings={**plan.settings, "rounds": count}, folder=results)
    console.print(f"kept in {path}", soft_wrap=True)
    raise typer.Exit(0 if all(target.met for target in targets) else 1)
