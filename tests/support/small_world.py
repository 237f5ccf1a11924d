"""Callers, seats and an Asterisk whose news arrive late: what the waiting room is played against."""

from dataclasses import dataclass, field

from calls.live import (
    CallRef,
    CameBack,
    Device,
    EnteredRoom,
    LeftRoom,
    LiveEvent,
    Seat,
    SeatChanged,
    Snapshot,
    Waiting,
)
from routing.room import CallBackTurn, Decision, Overflow
from tests.support.two_skills import SEATS


@dataclass(slots=True)
class World:
    """Asterisk as it really stands. News wait in `news` until they are read."""

    waiting: dict[CallRef, Waiting] = field(default_factory=dict)
    surviving: dict[CallRef, Waiting] = field(default_factory=dict)
    outside: dict[CallRef, Waiting] = field(default_factory=dict)
    """At another centre."""
    at_seat: dict[CallRef, tuple[Waiting, Seat]] = field(default_factory=dict)
    dialled: dict[CallRef, CallBackTurn] = field(default_factory=dict)
    dialled_ms: dict[CallRef, int] = field(default_factory=dict)
    """Since when."""
    phones: dict[Seat, Device] = field(default_factory=lambda: dict.fromkeys(SEATS, Device.FREE))
    news: list[LiveEvent] = field(default_factory=list)
    by_hand: set[Seat] = field(default_factory=set)
    """Where calls may come that the room did not send there just now."""

    def phone(self, seat: Seat, device: Device) -> None:
        self.phones[seat] = device
        self.news.append(SeatChanged(seat, device))

    def occupied(self, seat: Seat) -> bool:
        return any(taken == seat for _, taken in self.at_seat.values())

    def done(self, decision: Decision, now_ms: int) -> bool:
        """Carries a command out; False when the caller has hung up."""
        if isinstance(decision, CallBackTurn):
            self.dialled[decision.ref] = decision
            self.dialled_ms[decision.ref] = now_ms
            return True
        ref = decision.caller.ref
        assert ref not in self.at_seat, "a caller is connected twice"
        caller = self.waiting.pop(ref, None) or self.surviving.pop(ref, None)
        if caller is None:
            return False
        if isinstance(decision, Overflow):
            self.outside[ref] = caller
            self.news.append(LeftRoom(ref, "overflow"))
            return True
        assert decision.seat in self.by_hand or not self.occupied(decision.seat), "a seat is given to two callers"
        self.rings(caller, decision.seat)
        return True

    def rings(self, caller: Waiting, seat: Seat) -> None:
        """The only place that rings a seat: one that is not free does not take the call."""
        taken = self.occupied(seat) or self.phones[seat] is not Device.FREE
        self.at_seat[caller.ref] = (caller, seat)
        if taken:
            self.back(caller.ref, "TAKEN")
        else:
            self.phone(seat, Device.RINGING)

    def back(self, ref: CallRef, why: str) -> None:
        caller, seat = self.at_seat.pop(ref)
        self.waiting[ref] = caller
        self.news += [CameBack(ref, seat, why), EnteredRoom(caller)]

    def snapshot(self) -> Snapshot:
        return Snapshot(
            tuple(self.waiting.values()),
            tuple(("survival_a", caller) for caller in self.surviving.values()),
            tuple(self.phones.items()),
            tuple((ref, caller.channel, seat) for ref, (caller, seat) in self.at_seat.items()),
        )
