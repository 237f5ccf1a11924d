"""Whose channel is whose: the caller's, the seats' and the trunks' legs of one call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from calls.cel import Row
from calls.journal import (
    Arrived,
    EmergencyChosen,
    RoomEntered,
    SeatMissed,
    SeatOffered,
    TalkEnded,
    TrunkEnded,
    TrunkTried,
)
from calls.record import Side


@dataclass(slots=True)
class Leg:
    """One channel of the call and what became of it. Times in microseconds since the epoch."""

    side: Side
    name: str
    """The seat's or the trunk's id; for the caller, the trunk it came from."""
    started_us: int
    answered_us: int | None = None
    ended_us: int | None = None
    channels: set[str] = field(default_factory=set)


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Each row once, by time. Rows of the same microsecond have a fixed order, too."""
    return sorted(set(rows), key=lambda row: (row.at_us, row.kind, row.uniqueid, row.extra, row.channel, row.linkedid))


def legs_of(rows: Sequence[Row]) -> dict[str, Leg]:
    """Every channel of the call that is somebody's, by its uniqueid. `rows` are in order.

    The first leg after an offer is the offered seat's, and legs belong to the trunk that is being
    tried. Without either (a survival queue, a transfer) the endpoint's name tells whose a leg is.
    """
    found: dict[str, Leg] = {}
    offered: str | None = None
    trying: str | None = None
    tried: set[str] = set()
    for row in rows:
        match row.step:
            case Arrived(trunk=trunk) if not found:
                found[row.uniqueid] = Leg(Side.CALLER, trunk, row.at_us)
            case SeatOffered(seat=seat):
                offered = seat
            case SeatMissed() | TalkEnded() | RoomEntered() | EmergencyChosen():
                offered = None
            case TrunkTried(trunk=trunk):
                trying = trunk
                tried.add(trunk)
            case TrunkEnded():
                trying = None
            case _:
                pass
        leg = found.get(row.uniqueid)
        if leg is None and found and row.step is None:
            leg = _leg(row, offered, trying, tried, next(iter(found.values())).name)
            if leg is not None:
                found[row.uniqueid] = leg
                offered = None if leg.side is Side.SEAT else offered
        if leg is not None:
            _happened(leg, row)
    return found


def _leg(row: Row, offered: str | None, trying: str | None, tried: set[str], arrived_by: str) -> Leg | None:
    technology, _, rest = row.channel.partition("/")
    endpoint = rest.rpartition("-")[0].partition("@")[0]
    if technology not in ("PJSIP", "Local") or not endpoint or rest.endswith(";2"):
        return None
    if endpoint == offered:
        return Leg(Side.SEAT, offered, row.at_us)
    if trying is not None or endpoint in tried:
        return Leg(Side.TRUNK, trying or endpoint, row.at_us)
    if offered is not None:
        return Leg(Side.SEAT, offered, row.at_us)
    return None if endpoint == arrived_by else Leg(Side.SEAT, endpoint, row.at_us)


def _happened(leg: Leg, row: Row) -> None:
    leg.channels.add(row.channel)
    if row.kind == "ANSWER" and leg.answered_us is None:
        leg.answered_us = row.at_us
    if row.kind in ("HANGUP", "CHAN_END") and leg.ended_us is None:
        leg.ended_us = row.at_us
