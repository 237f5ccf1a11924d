"""The waiting room: who waits, which seat is free, and who is connected with whom next.

A pure state machine. It is fed with what Asterisk tells (`heard`, `resync`) and with how commands
ended (`missing`, `unclear`), and decides. `now_ms` is one clock that never jumps back, in ms; it
need not be the clock of the callers' `t0_ms`.

The controller asks for decisions once for each batch of events, sends them, and sends none while
it reads a snapshot.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush
from typing import assert_never

from calls.live import (
    CallRef,
    CameBack,
    Channel,
    Device,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    LeftRoom,
    LiveEvent,
    Seat,
    SeatChanged,
    Snapshot,
    Waiting,
)
from routing.matcher import Matcher, Rank, Skills
from routing.seats import SeatRecord, SeatState

GRACE_MS = 5000
"""How much longer than it should take something is waited for, before a snapshot is asked for."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Send this caller to this seat."""

    caller: Waiting
    seat: Seat


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take this caller out of a survival queue, back into the waiting room."""

    queue: str
    channel: Channel


class CallerState(Enum):
    """A caller whom the room knows is in one of these; only a waiting one is connected."""

    WAITING = "waiting"
    OFFERED = "offered"
    TALKING = "talking"
    RETURNING = "returning"
    """A seat did not take it; Asterisk is about to say that it waits again."""
    SURVIVING = "surviving"
    UNCLEAR = "unclear"
    """A command's outcome is unknown; the next snapshot tells."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many callers and seats are in each state; states that nobody is in are left out."""

    callers: Mapping[CallerState, int]
    seats: Mapping[SeatState, int]


@dataclass(slots=True)
class _Call:
    channel: Channel
    state: CallerState
    caller: Waiting | None = None
    """None for a call that was first seen at a seat."""
    seat: Seat | None = None
    """The one whose record has this call; None again when its telephone is free after the talk."""
    queue: str = ""
    due_ms: int | None = None
    """When being offered, or returning, has taken too long."""


class Room:
    """Everybody who waits, and every seat of the settings."""

    def __init__(self, seats: Mapping[Seat, Skills], *, ring_ms: int, rest_ms: int) -> None:
        self.wants_snapshot = True
        """What is known has a gap: the controller should read a snapshot soon, and `resync`."""
        self._ring_ms = ring_ms
        self._rest_ms = rest_ms
        self._seats = {seat: SeatRecord(seat, skills) for seat, skills in seats.items()}
        self._calls: dict[CallRef, _Call] = {}
        self._refs: dict[Channel, CallRef] = {}
        self._matcher = Matcher()
        self._alarms: list[tuple[int, str]] = []
        """When to look again at a call or a seat: its reference or id."""

    def decide(self, now_ms: int) -> tuple[Connect, ...]:
        """Who is connected now, most urgent first. Each is taken as offered from here on."""
        self._wake(now_ms)
        return tuple(self._offer(ref, seat, now_ms) for ref, seat in self._matcher.pairs())

    def withdrawals(self) -> tuple[Withdraw, ...]:
        """Everybody who is in a survival queue: asked with each heartbeat, for as long as they are there."""
        return tuple(
            Withdraw(call.queue, call.channel) for call in self._calls.values() if call.state is CallerState.SURVIVING
        )

    def next_alarm_ms(self) -> int | None:
        """When `decide` may find something new although nothing was heard."""
        return self._alarms[0][0] if self._alarms else None

    def counts(self, now_ms: int) -> Counts:
        return Counts(
            callers=Counter(call.state for call in self._calls.values()),
            seats=Counter(seat.state(now_ms) for seat in self._seats.values()),
        )

    # --- how commands ended ---------------------------------------------------------------------

    def missing(self, connect: Connect, now_ms: int) -> None:
        """Asterisk knows no such channel: the caller has hung up, and the seat is free at once."""
        if self._still_offered(connect) is not None:
            self._forget(connect.caller.ref, now_ms)

    def unclear(self, connect: Connect, now_ms: int) -> None:
        """The command was refused, or not answered: both are left alone until the next snapshot."""
        call = self._still_offered(connect)
        if call is not None:
            self._doubt(call, now_ms)

    # --- what Asterisk tells --------------------------------------------------------------------

    def heard(self, event: LiveEvent, now_ms: int) -> None:
        match event:
            case EnteredRoom(caller):
                self._entered(caller, now_ms)
            case CameBack(ref, seat, _):
                self._came_back(ref, seat, now_ms)
            case LeftRoom(ref, _):
                self._left(ref, now_ms)
            case EnteredSurvival(caller, queue):
                self._left(caller.ref, now_ms)
                self._know(caller.ref, _Call(caller.channel, CallerState.SURVIVING, caller, queue=queue), now_ms)
            case HungUp(channel, _):
                if channel in self._refs:
                    self._forget(self._refs[channel], now_ms)
            case SeatChanged(seat, device):
                self._seat_changed(seat, device, now_ms)
            case _:
                assert_never(event)

    def resync(self, snapshot: Snapshot, now_ms: int) -> None:
        """Replaces all that is known, but for how long seats have been free or have to rest."""
        self._calls.clear()
        self._refs.clear()
        self._alarms.clear()
        self._matcher = Matcher()
        devices = dict(snapshot.seats)
        for record in self._seats.values():
            record.sees(devices.get(record.seat, Device.GONE), now_ms)
            record.call, record.unclear, record.listed = None, False, None
            self._relist(record, now_ms)
        for caller in snapshot.waiting:
            self._know(caller.ref, _Call(caller.channel, CallerState.WAITING, caller), now_ms)
        for queue, caller in snapshot.surviving:
            self._know(caller.ref, _Call(caller.channel, CallerState.SURVIVING, caller, queue=queue), now_ms)
        for ref, channel, seat in snapshot.offered:
            # A snapshot is read in pieces: who moved on meanwhile stands in it twice, here last.
            self._know(ref, _Call(channel, CallerState.OFFERED), now_ms)
            self._give(ref, seat, now_ms)
        self.wants_snapshot = False

    # --- callers --------------------------------------------------------------------------------

    def _entered(self, caller: Waiting, now_ms: int) -> None:
        call = self._calls.get(caller.ref)
        if call is not None and call.state in (CallerState.OFFERED, CallerState.UNCLEAR):
            # Said before the command arrived, or after a return that was not heard: to connect it
            # again now might take it away from the seat that rings for it.
            self.wants_snapshot = True
            return
        self._know(caller.ref, _Call(caller.channel, CallerState.WAITING, caller), now_ms)

    def _came_back(self, ref: CallRef, seat: Seat, now_ms: int) -> None:
        record = self._seats.get(seat)
        if record is not None and record.call in (None, ref):
            record.rests_until_ms = now_ms + self._rest_ms
            self._relist(record, now_ms)
        call = self._calls.get(ref)
        if call is None or call.state is CallerState.UNCLEAR:
            return
        self._unlist(call)
        self._let_go(call, now_ms)
        call.state = CallerState.RETURNING
        self._expect(ref, call, now_ms + GRACE_MS)

    def _left(self, ref: CallRef, now_ms: int) -> None:
        call = self._calls.get(ref)
        if call is not None and call.state is CallerState.OFFERED:
            # The command and the caller's own way out crossed: either may have come first.
            self._doubt(call, now_ms)
        self._forget(ref, now_ms)

    def _know(self, ref: CallRef, call: _Call, now_ms: int) -> None:
        self._forget(ref, now_ms)
        self._forget(self._refs.get(call.channel, ref), now_ms)
        self._calls[ref] = call
        self._refs[call.channel] = ref
        if call.state is CallerState.WAITING and call.caller is not None:
            self._matcher.add_caller(call.caller.skills, _rank(call.caller))

    def _forget(self, ref: CallRef, now_ms: int) -> None:
        call = self._calls.pop(ref, None)
        if call is None:
            return
        del self._refs[call.channel]
        self._unlist(call)
        self._let_go(call, now_ms)

    def _unlist(self, call: _Call) -> None:
        """Takes a caller who must not be connected now out of the matcher."""
        if call.state is CallerState.WAITING and call.caller is not None:
            self._matcher.remove_caller(call.caller.skills, _rank(call.caller))

    # --- a caller and a seat --------------------------------------------------------------------

    def _offer(self, ref: CallRef, seat: Seat, now_ms: int) -> Connect:
        call, record = self._calls[ref], self._seats[seat]
        if call.caller is None:
            raise AssertionError(ref)  # Whoever is in the matcher came with EnteredRoom or a snapshot.
        record.listed = None
        self._give(ref, seat, now_ms)
        return Connect(call.caller, seat)

    def _give(self, ref: CallRef, seat: Seat, now_ms: int) -> None:
        """Joins a call with its seat: it rings, or they talk already."""
        call, record = self._calls[ref], self._seats.get(seat)
        if record is None:  # A seat that is no longer in the settings finishes its talk.
            call.state = CallerState.TALKING
            return
        if record.call is not None:
            self._calls[record.call].state = CallerState.TALKING
            self._let_go(self._calls[record.call], now_ms)
        call.seat, record.call = seat, ref
        self._relist(record, now_ms)
        call.state = CallerState.TALKING if record.device is Device.BUSY else CallerState.OFFERED
        if call.state is CallerState.OFFERED:
            self._expect(ref, call, now_ms + self._ring_ms + GRACE_MS)

    def _let_go(self, call: _Call, now_ms: int) -> None:
        """Ends what joins a call with its seat."""
        if call.seat is None:
            return
        record = self._seats[call.seat]
        call.seat = record.call = None
        self._relist(record, now_ms)

    def _still_offered(self, connect: Connect) -> _Call | None:
        call = self._calls.get(connect.caller.ref)
        ours = call is not None and call.state is CallerState.OFFERED and call.seat == connect.seat
        return call if ours else None

    def _doubt(self, call: _Call, now_ms: int) -> None:
        """Nobody knows whether the seat rings for the caller."""
        self.wants_snapshot = True
        call.state = CallerState.UNCLEAR
        if call.seat is not None:
            record = self._seats[call.seat]
            record.unclear = True
            self._relist(record, now_ms)

    # --- seats and alarms -----------------------------------------------------------------------

    def _seat_changed(self, seat: Seat, device: Device, now_ms: int) -> None:
        record = self._seats.get(seat)
        if record is None:
            return
        record.sees(device, now_ms)
        call = self._calls.get(record.call) if record.call is not None else None
        if call is not None and call.state is CallerState.OFFERED and device is Device.BUSY:
            call.state, call.due_ms = CallerState.TALKING, None
        elif call is not None and call.state is CallerState.TALKING and device is Device.FREE:
            # While it is only offered, a free telephone has not rung yet or has just stopped
            # ringing; then the caller's return or hang-up tells.
            self._let_go(call, now_ms)
        self._relist(record, now_ms)

    def _relist(self, record: SeatRecord, now_ms: int) -> None:
        """Puts a seat into the matcher or takes it out, as its state says."""
        state = record.state(now_ms)
        if state is SeatState.FREE and record.listed is None:
            record.listed = (record.free_since_ms, record.seat)
            self._matcher.add_seat(record.skills, record.listed)
        elif state is not SeatState.FREE and record.listed is not None:
            self._matcher.remove_seat(record.skills, record.listed)
            record.listed = None
        if state is SeatState.RESTING:
            heappush(self._alarms, (record.rests_until_ms, record.seat))

    def _expect(self, ref: CallRef, call: _Call, due_ms: int) -> None:
        call.due_ms = due_ms
        heappush(self._alarms, (due_ms, ref))

    def _wake(self, now_ms: int) -> None:
        while self._alarms and self._alarms[0][0] <= now_ms:
            at_ms, name = heappop(self._alarms)
            record = self._seats.get(Seat(name))
            if record is not None:
                self._relist(record, now_ms)
            call = self._calls.get(CallRef(name))
            if call is None or call.due_ms != at_ms:
                continue
            if call.state is CallerState.OFFERED:
                self._doubt(call, now_ms)
            elif call.state is CallerState.RETURNING:
                self.wants_snapshot = True


def _rank(caller: Waiting) -> Rank:
    return caller.priority, caller.t0_ms, caller.ref
