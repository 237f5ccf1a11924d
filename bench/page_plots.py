"""What each plot shows: which figures, at which sizes. `bench.plots` draws it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.comparison import Figure, Spread, spread
from bench.page_fairness import PLOTTED, contests, growth
from bench.page_kept import Kept, is_comparison, kept


@dataclass(frozen=True, slots=True)
class Bars:
    """One figure, the ways beside each other."""

    title: str
    ways: tuple[tuple[str, Spread], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """One figure of each way, growing with the size. Values are above 0."""

    title: str
    size: str
    """What it counts."""
    ways: tuple[tuple[str, tuple[tuple[int, Spread], ...]], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture. `name`: of its file, without ending."""

    name: str
    title: str
    panels: tuple[Bars | Lines, ...]

    @property
    def digest(self) -> str:
        """Of what it shows: the file says it, so that an outdated picture is found."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def plots(results: Mapping[str, Mapping[str, Any]]) -> list[Plot]:
    """All pictures of the page."""
    found: list[Plot] = []
    for name, whole in results.items():
        if is_comparison(whole):
            found += plots_of(kept(whole))
        elif name == "fairness":
            found += _fairness(whole)
    return found


def plots_of(one: Kept) -> list[Plot]:
    """The ways side by side, where lines of growth do not show all of them; and the growth."""
    bars = tuple(bar for figure in one.measured() if (bar := _bars(one, figure)) is not None)
    lines = tuple(line for figure in one.measured() if (line := _lines(one, figure)) is not None)
    name, title = one.comparison.id, one.comparison.title
    return [
        *([Plot(name, title, bars)] if bars else []),
        *([Plot(f"{name}-growth", f"{title}: growth", lines)] if lines else []),
    ]


def _fairness(whole: Mapping[str, Any]) -> list[Plot]:
    panels = [
        Bars(f"{one.comparison.title}:\n{figure.label}", _beside(one, figure, 1))
        for one in contests(whole)
        for figure in one.measured()
        if figure.id in PLOTTED
    ]
    grown = growth(whole)
    return [Plot("fairness", "Fairness", tuple(panels)), *([] if grown is None else plots_of(grown))]


def _bars(one: Kept, figure: Figure) -> Bars | None:
    """At the size at which most ways were measured, the largest of such sizes. None where all were at every size."""
    many = {size: len(one.ways(figure.id, size)) for size in one.sizes(figure.id)}
    size = max(many, key=lambda size: (many[size], size))
    beside = _beside(one, figure, size)
    everywhere = len(many) > 1 and len({*many.values()}) == 1
    if many[size] < 2 or everywhere or not any(values.most for _, values in beside):
        return None
    sized = len({run.size for run in one.runs}) > 1 and size > 1
    return Bars(f"{figure.label}\n({size:,} {one.comparison.size})" if sized else figure.label, beside)


def _beside(one: Kept, figure: Figure, size: int) -> tuple[tuple[str, Spread], ...]:
    found = ((way, spread(one.runs, way, figure.id, size)) for way in one.ways(figure.id, size))
    return tuple((way, values) for way, values in found if values is not None)


def _lines(one: Kept, figure: Figure) -> Lines | None:
    ways = tuple((way, points) for way in one.ways(figure.id) if (points := _points(one, figure, way)))
    shown = tuple((way, points) for way, points in ways if way in _growing(one, figure))
    return Lines(figure.label, one.comparison.size or "size", shown) if shown else None


def _growing(one: Kept, figure: Figure) -> list[str]:
    """The ways with a line: two sizes or more with a value above 0."""
    return [way for way in one.ways(figure.id) if len(_points(one, figure, way)) > 1]


def _points(one: Kept, figure: Figure, way: str) -> tuple[tuple[int, Spread], ...]:
    found = ((size, spread(one.runs, way, figure.id, size)) for size in one.sizes(figure.id, way))
    return tuple((size, values) for size, values in found if values is not None and values.least > 0)
