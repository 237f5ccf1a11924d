"""`python -m bench inserts`: keeps calls in every way, shows the figures, keeps them."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.comparison import RESULTS, keep
from bench.inserts import COMPARISON, QUICK_SIZES, SIZES, WAYS, Plan, measure
from bench.shown import shown


def inserts(
    quick: Annotated[bool, typer.Option("--quick", help="Few calls, one round: a look.")] = False,  # noqa: FBT002
    rounds: Annotated[int, typer.Option(min=1, max=20, help="So often each way is measured.")] = 3,
    seed: int = 12345,
    folder: Annotated[Path | None, typer.Option(help="Where the stores are made; they are removed afterwards.")] = None,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Measure how many calls a second are kept durably: SQLite and PostgreSQL. 6 minutes; 20 seconds with --quick."""
    plan = Plan(QUICK_SIZES, 100, 1, seed) if quick else Plan(SIZES, 1_000, rounds, seed)
    console = Console()
    runs, postgresql = asyncio.run(measure(plan, folder, lambda text: console.print(text, style="dim")))
    console.print(shown(COMPARISON, runs, [way.name for way in WAYS]))
    settings = {"calls": plan.calls, "rounds": plan.rounds, "seed": seed, "postgresql": postgresql}
    kept = keep(COMPARISON, runs, (), settings=settings, folder=results)
    console.print(f"kept in {kept}", soft_wrap=True)
