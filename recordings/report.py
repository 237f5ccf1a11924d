"""The figures of a day, a week or a month, put together."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from recordings.duty import Duty
from recordings.figures import (
    CATALOGUE,
    Average,
    By,
    Count,
    Figure,
    PassedOn,
    PassedOnIn,
    Share,
    StateAverage,
    StateShare,
    Value,
)
from recordings.figures_calls import NUMBER, WITHIN_SPAN, Counts, count, spread, spreads, value, values_of
from recordings.figures_emergencies import Emergency, emergencies
from recordings.figures_seats import States, states, worked
from recordings.figures_span import Span
from recordings.store import Store

WITHIN_MS = 15_000
"""GB/T 33358-2016 is reported to ask for 15 s."""
_DAY_MS = 86_400_000

Values = dict[str, Value]
"""By the figure's id, in the catalogue's order."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is published of a time."""

    span: Span
    within_ms: int
    """Who is answered within this time was answered in time."""
    total: Values
    by: dict[By, dict[str, Values]]
    """Only figures that mean something there; numbers by their calls, everything else in its own order."""
    outcomes: dict[str, int]
    """How the calls of citizens ended, most first."""
    running: int
    """Calls of citizens that have not ended as far as is known."""


def report(
    store: Store, span: Span, timezone: ZoneInfo, now_utc_ms: int, within_ms: int = WITHIN_MS, *, people: bool = True
) -> Report:
    """The figures of calls that arrived, and of what agents did, in that time, until now.

    `people`: by seat and agent, too, and wrap-up by number, which takes longer. All of it is as it stood at one
    moment, while calls go on.
    """
    with _one_moment(store):
        return _report(store, span, timezone, now_utc_ms, within_ms, people=people)


@contextmanager
def _one_moment(store: Store) -> Iterator[None]:
    """Nothing that others write meanwhile is seen."""
    store.database.conn.execute("BEGIN")
    try:
        yield
    finally:
        store.database.conn.execute("ROLLBACK")


def _report(store: Store, span: Span, timezone: ZoneInfo, now_utc_ms: int, within_ms: int, *, people: bool) -> Report:
    counts = count(store, span, timezone, within_ms, people=people)
    begin, end = span.bounds_ms(timezone)
    spells = Duty(store).spells(begin, end, now_utc_ms)
    numbers = numbers_of(store, span, timezone) if people else {}
    spent = states(worked(spells), begin, span.hours(timezone), numbers)
    passed = tuple(emergencies(store, span, timezone))
    told = _Told(span.days, span.hours(timezone), counts, spent, passed)
    lie = spreads(store, span, timezone, within_ms)
    total = {one.id: told.value(one, None, "") for one in CATALOGUE}
    return Report(
        span=span,
        within_ms=within_ms,
        total={id_: Value(one.numerator, one.denominator, lie.get(id_, one.spread)) for id_, one in total.items()},
        by={by: told.values(by) for by in By if people or by not in (By.SEAT, By.AGENT)},
        outcomes=dict(counts.outcomes.most_common()),
        running=counts.running,
    )


def numbers_of(store: Store, span: Span, timezone: ZoneInfo) -> dict[str, str]:
    """The number of each answered call of this time and of the day before it."""
    values = values_of(span, timezone, 0)
    values["begin"] -= _DAY_MS
    sql = f"SELECT ref, {NUMBER} AS number FROM {WITHIN_SPAN} AND seats <> '[]'"  # noqa: S608 - our words
    return dict(store.database.conn.execute(sql, values).fetchall())


def passed_on(of: PassedOn | PassedOnIn, these: Iterable[Emergency]) -> Value:
    """What became of these emergencies."""
    among = list(these)
    passed = [one.passing for one in among if one.passing.passed_on]
    if isinstance(of, PassedOn):
        return Value(len(passed), len(among))
    took = [one.took_ms for one in passed if one.took_ms is not None]
    return Value(sum(took), len(took), spread(took))


@dataclass(frozen=True, slots=True)
class _Told:
    """Everything that was counted."""

    days: tuple[date, ...]
    hours: tuple[tuple[date, int], ...]
    counts: Counts
    spent: States
    emergencies: tuple[Emergency, ...]

    def values(self, by: By) -> dict[str, Values]:
        """The figures that mean something so, for each number, hour …"""
        figures = [one for one in CATALOGUE if by in one.by]
        return {key: {one.id: self.value(one, by, key) for one in figures} for key in self._keys(by)}

    def value(self, figure: Figure, by: By | None, key: str) -> Value:
        """The figure; `by` None: of all."""
        match figure.of:
            case StateAverage() | StateShare():
                return self.spent.value(figure.of, (by, key))
            case PassedOn() | PassedOnIn():
                return passed_on(figure.of, filter(self._is(by, key), self.emergencies))
            case Count() | Share() | Average():
                tallies = self.counts.total if by is None else self.counts.by[by]
                return value(figure, tallies.of.get(key))

    def _is(self, by: By | None, key: str) -> Callable[[Emergency], bool]:
        match by:
            case By.NUMBER:
                return lambda one: one.number == key
            case By.HOUR:
                return lambda one: f"{self.hours[one.hour][1]:02}" == key
            case By.DAY:
                return lambda one: self.hours[one.hour][0].isoformat() == key
            case _:
                return lambda _: True

    def _keys(self, by: By) -> list[str]:
        match by:
            case By.HOUR:
                return sorted({f"{clock:02}" for _, clock in self.hours})
            case By.DAY:
                return [day.isoformat() for day in self.days]
            case By.NUMBER:
                calls = self.counts.by[by].most_first()
                return [*calls, *(one for one in self.spent.keys(by) if one not in calls)]
            case By.SEAT | By.AGENT:
                return sorted({*self.counts.by[by].of, *self.spent.keys(by)})
