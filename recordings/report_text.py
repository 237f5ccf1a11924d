"""A report for a terminal, as a table of values, and for programs."""

import csv
import json
from collections.abc import Iterator
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from recordings.figures import CATALOGUE, By, Figure, Unit, Value, figure_of
from recordings.figures_span import Length
from recordings.report import Report, Values
from recordings.report_words import amount, details, name, title

SHOWN = ("calls", "connection_rate", "answered_within", "abandonment", "waiting", "talking")
"""What a terminal shows by number, hour and day."""
HEADS = {
    By.NUMBER: "号码 number",
    By.HOUR: "时段 hour",
    By.DAY: "日期 day",
    By.SEAT: "坐席 seat",
    By.AGENT: "话务员 agent",
}
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "'")
COLUMNS = (
    "period",
    "first_day",
    "last_day",
    "by",
    "key",
    "figure",
    "zh",
    "en",
    "unit",
    "value",
    "numerator",
    "denominator",
    "median_ms",
    "p95_ms",
    "max_ms",
)
"""Of the table of values. Shares are 0 to 1, times ms; an empty cell is no value."""


class _Writes(Protocol):
    def write(self, text: str, /) -> object: ...


def draw(of: Report) -> RenderableType:
    """All of it at a glance, then numbers, hours and, of several days, days."""
    parts: list[RenderableType] = [Text(title(of.span), style="bold"), _totals(of)]
    ended = ", ".join(f"{outcome} {calls:,}" for outcome, calls in of.outcomes.items())
    if of.running:
        ended += f"{', ' if ended else ''}running {of.running:,}"
    if ended:
        parts += [Text(), Text(ended)]
    for by in (By.NUMBER, By.HOUR, By.DAY):
        of_these = {key: values for key, values in of.by[by].items() if values["calls"].numerator}
        if of_these and not (by is By.DAY and of.span.length is Length.DAY):
            parts += [Text(), _table(of, by, of_these)]
    return Group(*parts)


def _totals(of: Report) -> Table:
    found = Table.grid(padding=(0, 2))
    found.add_column(overflow="fold")
    found.add_column(justify="right", no_wrap=True)
    found.add_column(style="dim", overflow="fold")
    for figure in CATALOGUE:
        value = of.total[figure.id]
        zh, en = name(figure, of.within_ms)
        found.add_row(f"{zh} {en}", amount(figure, value), details(figure, value))
    return found


def _table(of: Report, by: By, found: dict[str, Values]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(HEADS[by].replace(" ", "\n"))
    figures = [figure_of(id_) for id_ in SHOWN]
    for figure in figures:
        table.add_column("\n".join(name(figure, of.within_ms)), justify="right", overflow="fold")
    for key, values in found.items():
        table.add_row(Text(key), *(amount(figure, values[figure.id]) for figure in figures))
    return table


# --- for programs ----------------------------------------------------------------------------------


def as_json(of: Report) -> str:
    """One line; `docs/figures.md` says what each entry means."""
    span = of.span
    told = {
        "period": span.name,
        "first_day": span.first.isoformat(),
        "last_day": span.last.isoformat(),
        "within_ms": of.within_ms,
        "running": of.running,
        "outcomes": of.outcomes,
        "total": _plain(of.total),
        **{by.value: {key: _plain(values) for key, values in found.items()} for by, found in of.by.items()},
    }
    return json.dumps(told, ensure_ascii=False)


def _plain(values: Values) -> dict[str, Any]:
    return {id_: _of_value(value) for id_, value in values.items()}


def _of_value(value: Value) -> dict[str, int | float | None]:
    told: dict[str, int | float | None] = {"value": value.result, "numerator": value.numerator}
    told["denominator"] = value.denominator
    if value.spread is not None:
        told |= {"median_ms": value.spread.median_ms, "p95_ms": value.spread.p95_ms, "max_ms": value.spread.max_ms}
    return told


def write_csv(of: Report, file: _Writes) -> None:
    """A line a figure, in all and by each number, hour …, after a line with the columns' names."""
    lines = csv.writer(file)
    lines.writerow(COLUMNS)
    lines.writerows(_lines(of, "", "", of.total))
    for by, found in of.by.items():
        for key, values in found.items():
            lines.writerows(_lines(of, by.value, key, values))


def _lines(of: Report, by: str, key: str, values: Values) -> Iterator[tuple[Any, ...]]:
    span = (of.span.name, of.span.first.isoformat(), of.span.last.isoformat())
    safe = f"'{key}" if key.startswith(_FORMULAS) else key  # A spreadsheet takes no dialled number for a formula.
    for id_, value in values.items():
        figure = figure_of(id_)
        lie = value.spread
        yield (
            *(*span, by, safe, id_, *name(figure, of.within_ms), _unit(figure)),
            *("" if one is None else one for one in (value.result, value.numerator, value.denominator)),
            *(("", "", "") if lie is None else (lie.median_ms, lie.p95_ms, lie.max_ms)),
        )


def _unit(figure: Figure) -> str:
    return {Unit.CALLS: "calls", Unit.SHARE: "share", Unit.TIME: "ms"}[figure.unit]
