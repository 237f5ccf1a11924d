"""The waiting room against a small world: callers, seats and an Asterisk whose news arrive late."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

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
from routing.room import CallerState, Connect, Room

SKILLS = st.frozensets(st.sampled_from("ab"), min_size=1)
SEATS = {Seat("8001"): frozenset("a"), Seat("8002"): frozenset("ab"), Seat("8003"): frozenset("b")}
RING_MS, REST_MS, BOUND_MS = 15_000, 2_000, 20_000


@dataclass(slots=True)
class World:
    """Asterisk as it really stands. News wait in `news` until they are read."""

    waiting: dict[CallRef, Waiting] = field(default_factory=dict)
    surviving: dict[CallRef, Waiting] = field(default_factory=dict)
    at_seat: dict[CallRef, tuple[Waiting, Seat]] = field(default_factory=dict)
    phones: dict[Seat, Device] = field(default_factory=lambda: dict.fromkeys(SEATS, Device.FREE))
    news: list[LiveEvent] = field(default_factory=list)

    def phone(self, seat: Seat, device: Device) -> None:
        self.phones[seat] = device
        self.news.append(SeatChanged(seat, device))

    def occupied(self, seat: Seat) -> bool:
        return any(taken == seat for _, taken in self.at_seat.values())

    def redirect(self, connect: Connect) -> bool:
        """The command that sends a caller to a seat; False when the caller has hung up."""
        ref, seat = connect.caller.ref, connect.seat
        assert ref not in self.at_seat, "a caller is connected twice"
        assert not self.occupied(seat), "a seat is given to two callers"
        caller = self.waiting.pop(ref, None) or self.surviving.pop(ref, None)
        if caller is None:
            return False
        self.at_seat[ref] = (caller, seat)
        if self.phones[seat] is not Device.FREE:
            self.back(ref, "TAKEN")
            return True
        self.phone(seat, Device.RINGING)
        return True

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


class RoomAndWorld(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.room = Room(SEATS, ring_ms=RING_MS, rest_ms=REST_MS)
        self.sent: list[Connect] = []
        self.now_ms = 0
        self.made = 0

    @initialize()
    def first_snapshot(self) -> None:
        self.room.resync(self.world.snapshot(), self.now_ms)

    # --- the world ---

    @rule(skills=SKILLS, priority=st.integers(0, 2))
    def somebody_calls(self, skills: frozenset[str], priority: int) -> None:
        self.made += 1
        ref = CallRef(f"call{self.made}")
        caller = Waiting(
            Channel("node1", f"PJSIP/carrier-{self.made}"), ref, self.made, skills, priority, "12345", "zh"
        )
        self.world.waiting[ref] = caller
        self.world.news.append(EnteredRoom(caller))

    @precondition(lambda self: self.world.waiting or self.world.surviving)
    @rule(data=st.data(), cause=st.just(16))
    def a_waiting_caller_hangs_up(self, data: st.DataObject, cause: int) -> None:
        ref = data.draw(st.sampled_from([*self.world.waiting, *self.world.surviving]))
        caller = self.world.waiting.pop(ref, None) or self.world.surviving.pop(ref)
        self.world.news.append(HungUp(caller.channel, cause))

    @precondition(lambda self: self.world.waiting)
    @rule(data=st.data())
    def survival_takes_a_caller(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from([*self.world.waiting]))
        self.world.surviving[ref] = self.world.waiting.pop(ref)
        self.world.news.append(EnteredSurvival(self.world.surviving[ref], "survival_a"))

    @precondition(lambda self: self.world.at_seat)
    @rule(data=st.data(), answers=st.booleans(), phone_first=st.booleans())
    def something_happens_at_a_seat(self, data: st.DataObject, answers: bool, phone_first: bool) -> None:
        """A ringing seat answers, misses, or its caller gives up; a talk ends or its leg is lost."""
        ref = data.draw(st.sampled_from([*self.world.at_seat]))
        caller, seat = self.world.at_seat[ref]
        if self.world.phones[seat] is Device.RINGING and answers:
            self.world.phone(seat, Device.BUSY)
            return
        stays = data.draw(st.booleans())
        why = "NOANSWER" if self.world.phones[seat] is Device.RINGING else "LOST"
        if phone_first:
            self.world.phone(seat, Device.FREE)
        if stays:
            self.world.back(ref, why)
        else:
            del self.world.at_seat[ref]
            self.world.news.append(HungUp(caller.channel, 16))
        if not phone_first:
            self.world.phone(seat, Device.FREE)

    @rule(seat=st.sampled_from([*SEATS]), device=st.sampled_from([Device.GONE, Device.BUSY, Device.FREE]))
    def a_seat_without_caller_changes(self, seat: Seat, device: Device) -> None:
        if not self.world.occupied(seat):
            self.world.phone(seat, device)

    # --- the controller ---

    @rule(count=st.integers(1, 6))
    def news_are_read(self, count: int) -> None:
        """One batch of what has arrived, then one decision."""
        batch, self.world.news = self.world.news[:count], self.world.news[count:]
        for event in batch:
            self.room.heard(event, self.now_ms)
        self.sent += self.room.decide(self.now_ms)
        assert self.room.decide(self.now_ms) == ()

    @precondition(lambda self: self.sent)
    @rule(outcome=st.sampled_from(["done", "done", "done", "failed", "failed but done"]))
    def a_command_arrives(self, outcome: str) -> None:
        connect = self.sent.pop(0)
        if outcome == "failed":
            self.room.unclear(connect, self.now_ms)
        elif not self.world.redirect(connect):
            self.room.missing(connect, self.now_ms)
        elif outcome == "failed but done":
            self.room.unclear(connect, self.now_ms)

    @rule(by_ms=st.sampled_from([10, REST_MS, BOUND_MS]))
    def time_passes(self, by_ms: int) -> None:
        while self.sent:
            self.a_command_arrives("done")
        self.now_ms += by_ms
        self.news_are_read(0)

    @rule()
    def a_snapshot_is_read(self) -> None:
        while self.sent:
            self.a_command_arrives("done")
        for event in self.world.news:
            self.room.heard(event, self.now_ms)
        self.world.news.clear()
        self.room.resync(self.world.snapshot(), self.now_ms)
        self.sent += self.room.decide(self.now_ms)

    @rule()
    def everything_is_settled(self) -> None:
        """With all news read and all rests over, no free seat can serve anybody who waits."""
        for _ in range(20):
            while self.world.news or self.sent:
                self.news_are_read(len(self.world.news))
                while self.sent:
                    self.a_command_arrives("done")
            if self.room.wants_snapshot:
                self.a_snapshot_is_read()
            self.now_ms += REST_MS
            self.sent += self.room.decide(self.now_ms)
            if not (self.sent or self.world.news or self.room.wants_snapshot):
                break
        free = [SEATS[seat] for seat, phone in self.world.phones.items() if phone is Device.FREE]
        assert not any(caller.skills <= has for caller in self.world.waiting.values() for has in free)
        counts = self.room.counts(self.now_ms).callers
        assert counts.get(CallerState.WAITING, 0) == len(self.world.waiting)
        assert counts.get(CallerState.SURVIVING, 0) == len(self.world.surviving) == len(self.room.withdrawals())
        assert sum(counts.values()) == len(self.world.waiting) + len(self.world.surviving) + len(self.world.at_seat)

    @invariant()
    def every_seat_is_counted_once(self) -> None:
        assert sum(self.room.counts(self.now_ms).seats.values()) == len(SEATS)


TestRoomAndWorld = RoomAndWorld.TestCase
TestRoomAndWorld.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

REFS = st.sampled_from([CallRef("a"), CallRef("b"), CallRef("c")])
ANY_SEAT = st.sampled_from([*SEATS, Seat("9999")])
CALLERS = st.builds(
    lambda ref, skills, priority, leg: Waiting(
        Channel("node1", f"PJSIP/x-{leg}"), ref, 0, skills, priority, "12345", "zh"
    ),
    REFS,
    SKILLS,
    st.integers(0, 2),
    st.integers(1, 3),
)
EVENTS: st.SearchStrategy[LiveEvent] = st.one_of(
    CALLERS.map(EnteredRoom),
    st.builds(CameBack, REFS, ANY_SEAT, st.just("BUSY")),
    st.builds(LeftRoom, REFS, st.just("emergency")),
    st.builds(EnteredSurvival, CALLERS, st.just("survival_a")),
    st.integers(1, 3).map(lambda leg: HungUp(Channel("node1", f"PJSIP/x-{leg}"), 16)),
    st.builds(SeatChanged, ANY_SEAT, st.sampled_from(Device)),
)


@given(st.lists(st.lists(EVENTS, max_size=5), max_size=15), st.sampled_from(["missing", "unclear", "done"]))
@settings(deadline=None)
def test_no_order_of_events_breaks_the_room(batches: list[list[LiveEvent]], outcome: str) -> None:
    room = Room(SEATS, ring_ms=RING_MS, rest_ms=REST_MS)
    room.resync(Snapshot((), (), (), ()), 0)
    for now_ms, batch in enumerate(batches):
        for event in batch:
            room.heard(event, now_ms * 700)
        decided = room.decide(now_ms * 700)
        assert len({found.seat for found in decided}) == len(decided) == len({found.caller.ref for found in decided})
        assert all(found.caller.skills <= SEATS[found.seat] for found in decided)
        assert room.decide(now_ms * 700) == ()
        for found in decided:
            if outcome == "missing":
                room.missing(found, now_ms * 700)
            elif outcome == "unclear":
                room.unclear(found, now_ms * 700)
        counts = room.counts(now_ms * 700)
        assert sum(counts.seats.values()) == len(SEATS)
        assert sum(counts.callers.values()) <= 3
