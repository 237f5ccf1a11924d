"""Whether an emergency came to the emergency line, and in what time: from the call's own steps."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from calls.cel import Row
from calls.journal import EmergencyChosen, MenuEntered, Overflowed, RoomEntered, Transferred, TrunkEnded, TrunkTried
from calls.legs import in_order, legs_of
from calls.record import Side
from recordings.figures_calls import EMERGENCIES_WITHIN_SPAN, NUMBER, values_of
from recordings.figures_span import HOUR_MS, Span
from recordings.store import Store

EMERGENCIES_SQL: Final = (
    f"SELECT ref, {NUMBER}, (arrived_utc_ms - :begin) / {HOUR_MS} FROM {EMERGENCIES_WITHIN_SPAN} "  # noqa: S608 - our words
    "ORDER BY arrived_utc_ms, ref"
)


@dataclass(frozen=True, slots=True)
class Passing:
    """What became of a wish for an emergency number."""

    passed_on: bool
    """The line answered."""
    took_ms: int | None
    """From the wish to the answer; None: there was none, or only its end is told."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """One emergency call."""

    ref: str
    number: str
    hour: int
    """Of the span, counted from its beginning."""
    passing: Passing


def emergencies(store: Store, span: Span, timezone: ZoneInfo) -> Iterator[Emergency]:
    """Those of this time that ended, in the order of their arrival."""
    with closing(store.database.conn.execute(EMERGENCIES_SQL, values_of(span, timezone, 0))) as cursor:
        found: list[tuple[str, str, int]] = cursor.fetchall()
    for ref, number, hour in found:
        yield Emergency(ref, number, hour, passing(store.events(ref)))


def passing(rows: Iterable[Row]) -> Passing:
    """Of the call's first wish that was fulfilled; of the first one where none was.

    A line's leg is one that a channel tries after its wish, as long as it goes nowhere else.
    """
    ordered = in_order(rows)
    lines = [leg for leg in legs_of(ordered).values() if leg.side is Side.TRUNK and not leg.on_duty]
    wished: dict[str, int] = {}
    tried: dict[str, tuple[str, int]] = {}
    found: Passing | None = None
    for row in ordered:
        match row.step:
            case EmergencyChosen():
                wished.setdefault(row.uniqueid, row.at_us)
            case RoomEntered() | MenuEntered() | Overflowed() | Transferred():
                wished.pop(row.uniqueid, None)
                tried.pop(row.uniqueid, None)
            case TrunkTried(trunk=trunk) if row.uniqueid in wished:
                tried[row.uniqueid] = (trunk, row.at_us)
                since_us = row.at_us
                answers = [
                    leg.answered_us
                    for leg in lines
                    if leg.name == trunk and leg.started_us >= since_us and leg.answered_us is not None
                ]
                if answers:
                    return Passing(passed_on=True, took_ms=(min(answers) - wished[row.uniqueid]) // 1000)
            case TrunkEnded(trunk=trunk, status="ANSWER") if tried.get(row.uniqueid, ("", 0))[0] == trunk:
                found = found or Passing(passed_on=True, took_ms=None)
            case _:
                pass
    return found or Passing(passed_on=False, took_ms=None)
