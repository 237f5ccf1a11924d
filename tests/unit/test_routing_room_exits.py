"""The ways out of the waiting room: another centre, and the duty officer."""

from typing import Any

from calls.live import Channel, Device, LeftRoom
from routing.book import GRACE_MS
from routing.room import CallerState, Overflow
from routing.rules import Rules
from tests.support.waiting_room import (
    ANNE,
    EMPTY,
    HAS,
    ONE,
    SOCIAL,
    TWO,
    Scene,
    caller,
    rules,
)

RULES = rules()
CENTRES = {
    "centres": {
        "tax": {"name": {"zh": "税务", "en": "Tax"}, "trunk": "tax_centre", "dial": "12366"},
        "far": {"name": {"zh": "远", "en": "Far"}, "trunk": "tax_centre", "dial": "12377"},
    }
}
DUTY = {"duty_officer": {"seat": "8009", "after": "5s"}}
BACK = Channel("node1", "PJSIP/carrier-back")


def to_centre() -> Rules:
    return rules(steps={"social": [{"after": "20s", "centre": "tax"}]}, service=CENTRES)


def with_officer(**changes: Any) -> Rules:
    return rules(shifts=DUTY, **changes)


# --- to another centre ------------------------------------------------------------------------------


def test_a_caller_whose_time_for_another_centre_has_come_is_sent_there_once() -> None:
    scene = Scene(to_centre(), free=[ONE])
    a = caller("a", skills=SOCIAL)
    scene.waits(a)
    assert scene.connected() == []
    scene.later(20_000)
    assert scene.room.decide(scene.now_ms) == (Overflow(a, "centre_tax"),)
    assert scene.room.decide(scene.now_ms) == ()
    assert scene.room.counts(0).callers == {CallerState.LEAVING: 1}


def test_a_seat_that_is_free_in_time_is_better_than_another_centre() -> None:
    scene = Scene(to_centre(), free=[ONE])
    scene.waits(caller("a", skills=SOCIAL))
    scene.connected()
    scene.later(20_000)
    scene.phone(TWO, Device.FREE)
    assert scene.connected() == [("a", TWO)]


def test_nobody_on_the_way_out_is_given_a_seat() -> None:
    scene = Scene(to_centre(), free=[ONE])
    scene.waits(caller("a", skills=SOCIAL))
    scene.later(20_000)
    scene.room.decide(scene.now_ms)
    scene.phone(TWO, Device.FREE)
    assert scene.room.decide(scene.now_ms) == ()


def test_a_caller_who_comes_back_from_a_centre_is_not_sent_there_again_for_a_minute() -> None:
    scene = Scene(to_centre(), free=[ONE])
    a = caller("a", skills=SOCIAL)
    scene.waits(a)
    scene.later(20_000)
    scene.room.decide(scene.now_ms)
    scene.room.heard(LeftRoom(a.ref, "overflow"), scene.now_ms)
    assert scene.room.counts(0).callers == {}
    scene.later(45_000)
    scene.waits(a)
    assert scene.room.decide(scene.now_ms) == ()
    assert scene.room.next_alarm_ms() == scene.now_ms + 60_000
    scene.later(60_000)
    assert scene.room.decide(scene.now_ms) == (Overflow(a, "centre_tax"),)


def test_another_centre_may_have_it_earlier() -> None:
    steps = {"social": [{"after": "20s", "centre": "tax"}, {"after": "40s", "centre": "far"}]}
    scene = Scene(rules(steps=steps, service=CENTRES), free=[ONE])
    a = caller("a", skills=SOCIAL)
    scene.waits(a)
    scene.later(20_000)
    scene.room.decide(scene.now_ms)
    scene.room.heard(LeftRoom(a.ref, "overflow"), scene.now_ms)
    scene.waits(a)
    scene.later(20_000)
    assert scene.room.decide(scene.now_ms) == (Overflow(a, "centre_far"),)


def test_a_caller_of_whom_nothing_is_heard_on_its_way_out_is_looked_for() -> None:
    scene = Scene(to_centre(), free=[ONE])
    scene.waits(caller("a", skills=SOCIAL))
    scene.later(20_000)
    scene.room.decide(scene.now_ms)
    scene.later(GRACE_MS)
    scene.room.decide(scene.now_ms)
    assert scene.room.wants_snapshot


def test_a_caller_who_hung_up_before_it_left_is_forgotten() -> None:
    scene = Scene(to_centre(), free=[ONE])
    scene.waits(caller("a", skills=SOCIAL))
    scene.later(20_000)
    (overflow,) = scene.room.decide(scene.now_ms)
    scene.room.missing(overflow, scene.now_ms)
    assert scene.room.counts(0).callers == {}


def test_a_caller_who_may_have_left_is_looked_for_and_tried_again_a_little_later() -> None:
    scene = Scene(to_centre(), free=[ONE])
    a = caller("a", skills=SOCIAL)
    scene.waits(a)
    scene.later(20_000)
    (overflow,) = scene.room.decide(scene.now_ms)
    scene.room.unclear(overflow, scene.now_ms)
    assert scene.room.wants_snapshot
    scene.reads([a])
    assert scene.room.decide(scene.now_ms) == ()
    scene.later(GRACE_MS)
    assert scene.room.decide(scene.now_ms) == (overflow,)


def test_a_caller_on_its_way_out_is_not_believed_to_wait() -> None:
    scene = Scene(to_centre(), free=[ONE])
    a = caller("a", skills=SOCIAL)
    scene.waits(a)
    scene.later(20_000)
    scene.room.decide(scene.now_ms)
    scene.phone(TWO, Device.FREE)
    scene.waits(a)
    assert scene.room.decide(scene.now_ms) == ()
    assert scene.room.wants_snapshot


# --- the duty officer -------------------------------------------------------------------------------


def test_callers_for_whom_nobody_is_on_duty_go_to_the_duty_officer() -> None:
    scene = Scene(with_officer(), free=[ONE])
    a = caller("a", skills=SOCIAL)
    scene.waits(a)
    assert scene.room.decide(0) == ()
    assert scene.room.next_alarm_ms() == 5_000
    scene.later(4_999)
    assert scene.room.decide(scene.now_ms) == ()
    scene.later(1)
    assert scene.room.decide(scene.now_ms) == (Overflow(a, "duty"),)


def test_a_seat_that_is_busy_is_on_duty() -> None:
    scene = Scene(with_officer(), free=[])
    scene.phone(TWO, Device.BUSY)
    scene.waits(caller("a", skills=SOCIAL))
    scene.room.decide(0)
    scene.later(60_000)
    assert scene.room.decide(scene.now_ms) == ()


def test_a_paused_agent_is_not_on_duty() -> None:
    scene = Scene(with_officer(), free=[EMPTY])
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    scene.room.pause(EMPTY, "meal", 0)
    scene.waits(caller("a"))
    scene.room.decide(0)
    scene.later(5_000)
    assert scene.room.decide(scene.now_ms) == (Overflow(caller("a"), "duty"),)


def test_whoever_signs_on_in_time_serves_the_caller() -> None:
    scene = Scene(with_officer(), free=[EMPTY], waiting=[caller("a")])
    scene.room.decide(0)
    scene.later(4_000)
    scene.room.sign_on(EMPTY, ANNE, HAS, scene.now_ms)
    assert scene.connected() == [("a", EMPTY)]


def test_while_somebody_will_be_good_enough_later_the_caller_waits() -> None:
    scene = Scene(with_officer(steps={"social": [{"after": "60s", "also": "general"}]}), free=[])
    scene.phone(ONE, Device.BUSY)
    scene.waits(caller("a", skills=SOCIAL))
    scene.room.decide(0)
    scene.later(30_000)
    assert scene.room.decide(scene.now_ms) == ()


def test_who_comes_when_nobody_has_been_on_duty_for_long_does_not_wait_again() -> None:
    scene = Scene(with_officer(), free=[], waiting=[caller("a")])
    scene.room.decide(0)
    scene.later(60_000)
    scene.room.decide(scene.now_ms)
    scene.waits(caller("b"))
    assert scene.room.decide(scene.now_ms) == (Overflow(caller("b"), "duty"),)


def test_the_duty_officer_is_not_tried_again_for_half_a_minute() -> None:
    scene = Scene(with_officer(), free=[], waiting=[caller("a")])
    scene.room.decide(0)
    scene.later(5_000)
    scene.room.decide(scene.now_ms)
    scene.room.heard(LeftRoom(caller("a").ref, "overflow"), scene.now_ms)
    scene.later(20_000)
    scene.waits(caller("a"))
    assert scene.room.decide(scene.now_ms) == ()
    scene.later(30_000)
    assert scene.room.decide(scene.now_ms) == (Overflow(caller("a"), "duty"),)


def test_without_a_duty_officer_callers_wait() -> None:
    scene = Scene(RULES, free=[], waiting=[caller("a")])
    scene.later(10_000_000)
    assert scene.connected() == []
    assert scene.room.next_alarm_ms() is None
