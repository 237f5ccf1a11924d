"""Calling back: kept places, and the calls that are made when their turn has come."""

from collections.abc import Callable, Mapping

from calls.live import CallRef, Channel, Device, Seat, Waiting
from routing.board import Board
from routing.book import GRACE_MS, Book
from routing.decisions import Call, CallBackTurn, CallerState, KeptPlace
from routing.places import Places
from routing.rules import Rules
from routing.seats import Given, SeatState

_BY_HAND = (SeatState.FREE, SeatState.RESTING, SeatState.WRAP_UP, SeatState.PAUSED)
"""Where somebody may call back out of turn."""


class Turns:
    """A place is kept here until its caller is being called back; a failed attempt brings it back."""

    def __init__(
        self, rules: Rules, book: Book, board: Board, places: Places, *, new_ref: Callable[[], CallRef]
    ) -> None:
        self._ring_ms = rules.ring_ms
        self._call_back_ring_ms = rules.call_back_ring_ms
        self._book = book
        self._board = board
        self._new_ref = new_ref
        self.places = places
        """To be looked at only."""

    def keep(self, place: KeptPlace, now_ms: int, not_before_ms: int | None) -> None:
        if not self._book.is_dialled(place.id):
            self.places.keep(place, now_ms, not_before_ms=not_before_ms)
            self._book.look_at(place.to)

    def merge(self, now_ms: int) -> None:
        """Who calls again while its place is kept is not called back during that call. Where it waits for
        the same, it has that place."""
        for number in self._book.changed():
            calls = self._book.calls_from(number)
            self.places.caller_is(number, here=bool(calls))
            place = self.places.first_of(number)
            for call in calls:
                if place is not None and call.caller is not None and call.caller.skills == place.skills:
                    self._book.advance(call, place.priority, place.t0_ms, now_ms)

    def begun(self, place: KeptPlace, seat: Seat, now_ms: int) -> CallBackTurn:
        """The matcher gave that place a seat."""
        turn = self._turn(place, seat, now_ms, by_hand=False)
        self._board.paired(seat, Given(turn.ref, place.number, now_ms), now_ms)
        return turn

    def at(self, place: KeptPlace, seat: Seat, now_ms: int) -> CallBackTurn | None:
        """Somebody at that seat calls back now; None when the seat cannot, or the caller is being called."""
        record = self._board.record(seat)
        if record is None or self._book.is_dialled(place.id):
            return None
        if record.state(now_ms) not in _BY_HAND or record.device is not Device.FREE:
            return None
        turn = self._turn(place, seat, now_ms, by_hand=place.id not in self.places)
        self._board.give(seat, Given(turn.ref, place.number, now_ms), now_ms)
        return turn

    def ended(self, ref: CallRef, channel: Channel | None, now_ms: int) -> None:
        """A call back was answered, and has a channel, or not; then the place waits for whoever keeps
        it to say what becomes of it."""
        call = self._book.calls.get(ref)
        if channel is not None:
            self._reached(ref, channel, now_ms)
        elif call is not None and call.place is not None:
            self._book.forget(ref, now_ms)

    def missing(self, ref: CallRef, now_ms: int) -> None:
        """Nobody was called."""
        self._failed(ref, now_ms, again_ms=now_ms + GRACE_MS)

    def unclear(self, ref: CallRef, now_ms: int) -> None:
        """The caller may be called just now, and is not called again before that must be over.

        The seat is let go: should the call come to it, the dialplan guards it.
        """
        self._failed(ref, now_ms, again_ms=now_ms + self._call_back_ring_ms + GRACE_MS, perhaps=ref)

    def dial_on(self, before: Mapping[CallRef, Call], now_ms: int) -> None:
        """After a snapshot, which does not show calls that nobody has answered yet."""
        for ref, call in before.items():
            if call.place is None or ref in self._book.calls:
                continue
            if call.state is CallerState.DIALLING:
                self._book.keep(call)
            elif not call.by_hand:
                self.places.keep(call.place, now_ms, not_before_ms=now_ms + GRACE_MS)

    def _reached(self, ref: CallRef, channel: Channel, now_ms: int) -> None:
        call = self._book.calls.get(ref)
        if call is None or call.place is None:
            self.places.reached(ref)
            self._book.wants_snapshot = True
            return
        place = call.place
        caller = Waiting(
            channel, ref, place.t0_ms, place.skills, place.priority, place.number, place.language, place.to
        )
        self._book.answered(call, caller)
        if call.state is CallerState.UNCLEAR or call.seat is None:
            self._book.doubt(call, now_ms)
            return
        call.state = CallerState.OFFERED
        self._book.expect(call, now_ms + self._ring_ms + GRACE_MS)

    def _turn(self, place: KeptPlace, seat: Seat, now_ms: int, *, by_hand: bool) -> CallBackTurn:
        self.places.drop(place.id)
        call = Call(self._new_ref(), None, CallerState.DIALLING, seat=seat, place=place, by_hand=by_hand)
        self._book.keep(call)
        self._book.expect(call, now_ms + self._call_back_ring_ms + GRACE_MS)
        return CallBackTurn(place, call.ref, seat)

    def _failed(self, ref: CallRef, now_ms: int, *, again_ms: int, perhaps: CallRef | None = None) -> None:
        call = self._book.calls.get(ref)
        if call is None or call.place is None or call.state is not CallerState.DIALLING:
            return
        place = call.place
        self._book.forget(ref, now_ms)
        if not call.by_hand:
            self.places.keep(place, now_ms, not_before_ms=again_ms, perhaps=perhaps)
