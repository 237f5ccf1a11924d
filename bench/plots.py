"""Draws the pictures of docs/benchmarks.md. The only module that needs matplotlib (requirements-bench.in)."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, assert_never

from bench.comparison import Spread
from bench.page_plots import Bars, Lines, Plot
from hotline.failing import CannotGoOn

try:
    import matplotlib as mpl
    from matplotlib import pyplot
except ImportError as error:
    raise CannotGoOn("matplotlib is missing, which draws the pictures", "run './setup.sh bench'") from error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS = "this project"
COLUMNS = 3
WIDTH_IN, BAR_IN, LINES_IN = 11.0, 0.3, 2.5
TITLE_CHARACTERS = 44
DENSE = 200
"""A scale whose ends are so far apart has ticks at the powers of ten alone."""
_OUR_COLOUR = "#c4392f"
_COLOURS = ("#4c78a8", "#72b7b2", "#e0a030", "#8a6bbe", "#6c757d", "#59a14f", "#9c755f", "#d17ba5")
_MARKERS = "os^Dv<>P"
_STYLE = {
    # Text stays text, and the ids in the file do not change from run to run.
    "svg.fonttype": "none",
    "svg.hashsalt": "hotline",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "xtick.color": "#444444",
    "ytick.color": "#222222",
}


def draw(plots: Sequence[Plot], folder: Path) -> None:
    """Writes each picture, and removes those that are none of them. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        if old.stem not in {plot.name for plot in plots}:
            old.unlink()
    for plot in plots:
        with mpl.rc_context(_STYLE):
            _drawn(plot, folder / f"{plot.name}.svg")


def _drawn(plot: Plot, path: Path) -> None:
    columns = min(COLUMNS, len(plot.panels))
    rows = math.ceil(len(plot.panels) / columns)
    colours = _colours(plot)
    most = max(len(panel.ways) for panel in plot.panels)
    height = LINES_IN if isinstance(plot.panels[0], Lines) else 0.5 + BAR_IN * most
    figure, grid = pyplot.subplots(
        rows,
        columns,
        figsize=(WIDTH_IN * columns / COLUMNS, height * rows + 0.3),
        squeeze=False,
        layout="constrained",
    )
    for place, axes in enumerate(grid.flat):
        if place >= len(plot.panels):
            axes.set_visible(False)
            continue
        match plot.panels[place]:
            case Bars() as panel:
                _bars(axes, panel, colours, named=place % columns == 0 or not _alike(plot, place, place - 1))
            case Lines() as panel:
                _lines(axes, panel, colours)
            case other:
                assert_never(other)
    _explained(figure, grid.flat)
    figure.savefig(path, metadata={"Date": None, "Creator": None, "Title": plot.title, "Description": plot.digest})
    pyplot.close(figure)


def _alike(plot: Plot, one: int, other: int) -> bool:
    """Whether two panels show the same ways."""
    return [name for name, _ in plot.panels[one].ways] == [name for name, _ in plot.panels[other].ways]


def _explained(figure: "Figure", panels: Iterable["Axes"]) -> None:
    """Says above all panels which line is which; bars are named themselves."""
    lines = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if len(lines) > 1:
        figure.legend(lines.values(), lines.keys(), loc="outside upper left", ncols=4, frameon=False)


def _colours(plot: Plot) -> dict[str, str]:
    """Of each way, the same in all panels; this project's own stands out."""
    names = dict.fromkeys(name for panel in plot.panels for name, _ in panel.ways)
    others = iter(_COLOURS * len(names))
    return {name: _OUR_COLOUR if name == OURS else next(others) for name in names}


def _bars(axes: "Axes", panel: Bars, colours: dict[str, str], *, named: bool) -> None:
    """The values stand at the bars, so there is no scale. `named`: the ways are named at the left."""
    names = [name for name, _ in panel.ways]
    middles = [values.median for _, values in panel.ways]
    axes.barh(range(len(names)), middles, color=[colours[name] for name in names], height=0.65)
    longest = max(values.most for _, values in panel.ways) or 1.0
    for place, (_, values) in enumerate(panel.ways):
        axes.text(values.most + longest * 0.02, place, _short(values.median), va="center", fontsize=7)
        if values.least < values.most:
            axes.errorbar(values.median, place, xerr=_arms([values]), ecolor="#222222", elinewidth=1, capsize=2)
    axes.set_yticks(range(len(names)), names if named else [""] * len(names))
    axes.set_xlim(0, longest * 1.18)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.set_title(_wrapped(panel.title))


def _lines(axes: "Axes", panel: Lines, colours: dict[str, str]) -> None:
    order = list(colours)
    for name, points in panel.ways:
        sizes = [size for size, _ in points]
        axes.errorbar(
            sizes,
            [values.median for _, values in points],
            yerr=_arms([values for _, values in points]),
            label=name,
            color=colours[name],
            marker=_MARKERS[order.index(name) % len(_MARKERS)],
            markersize=4,
            linewidth=1.5,
            capsize=2,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted({size for _, points in panel.ways for size, _ in points})
    axes.set_xticks(ticks, [f"{size:,}" for size in ticks])
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    least, most = _at_least_a_decade([values for _, points in panel.ways for _, values in points])
    axes.set_ylim(least, most)
    axes.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5) if most / least < DENSE else (1,)))
    axes.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axes.yaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.grid(visible=True, color="#e5e5e5", linewidth=0.6)
    axes.set_xlabel(panel.size)
    axes.set_title(_wrapped(panel.title))


def _at_least_a_decade(values: Sequence[Spread]) -> tuple[float, float]:
    """The scale's ends: what hardly grows is to look as if it hardly grew."""
    least, most = min(one.least for one in values), max(one.most for one in values)
    wider = max(1.3, math.sqrt(10 * least / most))
    return least / wider, most * wider


def _arms(values: Sequence[Spread]) -> list[list[float]]:
    """From the median down to the least and up to the most."""
    return [[one.median - one.least for one in values], [one.most - one.median for one in values]]


def _wrapped(title: str) -> str:
    """So that it does not run into the panel beside it."""
    return "\n".join(fill(line, TITLE_CHARACTERS) for line in title.split("\n"))


def _short(value: float) -> str:
    """Three figures that count, at least."""
    if value == 0:
        return "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
