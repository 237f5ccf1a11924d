"""Callers in survival queues: while they are taken back nobody passes them, and nobody waits for them for ever."""

from collections.abc import Iterable

from calls.live import (
    CallRef,
    Channel,
    Device,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    Seat,
    SeatChanged,
    Snapshot,
    Waiting,
)
from routing.book import HELD_MS
from routing.room import CallBackTurn, Connect, Decision, Room, Withdraw
from tests.support.waiting_room import ONE, SOCIAL, TWO, caller, place, rules

RULES = rules()
OLD, YOUNG = caller("old", 100), caller("young", 200)


def taken_over(
    surviving: Iterable[Waiting], waiting: Iterable[Waiting] = (), free: Iterable[Seat] = (ONE,), now_ms: int = 0
) -> Room:
    """A controller that has just read who is where."""
    made = Room(RULES, new_ref=lambda: CallRef("new"), utc_ahead_ms=0)
    made.resync(snapshot(surviving, waiting, free), now_ms)
    return made


def snapshot(surviving: Iterable[Waiting], waiting: Iterable[Waiting] = (), free: Iterable[Seat] = (ONE,)) -> Snapshot:
    return Snapshot(
        tuple(waiting), tuple(("survival_x", one) for one in surviving), tuple((seat, Device.FREE) for seat in free), ()
    )


def connected(decisions: Iterable[Decision]) -> list[tuple[CallRef, Seat]]:
    return [(one.caller.ref, one.seat) for one in decisions if isinstance(one, Connect)]


def test_who_waits_does_not_pass_an_older_survivor_who_is_served_as_soon_as_it_is_there() -> None:
    made = taken_over([OLD], [YOUNG])
    assert made.decide(0) == ()
    made.heard(EnteredRoom(OLD), 900)
    assert connected(made.decide(900)) == [("old", ONE)]


def test_everybody_is_held_back_for_so_long_and_no_longer() -> None:
    made = taken_over([OLD], [YOUNG], now_ms=50)
    assert made.decide(50) == ()
    assert made.next_alarm_ms() == 50 + HELD_MS
    assert made.decide(49 + HELD_MS) == ()
    assert connected(made.decide(50 + HELD_MS)) == [("young", ONE)]


def test_a_survivor_who_hangs_up_holds_nobody_back() -> None:
    made = taken_over([OLD], [YOUNG])
    assert made.decide(0) == ()
    made.heard(HungUp(OLD.channel, 16), 10)
    assert connected(made.decide(10)) == [("young", ONE)]


def test_a_younger_or_less_urgent_survivor_holds_nobody_back() -> None:
    made = taken_over([YOUNG], [OLD])
    assert connected(made.decide(0)) == [("old", ONE)]
    made = taken_over([caller("later", 0, priority=6)], [YOUNG])
    assert connected(made.decide(0)) == [("young", ONE)]


def test_a_seat_that_could_serve_no_survivor_does_not_stand_idle() -> None:
    made = taken_over([caller("old", 100, skills=SOCIAL)], [YOUNG, caller("younger", 300)], free=(ONE, TWO))
    # Only the second seat knows social matters.
    assert connected(made.decide(0)) == [("young", ONE)]


def test_who_is_older_than_the_survivor_is_served_and_who_is_younger_is_not() -> None:
    made = taken_over([caller("middle", 150)], [OLD, YOUNG], free=(ONE, TWO))
    assert connected(made.decide(0)) == [("old", ONE)]


def test_a_seat_that_becomes_free_meanwhile_is_left_free_too() -> None:
    made = taken_over([OLD], [YOUNG], free=())
    assert made.decide(0) == ()
    made.heard(SeatChanged(ONE, Device.FREE), 500)
    assert made.decide(500) == ()
    made.heard(EnteredRoom(OLD), 700)
    assert connected(made.decide(700)) == [("old", ONE)]


def test_emergencies_are_held_back_for_nobody() -> None:
    urgent, later = caller("urgent", 100, priority=0), caller("later", 200, priority=0)
    made = taken_over([urgent], [later, caller("ordinary", 0)], free=(ONE, TWO))
    assert connected(made.decide(0)) == [("later", ONE)]


def test_a_kept_place_passes_nobody_either() -> None:
    made = taken_over([OLD])
    made.keep_place(place(1, t0_ms=200), 0)
    assert made.decide(0) == ()
    (turn,) = made.decide(HELD_MS)
    assert isinstance(turn, CallBackTurn)
    assert turn.seat == ONE


def test_another_snapshot_does_not_hold_back_anew() -> None:
    made = taken_over([OLD], [YOUNG])
    assert made.decide(0) == ()
    for now_ms in (HELD_MS // 2, HELD_MS - 1):
        made.resync(snapshot([OLD], [YOUNG]), now_ms)
        assert made.decide(now_ms) == ()
    made.resync(snapshot([OLD], [YOUNG]), HELD_MS)
    assert connected(made.decide(HELD_MS)) == [("young", ONE)]


def test_it_counts_from_the_first_decision() -> None:
    """What is heard while nobody steers costs nothing of that time."""
    made = taken_over([], [YOUNG], free=())
    assert made.decide(0) == ()
    made.heard(EnteredSurvival(OLD, "survival_x"), 1_000)
    made.heard(SeatChanged(ONE, Device.FREE), 1_000)
    assert made.decide(9_000) == ()
    assert connected(made.decide(9_000 + HELD_MS)) == [("young", ONE)]


def test_who_comes_into_a_survival_queue_late_holds_back_once() -> None:
    made = taken_over([], free=())
    made.heard(EnteredSurvival(OLD, "survival_x"), 10)
    assert made.decide(10) == ()
    made.heard(EnteredRoom(YOUNG), 20)
    made.heard(SeatChanged(ONE, Device.FREE), 20)
    assert made.decide(20) == ()
    assert connected(made.decide(10 + HELD_MS)) == [("young", ONE)]


def test_survivors_are_asked_back_in_the_lines_order() -> None:
    late, urgent = caller("late", 300), caller("urgent", 400, priority=2)
    made = taken_over([late, YOUNG, urgent, OLD])
    order = [urgent, OLD, YOUNG, late]
    assert made.withdrawals() == tuple(Withdraw("survival_x", one.channel) for one in order)


def test_who_never_comes_back_is_still_asked() -> None:
    made = taken_over([OLD])
    made.decide(0)
    made.decide(HELD_MS)
    assert made.withdrawals() == (Withdraw("survival_x", Channel("node1", "PJSIP/carrier-old")),)
