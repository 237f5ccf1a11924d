"""Whose channel is whose: the caller's, the seats' and the trunks' legs of one call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from calls.cel import Row
from calls.journal import (
    Arrived,
    Drilled,
    EmergencyChosen,
    Overflowed,
    RoomEntered,
    SeatMissed,
    SeatOffered,
    SeatTook,
    TalkEnded,
    Transferred,
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
    agent: str = ""
    """Who was signed on at the seat when it was offered the call."""
    on_duty: bool = False
    """A trunk's leg that leads to the duty officer: a person of ours."""


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Each row once, by time. Rows of the same microsecond have a fixed order, too."""
    rows = list(rows)
    if all(before.at_us < row.at_us for before, row in pairwise(rows)):
        return rows
    return sorted(set(rows), key=lambda row: (row.at_us, row.kind, row.uniqueid, row.extra, row.channel, row.linkedid))


def legs_of(rows: Sequence[Row]) -> dict[str, Leg]:
    """Every channel of the call that is somebody's, by its uniqueid. `rows` are in order.

    The first leg after an offer is the offered seat's, and the first after a trunk was tried is the
    trunk's. Without either (a survival queue) the endpoint's name tells whose a leg is, and better, once
    it has answered, its own step. Caller and seats each try their own: a seat consults while its caller
    is held.
    """
    found: dict[str, Leg] = {}
    tries = _Tries()
    answered: set[str] = set()
    for row in rows:
        if isinstance(row.step, Arrived) and not found:
            found[row.uniqueid] = Leg(Side.CALLER, row.step.trunk, row.at_us)
            tries.arrived_by = row.step.trunk
            if row.uniqueid in answered:  # We called: the line is answered before the call is let in.
                found[row.uniqueid].answered_us = row.at_us
        elif row.kind == "ANSWER" and not found:
            answered.add(row.uniqueid)
        if row.step is not None:
            tries.heard(row)
        leg = found.get(row.uniqueid)
        if found and isinstance(row.step, SeatTook):
            leg = found[row.uniqueid] = _taken(leg, row, row.step)
        elif leg is None and found and row.step is None:
            leg = tries.leg(row)
            if leg is not None:
                found[row.uniqueid] = leg
        if leg is not None:
            _happened(leg, row)
    return found


@dataclass(slots=True)
class _Tries:
    """Which legs are expected; keyed by the channel that expects them, the newest last."""

    offers: dict[str, SeatOffered] = field(default_factory=dict)
    trunks: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """(trunk, leads to the duty officer)."""
    tried: set[str] = field(default_factory=set)
    overflowed_to: str = ""
    arrived_by: str = ""
    drilled: bool = False
    """Both halves of a Local channel are the drill's own."""

    def heard(self, row: Row) -> None:
        """Notes what this row lets expect."""
        match row.step:
            case SeatOffered():
                self.offers.pop(row.uniqueid, None)
                self.offers[row.uniqueid] = row.step
            case SeatMissed() | TalkEnded():
                self.offers.pop(row.uniqueid, None)
            case RoomEntered() | EmergencyChosen() | Transferred():
                self.offers.pop(row.uniqueid, None)
                self.overflowed_to = ""
            case Overflowed(to=to):
                self.overflowed_to = to
            case Drilled():
                self.drilled = True
            case TrunkTried(trunk=trunk):
                self.trunks.pop(row.uniqueid, None)
                self.trunks[row.uniqueid] = (trunk, self.overflowed_to == "duty")
                self.tried.add(trunk)
            case TrunkEnded():
                self.trunks.pop(row.uniqueid, None)
            case _:
                pass

    def leg(self, row: Row) -> Leg | None:
        """The leg that begins with this row; None when it is nobody's."""
        technology, _, rest = row.channel.partition("/")
        endpoint = rest.rpartition("-")[0].partition("@")[0]
        if technology not in ("PJSIP", "Local") or not endpoint or rest.endswith((";2", "<ZOMBIE>")):
            return None
        if self.drilled and technology == "Local":
            return None
        by = next((by for by, offer in self.offers.items() if offer.seat == endpoint), None)
        if by is None and self.trunks:
            trunk, on_duty = self.trunks.pop(next(reversed(self.trunks)))
            return Leg(Side.TRUNK, trunk, row.at_us, on_duty=on_duty)
        if by is None and endpoint in self.tried:
            return Leg(Side.TRUNK, endpoint, row.at_us)
        if by is None and self.offers:
            by = next(reversed(self.offers))
        if by is not None:
            offer = self.offers.pop(by)
            return Leg(Side.SEAT, offer.seat, row.at_us, agent=offer.agent)
        return None if endpoint == self.arrived_by else Leg(Side.SEAT, endpoint, row.at_us)


def _taken(leg: Leg | None, row: Row, took: SeatTook) -> Leg:
    """The leg of a survival queue's seat, which may not have been known for one."""
    leg = leg or Leg(Side.SEAT, took.seat, row.at_us, answered_us=row.at_us)
    leg.side, leg.name, leg.agent = Side.SEAT, took.seat, took.agent
    return leg


def _happened(leg: Leg, row: Row) -> None:
    leg.channels.add(row.channel)
    if row.kind == "ANSWER" and leg.answered_us is None:
        leg.answered_us = row.at_us
    if row.kind in ("HANGUP", "CHAN_END") and leg.ended_us is None:
        leg.ended_us = row.at_us
