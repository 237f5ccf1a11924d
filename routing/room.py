"""The waiting room: who waits, which seat is free, and who is connected with whom next.

A pure state machine. It is fed with what Asterisk tells (`heard`, `resync`), with what people want
(`sign_on`, `keep_place` …) and with how commands ended (`missing`, `unclear`), and decides.
`now_ms` is one clock that never jumps back, in ms: the room's clock. What is kept outside the
room, such as `t0_ms`, is in ms since the epoch.

The controller asks for decisions once for each batch of events, sends them, and sends none while
it reads a snapshot.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import assert_never

from calls.live import (
    Agent,
    AsksPlace,
    CallBackEnded,
    CallRef,
    CameBack,
    Channel,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    LeftRoom,
    LiveEvent,
    Seat,
    SeatChanged,
    SeatDialled,
    SentToSeat,
    Snapshot,
    Waiting,
    WantsCallBack,
)
from routing.alarms import (
    Alarm,
    Alarms,
    CallAlarm,
    ExitAlarm,
    HoldAlarm,
    NobodyAlarm,
    PlaceAlarm,
    SeatAlarm,
    StageAlarm,
)
from routing.anew import Anew
from routing.board import AlreadySignedOn, Board, NoSuchSeat, NotSignedOn, SeatStanding, SeatTaken
from routing.book import Book
from routing.callers import Callers
from routing.decisions import (
    CallBackTurn,
    CallerState,
    Connect,
    Counts,
    Decision,
    KeptPlace,
    Moved,
    Overflow,
    Standing,
    Withdraw,
)
from routing.duty import DutyChange, DutyState
from routing.estimate import HandlingTimes
from routing.exits import Exits
from routing.line import Line, Place
from routing.matcher import Matcher
from routing.places import Places
from routing.presence import Presence
from routing.rules import Rules
from routing.skills import Has
from routing.turns import Turns

__all__ = [
    "AlreadySignedOn",
    "CallBackTurn",
    "CallerState",
    "Connect",
    "Counts",
    "Decision",
    "DutyChange",
    "DutyState",
    "KeptPlace",
    "Moved",
    "NoSuchSeat",
    "NotSignedOn",
    "Overflow",
    "Place",
    "Room",
    "SeatStanding",
    "SeatTaken",
    "Standing",
    "Withdraw",
]


class Room:
    """Everybody who waits, every seat of the settings, and who is signed on there."""

    def __init__(self, rules: Rules, *, new_ref: Callable[[], CallRef], utc_ahead_ms: int) -> None:
        """new_ref: the id of a call that is about to be made. utc_ahead_ms: as of the attribute."""
        self._alarms = Alarms()
        self._presence = Presence(self._alarms, rules.duty_after_ms)
        times = HandlingTimes()
        self._board = Board(rules, self._alarms, self._presence, times)
        self._matcher = Matcher()
        self._line = Line(rules.demands, self._alarms, self._presence, times, self._matcher)
        self._line.utc_ahead_ms = utc_ahead_ms
        self._book = Book(self._alarms, self._board, self._line)
        exits = Exits(self._alarms, self._presence, self._line, rules.duty_after_ms)
        self._callers = Callers(rules, self._book, self._board, self._line, exits)
        places = Places(self._alarms, self._line)
        self._turns = Turns(rules, self._book, self._board, places, new_ref=new_ref)
        self._anew = Anew(rules, self._book, self._board, self._line, self._turns)

    @property
    def wants_snapshot(self) -> bool:
        """What is known has a gap: the controller should read a snapshot soon, and `resync`."""
        return self._book.wants_snapshot

    @wants_snapshot.setter
    def wants_snapshot(self, wants: bool) -> None:
        self._book.wants_snapshot = wants

    @property
    def utc_ahead_ms(self) -> int:
        """ms since the epoch, less the room's clock; to be refreshed when the time of day is put right."""
        return self._line.utc_ahead_ms

    @utc_ahead_ms.setter
    def utc_ahead_ms(self, ahead_ms: int) -> None:
        self._line.utc_ahead_ms = ahead_ms

    def decide(self, now_ms: int) -> tuple[Decision, ...]:
        """What is done now: seats are given first, most urgent first. Each is taken as begun from here on.

        While somebody is still in a survival queue nobody passes it, but for `book.HELD_MS` at most: a
        seat that could serve it goes to nobody who comes after it, and nobody else leaves the room.
        Emergencies are not held back.
        """
        for alarm in self._alarms.ring(now_ms):
            self._rings(alarm, now_ms)
        self._turns.merge(now_ms)
        self._book.hold(now_ms)
        holding = self._line.holding()
        given = [self._give(ref, seat, now_ms) for ref, seat in self._matcher.pairs(holding)]
        return (*given, *(() if holding else self._callers.overflows(now_ms)))

    def withdrawals(self) -> tuple[Withdraw, ...]:
        """Everybody who is in a survival queue, in the line's order: asked with each heartbeat, for as long
        as they are there."""
        calls = self._book.calls
        found = (calls[rank[2]] for rank in self._line.ranks() if rank[2] in calls)
        return tuple(
            Withdraw(call.queue, call.channel)
            for call in found
            if call.state is CallerState.SURVIVING and call.channel is not None
        )

    def next_alarm_ms(self) -> int | None:
        """When `decide` may find something new although nothing was heard."""
        return self._alarms.next_ms()

    def changes(self) -> tuple[DutyChange, ...]:
        """Every change of a seat's state since this was asked last, in order."""
        return self._board.log.drain()

    # --- what Asterisk tells --------------------------------------------------------------------

    def heard(self, event: LiveEvent, now_ms: int) -> None:
        match event:
            case EnteredRoom(caller):
                self._callers.entered(caller, now_ms)
            case CameBack():
                self._callers.came_back(event, now_ms)
            case LeftRoom(ref, _):
                self._callers.left(ref, now_ms)
            case WantsCallBack(caller, _):
                # Its place is kept by `keep_place`.
                self._callers.left(caller.ref, now_ms)
            case EnteredSurvival(caller, queue):
                self._callers.survives(caller, queue, now_ms)
            case HungUp(channel, _):
                self._callers.hung_up(channel, now_ms)
            case SeatChanged(seat, device):
                self._callers.seat_changed(seat, device, now_ms)
            case SentToSeat():
                self._callers.sent(event, now_ms)
            case CallBackEnded(ref, channel, _):
                self._turns.ended(ref, channel, now_ms)
            case AsksPlace() | SeatDialled():
                pass
            case _:
                assert_never(event)

    def resync(self, snapshot: Snapshot, now_ms: int) -> None:
        """Replaces all that is known, but for what only the room knows: agents, pauses, rests and notes,
        how long seats have been free, kept places, and calls back that nobody has answered yet."""
        self._matcher = self._anew.read(snapshot, now_ms)

    def missing(self, decision: Decision, now_ms: int) -> None:
        """Asterisk knows no such channel: the caller has hung up, and the seat is free at once."""
        match decision:
            case CallBackTurn(_, ref, _):
                self._turns.missing(ref, now_ms)
            case _:
                self._callers.missing(decision, now_ms)

    def unclear(self, decision: Decision, now_ms: int) -> None:
        """The command was refused, or not answered."""
        match decision:
            case CallBackTurn(_, ref, _):
                self._turns.unclear(ref, now_ms)
            case _:
                self._callers.unclear(decision, now_ms)

    # --- agents ---------------------------------------------------------------------------------

    def sign_on(self, seat: Seat, agent: Agent, has: Has, now_ms: int, *, leaving: Seat | None = None) -> None:
        """What the agent can do counts at this seat from its next call on. leaving: where the agent signs off first.

        Raises NoSuchSeat, SeatTaken, AlreadySignedOn (elsewhere than at `leaving`); then nothing has changed.
        """
        self._board.sign_on(seat, agent, has, leaving, now_ms)

    def sign_off(self, seat: Seat, now_ms: int) -> None:
        """A talk goes on. Where nobody is signed on, nothing changes. Raises NoSuchSeat."""
        self._board.sign_off(seat, now_ms)

    def pause(self, seat: Seat, reason: str, now_ms: int) -> None:
        """At once, or after the call that rings or talks there; until `ready`. Raises NoSuchSeat, NotSignedOn."""
        self._board.pause(seat, reason, now_ms)

    def ready(self, seat: Seat, now_ms: int) -> None:
        """Ends a pause, the time for notes and a rest. Raises NoSuchSeat."""
        self._board.ready(seat, now_ms)

    def restore(  # noqa: PLR0917 - everything that was kept of it, in the order of its record
        self, seat: Seat, agent: Agent | None, has: Has, state: DutyState, reason: str, now_ms: int
    ) -> None:
        """How a seat stood when the room was ended. Time for notes is over; of an agent who had left
        nothing is restored. Raises NoSuchSeat."""
        self._board.restore(DutyChange(seat, agent, state, reason, None, now_ms), has)

    # --- calling back ---------------------------------------------------------------------------

    def keep_place(self, place: KeptPlace, now_ms: int, *, not_before_ms: int | None = None) -> None:
        """A caller who has hung up waits for its turn; said again, it replaces what was said before.

        not_before_ms: it is in the line only from then on, by the room's clock. While the caller is
        being called back, nothing changes.
        """
        self._turns.keep(place, now_ms, not_before_ms)

    def drop_place(self, ident: int, now_ms: int) -> None:
        """It waits no more; a call that is being made goes on."""
        self._turns.places.drop(ident)

    def kept(self) -> Mapping[int, KeptPlace]:
        """Every place that waits, or will wait, for its turn."""
        return self._turns.places.all()

    def call_back_at(self, place: KeptPlace, seat: Seat, now_ms: int) -> CallBackTurn | None:
        """Calls now, for that seat, whatever it serves. None: its telephone is not free, nobody is
        there, or the caller is being called already."""
        return self._turns.at(place, seat, now_ms)

    # --- who is where ---------------------------------------------------------------------------

    def move_up(self, ref: CallRef, now_ms: int) -> Moved | None:
        """Before everybody else but emergencies, and to no other centre. None: it waits no more."""
        return self._callers.move_up(ref, now_ms)

    def place_of(self, ref: CallRef, now_ms: int) -> Place | None:
        """None: it is not in the line."""
        return self._line.place(ref, now_ms)

    def standing(self, now_ms: int) -> tuple[Standing, ...]:
        """Everybody who has no seat yet: those on the way to one, or out of the room, then the line in order."""
        places, calls = self._line.places(now_ms), self._book.calls
        found = [
            Standing(call.caller, call.state, 0, None)
            for call in calls.values()
            if call.state in _ON_THE_WAY and call.caller is not None
        ]
        for ref, place in places.items():
            call = calls.get(ref)
            kept = None if call is not None else self._turns.places.at(ref)
            caller = kept if call is None else call.caller
            if caller is not None:
                state = CallerState.CALL_BACK if call is None else call.state
                found.append(Standing(caller, state, place.position, place.estimate_ms))
        return tuple(found)

    def seats(self, now_ms: int) -> tuple[SeatStanding, ...]:
        """Every seat, in the order of the settings."""
        return self._board.standing()

    def seat(self, seat: Seat) -> SeatStanding | None:
        """None: there is no such seat."""
        return self._board.seat(seat)

    def seat_of(self, agent: Agent) -> Seat | None:
        """Where an agent is signed on."""
        return self._board.seat_of(agent)

    def callers_at(self, seat: Seat) -> CallRef | None:
        """The call that the seat was given."""
        record = self._board.record(seat)
        return None if record is None else record.call

    def caller_of(self, ref: CallRef) -> Waiting | None:
        """Who calls, waiting or talking; None: no such call, or nothing is known of it but its channel."""
        call = self._book.calls.get(ref)
        return None if call is None else call.caller

    def channel_of(self, ref: CallRef) -> Channel | None:
        """The caller's; None: not known, or not answered yet."""
        call = self._book.calls.get(ref)
        return None if call is None else call.channel

    def counts(self, now_ms: int) -> Counts:
        return Counts(
            callers=Counter(call.state for call in self._book.calls.values()),
            seats=self._board.states(now_ms),
            kept=len(self._turns.places),
        )

    # --- decisions ------------------------------------------------------------------------------

    def _give(self, ref: CallRef, seat: Seat, now_ms: int) -> Connect | CallBackTurn:
        place = self._turns.places.at(ref)
        self._line.paired(ref)
        if place is not None:
            return self._turns.begun(place, seat, now_ms)
        return self._callers.connected(ref, seat, now_ms)

    def _rings(self, alarm: Alarm, now_ms: int) -> None:
        match alarm:
            case SeatAlarm(seat):
                self._board.looks_again(seat, now_ms)
            case CallAlarm(ref):
                self._callers.overdue(ref, now_ms)
            case StageAlarm(ref):
                self._line.advance(ref, now_ms)
                self._callers.look_at(ref)
            case ExitAlarm(ref):
                self._callers.look_at(ref)
            case HoldAlarm(ref):
                self._line.lets_pass(ref)
            case PlaceAlarm(place):
                self._turns.places.comes(place, now_ms)
            case NobodyAlarm(demand):
                for ref in self._line.with_last(demand):
                    self._callers.look_at(ref)
            case _:
                assert_never(alarm)


_ON_THE_WAY = (CallerState.OFFERED, CallerState.UNCLEAR, CallerState.LEAVING)
