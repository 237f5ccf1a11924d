"""A discrete-event simulation that drives the real waiting room and matcher through a day."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import assert_never

from bench.day import Arrival
from calls.live import CallRef, Channel, Device, EnteredRoom, HungUp, Seat, SeatChanged, Snapshot, Waiting
from routing.room import Connect, Room

ANSWER_MS = 2000
"""How long an agent takes to answer a ringing telephone."""


@dataclass(slots=True)
class Outcome:
    """What the day came to."""

    waits_s: list[float] = field(default_factory=list)
    """Of those who were answered, without the ringing."""
    abandoned: int = 0
    busy_s: float = 0.0
    """All seats' time together, ringing included."""
    decisions: int = 0
    passed: int = 0
    """Connections that passed a longer waiter of the same class whom that seat could have served."""

    @property
    def calls(self) -> int:
        return len(self.waits_s) + self.abandoned

    def service_level(self, within_s: float) -> float:
        """The share of all calls that were answered within so many seconds of waiting."""
        return sum(wait <= within_s for wait in self.waits_s) / self.calls if self.calls else 1.0

    @property
    def mean_wait_s(self) -> float:
        return sum(self.waits_s) / len(self.waits_s) if self.waits_s else 0.0


@dataclass(frozen=True, slots=True)
class _GivesUp:
    ref: CallRef


@dataclass(frozen=True, slots=True)
class _Answers:
    connect: Connect


@dataclass(frozen=True, slots=True)
class _Ends:
    connect: Connect


_Event = Arrival | _GivesUp | _Answers | _Ends


class Simulation:
    """One run. Time is in ms from the day's beginning."""

    def __init__(self, seats: Mapping[Seat, frozenset[str]]) -> None:
        self._skills = seats
        self._room = Room(seats, ring_ms=20_000, rest_ms=2000)
        devices = tuple((seat, Device.FREE) for seat in seats)
        self._room.resync(Snapshot((), (), devices, ()), 0)
        self._agenda: list[tuple[int, int, _Event]] = []
        self._number = count()
        self._waiting: dict[CallRef, Waiting] = {}
        self._handling_ms: dict[CallRef, int] = {}
        self.outcome = Outcome()

    def run(self, arrivals: Iterable[Arrival]) -> Outcome:
        """Plays the arrivals, which come in order of time, to the last call's end."""
        coming = iter(arrivals)
        self._expect(next(coming, None))
        while self._agenda:
            now_ms, _, event = heapq.heappop(self._agenda)
            if isinstance(event, Arrival):
                self._expect(next(coming, None))
            self._happens(event, now_ms)
            for connect in self._room.decide(now_ms):
                self._connected(connect, now_ms)
        return self.outcome

    def _expect(self, arrival: Arrival | None) -> None:
        if arrival is not None:
            self._at(int(arrival.at_s * 1000), arrival)

    def _at(self, when_ms: int, event: _Event) -> None:
        heapq.heappush(self._agenda, (when_ms, next(self._number), event))

    def _happens(self, event: _Event, now_ms: int) -> None:
        match event:
            case Arrival():
                self._arrives(event, now_ms)
            case _GivesUp(ref):
                caller = self._waiting.pop(ref, None)
                if caller is not None:
                    self.outcome.abandoned += 1
                    self._room.heard(HungUp(caller.channel, 16), now_ms)
            case _Answers(connect):
                self._room.heard(SeatChanged(connect.seat, Device.BUSY), now_ms)
                self._at(now_ms + self._handling_ms.pop(connect.caller.ref), _Ends(connect))
            case _Ends(connect):
                self._room.heard(HungUp(connect.caller.channel, 16), now_ms)
                self._room.heard(SeatChanged(connect.seat, Device.FREE), now_ms)
            case _:
                assert_never(event)

    def _arrives(self, arrival: Arrival, now_ms: int) -> None:
        name = f"c{next(self._number)}"
        caller = Waiting(Channel("node1", name), CallRef(name), now_ms, arrival.demand, arrival.priority, "12345", "zh")
        self._waiting[caller.ref] = caller
        self._handling_ms[caller.ref] = int(arrival.handling_s * 1000)
        self._at(now_ms + int(arrival.patience_s * 1000), _GivesUp(caller.ref))
        self._room.heard(EnteredRoom(caller), now_ms)

    def _connected(self, connect: Connect, now_ms: int) -> None:
        caller = self._waiting.pop(connect.caller.ref)
        self.outcome.decisions += 1
        self.outcome.waits_s.append((now_ms - caller.t0_ms) / 1000)
        self.outcome.busy_s += (ANSWER_MS + self._handling_ms[caller.ref]) / 1000
        if any(self._longer(other, caller, connect.seat) for other in self._waiting.values()):
            self.outcome.passed += 1
        self._at(now_ms + ANSWER_MS, _Answers(connect))

    def _longer(self, other: Waiting, chosen: Waiting, seat: Seat) -> bool:
        same_class = other.priority == chosen.priority
        return same_class and other.t0_ms < chosen.t0_ms and other.skills <= self._skills[seat]
