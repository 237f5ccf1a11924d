"""What Asterisk wrote down about each call (CEL), read the same way whoever chose the seats."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.figures import Caller, Skills, Talk
from calls.cel import COLUMNS

WAITS = "ROOM"
"""The step that every dialplan measured here writes when a caller's wait begins."""

_NAMES = [name for name, _ in COLUMNS]


@dataclass(slots=True)
class _Leg:
    """A channel to a seat."""

    seat: str
    caller: str
    rings_us: int
    answers_us: int | None = None
    ends_us: int | None = None


@dataclass(slots=True)
class _Call:
    number: str
    waits_us: int | None = None


def callers(lines: Iterable[str], needs: Mapping[str, Skills], seats: Iterable[str]) -> list[Caller]:
    """Everybody who waited. `needs`: the skills that callers of a number need.

    A caller's talk is the first with a seat that answered; one that has not ended is none.
    """
    calls, legs = _read(lines, needs, {f"PJSIP/{seat}": seat for seat in seats})
    talks: dict[str, Talk] = {}
    for leg in sorted(legs.values(), key=lambda leg: leg.rings_us):
        if leg.answers_us is not None and leg.ends_us is not None:
            talks.setdefault(leg.caller, Talk(leg.seat, leg.rings_us, leg.answers_us, leg.ends_us))
    return [
        Caller(ident, needs[call.number], call.waits_us, talks.get(ident))
        for ident, call in calls.items()
        if call.waits_us is not None
    ]


def _read(
    lines: Iterable[str], numbers: Iterable[str], seats: Mapping[str, str]
) -> tuple[dict[str, _Call], dict[str, _Leg]]:
    known = frozenset(numbers)
    calls: dict[str, _Call] = {}
    legs: dict[str, _Leg] = {}
    for row in csv.DictReader(lines, _NAMES):
        kind, ident, at_us = row["kind"], row["uniqueid"], round(float(row["at"]) * 1e6)
        seat = seats.get(row["channel"].rpartition("-")[0])
        if kind == "CHAN_START" and seat is not None:
            legs[ident] = _Leg(seat, row["linkedid"], at_us)
        elif kind == "CHAN_START" and row["exten"] in known:
            calls[ident] = _Call(row["exten"])
        elif kind == WAITS and ident in calls and calls[ident].waits_us is None:
            calls[ident].waits_us = at_us
        elif kind == "ANSWER" and ident in legs:
            legs[ident].answers_us = at_us
        elif kind == "HANGUP" and ident in legs:
            legs[ident].ends_us = at_us
    return calls, legs
