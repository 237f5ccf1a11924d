"""When the waiting room looks again at something."""

from calls.live import CallRef, Seat
from routing.alarms import Alarms, CallAlarm, ExitAlarm, SeatAlarm

A, B = SeatAlarm(Seat("a")), CallAlarm(CallRef("a"))


def test_alarms_ring_once_and_in_the_order_of_their_moments() -> None:
    alarms = Alarms()
    alarms.set(A, 20)
    alarms.set(B, 10)
    assert alarms.next_ms() == 10
    assert list(alarms.ring(9)) == []
    assert list(alarms.ring(20)) == [B, A]
    assert list(alarms.ring(20)) == []
    assert alarms.next_ms() is None


def test_the_last_moment_that_was_set_holds() -> None:
    alarms = Alarms()
    for due_ms in (10, 30, 20):
        alarms.set(A, due_ms)
    assert list(alarms.ring(19)) == []
    assert list(alarms.ring(20)) == [A]
    assert list(alarms.ring(30)) == []


def test_a_cancelled_alarm_does_not_ring_until_it_is_set_again() -> None:
    alarms = Alarms()
    alarms.set(A, 10)
    alarms.cancel(A)
    alarms.cancel(B)
    assert alarms.next_ms() is None
    assert list(alarms.ring(10)) == []
    alarms.set(A, 10)
    assert list(alarms.ring(10)) == [A]


def test_an_alarm_that_rang_can_be_set_for_the_same_moment_again() -> None:
    alarms = Alarms()
    alarms.set(A, 10)
    assert list(alarms.ring(10)) == [A]
    alarms.set(A, 10)
    assert list(alarms.ring(10)) == [A]


def test_moments_that_hold_no_more_are_not_kept() -> None:
    alarms = Alarms()
    for number in range(100_000):
        alarms.set(ExitAlarm(CallRef(str(number))), 1_000_000 + number)
        alarms.cancel(ExitAlarm(CallRef(str(number))))
    assert len(alarms) < 100
    alarms.set(A, 5)
    assert list(alarms.ring(2_000_000)) == [A]
