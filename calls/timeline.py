"""What happened to a call, one entry after another, for people to read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from calls.cel import Row
from calls.legs import Leg, in_order, legs_of
from calls.record import Side

_TOLD = {"CHAN_START": "RINGS", "ANSWER": "ANSWERED", "HANGUP": "ENDED"}
"""Asterisk's words for a leg, and ours."""

TRANSFERS = frozenset({"BLINDTRANSFER", "ATTENDEDTRANSFER"})

CHANNEL_ENTRIES = frozenset(_TOLD.values()) | TRANSFERS
"""The kinds of entries that are no steps of `calls.journal`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    at_utc_ms: int
    who: str
    """`caller`, `seat 8001` or `trunk ambulance_1`; a step is its channel's, the caller's as a rule."""
    kind: str
    """A step's kind, or one of CHANNEL_ENTRIES."""
    details: Mapping[str, str | int]
    """The step's fields; for ENDED the `q850_cause`."""


def tell(rows: Iterable[Row]) -> tuple[Entry, ...]:
    """The call's entries in order. Events that say nothing to people (bridges) are left out."""
    ordered = in_order(rows)
    legs = legs_of(ordered)
    return tuple(entry for row in ordered if (entry := _entry(row, legs.get(row.uniqueid))) is not None)


def _entry(row: Row, leg: Leg | None) -> Entry | None:
    at_utc_ms = row.at_us // 1000
    who = "caller" if leg is None or leg.side is Side.CALLER else f"{leg.side.value} {leg.name}"
    if row.step is not None:
        details = {field.name: getattr(row.step, field.name) for field in fields(row.step)}
        return Entry(at_utc_ms, who, row.kind, details)
    if leg is None:
        return None
    if row.kind in TRANSFERS:
        return Entry(at_utc_ms, who, row.kind, {})
    kind = _TOLD.get(row.kind)
    if kind is None or (kind == "RINGS" and leg.side is Side.CALLER):
        return None
    return Entry(at_utc_ms, who, kind, {} if row.q850_cause is None else {"q850_cause": row.q850_cause})
