"""Seats that take no calls for a while: pauses, missed calls, the time for notes."""

import pytest

from calls.live import Device, HungUp
from routing.room import NotSignedOn
from tests.support.waiting_room import (
    ANNE,
    EMPTY,
    HAS,
    NOTES_MS,
    ONE,
    REST_MS,
    Scene,
    anne_talks,
    caller,
    manned,
    place,
    rules,
)

RULES = rules()
PAUSE_MS = RULES.unmanned_pause_ms


# --- pauses -----------------------------------------------------------------------------------------


def test_a_paused_seat_is_not_rung_until_it_is_ready() -> None:
    scene = manned()
    scene.room.pause(EMPTY, "meal", 0)
    scene.waits(caller("a"))
    scene.later(10_000_000)
    assert scene.connected() == []
    assert scene.reason(EMPTY) == "meal"
    scene.room.ready(EMPTY, scene.now_ms)
    assert scene.connected() == [("a", EMPTY)]


def test_a_pause_during_a_talk_begins_after_it_at_once() -> None:
    scene = anne_talks()
    scene.room.pause(EMPTY, "meal", 0)
    assert scene.duty(EMPTY) == "talking"
    scene.phone(EMPTY, Device.FREE)
    assert scene.changes() == [(EMPTY, ANNE, "paused")]


def test_a_pause_while_it_rings_begins_when_the_caller_has_come_back() -> None:
    scene = manned()
    scene.waits(caller("a"))
    scene.connected()
    scene.room.pause(EMPTY, "meal", 0)
    assert scene.duty(EMPTY) == "ringing"
    scene.misses(caller("a"), EMPTY)
    assert scene.duty(EMPTY) == "paused"
    assert scene.reason(EMPTY) == "meal"


def test_a_pause_that_begins_during_notes_ends_them() -> None:
    scene = anne_talks()
    scene.phone(EMPTY, Device.FREE)
    scene.room.pause(EMPTY, "meal", 0)
    scene.later(NOTES_MS)
    scene.connected()
    assert scene.duty(EMPTY) == "paused"


def test_a_pause_wants_somebody_who_is_signed_on() -> None:
    scene = Scene(RULES)
    with pytest.raises(NotSignedOn, match="8001"):
        scene.room.pause(ONE, "meal", 0)


# --- missed calls -----------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["NOANSWER", "BUSY", "CHANUNAVAIL", "CONGESTION"])
def test_an_agent_who_misses_several_calls_in_a_row_is_paused_until_ready(why: str) -> None:
    scene = manned()
    scene.waits(caller("a"))
    for _ in range(3):
        assert scene.connected() == [("a", EMPTY)]
        scene.misses(caller("a"), EMPTY, why)
        scene.later(REST_MS)
    assert scene.connected() == []
    assert (scene.duty(EMPTY), scene.reason(EMPTY)) == ("paused", "missed")
    scene.later(10_000_000)
    assert scene.connected() == []
    scene.room.ready(EMPTY, scene.now_ms)
    assert scene.connected() == [("a", EMPTY)]


@pytest.mark.parametrize("why", ["TAKEN", "LOST"])
def test_what_is_not_the_agents_fault_is_no_miss(why: str) -> None:
    scene = manned()
    scene.waits(caller("a"))
    for _ in range(5):
        assert scene.connected() == [("a", EMPTY)]
        scene.misses(caller("a"), EMPTY, why)
        scene.later(REST_MS)
    assert scene.duty(EMPTY) == "idle"


def test_a_talk_makes_missed_calls_forgotten() -> None:
    scene = manned(wrap_up="0s")
    scene.waits(caller("a"))
    for why in ("NOANSWER", "NOANSWER"):
        scene.connected()
        scene.misses(caller("a"), EMPTY, why)
        scene.later(REST_MS)
    assert scene.connected() == [("a", EMPTY)]
    scene.talks(EMPTY)
    scene.phone(EMPTY, Device.FREE)
    scene.waits(caller("b"))
    scene.connected()
    scene.misses(caller("b"), EMPTY)
    assert scene.duty(EMPTY) == "idle"


def unmanned_missed() -> Scene:
    """8001, where nobody is signed on, has just missed three calls."""
    scene = Scene(RULES, free=[ONE], waiting=[caller("a")])
    for _ in range(3):
        assert scene.connected() == [("a", ONE)]
        scene.misses(caller("a"), ONE)
        scene.later(REST_MS)
    assert scene.connected() == []
    return scene


def test_a_seat_where_nobody_could_end_the_pause_ends_it_by_itself() -> None:
    scene = unmanned_missed()
    assert scene.reason(ONE) == "missed"
    assert scene.room.next_alarm_ms() == scene.now_ms - REST_MS + PAUSE_MS
    scene.later(PAUSE_MS)
    assert scene.connected() == [("a", ONE)]


def test_a_telephone_that_registers_anew_ends_the_pause_of_a_seat_without_agent() -> None:
    scene = unmanned_missed()
    scene.phone(ONE, Device.GONE)
    scene.phone(ONE, Device.FREE)
    assert scene.connected() == [("a", ONE)]


def test_whoever_signs_on_at_a_paused_seat_begins_afresh() -> None:
    scene = unmanned_missed()
    scene.room.sign_on(ONE, ANNE, HAS, scene.now_ms)
    assert scene.connected() == [("a", ONE)]


# --- notes ------------------------------------------------------------------------------------------


def test_an_agent_has_time_for_notes_after_a_talk() -> None:
    scene = anne_talks()
    scene.waits(caller("b"))
    scene.phone(EMPTY, Device.FREE)
    assert scene.duty(EMPTY) == "wrap_up"
    assert scene.room.next_alarm_ms() == NOTES_MS
    scene.later(NOTES_MS - 1)
    assert scene.connected() == []
    scene.later(1)
    assert scene.connected() == [("b", EMPTY)]


def test_ready_ends_the_time_for_notes() -> None:
    scene = anne_talks()
    scene.waits(caller("b"))
    scene.phone(EMPTY, Device.FREE)
    scene.room.ready(EMPTY, 0)
    assert scene.connected() == [("b", EMPTY)]


def test_the_time_for_notes_is_the_numbers_own_where_it_has_one() -> None:
    numbers = {"12345": {**rules_number(), "wrap_up": "40s"}}
    scene = Scene(rules(numbers=numbers), free=[EMPTY], waiting=[caller("a")])
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    scene.connected()
    scene.talks(EMPTY)
    scene.room.heard(HungUp(caller("a").channel, 16), 0)
    assert scene.room.next_alarm_ms() == 40_000


def rules_number() -> dict[str, object]:
    return {
        "name": {"zh": "市民热线", "en": "City hotline"},
        "modes": [{"mode": "primary", "from": "2020-01-01"}],
        "greeting": "hello",
        "skill": "general",
    }


def test_notes_that_a_call_by_hand_interrupts_in_vain_go_on() -> None:
    scene = anne_talks()
    scene.phone(EMPTY, Device.FREE)
    turn = scene.room.call_back_at(place(1), EMPTY, 0)
    assert turn is not None
    scene.room.missing(turn, 0)
    assert scene.duty(EMPTY) == "wrap_up"


def test_a_seat_without_agent_needs_no_notes() -> None:
    scene = Scene(RULES, free=[ONE], waiting=[caller("a")])
    scene.connected()
    scene.talks(ONE)
    scene.waits(caller("b"))
    scene.phone(ONE, Device.FREE)
    assert scene.connected() == [("b", ONE)]


def test_a_call_that_was_not_answered_brings_no_notes() -> None:
    scene = manned()
    scene.waits(caller("a"))
    scene.connected()
    scene.room.heard(HungUp(caller("a").channel, 16), 0)
    assert scene.duty(EMPTY) == "idle"
