"""Every call that the room knows, joined with its seat and its place in the line."""

from collections.abc import Mapping
from dataclasses import replace

from calls.live import CallRef, Channel, Waiting
from routing.alarms import Alarms, CallAlarm
from routing.board import Board
from routing.decisions import Call, CallerState
from routing.line import Line
from routing.matcher import Rank

GRACE_MS = 5000
"""How much longer than it should take something is waited for, before a snapshot is asked for."""

HELD_MS = 2000
"""So long nobody passes a caller in a survival queue: it is asked back with the next heartbeat, and
Asterisk's queue looks once a second whether somebody was."""

_IN_LINE = (CallerState.WAITING, CallerState.RETURNING, CallerState.SURVIVING)


class Book:
    """Calls by reference and by channel. A call is in the line while it waits, and at a seat while it has one."""

    def __init__(self, alarms: Alarms, board: Board, line: Line) -> None:
        self.wants_snapshot = True
        """What is known has a gap."""
        self.calls: dict[CallRef, Call] = {}
        """To be looked at only."""
        self._alarms = alarms
        self._board = board
        self._line = line
        self._refs: dict[Channel, CallRef] = {}
        self._dialled: dict[int, CallRef] = {}
        self._entered: dict[CallRef, None] = {}
        self._callers: dict[str, dict[CallRef, None]] = {}
        """Telephone number → who calls from there."""
        self._changed: dict[str, None] = {}
        """Numbers of which calls came, began to wait or went since `changed` was asked last."""
        self._surviving: dict[CallRef, None] = {}
        """Who came to survive since `hold` was asked last, and may be there no more."""

    def ref_of(self, channel: Channel) -> CallRef | None:
        return self._refs.get(channel)

    def is_dialled(self, place: int) -> bool:
        """Whether that place's caller is being called back."""
        return place in self._dialled

    def calls_from(self, number: str) -> tuple[Call, ...]:
        """Everybody who calls from that telephone number."""
        return tuple(self.calls[ref] for ref in self._callers.get(number, ()))

    def look_at(self, number: str) -> None:
        """Something else may follow now from who calls from there."""
        self._changed[number] = None

    def changed(self) -> tuple[str, ...]:
        """Telephone numbers of which `calls_from` may say something else than when this was asked last."""
        changed, self._changed = tuple(self._changed), {}
        return changed

    def know(self, call: Call, now_ms: int) -> None:
        """Replaces whatever was known of that call, and of that channel."""
        self.forget(call.ref, now_ms)
        if call.channel is not None:
            self.forget(self._refs.get(call.channel, call.ref), now_ms)
        self.keep(call)
        self.enlist(call, now_ms)

    def keep(self, call: Call) -> None:
        """A call of which nothing is known; its seat and its place in the line have been seen to."""
        self.calls[call.ref] = call
        if call.channel is not None:
            self._refs[call.channel] = call.ref
        if call.place is not None:
            self._dialled[call.place.id] = call.ref
        self._comes(call)

    def answered(self, call: Call, caller: Waiting) -> None:
        """A call back has a channel now, and is a caller like any other."""
        if call.place is not None:
            del self._dialled[call.place.id]
        call.caller, call.channel, call.place = caller, caller.channel, None
        self._refs[caller.channel] = call.ref
        self._comes(call)

    def enlist(self, call: Call, now_ms: int) -> None:
        """Puts whoever waits into the line."""
        caller = call.caller
        if caller is None or call.state not in _IN_LINE:
            return
        ready, until_ms = call.state is CallerState.WAITING, call.held_until_ms
        holds = call.state is CallerState.SURVIVING and (until_ms is None or now_ms < until_ms)
        self._line.add(_rank(caller), caller.skills, caller.number, now_ms, ready=ready, holds=holds)
        if ready:
            self._entered[call.ref] = None
        elif holds and until_ms is not None:
            self._line.hold_until(call.ref, until_ms)
        elif holds:
            self._surviving[call.ref] = None

    def advance(self, call: Call, priority: int, t0_ms: int, now_ms: int) -> None:
        """A waiting caller has that place in the line, unless its own is better. Asterisk is not told: when
        it serves callers alone, each call has its own place."""
        caller = call.caller
        if caller is None or call.state is not CallerState.WAITING or (priority, t0_ms) >= _rank(caller)[:2]:
            return
        self._line.remove(call.ref)
        call.caller = replace(caller, priority=priority, t0_ms=t0_ms)
        self.enlist(call, now_ms)

    def hold(self, now_ms: int) -> None:
        """Decisions are made now: from here on it counts how long others are held back for a survivor."""
        surviving, self._surviving = self._surviving, {}
        for ref in surviving:
            call = self.calls.get(ref)
            if call is not None and call.state is CallerState.SURVIVING and call.held_until_ms is None:
                call.held_until_ms = now_ms + HELD_MS
                self._line.hold_until(ref, call.held_until_ms)

    def entered(self) -> tuple[CallRef, ...]:
        """Who has begun to wait since this was asked last, and may have left meanwhile."""
        entered, self._entered = tuple(self._entered), {}
        return entered

    def forget(self, ref: CallRef, now_ms: int) -> None:
        """A call that is not known is left out."""
        call = self.calls.pop(ref, None)
        if call is None:
            return
        if call.channel is not None:
            del self._refs[call.channel]
        if call.place is not None:
            del self._dialled[call.place.id]
        if call.caller is not None and call.caller.caller:
            number = call.caller.caller
            self._changed[number] = None
            del self._callers[number][ref]
            if not self._callers[number]:
                del self._callers[number]
        self._line.remove(ref)
        self._alarms.cancel(CallAlarm(ref))
        self.let_go(call, now_ms)

    def let_go(self, call: Call, now_ms: int) -> None:
        """Ends what joins a call with its seat."""
        if call.seat is not None:
            seat, call.seat = call.seat, None
            self._board.free(seat, now_ms)

    def doubt(self, call: Call, now_ms: int) -> None:
        """Nobody knows where a call is, nor whether its seat rings."""
        self.wants_snapshot = True
        call.state = CallerState.UNCLEAR
        self._alarms.cancel(CallAlarm(call.ref))
        if call.seat is not None:
            self._board.doubt(call.seat, now_ms)

    def expect(self, call: Call, due_ms: int) -> None:
        """Until then something must be heard of it."""
        self._alarms.set(CallAlarm(call.ref), due_ms)

    def expect_nothing(self, ref: CallRef) -> None:
        self._alarms.cancel(CallAlarm(ref))

    def begin_anew(self) -> Mapping[CallRef, Call]:
        """Nothing is known any more; what was known. Seats and the line are left as they are."""
        before, self.calls = self.calls, {}
        self._changed |= dict.fromkeys(self._callers)
        self._refs, self._dialled, self._callers = {}, {}, {}
        return before

    def _comes(self, call: Call) -> None:
        if call.caller is not None and call.caller.caller:
            self._callers.setdefault(call.caller.caller, {})[call.ref] = None
            self._changed[call.caller.caller] = None


def _rank(caller: Waiting) -> Rank:
    return caller.priority, caller.t0_ms, caller.ref
