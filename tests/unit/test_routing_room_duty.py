"""Agents and seats: who takes calls where, and how it is told."""

import pytest

from calls.live import CallRef, CameBack, Channel, Device, Seat, SentToSeat, Snapshot
from routing.room import AlreadySignedOn, CallerState, DutyState, NoSuchSeat, Room, SeatTaken
from routing.seats import SeatState
from tests.support.waiting_room import (
    ANNE,
    BOB,
    EMPTY,
    HAS,
    NOTES_MS,
    ONE,
    REST_MS,
    SOCIAL,
    TWO,
    Scene,
    anne_talks,
    caller,
    manned,
    rules,
)

RULES = rules()


# --- signing on and off ---------------------------------------------------------------------------


def test_a_seat_without_skills_takes_calls_only_while_somebody_is_signed_on() -> None:
    scene = Scene(RULES, free=[EMPTY], waiting=[caller("a")])
    assert scene.connected() == []
    assert scene.duty(EMPTY) == "offline"
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    assert scene.connected() == [("a", EMPTY)]


def test_the_agents_skills_count_instead_of_the_seats_and_the_seats_again_afterwards() -> None:
    scene = Scene(RULES, free=[ONE], waiting=[caller("a", skills=SOCIAL)])
    assert scene.connected() == []
    scene.room.sign_on(ONE, ANNE, HAS, 0)
    assert dict(next(one.has for one in scene.room.seats(0) if one.seat == ONE)) == {"general": 3, "social": 5}
    scene.room.sign_off(ONE, 0)
    assert scene.connected() == []
    scene.waits(caller("b"))
    assert scene.connected() == [("b", ONE)]


def test_every_change_is_told_once_and_in_order() -> None:
    scene = Scene(RULES, free=[EMPTY])
    assert scene.changes() == []
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    scene.waits(caller("a"))
    scene.connected()
    scene.talks(EMPTY)
    scene.phone(EMPTY, Device.FREE)
    scene.later(NOTES_MS)
    scene.connected()
    scene.room.pause(EMPTY, "meal", scene.now_ms)
    scene.room.pause(EMPTY, "meal", scene.now_ms)
    scene.room.sign_off(EMPTY, scene.now_ms)
    told = scene.all_changes()
    states = ["idle", "ringing", "talking", "wrap_up", "idle", "paused", "offline"]
    assert [one.state.value for one in told] == states
    assert {one.agent for one in told} == {ANNE}
    assert [one.call for one in told] == [None, "a", "a", None, None, None, None]
    assert [one.reason for one in told] == ["", "", "", "", "", "meal", ""]
    assert scene.changes() == []


def test_an_agent_who_leaves_a_seat_with_skills_of_its_own_leaves_it_to_the_seat() -> None:
    scene = Scene(RULES, free=[ONE])
    assert scene.changes() == [(ONE, None, "idle")]
    scene.room.sign_on(ONE, ANNE, HAS, 0)
    scene.room.sign_off(ONE, 0)
    assert scene.changes() == [(ONE, ANNE, "idle"), (ONE, ANNE, "offline"), (ONE, None, "idle")]


def test_nobody_signs_on_where_somebody_else_is() -> None:
    scene = manned()
    with pytest.raises(SeatTaken, match="sign that agent off first") as refused:
        scene.room.sign_on(EMPTY, BOB, HAS, 0)
    assert (refused.value.agent, refused.value.seat) == (ANNE, EMPTY)


def test_an_agent_is_at_one_seat_and_moves_when_told_so() -> None:
    scene = manned()
    with pytest.raises(AlreadySignedOn, match="8009"):
        scene.room.sign_on(ONE, ANNE, HAS, 0)
    scene.room.sign_on(ONE, ANNE, HAS, 0, leaving=EMPTY)
    assert [one.seat for one in scene.room.seats(0) if one.agent == ANNE] == [ONE]
    assert scene.changes() == [(EMPTY, ANNE, "offline"), (ONE, ANNE, "unreachable")]


def test_an_agent_does_not_leave_its_seat_for_one_that_is_taken() -> None:
    scene = manned()
    scene.room.sign_on(ONE, BOB, HAS, 0)
    with pytest.raises(SeatTaken):
        scene.room.sign_on(ONE, ANNE, HAS, 0, leaving=EMPTY)
    assert [one.seat for one in scene.room.seats(0) if one.agent == ANNE] == [EMPTY]


def test_signing_on_twice_changes_nothing() -> None:
    scene = manned()
    scene.room.pause(EMPTY, "meal", 0)
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    assert scene.duty(EMPTY) == "paused"


def test_only_seats_of_the_settings_are_signed_on_at() -> None:
    with pytest.raises(NoSuchSeat, match=r"seats\.yaml"):
        manned().room.sign_on(Seat("7777"), ANNE, HAS, 0)


def test_signing_on_during_a_talk_counts_from_the_next_call_on() -> None:
    scene = Scene(RULES, free=[ONE], waiting=[caller("a")])
    assert scene.connected() == [("a", ONE)]
    scene.talks(ONE)
    scene.room.changes()
    scene.room.sign_on(ONE, ANNE, HAS, 0)
    assert scene.changes() == [(ONE, ANNE, "talking")]
    scene.waits(caller("b", skills=SOCIAL))
    assert scene.connected() == []
    scene.phone(ONE, Device.FREE)
    scene.room.ready(ONE, 0)
    assert scene.connected() == [("b", ONE)]


def test_signing_off_during_a_talk_lets_it_go_on_and_brings_no_further_call() -> None:
    scene = anne_talks()
    scene.room.sign_off(EMPTY, 0)
    assert scene.room.counts(0).callers == {CallerState.TALKING: 1}
    assert scene.duty(EMPTY) == "talking"
    scene.waits(caller("b"))
    scene.phone(EMPTY, Device.FREE)
    assert scene.connected() == []
    assert scene.changes() == [(EMPTY, ANNE, "offline"), (EMPTY, None, "talking"), (EMPTY, None, "offline")]


# --- telephones -------------------------------------------------------------------------------------


def test_an_agent_whose_telephone_is_gone_is_unreachable_and_then_as_before() -> None:
    scene = manned()
    scene.phone(EMPTY, Device.GONE)
    scene.phone(EMPTY, Device.FREE)
    scene.phone(EMPTY, Device.BUSY)
    assert scene.changes() == [(EMPTY, ANNE, "unreachable"), (EMPTY, ANNE, "idle"), (EMPTY, ANNE, "busy")]


def test_an_agent_who_pauses_may_switch_the_telephone_off() -> None:
    scene = manned()
    scene.room.pause(EMPTY, "meal", 0)
    scene.phone(EMPTY, Device.GONE)
    assert scene.duty(EMPTY) == "paused"
    scene.room.ready(EMPTY, 0)
    assert scene.duty(EMPTY) == "unreachable"


# --- transfers --------------------------------------------------------------------------------------


def test_a_call_that_an_agent_passes_on_is_at_the_new_seat_and_leaves_notes_behind() -> None:
    scene = anne_talks()
    scene.phone(ONE, Device.FREE)
    scene.room.heard(SentToSeat(caller("a").ref, caller("a").channel, ONE), 0)
    assert (scene.duty(EMPTY), scene.duty(ONE)) == ("wrap_up", "ringing")
    assert scene.room.callers_at(ONE) == "a"
    scene.waits(caller("b"))
    assert scene.connected() == []
    scene.talks(ONE)
    assert scene.duty(ONE) == "talking"


def test_a_seat_that_was_consulted_talks_as_soon_as_the_call_is_its_own() -> None:
    scene = anne_talks()
    for device in (Device.RINGING, Device.BUSY):
        scene.phone(ONE, device)
    scene.room.heard(SentToSeat(caller("a").ref, caller("a").channel, ONE, talking=True), 0)
    assert (scene.duty(EMPTY), scene.duty(ONE)) == ("wrap_up", "talking")
    scene.phone(ONE, Device.FREE)
    assert scene.duty(ONE) == "idle"


def test_a_call_passed_to_a_seat_that_does_not_take_it_waits_with_its_place_kept() -> None:
    scene = anne_talks()
    scene.phone(ONE, Device.FREE)
    scene.room.heard(SentToSeat(caller("a").ref, caller("a").channel, ONE), 0)
    scene.misses(caller("a"), ONE)
    scene.phone(EMPTY, Device.FREE)
    scene.later(NOTES_MS)
    assert scene.connected() == [("a", ONE)]


def test_a_seat_that_was_given_away_meanwhile_stays_with_that_caller_until_it_is_known() -> None:
    scene = anne_talks()
    scene.phone(ONE, Device.FREE)
    scene.waits(caller("b"))
    assert scene.connected() == [("b", ONE)]
    scene.room.heard(SentToSeat(caller("a").ref, caller("a").channel, ONE), 0)
    assert scene.room.wants_snapshot
    assert scene.room.callers_at(ONE) == "b"
    assert scene.room.counts(0).callers == {CallerState.UNCLEAR: 1, CallerState.OFFERED: 1}
    scene.room.heard(CameBack(caller("b").ref, ONE, "TAKEN"), 0)
    scene.phone(ONE, Device.RINGING)
    scene.reads([caller("b")], [(caller("a").ref, caller("a").channel, ONE)])
    assert scene.room.callers_at(ONE) == "a"
    scene.later(REST_MS)
    assert scene.connected() == []


# --- a restart --------------------------------------------------------------------------------------


def test_a_snapshot_changes_nothing_that_only_the_room_knows_and_tells_nothing_twice() -> None:
    scene = anne_talks()
    scene.room.sign_on(ONE, BOB, HAS, 0)
    scene.room.pause(ONE, "meal", 0)
    scene.room.changes()
    scene.reads([], [(caller("a").ref, caller("a").channel, EMPTY)])
    assert scene.changes() == []
    assert (scene.duty(EMPTY), scene.duty(ONE)) == ("talking", "paused")
    scene.phone(EMPTY, Device.FREE)
    scene.reads()
    assert scene.changes() == [(EMPTY, ANNE, "wrap_up")]


def test_a_talk_that_ended_unheard_leaves_time_for_notes() -> None:
    scene = anne_talks()
    scene.devices[EMPTY] = Device.FREE
    scene.reads()
    assert scene.duty(EMPTY) == "wrap_up"


@pytest.mark.parametrize(
    ("state", "shown"), [("paused", "paused"), ("talking", "idle"), ("wrap_up", "idle"), ("offline", "offline")]
)
def test_an_agent_who_was_signed_on_is_so_again_after_a_restart(state: str, shown: str) -> None:
    scene = Scene(RULES, free=[])
    scene.devices[EMPTY] = Device.FREE
    scene.room.restore(EMPTY, ANNE, HAS, DutyState(state), "meal", 0)
    scene.reads()
    assert scene.duty(EMPTY) == shown
    assert scene.reason(EMPTY) == ("meal" if state == "paused" else "")


def test_what_was_known_before_a_restart_is_not_told_again() -> None:
    room = Room(RULES, new_ref=lambda: CallRef("new"), utc_ahead_ms=0)
    room.restore(EMPTY, ANNE, HAS, DutyState.IDLE, "", 0)
    room.restore(ONE, None, frozenset(), DutyState.IDLE, "", 0)
    room.resync(Snapshot((), (), ((EMPTY, Device.FREE), (ONE, Device.FREE), (TWO, Device.BUSY)), ()), 5)
    assert [(one.seat, one.state) for one in room.changes()] == [(TWO, DutyState.BUSY)]


def test_seats_are_counted_by_their_state() -> None:
    scene = anne_talks()
    scene.room.sign_on(ONE, BOB, HAS, 0)
    assert scene.room.counts(0).seats == {SeatState.TAKEN: 1, SeatState.GONE: 2}
    scene.phone(EMPTY, Device.FREE)
    scene.room.pause(ONE, "meal", 0)
    assert scene.room.counts(0).seats == {SeatState.WRAP_UP: 1, SeatState.PAUSED: 1, SeatState.GONE: 1}


def test_a_call_is_found_by_its_reference() -> None:
    scene = anne_talks()
    assert scene.room.channel_of(caller("a").ref) == Channel("node1", "PJSIP/carrier-a")
    assert scene.room.channel_of(caller("x").ref) is None
    assert scene.room.callers_at(TWO) is None


def test_agents_and_seats_are_found_by_each_other() -> None:
    scene = manned()
    assert scene.room.seat_of(ANNE) == EMPTY
    assert scene.room.seat_of(BOB) is None
    standing = scene.room.seat(EMPTY)
    assert standing is not None
    assert (standing.agent, standing.state, standing.has) == (ANNE, DutyState.IDLE, HAS)
    assert scene.room.seat(Seat("7777")) is None
