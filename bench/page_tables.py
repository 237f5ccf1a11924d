"""Tables in Markdown from what was found: ways beside each other, sizes below each other, targets."""

import re
from collections.abc import Iterable, Mapping, Sequence

from bench.comparison import Figure, Target, exponent, ratio, spread
from bench.page_kept import Kept

MISSING = "–"
UNKNOWN = "not measured"
"""What a target says that nothing was found for."""
_BOUND = re.compile(r"(?P<bound>at least|at most|under|over|above) (?P<value>[\d,]*\.?\d+) ?(?P<unit>\S*)")
_FOUND = re.compile(r"(?P<value>-?[\d,]*\.?\d+) ?(?P<unit>\S*)")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """The first `left` columns are aligned left, the others right."""
    rule = ["---"] * left + ["--:"] * (len(headings) - left)
    lines = [headings, rule, *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def compared(kept: Kept) -> str:
    """A figure at a size is a row, a way a column; with one way alone, a size is a column."""
    ways = kept.ways()
    return _several_ways(kept, ways) if len(ways) > 1 else _one_way(kept, ways)


def _several_ways(kept: Kept, ways: Sequence[str]) -> str:
    sized = any(len(kept.sizes(figure.id)) > 1 for figure in kept.measured())
    headings = ["", *([kept.comparison.size or "size"] if sized else []), *ways]
    rows: list[list[str]] = []
    for figure in kept.measured():
        for place, size in enumerate(kept.sizes(figure.id)):
            name = _named(figure) if place == 0 else ""
            rows.append([name, *([f"{size:,}"] if sized else []), *(_cell(kept, figure, way, size) for way in ways)])
        grown = [_grown(kept, figure, way) for way in ways]
        if any(one != MISSING for one in grown):
            rows.append(["", "*exponent*", *grown])
    return table(headings, rows, left=1)


def _one_way(kept: Kept, ways: Sequence[str]) -> str:
    sizes = sorted({run.size for run in kept.runs})
    sized = len(sizes) > 1
    counted = kept.comparison.size or "size"
    headings = [f"{counted}:", *(f"{size:,}" for size in sizes), "*exponent*"] if sized else ["", *ways]
    rows = []
    for figure in kept.measured():
        cells = [_cell(kept, figure, way, size) for way in ways for size in sizes]
        rows.append([_named(figure), *cells, *([_grown(kept, figure, ways[0])] if sized else [])])
    return table(headings, rows)


def _named(figure: Figure) -> str:
    return f"{figure.label} ↑" if figure.more_is_better else figure.label


def _cell(kept: Kept, figure: Figure, way: str, size: int) -> str:
    """Median (least–most) ×ratio; neither is told where it says nothing."""
    found = spread(kept.runs, way, figure.id, size)
    if found is None:
        return MISSING
    middle, least, most = (f"{value:,.{figure.digits}f}" for value in (found.median, found.least, found.most))
    reference = kept.comparison.reference
    part = None if reference in (None, way) else ratio(kept.runs, way, str(reference), figure.id, size)
    return " ".join(
        [
            f"{middle}",
            *([f"({least}–{most})"] if (least, most) != (middle, middle) else []),
            *([f"×{part:.2f}"] if part is not None else []),
        ]
    )


def _grown(kept: Kept, figure: Figure, way: str) -> str:
    found = exponent(
        [run for run in kept.runs if run.size in kept.sizes(figure.id, way)],
        way,
        figure.id,
    )
    return MISSING if found is None else f"*{found:.2f}*"


def legend(kept: Kept) -> str:
    """What the table's signs mean; only those that are in it."""
    text = compared(kept)
    reference = kept.comparison.reference
    rounds = len({run.round for run in kept.runs})
    parts = [
        f"Medians of {rounds} rounds (least–most)" if rounds > 1 else "One round",
        *([f"×: of what {reference} has"] if reference and "×" in text else []),
        *(["↑: more is better"] if "↑" in text else []),
        *(
            [f"exponent: growth with {kept.comparison.size or 'size'}, 1 is in proportion"]
            if "exponent" in text
            else []
        ),
        *([f"{MISSING}: not measured"] if f"| {MISSING} " in text else []),
    ]
    return "; ".join(parts) + "."


def judged(targets: Sequence[Target]) -> str:
    """The targets, and by how much those that are missed are missed; nothing of none."""
    if not targets:
        return ""
    rows = [(one.what, one.wanted, one.found, verdict(one)) for one in targets]
    return table(("target", "wanted", "found", ""), rows, left=4)


def verdict(target: Target) -> str:
    """`met`, or `missed`; with how far, where `wanted` is a bound and `found` begins with a number in its unit."""
    if target.met:
        return "met"
    if target.found == UNKNOWN:
        return MISSING
    bound, found = _BOUND.match(target.wanted), _FOUND.match(target.found)
    if bound is None or found is None or bound["unit"].strip(",;:()") != found["unit"].strip(",;:()"):
        return "**missed**"
    wanted, value = (_number(one["value"]) for one in (bound, found))
    if wanted in (0, value):
        return "**missed**"
    return f"**missed** by {abs(value - wanted) / wanted:.0%}".replace("%", " %")


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def conditions(date: str, machine: Mapping[str, str | int | None], loads: Sequence[float], extra: str = "") -> str:
    """When, where and with what it was measured, as one sentence."""
    names = (("asterisk", "Asterisk {}"), ("sipp", "{}"), ("sqlite", "SQLite {}"), ("postgresql", "PostgreSQL {}"),
             ("panoramisk", "panoramisk {}"), ("python", "Python {}"))  # fmt: skip
    versions = [form.format(machine[name]) for name, form in names if machine.get(name)]
    hardware = f"{machine['cores']} cores ({machine['processor']}), Linux {machine['kernel']}"
    stolen = machine.get("stolen_percent")
    others = [] if stolen is None else [f"{stolen} % of the processors' time taken by other machines on the host"]
    parts = [hardware, *versions, *([_load(loads)] if loads else []), *others, *([extra] if extra else [])]
    return f"{date[:10]}, commit {machine['commit']}; {', '.join(parts)}."


def _load(loads: Sequence[float]) -> str:
    least, most = f"{min(loads):.1f}", f"{max(loads):.1f}"
    return f"load average {least} before" if least == most else f"load average {least} to {most} before a round"


def loaded(settings: Mapping[str, object]) -> str:
    """The settings of the load as they are kept; nothing of none."""
    told = ", ".join(
        f"{name.replace('_', ' ')} {_plain(value)}" for name, value in _flat(settings) if value is not None
    )
    return f"Load: {told}." if told else ""


def _flat(settings: Mapping[str, object], above: str = "") -> Iterable[tuple[str, object]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name} ")
        else:
            yield f"{above}{name}", value


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return "/".join(_plain(one) for one in value)
    return str(value)
