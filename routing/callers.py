"""What Asterisk tells of callers, and what is decided for them."""

from dataclasses import replace

from calls.live import CallRef, CameBack, Channel, Device, Seat, SentToSeat, Waiting
from routing.board import Board
from routing.book import GRACE_MS, Book
from routing.decisions import Call, CallerState, Connect, Moved, Overflow
from routing.exits import Exits
from routing.line import EMERGENCY, Line
from routing.rules import Rules
from routing.seats import Given

_ON_THE_WAY = (CallerState.OFFERED, CallerState.DIALLING, CallerState.LEAVING, CallerState.UNCLEAR)
"""Said to wait in one of these, a caller is not believed: a command may be on its way that takes it elsewhere."""


class Callers:
    """Moves callers between the line, seats and the ways out."""

    def __init__(self, rules: Rules, book: Book, board: Board, line: Line, exits: Exits) -> None:
        self._ring_ms = rules.ring_ms
        self._book = book
        self._board = board
        self._line = line
        self._exits = exits
        self._looked: dict[CallRef, None] = {}
        """Whose ways out are to be looked at."""

    # --- what Asterisk tells --------------------------------------------------------------------

    def entered(self, caller: Waiting, now_ms: int) -> None:
        call = self._book.calls.get(caller.ref)
        if call is not None and call.state in _ON_THE_WAY:
            # Said before the command arrived, or after a return that was not heard: to connect it
            # again now might take it away from the seat that rings for it.
            self._book.wants_snapshot = True
            return
        self._exits.back(caller.ref, now_ms)
        self._book.know(Call(caller.ref, caller.channel, CallerState.WAITING, caller), now_ms)

    def came_back(self, back: CameBack, now_ms: int) -> None:
        self._board.missed(back.seat, back.ref, back.why, now_ms)
        call = self._book.calls.get(back.ref)
        if call is None or call.state is CallerState.UNCLEAR:
            return
        if call.state is CallerState.DIALLING:
            self._book.wants_snapshot = True  # It must have been answered.
            return
        self._line.remove(call.ref)
        self._book.let_go(call, now_ms)
        call.state = CallerState.RETURNING
        self._book.enlist(call, now_ms)
        self._book.expect(call, now_ms + GRACE_MS)

    def left(self, ref: CallRef, now_ms: int) -> None:
        call = self._book.calls.get(ref)
        if call is not None and call.state is CallerState.OFFERED:
            # The command and the caller's own way out crossed: either may have come first.
            self._book.doubt(call, now_ms)
        self._book.forget(ref, now_ms)

    def survives(self, caller: Waiting, queue: str, now_ms: int) -> None:
        self.left(caller.ref, now_ms)
        self._book.know(Call(caller.ref, caller.channel, CallerState.SURVIVING, caller, queue=queue), now_ms)

    def hung_up(self, channel: Channel, now_ms: int) -> None:
        ref = self._book.ref_of(channel)
        if ref is not None:
            self._book.forget(ref, now_ms)

    def seat_changed(self, seat: Seat, device: Device, now_ms: int) -> None:
        record = self._board.record(seat)
        if record is None:
            return
        self._board.sees(seat, device, now_ms)
        call = self._book.calls.get(record.call) if record.call is not None else None
        if call is not None and call.state is CallerState.OFFERED and device is Device.BUSY:
            call.state = CallerState.TALKING
            self._book.expect_nothing(call.ref)
            self._board.answers(seat, now_ms)
        elif call is not None and call.state is CallerState.TALKING and device is Device.FREE:
            # While it is only offered, a free telephone has not rung yet or has just stopped
            # ringing; then the caller's return or hang-up tells.
            self._book.let_go(call, now_ms)

    def sent(self, sent: SentToSeat, now_ms: int) -> None:
        """An agent passes a call to a seat, free or not: the dialplan's guard decides, unless it talks already."""
        ref, seat = sent.ref, sent.seat
        before = self._book.calls.get(ref)
        state = CallerState.TALKING if sent.talking else CallerState.OFFERED
        call = Call(ref, sent.channel, state, None if before is None else before.caller)
        self._book.know(call, now_ms)
        record = self._board.record(seat)
        if record is None:
            call.state = CallerState.TALKING
        elif record.given is not None or record.unclear:
            # Two calls are on their way to one seat; whichever it does not take comes back.
            self._book.doubt(call, now_ms)
        else:
            call.seat = seat
            self._board.give(seat, Given(ref, call.number, now_ms, talking=sent.talking), now_ms)
            if sent.talking:
                self._board.answers(seat, now_ms)
            else:
                self._book.expect(call, now_ms + self._ring_ms + GRACE_MS)

    def overdue(self, ref: CallRef, now_ms: int) -> None:
        """Nothing was heard of a call in time."""
        call = self._book.calls[ref]
        if call.state in (CallerState.OFFERED, CallerState.DIALLING):
            self._book.doubt(call, now_ms)
        else:
            self._book.wants_snapshot = True

    # --- what is decided --------------------------------------------------------------------------

    def connected(self, ref: CallRef, seat: Seat, now_ms: int) -> Connect:
        """The matcher gave a caller a seat."""
        call = self._book.calls[ref]
        if call.caller is None:
            raise AssertionError(ref)  # Whoever is in the matcher came with EnteredRoom or a snapshot.
        call.state, call.seat = CallerState.OFFERED, seat
        self._board.paired(seat, Given(ref, call.number, now_ms), now_ms)
        self._book.expect(call, now_ms + self._ring_ms + GRACE_MS)
        return Connect(call.caller, seat)

    def overflows(self, now_ms: int) -> list[Overflow]:
        """Everybody who leaves the room now without a seat."""
        looked, self._looked = self._looked, {}
        looked |= dict.fromkeys(self._book.entered())
        return [one for ref in looked if (one := self._overflow(ref, now_ms)) is not None]

    def look_at(self, ref: CallRef) -> None:
        """Another way out may be open for it."""
        self._looked[ref] = None

    def _overflow(self, ref: CallRef, now_ms: int) -> Overflow | None:
        call, waiter = self._book.calls.get(ref), self._line.get(ref)
        if call is None or call.caller is None or waiter is None or call.state is not CallerState.WAITING:
            return None
        way = self._exits.way(waiter, now_ms)
        if way is None:
            return None
        self._line.remove(ref)
        self._exits.taken(ref, way, now_ms)
        call.state = CallerState.LEAVING
        self._book.expect(call, now_ms + GRACE_MS)
        return Overflow(call.caller, way)

    def missing(self, decision: Connect | Overflow, now_ms: int) -> None:
        """The caller has hung up, and the seat is free at once."""
        if self._still(decision) is not None:
            self._book.forget(decision.caller.ref, now_ms)

    def unclear(self, decision: Connect | Overflow, now_ms: int) -> None:
        """Both are left alone until the next snapshot."""
        call = self._still(decision)
        if call is None:
            return
        if isinstance(decision, Overflow):
            self._exits.failed(call.ref, decision.way, now_ms + GRACE_MS)
        self._book.doubt(call, now_ms)

    def move_up(self, ref: CallRef, now_ms: int) -> Moved | None:
        call = self._book.calls.get(ref)
        if call is None or call.state is not CallerState.WAITING or call.caller is None or call.channel is None:
            return None
        own = call.caller.priority
        first = next(rank for rank in self._line.ranks() if rank[0] != EMERGENCY or own == EMERGENCY)
        if first[2] != ref:
            self._line.remove(ref)
            call.caller = replace(call.caller, priority=first[0], t0_ms=first[1] - 1)
            self._book.enlist(call, now_ms)
        waiter = self._line.get(ref)
        if waiter is not None:
            waiter.stays = True
        return Moved(call.channel, call.caller.t0_ms, call.caller.priority)

    def _still(self, decision: Connect | Overflow) -> Call | None:
        """The call, if nothing was heard of it since that was decided."""
        call = self._book.calls.get(decision.caller.ref)
        if call is None:
            return None
        if isinstance(decision, Connect):
            return call if call.state is CallerState.OFFERED and call.seat == decision.seat else None
        return call if call.state is CallerState.LEAVING else None
