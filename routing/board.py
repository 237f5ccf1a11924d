"""Every seat of the settings, who is signed on there, and which of them may ring."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from calls.live import Agent, CallRef, Device, Seat
from routing.alarms import Alarms, SeatAlarm
from routing.duty import DutyChange, DutyLog, DutyState
from routing.estimate import HandlingTimes
from routing.matcher import Matcher
from routing.presence import Presence
from routing.rules import Rules
from routing.seats import MISSED, Given, SeatRecord, SeatState
from routing.skills import Has

_MISSES = frozenset({"NOANSWER", "BUSY", "CHANUNAVAIL", "CONGESTION"})
"""Why a caller comes back from a seat that should have answered. `TAKEN` and `LOST` are nobody's fault."""


class NoSuchSeat(LookupError):
    """No seat has this id."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        super().__init__(f"there is no seat {seat}: write it in seats.yaml")


class SeatTaken(ValueError):
    """Somebody else is signed on there."""

    def __init__(self, seat: Seat, agent: Agent) -> None:
        self.seat = seat
        self.agent = agent
        super().__init__(f"{agent} is signed on at seat {seat}: sign that agent off first, or take another seat")


class AlreadySignedOn(ValueError):
    """The agent is signed on at another seat."""

    def __init__(self, agent: Agent, seat: Seat) -> None:
        self.agent = agent
        self.seat = seat
        super().__init__(f"{agent} is signed on at seat {seat}: sign off there first")


class NotSignedOn(ValueError):
    """Nobody is signed on at this seat."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        super().__init__(f"nobody is signed on at seat {seat}: sign on first")


@dataclass(frozen=True, slots=True)
class SeatStanding:
    """A seat as it stands, as far as it was told."""

    seat: Seat
    agent: Agent | None
    state: DutyState
    reason: str
    """Of a pause; empty otherwise."""
    has: Has
    call: CallRef | None
    since_ms: int
    """By the room's clock."""


class Board:
    """Keeps the matcher's list of free seats, the count of seats on duty and the log of changes in step."""

    def __init__(self, rules: Rules, alarms: Alarms, presence: Presence, times: HandlingTimes) -> None:
        self.log = DutyLog()
        self._rules = rules
        self._alarms = alarms
        self._presence = presence
        self._times = times
        self._matcher = Matcher()
        self._records = {seat: SeatRecord(seat, has) for seat, has in rules.seats.items()}
        self._agents: dict[Agent, Seat] = {}
        self._known = False
        """Whether telephones' states have been read."""
        for record in self._records.values():
            record.was = record.state(0)
            state = DutyState.UNREACHABLE if record.fixed else DutyState.OFFLINE
            self.log.begin(DutyChange(record.seat, None, state, "", None, 0))

    def record(self, seat: Seat) -> SeatRecord | None:
        """To be looked at only."""
        return self._records.get(seat)

    def states(self, now_ms: int) -> Mapping[SeatState, int]:
        return Counter(record.state(now_ms) for record in self._records.values())

    def standing(self) -> tuple[SeatStanding, ...]:
        return tuple(self._standing(record) for record in self._records.values())

    def seat(self, seat: Seat) -> SeatStanding | None:
        record = self._records.get(seat)
        return None if record is None else self._standing(record)

    def seat_of(self, agent: Agent) -> Seat | None:
        return self._agents.get(agent)

    # --- agents -----------------------------------------------------------------------------------

    def sign_on(self, seat: Seat, agent: Agent, has: Has, leaving: Seat | None, now_ms: int) -> None:
        """An agent who is signed on here already stays as it is. leaving: where it signs off first.

        Raises NoSuchSeat, SeatTaken, AlreadySignedOn; then nothing has changed.
        """
        record = self._known_seat(seat)
        if record.agent is not None and record.agent != agent:
            raise SeatTaken(seat, record.agent)
        at = self._agents.get(agent, seat)
        if at not in (seat, leaving):
            raise AlreadySignedOn(agent, at)
        if record.agent == agent:
            return
        if at != seat:
            self.sign_off(at, now_ms)
        self._signs(record, agent, has)
        self._refresh(record, now_ms)

    def sign_off(self, seat: Seat, now_ms: int) -> None:
        """A talk goes on, but counts as the seat's own from here on. Raises NoSuchSeat."""
        record = self._known_seat(seat)
        if record.agent is not None:
            del self._agents[record.agent]
            record.signs(None, frozenset())
            self._refresh(record, now_ms)

    def pause(self, seat: Seat, reason: str, now_ms: int) -> None:
        """Raises NoSuchSeat, NotSignedOn."""
        record = self._known_seat(seat)
        if record.agent is None:
            raise NotSignedOn(seat)
        record.pauses(reason)
        self._refresh(record, now_ms)

    def ready(self, seat: Seat, now_ms: int) -> None:
        """Ends a pause, the time for notes and a rest; also where nobody is signed on. Raises NoSuchSeat."""
        record = self._known_seat(seat)
        record.carries_on()
        self._refresh(record, now_ms)

    def restore(self, known: DutyChange, has: Has) -> None:
        """How a seat stood when it was told last, and what its agent can do. Nothing is restored of an
        agent who had left, and of one whom another seat has by now. Raises NoSuchSeat."""
        record = self._known_seat(known.seat)
        if record.agent is not None or known.agent in self._agents:
            return
        self.log.begin(known)
        if known.agent is not None and known.state is not DutyState.OFFLINE:
            self._signs(record, known.agent, has)
            if known.state is DutyState.PAUSED:
                record.pauses(known.reason)
        self._refresh(record, known.at_ms)

    # --- calls at seats ---------------------------------------------------------------------------

    def give(self, seat: Seat, given: Given, now_ms: int) -> None:
        """This call, and no other, is at the seat from now on."""
        record = self._records[seat]
        record.given = given
        self._refresh(record, now_ms)

    def paired(self, seat: Seat, given: Given, now_ms: int) -> None:
        """The same for a seat that the matcher has just given away, and forgotten."""
        self._records[seat].listed = None
        self.give(seat, given, now_ms)

    def answers(self, seat: Seat, now_ms: int) -> None:
        """The seat talks with the call that it was given."""
        record = self._records[seat]
        if record.given is not None:
            record.given.talking, record.misses = True, 0
        self._refresh(record, now_ms)

    def free(self, seat: Seat, now_ms: int) -> None:
        """The seat's call is there no more. After a talk an agent has time for notes."""
        self._free(self._records[seat], now_ms)
        self._refresh(self._records[seat], now_ms)

    def doubt(self, seat: Seat, now_ms: int) -> None:
        """Nobody knows whether it rings; the next snapshot tells."""
        record = self._records[seat]
        record.unclear = True
        self._refresh(record, now_ms)

    def missed(self, seat: Seat, ref: CallRef, why: str, now_ms: int) -> None:
        """A call came back from there. A seat that has another one by now is left alone."""
        record = self._records.get(seat)
        if record is None or record.call not in (None, ref):
            return
        record.rests_until_ms = now_ms + self._rules.rest_ms
        if why in _MISSES and record.paused is None:
            record.misses += 1
            if record.misses >= self._rules.misses:
                unmanned = record.agent is None
                record.pauses(MISSED, now_ms + self._rules.unmanned_pause_ms if unmanned else None)
        self._refresh(record, now_ms)

    def sees(self, seat: Seat, device: Device, now_ms: int) -> None:
        record = self._records[seat]
        record.sees(device, now_ms)
        self._refresh(record, now_ms)

    def looks_again(self, seat: Seat, now_ms: int) -> None:
        """Something ends by itself."""
        self._refresh(self._records[seat], now_ms)

    def resync(
        self, devices: Mapping[Seat, Device], given: Mapping[Seat, Given], matcher: Matcher, now_ms: int
    ) -> None:
        """Every telephone, and every call at a seat, as a snapshot has them; the matcher is a new one."""
        self._known = True
        self._matcher = matcher
        for record in self._records.values():
            record.sees(devices.get(record.seat, Device.GONE), now_ms)
            record.unclear, record.listed = False, None
            here = given.get(record.seat)
            if here is None or here.ref != record.call:
                self._free(record, now_ms)
            record.given = here
            self._refresh(record, now_ms)

    # --- what follows -----------------------------------------------------------------------------

    def _known_seat(self, seat: Seat) -> SeatRecord:
        record = self._records.get(seat)
        if record is None:
            raise NoSuchSeat(seat)
        return record

    def _signs(self, record: SeatRecord, agent: Agent, has: Has) -> None:
        record.signs(agent, has)
        self._agents[agent] = record.seat

    def _free(self, record: SeatRecord, now_ms: int) -> None:
        given, record.given = record.given, None
        if given is None or not given.talking:
            return
        record.handled = given
        if record.agent is not None and record.paused is None:
            record.notes_until_ms = now_ms + self._rules.wrap_up_ms(given.number)

    def _refresh(self, record: SeatRecord, now_ms: int) -> None:
        """Everything that hangs on a seat's state follows it."""
        if not self._known:
            return
        state = record.state(now_ms)
        if state is not SeatState.PAUSED and record.paused_until_ms is not None and now_ms >= record.paused_until_ms:
            record.paused = record.paused_until_ms = None
        self._list(record, state, now_ms)
        self._count(record, state, now_ms)
        if record.handled is not None and state is not SeatState.WRAP_UP:
            if record.handled.since_ms is not None:
                self._times.ended(record.handled.number, now_ms - record.handled.since_ms, now_ms)
            record.handled = None
        ends_ms = record.ends_ms(state)
        if ends_ms is None:
            self._alarms.cancel(SeatAlarm(record.seat))
        else:
            self._alarms.set(SeatAlarm(record.seat), ends_ms)
        duty = record.duty(state)
        if duty is not None:
            reason = record.paused or "" if duty is DutyState.PAUSED else ""
            self.log.show(DutyChange(record.seat, record.agent, duty, reason, record.call, now_ms))
        record.was = state

    def _list(self, record: SeatRecord, state: SeatState, now_ms: int) -> None:
        """Puts a seat into the matcher, or takes it out."""
        free = state is SeatState.FREE
        if free and record.was in (SeatState.WRAP_UP, SeatState.PAUSED, SeatState.OFF):
            record.free_since_ms = now_ms
        wanted = (record.has, (record.free_since_ms, record.seat)) if free else None
        if record.listed == wanted:
            return
        if record.listed is not None:
            self._matcher.remove_seat(*record.listed)
        if wanted is not None:
            self._matcher.add_seat(*wanted)
        record.listed = wanted

    def _count(self, record: SeatRecord, state: SeatState, now_ms: int) -> None:
        counts = record.has if state.on_duty else None
        if counts == record.counted:
            return
        # The one who comes is counted first, so that nobody seems to be missing in between.
        if counts is not None:
            self._presence.comes(counts, now_ms)
        if record.counted is not None:
            self._presence.goes(record.counted, now_ms)
        record.counted = counts

    def _standing(self, record: SeatRecord) -> SeatStanding:
        state = self.log.state(record.seat)
        reason = record.paused or "" if state is DutyState.PAUSED else ""
        since_ms = self.log.since_ms(record.seat)
        return SeatStanding(record.seat, record.agent, state, reason, record.has, record.call, since_ms)
