"""`python -m bench fairness`: plays the contests, shows the figures beside the targets, keeps them."""

import asyncio
import json
import logging
import tempfile
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from bench import fairness as contest
from bench.comparison import RESULTS
from bench.fairness import Contest, Result
from bench.page_fairness import summaries
from bench.shown import against

HEADINGS = (
    "way", "calls", "failed", "passed a longer\nwaiter", "wait mean / median / max", "seat idle\nmedian / p95",
    "CPU a call: Asterisk\n/ controller", "longest wait\nfor the scarce skill", "load before",
)  # fmt: skip

_QUICK_S = 3.0


def fairness(
    quick: Annotated[bool, typer.Option("--quick", help="One contest of few calls: no judgement.")] = False,  # noqa: FBT002
    rounds: Annotated[int, typer.Option(min=1, max=20, help="So often each way to answer is measured.")] = 2,
    seed: int = 12345,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Measure fairness on the real Asterisk against its own queues. 25 minutes; one with --quick."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for_s = _QUICK_S if quick else 60.0
    rounds = 1 if quick else rounds
    console = Console()
    contests = [contest.equal_callers(for_s, seed)]
    if not quick:
        contests += [contest.scarce_skill(for_s / 2, seed, arrivals) for arrivals in ("even", "poisson")]
        contests += contest.growing(seed)
    with tempfile.TemporaryDirectory(prefix="hf") as folder:
        place = Path(folder)
        (place / "sounds").mkdir()
        played = contest.compete(contests, rounds, place, lambda one: console.print(_line(one)))
        found = asyncio.run(played)
    targets = [] if quick else contest.targets(found)
    for one in contests:
        console.print(_table(one, found))
    console.print(against(targets))
    results.mkdir(parents=True, exist_ok=True)
    path = results / "fairness.json"
    whole = contest.as_json(contests, found, targets, seed=seed, for_s=for_s, rounds=rounds)
    path.write_text(
        json.dumps({**whole, "summary": summaries(whole)}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    console.print(f"kept in {path}", soft_wrap=True)
    raise typer.Exit(0 if all(target.met for target in targets) else 1)


def _line(one: Result) -> str:
    figures = one.round.figures
    return (
        f"{one.contest}: {one.round.way}: {figures.calls} calls, {figures.failed} failed,"
        f" {figures.passed_percent:.1f} % passed, wait {figures.wait_mean_s:.2f} s,"
        f" idle {figures.idle_median_ms:.0f} ms"
    )


def _table(played: Contest, found: list[Result]) -> Table:
    seats = len(played.load.seats)
    results = [result for result in found if (result.contest, result.seats) == (played.name, seats)]
    table = Table(title=f"{played.name}: {seats} seats", header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for one in results:
        figures, steering = one.round.figures, one.round.controller_cpu_ms
        scarce = one.round.wait_max_by_skill_s.get(contest.SCARCE)
        table.add_row(
            one.round.way,
            str(figures.calls),
            str(figures.failed),
            f"{figures.passed_percent:.1f} %",
            f"{figures.wait_mean_s:.2f} / {figures.wait_median_s:.2f} / {figures.wait_max_s:.2f} s",
            f"{figures.idle_median_ms:.1f} / {figures.idle_p95_ms:.1f} ms",
            f"{one.round.asterisk_cpu_ms:.0f} / {'-' if steering is None else f'{steering:.1f}'} ms",
            "-" if scarce is None else f"{scarce:.2f} s",
            f"{one.others_load:.1f}",
        )
    best = contest.ideal(played.load)
    scarce = best.wait_max_by_skill_s.get(contest.SCARCE)
    waits = f"{best.wait_mean_s:.2f} / - / {best.wait_max_s:.2f} s"
    longest = "-" if scarce is None else f"{scarce:.2f} s"
    table.add_row("the ideal line", str(len(played.load.calls)), "-", "-", waits, "-", "-", longest, "-")
    return table
