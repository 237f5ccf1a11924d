"""A day in figures. `docs/records.md` says what each means."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, cast
from zoneinfo import ZoneInfo

from calls.record import Outcome
from recordings.queries import Wanted
from recordings.store import Store

WITHIN_MS = 20_000
"""Who is answered within 20 s was answered soon, unless another time is asked for."""

_HOUR_MS = 3_600_000

COUNTED: Final = f"""
    SELECT (arrived_utc_ms - ?1) / {_HOUR_MS}, coalesce(number, dialled), outcome, running,
        emergency_number IS NOT NULL, call_back_of IS NOT NULL, wait_ms, talk_ms
    FROM records INDEXED BY idx_records_arrived_utc_ms
    WHERE arrived_utc_ms >= ?1 AND arrived_utc_ms < ?2 AND outcome <> 'drill'
        AND ref NOT IN (SELECT ref FROM drills WHERE ref IS NOT NULL)
"""  # noqa: S608 - our own number
"""The calls that arrived from one moment on and before another, but drills."""


class Counted(NamedTuple):
    """What a record adds to the figures."""

    hour: int
    """Of the day, counted from its beginning: 0 first."""
    number: str
    """The number that was served last; the one that was dialled where none was."""
    outcome: str
    running: bool
    emergency: bool
    ours: bool
    """We made this call."""
    wait_ms: int | None
    talk_ms: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls of citizens, and how many of them were answered."""

    calls: int
    answered: int
    soon: int
    """Answered within the time that was asked for."""
    abandoned: int
    service_level: float | None
    """`soon` as a share of answered and abandoned calls, 0 to 1; None when there were none."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in ms. A percentile is the smallest value that so many do not exceed."""

    mean_ms: float
    median_ms: int
    p95_ms: int
    max_ms: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day of the hotline, by the time of arrival in the city."""

    day: date
    within_ms: int
    total: Tally
    running: int
    """Of these calls; they have no outcome yet."""
    emergencies: int
    """Of these calls; those in which an emergency number was wanted."""
    wait: Spread | None
    """Of the answered calls; None when there were none, or none of them waited."""
    talk: Spread | None
    """Of the answered calls."""
    outcomes: dict[str, int]
    """Every outcome, of the calls that ended."""
    numbers: dict[str, Tally]
    """Of numbers that were served: most calls first."""
    hours: dict[int, Tally]
    """Every hour of the day."""
    called_back: int
    """Calls that we made; they count nowhere else."""
    reached: int
    """Of these, those in which we talked with the citizen."""


def day_figures(store: Store, day: date, timezone: ZoneInfo, within_ms: int = WITHIN_MS) -> DayFigures:
    """The figures of the calls that arrived on that day; drills of the emergency lines are left out."""
    begin, end = Wanted(day).span_ms(timezone)
    clock = [datetime.fromtimestamp(at / 1000, UTC).astimezone(timezone).hour for at in range(begin, end, _HOUR_MS)]
    with closing(store.database.execute(COUNTED, (begin, end))) as found:
        return figures(day, cast("Iterable[Counted]", found), clock, within_ms)


def figures(day: date, calls: Iterable[Counted], clock: Sequence[int], within_ms: int) -> DayFigures:
    """The figures of a day's calls. `clock`: what it shows in each hour of the day."""
    alike: Counter[_Alike] = Counter()  # A day has 100,000 calls, but few kinds of them.
    waits: list[int] = []
    talks: list[int] = []
    for call in calls:
        hour, number, outcome, running, emergency, ours, wait_ms, talk_ms = call
        alike[hour, number, outcome, running, emergency, ours, wait_ms is None or wait_ms <= within_ms] += 1
        if outcome == _ANSWERED and not ours:
            talks.append(talk_ms)
            if wait_ms is not None:
                waits.append(wait_ms)
    added = _Adding({hour: _Tallying() for hour in clock})
    for one, many in alike.items():
        added.add(one, clock, many)
    most_first = sorted(added.numbers.items(), key=lambda item: (-item[1].calls, item[0]))
    return DayFigures(
        day=day,
        within_ms=within_ms,
        total=added.total.tally(),
        running=added.running,
        emergencies=added.emergencies,
        wait=spread(waits),
        talk=spread(talks),
        outcomes={one.value: added.outcomes[one.value] for one in Outcome if one is not Outcome.DRILL},
        numbers={number: one.tally() for number, one in most_first},
        hours={hour: one.tally() for hour, one in added.hours.items()},
        called_back=added.called_back,
        reached=added.reached,
    )


_Alike = tuple[int, str, str, bool, bool, bool, bool]
"""As in Counted, and at last whether the wait was short."""


def spread(values_ms: Iterable[int]) -> Spread | None:
    """None of no values."""
    ordered = sorted(values_ms)
    if not ordered:
        return None
    return Spread(sum(ordered) / len(ordered), _percentile(ordered, 50), _percentile(ordered, 95), ordered[-1])


def _percentile(ordered: Sequence[int], percent: int) -> int:
    return ordered[-(-len(ordered) * percent // 100) - 1]


_ANSWERED, _ABANDONED, _UNKNOWN = (one.value for one in (Outcome.ANSWERED, Outcome.ABANDONED, Outcome.REFUSED_UNKNOWN))


@dataclass(slots=True)
class _Tallying:
    calls: int = 0
    answered: int = 0
    soon: int = 0
    abandoned: int = 0

    def add(self, outcome: str, many: int, *, soon: bool) -> None:
        self.calls += many
        if outcome == _ANSWERED:
            self.answered += many
            self.soon += many if soon else 0
        elif outcome == _ABANDONED:
            self.abandoned += many

    def tally(self) -> Tally:
        of = self.answered + self.abandoned
        return Tally(self.calls, self.answered, self.soon, self.abandoned, self.soon / of if of else None)


@dataclass(slots=True)
class _Adding:
    """A day that is being counted."""

    hours: dict[int, _Tallying]
    numbers: dict[str, _Tallying] = field(default_factory=dict)
    total: _Tallying = field(default_factory=_Tallying)
    outcomes: Counter[str] = field(default_factory=Counter)
    running: int = 0
    emergencies: int = 0
    called_back: int = 0
    reached: int = 0

    def add(self, alike: _Alike, clock: Sequence[int], many: int) -> None:
        """So many calls of this kind."""
        hour, number, outcome, running, emergency, ours, soon = alike
        if ours:
            self.called_back += many
            self.reached += many if outcome == _ANSWERED else 0
            return
        self.emergencies += many if emergency else 0
        if running:
            self.running += many
        else:
            self.outcomes[outcome] += many
        of_these = [self.total, self.hours[clock[hour]]]
        if outcome != _UNKNOWN:
            of_these.append(self.numbers.setdefault(number, _Tallying()))
        for one in of_these:
            one.add(outcome, many, soon=soon)
