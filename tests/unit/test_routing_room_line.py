"""The line: what a longer wait changes, places, estimated waits, and being moved up."""

from typing import Any

from calls.live import CallRef, CameBack, Channel, Device, HungUp
from routing.room import CallerState
from routing.rules import Rules
from tests.support.waiting_room import (
    ANNE,
    BOB,
    EMPTY,
    ENGLISH,
    HAS,
    ONE,
    SOCIAL,
    TWO,
    Scene,
    busy_with,
    caller,
    place,
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


# --- what a longer wait changes ---------------------------------------------------------------------


def test_a_lower_level_is_enough_after_a_longer_wait() -> None:
    scene = Scene(rules(levels={"social": 5}, steps={"social": [{"after": "10s", "level": 2}]}), free=[TWO])
    scene.waits(caller("a", skills=SOCIAL))
    assert scene.connected() == []
    scene.later(10_000)
    assert scene.connected() == [("a", TWO)]


def test_another_skill_is_enough_after_a_longer_wait() -> None:
    scene = Scene(rules(steps={"social": [{"after": "10s", "also": "general"}]}), free=[ONE])
    scene.waits(caller("a", skills=SOCIAL))
    assert scene.connected() == []
    assert scene.room.next_alarm_ms() == 10_000
    scene.later(10_000)
    assert scene.connected() == [("a", ONE)]


def test_a_wait_counts_from_its_beginning_also_after_a_return() -> None:
    scene = Scene(rules(steps={"social": [{"after": "10s", "also": "general"}]}), free=[ONE], now_ms=12_000)
    scene.waits(caller("a", t0_ms=2_000, skills=SOCIAL))
    assert scene.connected() == [("a", ONE)]


def test_the_time_of_day_and_the_rooms_clock_may_differ() -> None:
    scene = Scene(rules(steps={"social": [{"after": "10s", "also": "general"}]}), free=[ONE])
    scene.room.utc_ahead_ms = 1_700_000_000_000
    scene.waits(caller("a", t0_ms=1_700_000_000_000, skills=SOCIAL))
    assert scene.connected() == []
    assert scene.room.next_alarm_ms() == 10_000
    scene.later(10_000)
    assert scene.connected() == [("a", ONE)]


# --- places and waits -------------------------------------------------------------------------------


def handled(scene: Scene, times: int, handling_ms: int) -> None:
    """So many calls that kept 8001 so long."""
    for one in range(times):
        scene.phone(ONE, Device.FREE)
        scene.waits(caller(f"t{one}", t0_ms=-1))
        assert (f"t{one}", ONE) in scene.connected()
        scene.talks(ONE)
        scene.later(handling_ms)
        scene.room.heard(HungUp(caller(f"t{one}").channel, 16), scene.now_ms)
        scene.phone(ONE, Device.BUSY)


def test_places_are_counted_over_everybody_in_the_order_of_being_served() -> None:
    scene = busy_with(3)
    scene.waits(caller("urgent", t0_ms=9, priority=1))
    scene.room.keep_place(place(1, t0_ms=1), 0)
    found = [scene.room.place_of(CallRef(ref), 0) for ref in ("urgent", "c0", "c1", "c2", "nobody")]
    assert [one and one.position for one in found] == [1, 2, 4, 5, None]
    assert [one.position for one in scene.room.standing(0)] == [1, 2, 3, 4, 5]


def test_the_wait_is_not_known_before_enough_calls_were_handled() -> None:
    scene = busy_with(1)
    found = scene.room.place_of(CallRef("c0"), 0)
    assert found is not None
    assert found.estimate_ms is None


def test_the_wait_is_estimated_from_recent_calls_and_seats_on_duty() -> None:
    scene = Scene(RULES, free=[])
    scene.phone(TWO, Device.BUSY)
    handled(scene, 5, 60_000)
    scene.waits(*(caller(f"c{at}", t0_ms=at) for at in range(3)))
    estimates = [scene.room.place_of(CallRef(f"c{at}"), scene.now_ms) for at in range(3)]
    assert [one and one.estimate_ms for one in estimates] == [30_000, 60_000, 90_000]
    assert [one.estimate_ms for one in scene.room.standing(scene.now_ms)] == [30_000, 60_000, 90_000]


def test_the_time_for_notes_keeps_a_seat_as_a_talk_does() -> None:
    scene = Scene(rules(agents={"wrap_up": "10s"}), free=[EMPTY])
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    for one in range(5):
        scene.waits(caller(f"t{one}"))
        assert scene.connected() == [(f"t{one}", EMPTY)]
        scene.talks(EMPTY)
        scene.later(50_000)
        scene.phone(EMPTY, Device.FREE)
        scene.later(10_000)
        assert scene.connected() == []
    scene.phone(EMPTY, Device.BUSY)
    scene.waits(caller("next"))
    found = scene.room.place_of(CallRef("next"), scene.now_ms)
    assert found is not None
    assert found.estimate_ms == 60_000


def test_those_who_need_other_seats_make_no_wait_longer() -> None:
    scene = Scene(RULES, free=[])
    scene.phone(TWO, Device.BUSY)
    scene.room.sign_on(EMPTY, BOB, frozenset({("english", 2)}), 0)
    scene.phone(EMPTY, Device.BUSY)
    handled(scene, 5, 60_000)
    scene.waits(caller("english", t0_ms=5, skills=ENGLISH))
    scene.waits(*(caller(f"c{at}", t0_ms=at) for at in range(3)))
    found = scene.room.place_of(CallRef("english"), scene.now_ms)
    assert found is not None
    assert (found.position, found.estimate_ms) == (4, 60_000)
    assert scene.room.standing(scene.now_ms)[-1].estimate_ms == 60_000


def test_those_who_may_be_served_first_by_the_same_seats_do() -> None:
    scene = Scene(RULES, free=[])
    scene.phone(TWO, Device.BUSY)
    handled(scene, 5, 60_000)
    scene.waits(*(caller(f"c{at}", t0_ms=at) for at in range(3)), caller("s", t0_ms=9, skills=SOCIAL))
    found = scene.room.place_of(CallRef("s"), scene.now_ms)
    assert found is not None
    assert found.estimate_ms == 120_000


def test_nobody_on_duty_makes_the_wait_unknown() -> None:
    scene = busy_with(0)
    handled(scene, 5, 60_000)
    scene.waits(caller("e", skills=ENGLISH))
    found = scene.room.place_of(CallRef("e"), scene.now_ms)
    assert found is not None
    assert found.estimate_ms is None


def test_everybody_without_a_seat_is_shown_with_how_it_stands() -> None:
    scene = busy_with(2)
    scene.phone(ONE, Device.FREE)
    scene.connected()
    scene.room.keep_place(place(7), 0)
    shown = [(one.caller, one.state, one.position) for one in scene.room.standing(0)]
    assert shown == [
        (caller("c0"), CallerState.OFFERED, 0),
        (place(7), CallerState.CALL_BACK, 1),
        (caller("c1", t0_ms=1), CallerState.WAITING, 2),
    ]


def test_a_caller_who_is_returning_keeps_its_place() -> None:
    scene = busy_with(2)
    scene.phone(ONE, Device.FREE)
    scene.connected()
    scene.room.heard(CameBack(CallRef("c0"), ONE, "BUSY"), 0)
    found = scene.room.place_of(CallRef("c1"), 0)
    assert found is not None
    assert found.position == 2


# --- moving up --------------------------------------------------------------------------------------


def test_a_caller_who_is_moved_up_is_next_over_all_classes() -> None:
    scene = busy_with(2)
    scene.waits(caller("urgent", t0_ms=5, priority=1))
    moved = scene.room.move_up(CallRef("c1"), 0)
    assert moved is not None
    assert (moved.channel, moved.priority, moved.t0_ms) == (caller("c1").channel, 1, 4)
    scene.phone(ONE, Device.FREE)
    assert scene.connected() == [("c1", ONE)]


def test_nobody_is_moved_before_an_emergency() -> None:
    scene = busy_with(2)
    scene.waits(caller("help", t0_ms=5, priority=0))
    moved = scene.room.move_up(CallRef("c1"), 0)
    assert moved is not None
    assert (moved.priority, moved.t0_ms) == (5, -1)
    scene.phone(ONE, Device.FREE)
    assert scene.connected() == [("help", ONE)]


def test_the_first_one_stays_where_it_is() -> None:
    scene = busy_with(2)
    moved = scene.room.move_up(CallRef("c0"), 0)
    assert moved is not None
    assert (moved.priority, moved.t0_ms) == (5, 0)


def test_nobody_is_moved_up_who_waits_no_more() -> None:
    scene = busy_with(1)
    scene.room.heard(HungUp(caller("c0").channel, 16), 0)
    assert scene.room.move_up(CallRef("c0"), 0) is None


def test_a_caller_who_is_moved_up_gets_a_seat_here_and_no_other_centre() -> None:
    scene = Scene(to_centre(), free=[ONE], now_ms=60_000)
    scene.waits(caller("old", t0_ms=0, priority=5))
    scene.phone(ONE, Device.BUSY)
    scene.waits(caller("new", t0_ms=59_000, skills=SOCIAL))
    scene.room.move_up(CallRef("new"), scene.now_ms)
    assert scene.room.decide(scene.now_ms) == ()
