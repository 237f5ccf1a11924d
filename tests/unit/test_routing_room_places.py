"""Places that are kept for callers who have hung up and are called back."""

from dataclasses import replace
from typing import Any

from calls.live import CallBackEnded, CallRef, CameBack, Channel, Device, EnteredRoom, HungUp, Waiting, WantsCallBack
from routing.book import GRACE_MS
from routing.room import CallBackTurn, CallerState, Connect, Overflow
from routing.rules import Rules
from tests.support.waiting_room import (
    ANNE,
    CALL_BACK_MS,
    EMPTY,
    ENGLISH,
    GENERAL,
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


# --- kept places ------------------------------------------------------------------------------------


def turned() -> tuple[Scene, CallBackTurn]:
    """Place 1 has its turn: back1 is being called for 8001."""
    scene = Scene(RULES, free=[ONE])
    scene.room.keep_place(place(1), 0)
    (turn,) = scene.room.decide(0)
    assert turn == CallBackTurn(place(1), CallRef("back1"), ONE)
    return scene, turn


def test_a_kept_place_has_its_turn_like_any_caller() -> None:
    scene = busy_with(0)
    scene.waits(caller("before", t0_ms=1), caller("after", t0_ms=3))
    scene.room.keep_place(place(1, t0_ms=2), 0)
    for expected in ("before", "back1", "after"):
        scene.phone(ONE, Device.FREE)
        (decision,) = scene.room.decide(0)
        assert not isinstance(decision, Overflow)
        assert (decision.ref if isinstance(decision, CallBackTurn) else decision.caller.ref) == expected
        if isinstance(decision, CallBackTurn):
            scene.room.heard(CallBackEnded(decision.ref, None, "busy"), 0)
        else:
            scene.room.heard(HungUp(decision.caller.channel, 16), 0)
        scene.phone(ONE, Device.BUSY)


def test_the_wish_to_be_called_back_ends_the_wait() -> None:
    scene = busy_with(1)
    scene.room.heard(WantsCallBack(caller("c0"), "13800000001"), 0)
    scene.phone(ONE, Device.FREE)
    assert scene.room.decide(0) == ()
    assert scene.room.counts(0).callers == {}


def test_the_seat_is_kept_while_the_caller_is_being_called() -> None:
    scene, _ = turned()
    scene.waits(caller("a"))
    assert scene.room.decide(0) == ()
    assert (scene.duty(ONE), scene.room.callers_at(ONE)) == ("ringing", "back1")
    assert scene.room.counts(0).callers == {CallerState.DIALLING: 1, CallerState.WAITING: 1}
    assert scene.room.kept() == {}


def test_who_answers_is_on_the_way_to_the_seat_and_waits_like_anybody_if_it_does_not_take_the_call() -> None:
    scene, turn = turned()
    scene.room.heard(CallBackEnded(turn.ref, BACK, ""), 0)
    assert scene.room.channel_of(turn.ref) == BACK
    assert scene.room.counts(0).callers == {CallerState.OFFERED: 1}
    scene.talks(ONE)
    assert scene.room.counts(0).callers == {CallerState.TALKING: 1}
    scene.phone(ONE, Device.FREE)
    scene.room.heard(HungUp(BACK, 16), 0)
    assert scene.room.counts(0).callers == {}


def test_a_call_back_that_reached_nobody_frees_the_seat_at_once() -> None:
    scene, turn = turned()
    scene.waits(caller("a"))
    scene.room.heard(CallBackEnded(turn.ref, None, "no answer"), 0)
    assert scene.connected() == [("a", ONE)]
    assert scene.room.kept() == {}


def test_a_place_that_waits_for_its_next_attempt_is_not_in_the_line() -> None:
    scene = Scene(RULES, free=[ONE])
    scene.room.keep_place(place(1), 0, not_before_ms=600_000)
    assert scene.room.decide(0) == ()
    assert scene.room.standing(0) == ()
    assert scene.room.next_alarm_ms() == 600_000
    scene.later(600_000)
    assert len(scene.room.decide(scene.now_ms)) == 1


def test_a_place_that_is_given_up_has_no_turn() -> None:
    scene = busy_with(0)
    scene.room.keep_place(place(1), 0)
    scene.room.keep_place(place(2), 0, not_before_ms=10)
    for ident in (1, 2, 3):
        scene.room.drop_place(ident, 0)
    scene.phone(ONE, Device.FREE)
    scene.later(10)
    assert scene.room.decide(scene.now_ms) == ()
    assert scene.room.kept() == {}


def test_keeping_a_place_again_changes_what_is_new() -> None:
    scene = busy_with(0)
    for _ in range(2):
        scene.room.keep_place(place(1, skills=SOCIAL), 0)
    assert len(scene.room.standing(0)) == 1
    scene.room.keep_place(place(1), 0)
    assert scene.room.kept() == {1: place(1)}
    scene.phone(ONE, Device.FREE)
    assert len(scene.room.decide(0)) == 1


def test_a_place_whose_caller_is_being_called_is_not_kept_twice() -> None:
    scene, _ = turned()
    scene.room.keep_place(place(1), 0)
    assert scene.room.kept() == {}
    assert scene.room.call_back_at(place(1), ONE, 0) is None


def test_a_call_that_could_not_be_made_lets_the_seat_go_and_the_place_waits_again() -> None:
    scene, turn = turned()
    scene.waits(caller("a"))
    scene.room.missing(turn, 0)
    assert scene.connected() == [("a", ONE)]
    assert scene.room.kept() == {1: place(1)}
    assert scene.room.standing(0)[-1].caller == caller("a")
    scene.phone(TWO, Device.FREE)
    scene.later(GRACE_MS)
    assert scene.room.decide(scene.now_ms) == (CallBackTurn(place(1), CallRef("back2"), TWO),)


def test_a_caller_who_is_perhaps_being_called_is_not_called_twice_at_once() -> None:
    scene, turn = turned()
    scene.room.unclear(turn, 0)
    assert scene.duty(ONE) == "idle"
    scene.later(CALL_BACK_MS)
    assert scene.room.decide(scene.now_ms) == ()
    scene.room.heard(CallBackEnded(turn.ref, BACK, ""), scene.now_ms)
    assert scene.room.kept() == {}
    assert scene.room.wants_snapshot


def test_a_call_back_of_which_nothing_is_heard_gives_seat_and_place_back_after_a_snapshot() -> None:
    scene, _ = turned()
    scene.later(CALL_BACK_MS + GRACE_MS)
    assert scene.room.decide(scene.now_ms) == ()
    assert scene.room.wants_snapshot
    scene.reads()
    assert scene.duty(ONE) == "idle"
    scene.later(GRACE_MS)
    assert len(scene.room.decide(scene.now_ms)) == 1


def test_kept_places_and_calls_being_made_survive_a_snapshot() -> None:
    scene, turn = turned()
    scene.room.keep_place(place(2, t0_ms=1), 0)
    scene.room.keep_place(place(3, t0_ms=1), 0, not_before_ms=100)
    scene.reads([caller("a", t0_ms=5)])
    assert scene.room.callers_at(ONE) == turn.ref
    assert scene.room.decide(0) == ()
    scene.phone(TWO, Device.FREE)
    (second,) = scene.room.decide(0)
    assert isinstance(second, CallBackTurn)
    assert second.place == place(2, t0_ms=1)
    assert scene.room.kept() == {3: place(3, t0_ms=1)}
    assert scene.room.next_alarm_ms() == 100


def test_a_place_whose_time_came_before_a_snapshot_is_in_the_line_once() -> None:
    scene = busy_with(0)
    scene.room.keep_place(place(1), 0, not_before_ms=100)
    scene.later(100)
    scene.reads([])
    scene.phone(ONE, Device.FREE)
    scene.phone(TWO, Device.FREE)
    (turn,) = scene.room.decide(scene.now_ms)
    assert turn == CallBackTurn(place(1), CallRef("back1"), ONE)
    assert scene.duty(TWO) == "idle"


def test_a_call_back_that_a_snapshot_shows_was_answered() -> None:
    scene, turn = turned()
    scene.reads([], [(turn.ref, BACK, ONE)])
    assert scene.room.counts(0).callers == {CallerState.OFFERED: 1}
    assert scene.room.callers_at(ONE) == turn.ref
    assert scene.room.kept() == {}


def test_an_agent_calls_somebody_of_the_list_at_once() -> None:
    scene = Scene(RULES, free=[EMPTY])
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    scene.room.pause(EMPTY, "meal", 0)
    turn = scene.room.call_back_at(place(4, skills=ENGLISH), EMPTY, 0)
    assert turn is not None
    assert scene.duty(EMPTY) == "ringing"
    scene.room.missing(turn, 0)
    assert scene.room.kept() == {}
    assert scene.duty(EMPTY) == "paused"


def test_a_place_in_the_line_may_be_called_out_of_turn() -> None:
    scene = busy_with(0)
    scene.room.keep_place(place(4), 0)
    scene.phone(ONE, Device.FREE)
    turn = scene.room.call_back_at(place(4), ONE, 0)
    assert turn is not None
    assert scene.room.kept() == {}
    assert scene.room.decide(0) == ()
    scene.room.missing(turn, 0)
    assert scene.room.kept() == {4: place(4)}


def test_a_seat_that_cannot_call_is_not_asked_to() -> None:
    scene = Scene(RULES, free=[EMPTY])
    scene.phone(ONE, Device.BUSY)
    found = [scene.room.call_back_at(place(4), seat, 0) for seat in (ONE, TWO, EMPTY)]
    assert found == [None, None, None]


def test_a_call_back_whose_answer_was_not_heard_is_looked_for() -> None:
    scene, turn = turned()
    scene.room.heard(CameBack(turn.ref, ONE, "BUSY"), 0)
    assert scene.room.wants_snapshot


def test_kept_places_are_counted_apart_from_calls() -> None:
    scene = busy_with(1)
    scene.room.keep_place(place(1), 0)
    counts = scene.room.counts(0)
    assert (counts.callers, counts.kept) == ({CallerState.WAITING: 1}, 1)


def test_kept_places_go_neither_to_another_centre_nor_to_the_duty_officer() -> None:
    scene = Scene(with_officer(steps={"social": [{"after": "20s", "centre": "tax"}]}, service=CENTRES), free=[])
    scene.room.keep_place(place(1, skills=SOCIAL), 0)
    scene.later(100_000)
    assert scene.room.decide(scene.now_ms) == ()


def test_a_caller_is_connected_before_it_is_told_twice() -> None:
    scene = busy_with(1)
    scene.room.heard(EnteredRoom(caller("c0")), 0)
    scene.phone(ONE, Device.FREE)
    assert scene.room.decide(0) == (Connect(caller("c0"), ONE),)


# --- who calls again meanwhile ----------------------------------------------------------------------


def again(t0_ms: int, skills: frozenset[str] = GENERAL) -> Waiting:
    """The caller of place 1 calls once more."""
    return replace(caller("again", t0_ms=t0_ms, skills=skills), caller=place(1).to)


def test_who_calls_again_has_the_place_that_is_kept_and_is_not_called_back_meanwhile() -> None:
    scene = Scene(RULES, free=[])
    scene.room.keep_place(place(1, t0_ms=10), 0)
    scene.waits(caller("between", t0_ms=20), again(30))
    assert scene.connected() == []
    scene.phone(ONE, Device.FREE)
    assert scene.connected() == [("again", ONE)]
    scene.phone(TWO, Device.FREE)
    assert scene.connected() == [("between", TWO)]
    scene.phone(EMPTY, Device.FREE)
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    assert scene.connected() == []


def test_a_place_kept_while_its_caller_waits_again_is_that_callers() -> None:
    scene = Scene(RULES, free=[])
    scene.waits(caller("between", t0_ms=20), again(30))
    assert scene.connected() == []
    scene.room.keep_place(place(1, t0_ms=10), 0)
    scene.phone(ONE, Device.FREE)
    assert scene.connected() == [("again", ONE)]


def test_who_hung_up_again_is_called_back_after_all() -> None:
    scene = Scene(RULES, free=[])
    scene.room.keep_place(place(1), 0)
    scene.waits(again(30))
    assert scene.connected() == []
    scene.room.heard(HungUp(again(30).channel, 16), 0)
    scene.phone(ONE, Device.FREE)
    (turn,) = scene.room.decide(0)
    assert isinstance(turn, CallBackTurn)
    assert turn.place == place(1)


def test_who_calls_about_something_else_has_no_better_place_for_it() -> None:
    scene = Scene(RULES, free=[])
    scene.room.keep_place(place(1, t0_ms=10), 0)
    scene.waits(caller("before", t0_ms=20, skills=SOCIAL), again(30, SOCIAL))
    assert scene.connected() == []
    scene.phone(TWO, Device.FREE)
    assert scene.connected() == [("before", TWO)]


def test_after_a_snapshot_the_place_is_still_that_of_the_call() -> None:
    scene = Scene(RULES, free=[])
    scene.room.keep_place(place(1, t0_ms=10), 0)
    scene.waits(caller("between", t0_ms=20), again(30))
    assert scene.connected() == []
    scene.devices[ONE] = Device.FREE
    scene.reads([caller("between", t0_ms=20), again(30)])
    assert scene.connected() == [("again", ONE)]
