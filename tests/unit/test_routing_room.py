"""The waiting room, event by event."""

from collections.abc import Iterable, Mapping

import pytest

from calls.live import (
    CallRef,
    CameBack,
    Channel,
    Device,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    LeftRoom,
    Seat,
    SeatChanged,
    Snapshot,
    Waiting,
)
from routing.book import GRACE_MS
from routing.room import CallerState, Connect, Room, Withdraw
from routing.rules import Rules
from routing.seats import SeatState
from tests.support.settings_maker import city

ONE, TWO = Seat("8001"), Seat("8002")
GENERAL = frozenset({"general"})
RING_MS, REST_MS = 15_000, 2_000
RULES = Rules.of(
    city(
        answering={
            "ring": "15s",
            "rest": "2s",
            "seats": {"8001": {"skills": ["general"]}, "8002": {"skills": ["general", "social"]}},
        }
    )
)


def caller(name: str, t0_ms: int = 0, priority: int = 5, skills: frozenset[str] = GENERAL) -> Waiting:
    return Waiting(Channel("node1", f"PJSIP/carrier-{name}"), CallRef(name), t0_ms, skills, priority, "12345", "zh")


def new_room() -> Room:
    return Room(RULES, new_ref=lambda: CallRef("new"), utc_ahead_ms=0)


def room(
    devices: Mapping[Seat, Device] | None = None,
    waiting: Iterable[Waiting] = (),
    now_ms: int = 0,
) -> Room:
    made = new_room()
    made.resync(Snapshot(tuple(waiting), (), tuple((devices or {ONE: Device.FREE}).items()), ()), now_ms)
    return made


def callers(of: Room, now_ms: int = 0) -> Mapping[CallerState, int]:
    return of.counts(now_ms).callers


def seats(of: Room, now_ms: int = 0) -> Mapping[SeatState, int]:
    return of.counts(now_ms).seats


def offered() -> tuple[Room, Waiting]:
    """Caller a was just offered to seat 8001; 8002 is gone."""
    a = caller("a")
    made = room(waiting=[a])
    assert made.decide(0) == (Connect(a, ONE),)
    return made, a


def talking() -> tuple[Room, Waiting]:
    made, a = offered()
    for device in (Device.RINGING, Device.BUSY):
        made.heard(SeatChanged(ONE, device), 1)
    assert callers(made) == {CallerState.TALKING: 1}
    return made, a


def test_a_new_room_asks_for_a_snapshot_and_connects_nobody_before_it() -> None:
    new = new_room()
    assert new.wants_snapshot
    new.heard(EnteredRoom(caller("a")), 0)
    assert new.decide(0) == ()


def test_a_caller_is_connected_with_a_free_seat_once() -> None:
    made, _ = offered()
    assert made.decide(0) == ()
    assert seats(made) == {SeatState.TAKEN: 1, SeatState.GONE: 1}


def test_one_batch_is_decided_together_and_the_longest_wait_comes_first() -> None:
    made = room()
    for late in (caller("late", 200), caller("early", 100)):
        made.heard(EnteredRoom(late), 0)
    assert [found.caller.ref for found in made.decide(0) if isinstance(found, Connect)] == ["early"]


def test_a_seat_that_is_free_again_takes_the_next_caller() -> None:
    made, _ = talking()
    made.heard(EnteredRoom(caller("b")), 2)
    assert made.decide(2) == ()
    made.heard(SeatChanged(ONE, Device.FREE), 3)
    assert made.decide(3) == (Connect(caller("b"), ONE),)


def test_a_free_telephone_does_not_end_an_offer_that_has_not_been_answered() -> None:
    made, _ = offered()
    made.heard(EnteredRoom(caller("b")), 1)
    for device in (Device.FREE, Device.RINGING, Device.FREE):
        made.heard(SeatChanged(ONE, device), 1)
        assert made.decide(1) == ()


def test_a_caller_who_hangs_up_while_waiting_is_not_connected() -> None:
    made = room({ONE: Device.BUSY}, [caller("a")])
    made.heard(HungUp(caller("a").channel, 16), 1)
    made.heard(SeatChanged(ONE, Device.FREE), 2)
    assert made.decide(2) == ()
    assert callers(made) == {}


def test_a_caller_who_hangs_up_before_the_seat_rings_frees_the_seat_at_once() -> None:
    made, a = offered()
    made.heard(EnteredRoom(caller("b")), 1)
    made.heard(HungUp(a.channel, 16), 1)
    assert made.decide(1) == (Connect(caller("b"), ONE),)


def test_a_caller_who_hangs_up_while_the_seat_rings_frees_it_when_it_has_stopped_ringing() -> None:
    made, a = offered()
    made.heard(EnteredRoom(caller("b")), 1)
    made.heard(SeatChanged(ONE, Device.RINGING), 1)
    made.heard(HungUp(a.channel, 16), 1)
    assert made.decide(1) == ()
    made.heard(SeatChanged(ONE, Device.FREE), 1)
    assert made.decide(1) == (Connect(caller("b"), ONE),)


def test_a_command_that_finds_no_channel_frees_the_seat_at_once() -> None:
    made, a = offered()
    made.heard(EnteredRoom(caller("b")), 1)
    made.missing(Connect(a, ONE), 1)
    assert made.decide(1) == (Connect(caller("b"), ONE),)
    made.missing(Connect(a, ONE), 1)
    assert seats(made)[SeatState.TAKEN] == 1


def test_a_missed_seat_rests_and_its_caller_keeps_its_place() -> None:
    made, a = offered()
    made.heard(EnteredRoom(caller("b", t0_ms=500)), 1)
    made.heard(CameBack(a.ref, ONE, "NOANSWER"), 100)
    assert callers(made) == {CallerState.WAITING: 1, CallerState.RETURNING: 1}
    made.heard(EnteredRoom(a), 100)
    assert made.decide(100) == ()
    assert seats(made, 100)[SeatState.RESTING] == 1
    assert made.next_alarm_ms() == 100 + REST_MS
    assert made.decide(100 + REST_MS) == (Connect(a, ONE),)


def test_a_caller_of_whom_a_return_is_told_is_not_connected_before_it_waits_again() -> None:
    made = room({ONE: Device.BUSY}, [caller("a")])
    made.heard(CameBack(CallRef("a"), TWO, "BUSY"), 1)
    made.heard(SeatChanged(ONE, Device.FREE), 1)
    assert made.decide(1) == ()
    made.heard(EnteredRoom(caller("a")), 1)
    assert made.decide(1) == (Connect(caller("a"), ONE),)


def test_another_seat_takes_over_while_one_rests() -> None:
    made, a = offered()
    made.heard(CameBack(a.ref, ONE, "BUSY"), 1)
    made.heard(EnteredRoom(a), 1)
    made.heard(SeatChanged(TWO, Device.FREE), 1)
    assert made.decide(1) == (Connect(a, TWO),)


def test_a_caller_whose_seat_was_lost_in_the_talk_waits_again_and_the_seat_rests() -> None:
    made, a = talking()
    made.heard(SeatChanged(ONE, Device.FREE), 10)
    made.heard(CameBack(a.ref, ONE, "LOST"), 10)
    made.heard(EnteredRoom(a), 10)
    assert made.decide(10) == ()
    assert made.decide(10 + REST_MS) == (Connect(a, ONE),)


def test_a_seat_that_already_has_the_next_caller_does_not_rest_for_an_old_return() -> None:
    made, a = talking()
    b = caller("b")
    made.heard(EnteredRoom(b), 10)
    made.heard(SeatChanged(ONE, Device.FREE), 10)
    assert made.decide(10) == (Connect(b, ONE),)
    made.heard(CameBack(a.ref, ONE, "LOST"), 11)
    assert callers(made) == {CallerState.RETURNING: 1, CallerState.OFFERED: 1}
    assert seats(made, 11)[SeatState.TAKEN] == 1


def test_an_unclear_command_leaves_caller_and_seat_alone_until_the_snapshot() -> None:
    made, a = offered()
    made.unclear(Connect(a, ONE), 1)
    assert made.wants_snapshot
    made.heard(EnteredRoom(a), 2)
    made.heard(SeatChanged(ONE, Device.FREE), 2)
    made.heard(EnteredRoom(caller("b")), 2)
    assert made.decide(2) == ()
    assert callers(made) == {CallerState.UNCLEAR: 1, CallerState.WAITING: 1}
    made.resync(Snapshot((a, caller("b", 5)), (), ((ONE, Device.FREE),), ()), 3)
    assert made.decide(3) == (Connect(a, ONE),)
    assert not made.wants_snapshot


def test_an_unclear_command_whose_seat_was_heard_to_answer_is_clear() -> None:
    made, a = talking()
    made.unclear(Connect(a, ONE), 1)
    assert not made.wants_snapshot


def test_a_caller_who_hangs_up_leaves_an_unclear_seat_unclear() -> None:
    made, a = offered()
    made.unclear(Connect(a, ONE), 1)
    made.heard(HungUp(a.channel, 16), 2)
    assert callers(made) == {}
    assert seats(made)[SeatState.UNCLEAR] == 1


def test_an_offer_that_nothing_is_heard_of_becomes_unclear_after_a_bound() -> None:
    made, _ = offered()
    due = made.next_alarm_ms()
    assert due == RING_MS + GRACE_MS
    assert made.decide(due - 1) == ()
    assert not made.wants_snapshot
    assert made.decide(due) == ()
    assert made.wants_snapshot
    assert seats(made)[SeatState.UNCLEAR] == 1


def test_a_long_talk_is_not_unclear() -> None:
    made, _ = talking()
    assert made.decide(10_000_000) == ()
    assert not made.wants_snapshot


def test_a_return_that_is_never_finished_asks_for_a_snapshot() -> None:
    made, a = offered()
    made.heard(CameBack(a.ref, ONE, "BUSY"), 0)
    made.decide(GRACE_MS)
    assert made.wants_snapshot


def test_entering_again_without_a_return_is_not_believed_while_a_seat_may_ring() -> None:
    made, a = offered()
    made.heard(SeatChanged(TWO, Device.FREE), 1)
    made.heard(EnteredRoom(a), 1)
    assert made.decide(1) == ()
    assert made.wants_snapshot


def test_saying_twice_that_a_caller_waits_connects_it_once() -> None:
    made = room({ONE: Device.FREE, TWO: Device.FREE})
    made.heard(EnteredRoom(caller("a")), 0)
    made.heard(EnteredRoom(caller("a")), 0)
    assert len(made.decide(0)) == 1
    assert callers(made) == {CallerState.OFFERED: 1}


def test_who_left_for_an_emergency_is_not_connected() -> None:
    made = room({ONE: Device.BUSY}, [caller("a")])
    made.heard(LeftRoom(CallRef("a"), "emergency"), 1)
    made.heard(SeatChanged(ONE, Device.FREE), 1)
    assert made.decide(1) == ()


def test_leaving_while_the_command_is_on_its_way_makes_the_seat_unclear() -> None:
    made, a = offered()
    made.heard(LeftRoom(a.ref, "emergency"), 1)
    assert made.wants_snapshot
    assert callers(made) == {}
    assert seats(made)[SeatState.UNCLEAR] == 1


def test_survivors_are_withdrawn_with_every_tick_until_they_wait_here() -> None:
    made, a = room(), caller("a")
    made.heard(EnteredSurvival(a, "survival_general"), 0)
    assert made.decide(0) == ()
    for _ in range(3):
        assert made.withdrawals() == (Withdraw("survival_general", a.channel),)
    made.heard(EnteredRoom(a), 1)
    assert made.withdrawals() == ()
    assert made.decide(1) == (Connect(a, ONE),)


def test_a_waiting_caller_taken_over_by_survival_is_no_longer_connected() -> None:
    made, a = room({ONE: Device.BUSY}, [caller("a")]), caller("a")
    made.heard(EnteredSurvival(a, "survival_general"), 1)
    made.heard(SeatChanged(ONE, Device.FREE), 1)
    assert made.decide(1) == ()
    made.heard(HungUp(a.channel, 16), 2)
    assert made.withdrawals() == ()


def test_a_seat_that_telephones_by_itself_is_not_rung() -> None:
    made = room(waiting=[])
    made.heard(SeatChanged(ONE, Device.BUSY), 0)
    made.heard(EnteredRoom(caller("a")), 0)
    assert made.decide(0) == ()
    assert seats(made)[SeatState.BUSY] == 1


@pytest.mark.parametrize("device", [Device.GONE, Device.BUSY, Device.RINGING])
def test_only_a_free_telephone_is_rung(device: Device) -> None:
    made = room({ONE: device}, [caller("a")])
    assert made.decide(0) == ()


def test_telephones_that_are_no_seats_are_not_looked_at() -> None:
    made = room()
    made.heard(SeatChanged(Seat("carrier"), Device.FREE), 0)
    assert sum(seats(made).values()) == 2


def test_a_snapshot_keeps_rests_and_how_long_seats_have_been_free() -> None:
    made = room({ONE: Device.FREE, TWO: Device.FREE}, now_ms=0)
    made.heard(SeatChanged(TWO, Device.BUSY), 10)
    made.heard(SeatChanged(TWO, Device.FREE), 20)
    made.heard(CameBack(CallRef("x"), ONE, "BUSY"), 30)
    both = ((ONE, Device.FREE), (TWO, Device.FREE))
    made.resync(Snapshot((), (), both, ()), 40)
    assert seats(made, 40) == {SeatState.RESTING: 1, SeatState.FREE: 1}
    made.resync(Snapshot((caller("a"),), (), both, ()), 30 + REST_MS)
    assert made.decide(30 + REST_MS) == (Connect(caller("a"), ONE),)


def test_a_snapshot_replaces_everything_else() -> None:
    made, _ = talking()
    made.heard(EnteredRoom(caller("old")), 2)
    made.heard(EnteredSurvival(caller("older"), "survival_general"), 2)
    made.resync(Snapshot((caller("new"),), (), ((ONE, Device.FREE),), ()), 3)
    assert callers(made) == {CallerState.WAITING: 1}
    assert made.decide(3) == (Connect(caller("new"), ONE),)


def test_a_snapshot_says_who_is_at_which_seat() -> None:
    made = room()
    a, b = caller("a"), caller("b")
    snapshot = Snapshot(
        (caller("c"),),
        (("survival_general", caller("d")),),
        ((ONE, Device.BUSY), (TWO, Device.RINGING)),
        ((a.ref, a.channel, ONE), (b.ref, b.channel, TWO)),
    )
    made.resync(snapshot, 0)
    assert callers(made) == {
        CallerState.WAITING: 1,
        CallerState.SURVIVING: 1,
        CallerState.TALKING: 1,
        CallerState.OFFERED: 1,
    }
    assert made.next_alarm_ms() == RING_MS + GRACE_MS
    made.heard(SeatChanged(ONE, Device.FREE), 1)
    assert made.decide(1) == (Connect(caller("c"), ONE),)


def test_who_moved_on_while_the_snapshot_was_read_is_at_the_seat() -> None:
    made = room()
    a = caller("a")
    made.resync(Snapshot((a,), (), ((ONE, Device.FREE), (TWO, Device.FREE)), ((a.ref, a.channel, ONE),)), 0)
    assert made.decide(0) == ()


def test_a_talk_at_a_seat_that_left_the_settings_goes_on() -> None:
    made = room()
    a = caller("a")
    made.resync(Snapshot((), (), (), ((a.ref, a.channel, Seat("9999")),)), 0)
    assert callers(made) == {CallerState.TALKING: 1}
    made.heard(HungUp(a.channel, 16), 1)
    assert callers(made) == {}
