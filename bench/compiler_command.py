"""`python -m bench compiler`: compiles cities of several sizes, shows the figures beside the target, keeps them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.comparison import RESULTS, keep
from bench.compiler import COMPARISON, DIVISORS, QUICK_DIVISORS, WAY, Plan, measure, targets
from bench.compiler_city import part
from bench.shown import against, shown


def compiler(
    quick: Annotated[bool, typer.Option("--quick", help="Small cities, once: a look, no judgement.")] = False,  # noqa: FBT002
    rounds: Annotated[int, typer.Option(min=1, max=20, help="So often each size is measured.")] = 3,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Measure how long the settings of a big city take to compile and load. 8 minutes; 20 seconds with --quick."""
    plan = Plan(QUICK_DIVISORS, 1) if quick else Plan(DIVISORS, rounds)
    console = Console()
    runs = measure(plan, lambda text: console.print(text, style="dim"))
    found = [] if quick else targets(runs)
    console.print(shown(COMPARISON, runs, (WAY,)), against(found), sep="\n")
    sizes = {f"{one.seats} seats": f"{one.numbers} numbers, {one.menus} menus" for one in map(part, plan.divisors)}
    kept = keep(COMPARISON, runs, found, settings={**sizes, "rounds": plan.rounds}, folder=results)
    console.print(f"kept in {kept}", soft_wrap=True)
    raise typer.Exit(0 if all(target.met for target in found) else 1)
