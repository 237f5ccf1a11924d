"""A discrete-event simulation that drives the real waiting room and matcher through a day."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from math import inf
from typing import assert_never

from bench.day import Arrival
from calls.live import CallRef, Channel, Device, EnteredRoom, HungUp, Seat, SeatChanged, Snapshot, Waiting
from routing.room import CallBackTurn, Connect, Overflow, Room
from routing.rules import Rules
from routing.skills import Has, serves
from settings.shapes import Settings

ANSWER_MS = 2000
"""How long an agent takes to answer a ringing telephone."""


def manned(city: Settings, seats: Mapping[Seat, Has]) -> Rules:
    """The city's rules for such seats instead of its own; nobody is sent to the duty officer."""
    return replace(Rules.of(city), seats=seats, duty_after_ms=None)


def staffed(kinds: Sequence[Has], seats: int) -> dict[Seat, Has]:
    """So many seats, of each kind in turn."""
    return {Seat(str(10_000 + number)): kinds[number % len(kinds)] for number in range(seats)}


@dataclass(frozen=True, slots=True)
class Waited:
    """What became of a call."""

    at_s: float
    """When it came."""
    wait_s: float
    """Without the ringing."""
    answered: bool
    """Otherwise the caller gave up."""


@dataclass(slots=True)
class Outcome:
    """What the day came to."""

    waits: list[Waited] = field(default_factory=list)
    handed_over: int = 0
    """Calls that another centre took after a set wait."""
    busy_s: float = 0.0
    """All seats' time together, ringing included."""
    passed: int = 0
    """Connections that passed a longer waiter of the same class whom that seat could have served."""

    @property
    def calls(self) -> int:
        return len(self.waits) + self.handed_over

    @property
    def waits_s(self) -> list[float]:
        """Of those who were answered."""
        return [one.wait_s for one in self.waits if one.answered]

    @property
    def abandoned(self) -> int:
        return sum(not one.answered for one in self.waits)

    def mean_wait_s(self, begin_s: float = 0.0, end_s: float = inf) -> float:
        """Of those who came in that time and were answered; 0 of none."""
        waits_s = [one.wait_s for one in self.waits if one.answered and begin_s <= one.at_s < end_s]
        return sum(waits_s) / max(1, len(waits_s))

    def service_level(self, within_s: float, begin_s: float = 0.0, end_s: float = inf) -> float:
        """The share of the calls that came in that time and were answered within `within_s` of waiting; 1 of none."""
        came = [one for one in self.waits if begin_s <= one.at_s < end_s]
        return sum(one.answered and one.wait_s <= within_s for one in came) / len(came) if came else 1.0


@dataclass(frozen=True, slots=True)
class _GivesUp:
    ref: CallRef


@dataclass(frozen=True, slots=True)
class _Answers:
    connect: Connect


@dataclass(frozen=True, slots=True)
class _Ends:
    connect: Connect


@dataclass(frozen=True, slots=True)
class _Alarm:
    """The room wanted to look again."""


_Event = Arrival | _GivesUp | _Answers | _Ends | _Alarm


class Simulation:
    """One run. Time is in ms from the day's beginning."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._number = count()
        self._room = Room(rules, new_ref=lambda: CallRef(f"new{next(self._number)}"), utc_ahead_ms=0)
        devices = tuple((seat, Device.FREE) for seat in rules.seats)
        self._room.resync(Snapshot((), (), devices, ()), 0)
        self._agenda: list[tuple[int, int, _Event]] = []
        self._alarm_ms: int | None = None
        self._waiting: dict[CallRef, Waiting] = {}
        """In the order in which they came."""
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
            for decision in self._room.decide(now_ms):
                self._decided(decision, now_ms)
            self._room.changes()  # Nobody keeps them here; undrained they would pile up.
            self._watch()
        return self.outcome

    def _expect(self, arrival: Arrival | None) -> None:
        if arrival is not None:
            self._at(int(arrival.at_s * 1000), arrival)

    def _at(self, when_ms: int, event: _Event) -> None:
        heapq.heappush(self._agenda, (when_ms, next(self._number), event))

    def _watch(self) -> None:
        """The room's next alarm, as long as somebody waits whom it may concern."""
        alarm_ms = self._room.next_alarm_ms() if self._waiting else None
        if alarm_ms is not None and (self._alarm_ms is None or alarm_ms < self._alarm_ms):
            self._alarm_ms = alarm_ms
            self._at(alarm_ms, _Alarm())

    def _happens(self, event: _Event, now_ms: int) -> None:
        match event:
            case Arrival():
                self._arrives(event, now_ms)
            case _GivesUp(ref):
                caller = self._waiting.pop(ref, None)
                if caller is not None:
                    self._over(caller, now_ms, answered=False)
                    self._room.heard(HungUp(caller.channel, 16), now_ms)
            case _Answers(connect):
                self._room.heard(SeatChanged(connect.seat, Device.BUSY), now_ms)
                self._at(now_ms + self._handling_ms.pop(connect.caller.ref), _Ends(connect))
            case _Ends(connect):
                self._room.heard(HungUp(connect.caller.channel, 16), now_ms)
                self._room.heard(SeatChanged(connect.seat, Device.FREE), now_ms)
            case _Alarm():
                self._alarm_ms = None
            case _:
                assert_never(event)

    def _arrives(self, arrival: Arrival, now_ms: int) -> None:
        name = f"c{next(self._number)}"
        caller = Waiting(Channel("node1", name), CallRef(name), now_ms, arrival.skills, arrival.priority, "12345", "zh")
        self._waiting[caller.ref] = caller
        self._handling_ms[caller.ref] = int(arrival.handling_s * 1000)
        self._at(now_ms + int(arrival.patience_s * 1000), _GivesUp(caller.ref))
        self._room.heard(EnteredRoom(caller), now_ms)

    def _decided(self, decision: Connect | CallBackTurn | Overflow, now_ms: int) -> None:
        match decision:
            case Connect():
                self._connected(decision, now_ms)
            case Overflow(caller, _):
                del self._waiting[caller.ref]
                self.outcome.handed_over += 1
                self._room.heard(HungUp(caller.channel, 16), now_ms)
            case CallBackTurn():
                raise AssertionError(decision)  # Nobody asks to be called back here.
            case _:
                assert_never(decision)

    def _connected(self, connect: Connect, now_ms: int) -> None:
        caller = self._waiting.pop(connect.caller.ref)
        self._over(caller, now_ms, answered=True)
        self.outcome.busy_s += (ANSWER_MS + self._handling_ms[caller.ref]) / 1000
        if self._passes_somebody(caller, self._rules.seats[connect.seat], now_ms):
            self.outcome.passed += 1
        self._at(now_ms + ANSWER_MS, _Answers(connect))

    def _over(self, caller: Waiting, now_ms: int, *, answered: bool) -> None:
        self.outcome.waits.append(Waited(caller.t0_ms / 1000, (now_ms - caller.t0_ms) / 1000, answered))

    def _passes_somebody(self, chosen: Waiting, has: Has, now_ms: int) -> bool:
        for other in self._waiting.values():
            if other.t0_ms >= chosen.t0_ms:
                return False
            same_class = other.priority == chosen.priority
            if same_class and serves(has, self._rules.demands.at(other.skills, now_ms - other.t0_ms).demand):
                return True
        return False
