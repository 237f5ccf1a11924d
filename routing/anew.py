"""A snapshot replaces what was known of calls; what it cannot tell is kept."""

from collections.abc import Mapping

from calls.live import Device, Seat, Snapshot, Waiting
from routing.board import Board
from routing.book import GRACE_MS, Book
from routing.decisions import Call, CallerState
from routing.line import Line
from routing.matcher import Matcher
from routing.rules import Rules
from routing.seats import Given
from routing.turns import Turns


class Anew:
    """Reads snapshots."""

    def __init__(self, rules: Rules, book: Book, board: Board, line: Line, turns: Turns) -> None:
        self._ring_ms = rules.ring_ms
        self._book = book
        self._board = board
        self._line = line
        self._turns = turns

    def read(self, snapshot: Snapshot, now_ms: int) -> Matcher:
        """The matcher that knows who waits and which seat is free, as the snapshot has it."""
        matcher, devices = Matcher(), dict(snapshot.seats)
        before = self._book.begin_anew()
        self._line.restart(matcher)
        for caller in snapshot.waiting:
            self._book.know(Call(caller.ref, caller.channel, CallerState.WAITING, caller), now_ms)
        for queue, caller in snapshot.surviving:
            self._book.know(_survivor(queue, caller, before.get(caller.ref)), now_ms)
        told = {caller.ref: caller for caller in snapshot.callers}
        # A snapshot is read in pieces: who moved on meanwhile stands in it twice, at last at a seat.
        for ref, (channel, seat) in {ref: (channel, seat) for ref, channel, seat in snapshot.offered}.items():
            known = self._book.calls.get(ref) or before.get(ref)
            who = told.get(ref) if known is None or known.caller is None else known.caller
            call = Call(ref, channel, CallerState.OFFERED, who)
            self._book.know(call, now_ms)
            self._stands_at(call, seat, before.get(ref), devices.get(seat, Device.GONE))
        for ref, old in before.items():
            if ref in self._book.calls or old.state is not CallerState.DIALLING:
                self._book.expect_nothing(ref)
        self._turns.dial_on(before, now_ms)
        self._board.resync(devices, self._given(now_ms), matcher, now_ms)
        self._turns.places.again(now_ms)
        self._book.wants_snapshot = False
        return matcher

    def _stands_at(self, call: Call, seat: Seat, before: Call | None, device: Device) -> None:
        """What a snapshot says of a call that was sent to a seat, together with what was known of it."""
        if self._board.record(seat) is None:
            call.state = CallerState.TALKING  # A seat that is no longer in the settings finishes its talk.
            return
        talked = before is not None and before.state is CallerState.TALKING and before.seat in (seat, None)
        if device is Device.BUSY or talked:
            call.state = CallerState.TALKING
        over = talked and (device is Device.FREE or before is None or before.seat is None)
        call.seat = None if over else seat

    def _given(self, now_ms: int) -> Mapping[Seat, Given]:
        """Which call each seat has: of several the one that was told last, but a call that is on its
        way to the telephone of a caller comes after all others."""
        found: dict[Seat, Call] = {}
        for call in self._book.calls.values():
            if call.seat is None:
                continue
            other = found.get(call.seat)
            if other is not None and call.state is CallerState.DIALLING:
                call.seat = None
                continue
            if other is not None:
                other.state, other.seat = CallerState.TALKING, None
            found[call.seat] = call
        return {seat: self._one(seat, call, now_ms) for seat, call in found.items()}

    def _one(self, seat: Seat, call: Call, now_ms: int) -> Given:
        if call.state is CallerState.OFFERED:
            self._book.expect(call, now_ms + self._ring_ms + GRACE_MS)
        record = self._board.record(seat)
        had = None if record is None else record.given
        talking = call.state is CallerState.TALKING
        if had is not None and had.ref == call.ref:
            had.talking = talking
            return had
        return Given(call.ref, call.number, None if talking else now_ms, talking)


def _survivor(queue: str, caller: Waiting, before: Call | None) -> Call:
    """Nobody is held back anew for one who survived already."""
    until_ms = before.held_until_ms if before is not None and before.state is CallerState.SURVIVING else None
    return Call(caller.ref, caller.channel, CallerState.SURVIVING, caller, queue=queue, held_until_ms=until_ms)
