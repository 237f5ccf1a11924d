"""The very calls behind a figure."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import assert_never
from zoneinfo import ZoneInfo

from calls.record import CallRecord
from recordings.duty import Duty
from recordings.figures import By, Figure, PassedOn, PassedOnIn, StateAverage, StateShare, conditions
from recordings.figures_calls import NUMBER, WITHIN_SPAN, values_of
from recordings.figures_emergencies import emergencies
from recordings.figures_seats import Worked, worked
from recordings.figures_span import HOUR_MS, Span
from recordings.report import numbers_of
from recordings.store import Store, record_of


class Part(Enum):
    """Of a figure."""

    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"


class NotTold(LookupError):
    """The figure has no such part, or means nothing told apart so."""

    def __init__(self, figure: Figure, matter: str, mend: str) -> None:
        self.figure = figure
        super().__init__(f"{figure.id} {matter}: {mend}")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which calls are to be listed. Raises NotTold."""

    figure: Figure
    part: Part
    span: Span
    within_ms: int
    by: By | None = None
    key: str = ""
    """The number, hour (`09`), day, seat or agent."""

    def __post_init__(self) -> None:
        if self.by is not None and self.by not in self.figure.by:
            known = ", ".join(by.value for by in By if by in self.figure.by)
            raise NotTold(self.figure, f"means nothing by {self.by.value}", f"give one of {known}")
        if self.part is Part.DENOMINATOR and conditions(self.figure.of)[1] is None:
            raise NotTold(self.figure, "is a count without a denominator", "leave out --part")


def behind(store: Store, asked: Asked, timezone: ZoneInfo, now_utc_ms: int, limit: int = -1) -> Iterator[CallRecord]:
    """The calls in the order in which they arrived, or for which agents worked; at most `limit`, -1: all."""
    of = asked.figure.of
    match of:
        case StateAverage() | StateShare():
            yield from _by_refs(store, _worked_for(store, asked, of, timezone, now_utc_ms), limit)
        case PassedOn() | PassedOnIn():
            yield from _by_refs(store, _emergencies(store, asked, of, timezone), limit)
        case _:
            condition = conditions(of)[0 if asked.part is Part.NUMERATOR else 1]
            sql = (
                f"SELECT * FROM {WITHIN_SPAN} AND ({condition}) AND {_told_apart(asked, timezone)} "  # noqa: S608 - our words
                "ORDER BY arrived_utc_ms, ref LIMIT :limit"
            )
            values = {**values_of(asked.span, timezone, asked.within_ms), "key": asked.key, "limit": limit}
            with closing(store.database.conn.execute(sql, values)) as rows:
                names = [column[0] for column in rows.description]
                for row in rows:
                    yield record_of(dict(zip(names, row, strict=True)))


def _told_apart(asked: Asked, timezone: ZoneInfo) -> str:
    """The SQL of what the calls are chosen by."""
    match asked.by:
        case None:
            return "1"
        case By.NUMBER:
            return f"{NUMBER} = :key AND outcome <> 'refused_unknown'"
        case By.HOUR | By.DAY:
            hours = ", ".join(str(hour) for hour in _hours(asked, timezone))
            return f"(arrived_utc_ms - :begin) / {HOUR_MS} IN ({hours})"
        case By.SEAT | By.AGENT:
            return f"EXISTS (SELECT 1 FROM json_each({asked.by.value}s) WHERE value = :key)"  # noqa: S608 - our words
        case _:
            assert_never(asked.by)


def _hours(asked: Asked, timezone: ZoneInfo) -> frozenset[int]:
    """Of the span, counted from its beginning: all, or those that are asked for."""
    shown = enumerate(asked.span.hours(timezone))
    match asked.by:
        case By.HOUR:
            return frozenset(hour for hour, (_, clock) in shown if f"{clock:02}" == asked.key)
        case By.DAY:
            return frozenset(hour for hour, (day, _) in shown if day.isoformat() == asked.key)
        case _:
            return frozenset(hour for hour, _ in shown)


def _emergencies(store: Store, asked: Asked, of: PassedOn | PassedOnIn, timezone: ZoneInfo) -> Iterator[str]:
    hours = _hours(asked, timezone)
    for one in emergencies(store, asked.span, timezone):
        told = one.passing.took_ms is not None
        wanted = told if isinstance(of, PassedOnIn) else one.passing.passed_on or asked.part is Part.DENOMINATOR
        if wanted and one.hour in hours and (asked.by is not By.NUMBER or one.number == asked.key):
            yield one.ref


def _worked_for(
    store: Store, asked: Asked, of: StateAverage | StateShare, timezone: ZoneInfo, now_utc_ms: int
) -> Iterator[str]:
    begin, end = asked.span.bounds_ms(timezone)
    numbers = numbers_of(store, asked.span, timezone) if asked.by is By.NUMBER else {}
    hours = _hours(asked, timezone)
    match of:
        case StateAverage(state=state):
            states = frozenset({state})
        case StateShare(states=counted, among=among):
            states = counted if asked.part is Part.NUMERATOR else among
    for one in worked(Duty(store).spells(begin, end, now_utc_ms)):
        if one.call is None or one.spell.state not in states:
            continue
        last_ms = one.spell.begin_utc_ms if isinstance(of, StateAverage) else one.spell.end_utc_ms - 1
        during = range((one.spell.begin_utc_ms - begin) // HOUR_MS, (last_ms - begin) // HOUR_MS + 1)
        if _is_of(asked, one, numbers) and not hours.isdisjoint(during):
            yield one.call


def _is_of(asked: Asked, one: Worked, numbers: dict[str, str]) -> bool:
    match asked.by:
        case By.SEAT:
            return one.spell.seat == asked.key
        case By.AGENT:
            return one.spell.agent == asked.key
        case By.NUMBER:
            return one.call is not None and numbers.get(one.call) == asked.key
        case _:
            return True


def _by_refs(store: Store, refs: Iterable[str], limit: int) -> Iterator[CallRecord]:
    """Each once."""
    for place, ref in enumerate(dict.fromkeys(refs)):
        if place == limit:
            return
        for row in store.rows("SELECT * FROM records WHERE ref = ?", ref):
            yield record_of(row)
