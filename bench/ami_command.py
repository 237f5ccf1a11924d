"""`python -m bench ami`: reads streams of events in several ways, shows the figures, keeps them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.ami import COMPARISON, FULL_SIZES, QUICK_SIZES, WAYS, Plan, measure
from bench.ami_stream import STREAMS, stream
from bench.comparison import RESULTS, keep
from bench.shown import shown


def ami(
    quick: Annotated[bool, typer.Option("--quick", help="One round of few events: a look.")] = False,  # noqa: FBT002
    rounds: Annotated[int, typer.Option(min=1, max=20, help="So often each way is measured.")] = 3,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Measure how fast Asterisk's events are read. 2 minutes; 10 seconds with --quick."""
    plan = Plan(QUICK_SIZES, 1) if quick else Plan(FULL_SIZES, rounds)
    console = Console()
    runs = measure(plan, lambda text: console.print(text, style="dim"))
    console.print(shown(COMPARISON, runs, WAYS))
    events = {f"events_a_call_{name}": stream(name).events for name in STREAMS}
    kept = keep(COMPARISON, runs, (), settings={**events, "rounds": plan.rounds}, folder=results)
    console.print(f"kept in {kept}", soft_wrap=True)
