"""Whatever is heard in whatever order, the waiting room stays whole."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from calls.live import (
    CallBackEnded,
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
    SentToSeat,
    Snapshot,
    Waiting,
    WantsCallBack,
)
from routing.room import KeptPlace, Overflow, Room
from tests.support.two_skills import AGENTS, RULES, SEATS, SKILLS

REFS = st.sampled_from([CallRef("a"), CallRef("b"), CallRef("c"), CallRef("back1"), CallRef("back2")])
ANY_SEAT = st.sampled_from([*SEATS, Seat("9999")])
LEGS = st.integers(1, 3).map(lambda leg: Channel("node1", f"PJSIP/x-{leg}"))
CALLERS = st.builds(
    lambda ref, skills, priority, leg: Waiting(leg, ref, 0, skills, priority, "12345", "zh"),
    REFS,
    SKILLS,
    st.integers(0, 2),
    LEGS,
)
EVENTS: st.SearchStrategy[LiveEvent] = st.one_of(
    CALLERS.map(EnteredRoom),
    st.builds(CameBack, REFS, ANY_SEAT, st.sampled_from(["BUSY", "TAKEN", "LOST"])),
    st.builds(LeftRoom, REFS, st.just("emergency")),
    st.builds(EnteredSurvival, CALLERS, st.just("survival_a")),
    st.builds(HungUp, LEGS, st.just(16)),
    st.builds(SeatChanged, ANY_SEAT, st.sampled_from(Device)),
    st.builds(SentToSeat, REFS, LEGS, ANY_SEAT),
    st.builds(WantsCallBack, CALLERS, st.just("13800000000")),
    st.builds(CallBackEnded, REFS, LEGS, st.just("")),
    st.builds(CallBackEnded, REFS, st.none(), st.just("busy")),
)
SNAPSHOTS = st.builds(
    Snapshot,
    st.lists(CALLERS, max_size=2).map(tuple),
    st.just(()),
    st.lists(st.tuples(st.sampled_from(SEATS), st.sampled_from(Device)), max_size=4).map(tuple),
    st.lists(st.tuples(REFS, LEGS, ANY_SEAT), max_size=2).map(tuple),
)


@given(
    st.lists(st.one_of(st.lists(EVENTS, max_size=5), SNAPSHOTS), max_size=15),
    st.sampled_from(["missing", "unclear", "done"]),
    st.sets(st.sampled_from(SEATS), max_size=2),
)
@settings(deadline=None)
def test_no_order_of_events_breaks_the_room(
    batches: list[list[LiveEvent] | Snapshot], outcome: str, manned: set[Seat]
) -> None:
    numbers = count(1)
    room = Room(RULES, new_ref=lambda: CallRef(f"back{next(numbers)}"), utc_ahead_ms=0)
    room.resync(Snapshot((), (), (), ()), 0)
    for seat, agent in zip(manned, AGENTS, strict=False):
        room.sign_on(seat, agent, frozenset(AGENTS[agent].items()), 0)
    room.keep_place(KeptPlace(1, CallRef("first"), "13800000000", "12345", frozenset("a"), 5, "zh", 0, 0), 0)
    for now_ms, batch in enumerate(batches):
        at_ms = now_ms * 700
        if isinstance(batch, Snapshot):
            room.resync(batch, at_ms)
        else:
            for event in batch:
                room.heard(event, at_ms)
        decided = room.decide(at_ms)
        given = [one.seat for one in decided if not isinstance(one, Overflow)]
        assert len(set(given)) == len(given)
        assert room.decide(at_ms) == ()
        for found in decided:
            if outcome == "missing":
                room.missing(found, at_ms)
            elif outcome == "unclear":
                room.unclear(found, at_ms)
        counts = room.counts(at_ms)
        assert sum(counts.seats.values()) == len(SEATS)
        assert len(room.standing(at_ms)) <= sum(counts.callers.values()) + counts.kept
