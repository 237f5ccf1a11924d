"""`python -m bench speech`: renders prompts, shows the figures, keeps them."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.comparison import RESULTS, keep
from bench.shown import shown
from bench.speech import COMPARISON, TEXTS, WORDS_PER_MINUTE, Plan, measure


def speech(
    quick: Annotated[bool, typer.Option("--quick", help="One text of each kind: a look.")] = False,  # noqa: FBT002
    rounds: Annotated[int, typer.Option(min=1, max=20, help="So often each language is measured.")] = 3,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Measure how fast prompts are rendered to audio. 30 seconds; 4 with --quick."""
    plan = Plan(1, 1) if quick else Plan(3, rounds)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="hb") as folder:
        runs = measure(plan, Path(folder), lambda text: console.print(text, style="dim"))
    console.print(shown(COMPARISON, runs, list(TEXTS)))
    settings = {"texts": plan.texts, "rounds": plan.rounds, "words_per_minute": WORDS_PER_MINUTE}
    kept = keep(COMPARISON, runs, (), settings=settings, folder=results)
    console.print(f"kept in {kept}", soft_wrap=True)
