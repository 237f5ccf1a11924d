"""A day's figures for people's eyes, and for programs."""

import json
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from recordings.figures import DayFigures, Spread, Tally


def as_json(of: DayFigures) -> str:
    """The figures on one line; `docs/records.md` says what each entry means."""
    return json.dumps({**asdict(of), "day": of.day.isoformat()}, ensure_ascii=False)


def draw(of: DayFigures) -> RenderableType:
    """The day at a glance, then its numbers and its hours."""
    head = Table.grid(padding=(0, 2))
    for name, value in _facts(of):
        head.add_row(Text(name, style="dim"), Text(value))
    soon = f"within {of.within_ms / 1000:g}s"
    numbers = _table("number", soon)
    for number, tally in of.numbers.items():
        numbers.add_row(Text(number), *_columns(tally))
    hours = _table("hour", soon)
    for hour, tally in of.hours.items():
        if tally.calls:
            hours.add_row(f"{hour:02}", *_columns(tally))
    parts: list[RenderableType] = [Text(f"{of.day}", style="bold"), head]
    if of.total.calls:
        parts += [Text(), numbers, Text(), hours]
    return Group(*parts)


def _facts(of: DayFigures) -> list[tuple[str, str]]:
    total = of.total
    ended = ", ".join(f"{outcome} {calls}" for outcome, calls in of.outcomes.items() if calls)
    facts = [
        ("calls", f"{total.calls}" + (f", {of.running} of them running" if of.running else "")),
        ("outcomes", ended),
        ("service level", f"{_share(total.service_level)} within {of.within_ms / 1000:g}s"),
        ("emergencies", f"{of.emergencies}" if of.emergencies else ""),
        ("wait", _spread(of.wait)),
        ("talk", _spread(of.talk)),
        ("called back", f"{of.called_back}, reached {of.reached}" if of.called_back else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _table(first: str, soon: str) -> Table:
    found = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    found.add_column(first)
    for name in ("calls", "answered", soon, "abandoned", "service level"):
        found.add_column(name, justify="right")
    return found


def _columns(tally: Tally) -> tuple[str, ...]:
    counts = (tally.calls, tally.answered, tally.soon, tally.abandoned)
    return *map(str, counts), _share(tally.service_level)


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _spread(of: Spread | None) -> str:
    if of is None:
        return ""
    mean, median, most, longest = (f"{ms / 1000:.1f}s" for ms in (of.mean_ms, of.median_ms, of.p95_ms, of.max_ms))
    return f"mean {mean}, half within {median}, 95 % within {most}, longest {longest}"
