"""`python -m bench waiting`: callers wait, the figures are shown and kept."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from bench import waiting as waited
from bench.comparison import RESULTS, Run, keep
from bench.shown import against, shown
from bench.waiting_stage import ALONE


def waiting(
    quick: Annotated[bool, typer.Option("--quick", help="Few callers, for a short time: a look.")] = False,  # noqa: FBT002
    alone: Annotated[bool, typer.Option("--alone", help="Also this project without its controller.")] = False,  # noqa: FBT002
    rounds: Annotated[int | None, typer.Option(min=1, max=20, help="So often each way is measured.")] = None,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Measure what a waiting caller costs, against Asterisk's own queue. 13 minutes; half a minute with --quick."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console = Console()
    load = waited.QUICK if quick else waited.FULL
    plan = waited.with_way(load, ALONE) if alone else load
    count = rounds or (1 if quick else 2)
    runs = asyncio.run(waited.compare(plan, count, lambda run: console.print(_line(run))))
    targets = [] if quick else waited.targets(runs)
    console.print(shown(waited.COMPARISON, runs, plan.ways))
    console.print(against(targets))
    kept = keep(waited.COMPARISON, runs, targets, settings={**waited.load_of(plan), "rounds": count}, folder=results)
    console.print(f"kept in {kept}", soft_wrap=True)
    raise typer.Exit(0 if all(target.met for target in targets) else 1)


def _line(run: Run) -> str:
    told = (f"{name} {value:.1f}" for name, value in run.figures.items() if value is not None)
    return f"{run.size} callers: {run.way}: {', '.join(told)}"
