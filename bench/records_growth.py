"""How searches and a day's figures grow with what is kept: the same questions to stores of several sizes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from os import getloadavg
from pathlib import Path
from typing import Any, Final

from bench import records as measured
from bench.comparison import Comparison, Figure, Run, exponent, spread
from bench.records import Times
from bench.records_made import LAST_DAY
from recordings.store import Store

PARTS: Final = (16, 4, 1)
"""Each store holds one of so many of all records: the first ones."""
KINDS: Final = (
    (),
    ("caller",),
    ("number",),
    ("day",),
    ("seat",),
    ("agent",),
    ("outcome",),
    ("number", "seat"),
    ("since", "number", "outcome"),
)
WAY: Final = "store"

IDS = {kind: "_".join(kind) or "newest" for kind in KINDS}
_LABELS = {(): "the newest", ("since", "number", "outcome"): "31 days, number and outcome"}
_DAYS_A_ROUND = 2

COMPARISON: Final = Comparison(
    "searches",
    "Searches in a growing store",
    (
        *(Figure(IDS[kind], f"{_LABELS.get(kind, ' + '.join(kind))}, median ms", 2) for kind in KINDS),
        Figure("id", "id, median ms", 2),
        Figure("report", "a day's figures, median ms"),
    ),
    size="records",
)


def sizes(many: int) -> list[int]:
    """How many records each store holds."""
    return [many // part for part in PARTS]


def common_days(days: int, size: int, many: int) -> list[date]:
    """The days that are whole in the store of that size, when `many` records are made of `days` days."""
    first = LAST_DAY - timedelta(days=days - 1)
    return [first + timedelta(days=day) for day in range(max(1, days * size // many))]


def grown(
    stores: Mapping[int, Path], days: Sequence[date], *, times: int, rounds: int, seed: int, told: Callable[[str], None]
) -> list[Run]:
    """Rounds by turns of all stores (size → path). `times`: searches of each kind in a round; `days`: whose
    figures are asked for, those of the same days of each store.
    """
    runs = []
    for round_ in range(rounds):
        order = sorted(stores, reverse=round_ % 2 == 1)
        for size in order:
            told(f"growth: {size:,} records, round {round_ + 1}")
            others_load = getloadavg()[0]
            with Store(stores[size]) as store:
                found = _round(store, size, days, times, seed + round_)
            medians = {name: one.median_ms for name, one in found.items()}
            runs.append(Run(WAY, round_, medians, size, others_load))
    return runs


def _round(store: Store, size: int, days: Sequence[date], times: int, seed: int) -> dict[str, Times]:
    found = {IDS[kind]: measured.searched(store, kind, size, times, seed) for kind in KINDS}
    found["id"] = measured.others_searched(store, size, times, seed)[0]
    some = [days[(seed + number) % len(days)] for number in range(_DAYS_A_ROUND)]
    found["report"] = measured.figured(store, some, forgotten=False)
    return found


def summed_up(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Each kind of search with its median at each size, and the exponent of its growth."""
    found = sorted({run.size for run in runs})
    return [
        {
            "kind": figure.label.removesuffix(", median ms"),
            "median_ms": {
                str(size): one.median for size in found if (one := spread(runs, WAY, figure.id, size)) is not None
            },
            "exponent": exponent(runs, WAY, figure.id),
        }
        for figure in COMPARISON.figures
    ]
