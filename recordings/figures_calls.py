"""Figures of calls, counted by SQLite over the index that has all that they need."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

from recordings.figures import ARRIVED, CATALOGUE, EMERGENCIES, Average, By, Count, Figure, Share, Spread, Value
from recordings.figures_span import HOUR_MS, Span
from recordings.store import Store

NUMBER: Final = "coalesce(number, dialled)"
_SPAN = """
    WHERE arrived_utc_ms >= :begin AND arrived_utc_ms < :end AND outcome <> 'drill'
    AND rowid NOT IN (SELECT tests.rowid FROM drills CROSS JOIN records AS tests ON tests.ref = drills.ref)
"""
WITHIN_SPAN: Final = f"records INDEXED BY records_in_figures {_SPAN}"
"""The calls that arrived from one moment on and before another, but drills."""
EMERGENCIES_WITHIN_SPAN: Final = f"records INDEXED BY records_emergencies {_SPAN} AND {EMERGENCIES}"
"""Those of them that are emergencies and have ended."""


def _columns() -> tuple[str, ...]:
    """Every numerator and denominator of the catalogue as SQL, each once."""
    found: dict[str, None] = {}
    for figure in CATALOGUE:
        found |= dict.fromkeys(_parts(figure))
    return tuple(found)


def _parts(figure: Figure) -> tuple[str, ...]:
    match figure.of:
        case Count(calls=calls):
            return (_many(calls),)
        case Share(calls=calls, among=among):
            return _many(calls), _many(among)
        case Average(amount=amount, calls=calls):
            of = f"FILTER (WHERE {calls})"
            return f"coalesce(sum({amount}) {of}, 0)", f"count({amount}) {of}"
        case _:
            return ()


def _many(calls: str) -> str:
    return f"count(*) FILTER (WHERE {calls})"


COLUMNS: Final = _columns()
_PLACES = {column: place for place, column in enumerate(COLUMNS)}
_OF_PEOPLE = frozenset(chain.from_iterable(map(_parts, (figure for figure in CATALOGUE if By.SEAT in figure.by))))
_CALLS = _PLACES[_many(ARRIVED)]
_SPREADS = {figure.id: figure.of for figure in CATALOGUE if isinstance(figure.of, Average)}


def counts_sql(by: By | None) -> str:
    """The SQL that counts: by number and outcome, or by seats or agents."""
    match by:
        case By.SEAT | By.AGENT:
            key, condition = f"{by.value}s", f"AND {by.value}s <> '[]'"
            columns = ", ".join(column if column in _OF_PEOPLE else "0" for column in COLUMNS)
            return f"SELECT {key}, {columns} FROM {WITHIN_SPAN} {condition} GROUP BY 1"  # noqa: S608 - our words
        case _:
            keys = f"{NUMBER}, outcome, running"
            return f"SELECT {keys}, {', '.join(COLUMNS)} FROM {WITHIN_SPAN} GROUP BY 1, 2, 3"  # noqa: S608 - our words


@dataclass(slots=True)
class Tallies:
    """Sums of one kind, by what they are told apart by."""

    of: dict[str, list[int]] = field(default_factory=dict)

    def add(self, key: str, values: Iterable[int]) -> None:
        """Adds a row of counts."""
        known = self.of.get(key)
        self.of[key] = list(values) if known is None else [one + more for one, more in zip(known, values, strict=True)]

    def most_first(self) -> list[str]:
        """The keys, those with the most calls first."""
        return sorted(self.of, key=lambda key: (-self.of[key][_CALLS], key))


@dataclass(slots=True)
class Counts:
    """The counts of a span's calls."""

    total: Tallies
    by: dict[By, Tallies]
    outcomes: Counter[str] = field(default_factory=Counter)
    """Of calls of citizens that ended."""
    running: int = 0
    """Calls of citizens."""

    def add_calls(self, number: str, outcome: str, sums: list[int], *, running: bool) -> None:
        """Adds the counts of calls that are alike."""
        self.total.add("", sums)
        if outcome != "refused_unknown":
            self.by[By.NUMBER].add(number, sums)
        if running:
            self.running += sums[_CALLS]
        elif sums[_CALLS]:
            self.outcomes[outcome] += sums[_CALLS]


def count(store: Store, span: Span, timezone: ZoneInfo, within_ms: int, *, people: bool) -> Counts:
    """Counts them; `people`: by seat and agent, too."""
    found = Counts(Tallies({"": [0] * len(COLUMNS)}), {one: Tallies() for one in By})
    values = values_of(span, timezone, within_ms)
    for hour, (day, clock) in enumerate(span.hours(timezone)):
        # One hour after the other, so that little has to be sorted at once.
        begin = values["begin"] + hour * HOUR_MS
        bounds = {"begin": begin, "end": min(begin + HOUR_MS, values["end"])}
        for number, outcome, running, *sums in _rows(store, counts_sql(None), {**values, **bounds}):
            found.add_calls(number, outcome, sums, running=bool(running))
            found.by[By.HOUR].add(f"{clock:02}", sums)
            found.by[By.DAY].add(day.isoformat(), sums)
    for one in (By.SEAT, By.AGENT) if people else ():
        for names, *sums in _rows(store, counts_sql(one), values):
            for name in set(json.loads(names)):
                found.by[one].add(name, sums)
    return found


def value(figure: Figure, sums: list[int] | None) -> Value:
    """The figure that these counts tell, one of `COLUMNS` each; None: there were no calls."""
    numerator, *denominator = (0 if sums is None else sums[_PLACES[part]] for part in _parts(figure))
    return Value(numerator, denominator[0] if denominator else None)


def spreads(store: Store, span: Span, timezone: ZoneInfo, within_ms: int) -> dict[str, Spread | None]:
    """How the durations lie that are averaged over the whole span."""
    found: dict[str, Spread | None] = {}
    for calls in dict.fromkeys(one.calls for one in _SPREADS.values()):
        of = {id_: one.amount for id_, one in _SPREADS.items() if one.calls == calls}
        sql = f"SELECT {', '.join(of.values())} FROM {WITHIN_SPAN} AND ({calls})"  # noqa: S608 - our words
        rows = list(_rows(store, sql, values_of(span, timezone, within_ms)))
        for place, id_ in enumerate(of):
            found[id_] = spread(row[place] for row in rows if row[place] is not None)
    return found


def spread(values_ms: Iterable[int]) -> Spread | None:
    """None of no values."""
    ordered = sorted(values_ms)
    if not ordered:
        return None
    median, most = (ordered[-(-len(ordered) * percent // 100) - 1] for percent in (50, 95))
    return Spread(median, most, ordered[-1])


def values_of(span: Span, timezone: ZoneInfo, within_ms: int) -> dict[str, Any]:
    """What the SQL of figures is given."""
    begin, end = span.bounds_ms(timezone)
    return {"begin": begin, "end": end, "within_ms": within_ms}


def _rows(store: Store, sql: str, values: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    with closing(store.database.conn.execute(sql, values)) as cursor:
        yield from cursor
