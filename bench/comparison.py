"""What is compared side by side: ways, sizes and figures; what was found; how it is kept and summed up."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median

from bench.machine import machine

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that is measured. `label` tells its unit."""

    id: str
    label: str
    digits: int = 1
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`id` names the file of the results and the place in the documentation."""

    id: str
    title: str
    figures: tuple[Figure, ...]
    reference: str | None = None
    """The way that the others are set in proportion to."""
    size: str = ""
    """What `Run.size` counts, where there are several sizes: "callers who wait"."""


@dataclass(frozen=True, slots=True)
class Run:
    """One round of one way at one size. A figure that was not measured is None, or missing."""

    way: str
    round: int
    figures: Mapping[str, float | None]
    size: int = 1
    others_load: float = field(default_factory=lambda: os.getloadavg()[0])
    """The machine's load average over a minute when this was noted: take it before the round."""


@dataclass(frozen=True, slots=True)
class Target:
    """What must hold, and what was found."""

    what: str
    wanted: str
    found: str
    met: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all rounds of a way at a size."""

    median: float
    least: float
    most: float


def spread(runs: Sequence[Run], way: str, figure: str, size: int = 1) -> Spread | None:
    """None: it was not measured."""
    found = [run.figures.get(figure) for run in runs if run.way == way and run.size == size]
    values = [value for value in found if value is not None]
    return Spread(median(values), min(values), max(values)) if values else None


def ratio(runs: Sequence[Run], way: str, reference: str, figure: str, size: int = 1) -> float | None:
    """Of the medians; None where one is missing, or the reference is 0."""
    one, other = spread(runs, way, figure, size), spread(runs, reference, figure, size)
    return None if one is None or other is None or other.median == 0 else one.median / other.median


def exponent(runs: Sequence[Run], way: str, figure: str) -> float | None:
    """How the figure grows with the size: the slope of the straight line through the logarithms of the medians.

    1: in proportion; 0: not at all. None with fewer than two sizes, or where something is not above 0.
    """
    sizes = sorted({run.size for run in runs if run.way == way})
    found = [(size, spread(runs, way, figure, size)) for size in sizes]
    points = [(math.log(size), math.log(one.median)) for size, one in found if one is not None and one.median > 0]
    if len(points) < 2 or len(points) < len(sizes):
        return None
    mean_x, mean_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def summary(comparison: Comparison, runs: Sequence[Run]) -> list[dict[str, str | int | float | None]]:
    """For each way, figure and size: median, least, most, and the ratio to the reference; then how it grows."""
    found: list[dict[str, str | int | float | None]] = []
    for way in dict.fromkeys(run.way for run in runs):
        for figure in comparison.figures:
            sizes = sorted({run.size for run in runs if run.way == way and run.figures.get(figure.id) is not None})
            for size in sizes:
                one = spread(runs, way, figure.id, size)
                part = ratio(runs, way, comparison.reference, figure.id, size) if comparison.reference else None
                if one is not None:
                    found.append({"way": way, "figure": figure.id, "size": size, **asdict(one), "ratio": part})
            if len(sizes) > 1:
                measured = [run for run in runs if run.size in sizes]
                found.append({"way": way, "figure": figure.id, "exponent": exponent(measured, way, figure.id)})
    return found


def keep(
    comparison: Comparison,
    runs: Sequence[Run],
    targets: Sequence[Target],
    *,
    settings: Mapping[str, object],
    folder: Path = RESULTS,
) -> Path:
    """Writes the file; `settings`: what the load was. Its path."""
    whole = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "comparison": asdict(comparison),
        "settings": settings,
        "targets": [asdict(target) for target in targets],
        "summary": summary(comparison, runs),
        "runs": [asdict(run) for run in runs],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{comparison.id}.json"
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path
