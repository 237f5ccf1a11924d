"""What a comparison found, as a command prints it."""

from collections.abc import Sequence

from rich.table import Table

from bench.comparison import Comparison, Figure, Run, Target, exponent, ratio, spread

MISSING = "-"


def shown(comparison: Comparison, runs: Sequence[Run], ways: Sequence[str]) -> Table:
    """A figure at a size is a row, a way a column: the median, and its proportion to the reference.

    What no way has is left out; where there are several sizes, a row tells how the figure grows.
    """
    table = Table("", comparison.size, title=comparison.title, header_style="bold")
    for way in ways:
        table.add_column(way, justify="right")
    for figure in comparison.figures:
        sizes = sorted({run.size for run in runs if run.figures.get(figure.id) is not None})
        for size in sizes:
            cells = [_cell(comparison, runs, figure, way, size) for way in ways]
            table.add_row(figure.label if size == sizes[0] else "", f"{size:,}", *cells)
        if len(sizes) > 1:
            grown = [exponent(runs, way, figure.id) for way in ways]
            table.add_row("", "exponent", *(MISSING if one is None else f"{one:.2f}" for one in grown))
    return table


def against(targets: Sequence[Target]) -> Table | str:
    """What was wanted, and what was found; a look is held to no target."""
    if not targets:
        return "a look: no judgement"
    table = Table("target", "wanted", "found", "met", header_style="bold")
    for target in targets:
        table.add_row(target.what, target.wanted, target.found, "yes" if target.met else "NO")
    return table


def _cell(comparison: Comparison, runs: Sequence[Run], figure: Figure, way: str, size: int) -> str:
    found = spread(runs, way, figure.id, size)
    if found is None:
        return MISSING
    reference = comparison.reference
    part = None if reference in (None, way) else ratio(runs, way, str(reference), figure.id, size)
    return f"{found.median:,.{figure.digits}f}" + ("" if part is None else f" ×{part:.2f}")
