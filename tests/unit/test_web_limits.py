"""How much may be asked for, decided without a clock."""

import pytest

from settings.listening import HttpLimits
from web.desk import Refusal
from web.limits import AtOnce, Buckets, Guard, Locks, Recent, TooMuch

HERE, THERE = "10.0.0.1", "10.0.0.2"


def test_a_bucket_lets_a_burst_pass_and_then_as_much_as_comes_in() -> None:
    buckets = Buckets(per_s=10)
    assert [buckets.take(HERE, 100.0) for _ in range(20)] == [0.0] * 20
    assert buckets.take(HERE, 100.0) == pytest.approx(0.1)
    assert buckets.take(HERE, 100.05) == pytest.approx(0.05)
    assert buckets.take(HERE, 100.11) == 0.0
    assert buckets.take(HERE, 100.11) > 0.0


def test_a_bucket_that_rests_is_full_again_and_no_fuller() -> None:
    buckets = Buckets(per_s=10)
    for _ in range(20):
        buckets.take(HERE, 0.0)
    assert [buckets.take(HERE, 1e9) for _ in range(21)].count(0.0) == 20


def test_one_who_asks_too_much_takes_nothing_from_others() -> None:
    buckets = Buckets(per_s=1)
    assert [buckets.take(HERE, 0.0) > 0.0 for _ in range(100)] == [False] * 2 + [True] * 98
    assert buckets.take(THERE, 0.0) == 0.0


def test_a_flood_of_addresses_takes_no_more_memory_than_is_allowed() -> None:
    buckets, locks = Buckets(per_s=1, most=50), Locks(wrong_tokens=3, lock_s=60, most=50)
    for number in range(1000):
        buckets.take(f"10.0.{number // 256}.{number % 256}", float(number))
        locks.wrong(f"10.0.{number // 256}.{number % 256}", float(number))
        locks.right(f"10.0.{number // 256}.{number % 256}", "desk")
    assert len(buckets) == 50
    assert (len(locks._wrong), len(locks._seen)) == (50, 50)


def test_what_was_written_last_is_remembered_longest() -> None:
    recent: Recent[str, int] = Recent(most=2)
    for key in ("a", "b", "a", "c"):
        recent.put(key, 1)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 1)


def test_an_address_is_locked_after_so_many_wrong_tokens_and_for_so_long() -> None:
    locks = Locks(wrong_tokens=3, lock_s=60)
    assert [locks.wrong(HERE, now) for now in (0.0, 1.0, 2.0)] == [False, False, True]
    assert locks.left_s(HERE, 2.0) == 60.0
    assert locks.left_s(HERE, 61.9) == pytest.approx(0.1)
    assert locks.left_s(HERE, 62.0) == 0.0
    assert locks.wrong(HERE, 62.0) is False
    assert locks.left_s(THERE, 2.0) == 0.0


def test_wrong_tokens_now_and_then_lock_nobody_out() -> None:
    locks = Locks(wrong_tokens=3, lock_s=60)
    for now in range(0, 6000, 61):
        assert locks.left_s(HERE, float(now)) == 0.0
        assert locks.wrong(HERE, float(now)) is False


def guard_with_a_locked_address() -> Guard:
    guard = Guard(HttpLimits(wrong_tokens=3))
    guard.require_known(HERE, "desk", 0.0)
    assert [guard.require_known(HERE, None, 0.0) for _ in range(3)] == [False, False, True]
    return guard


def test_while_an_address_is_locked_a_right_token_is_refused_as_a_wrong_one_is() -> None:
    guard, told = guard_with_a_locked_address(), []
    for name in (None, "other"):
        with pytest.raises(TooMuch) as refused:
            guard.require_known(HERE, name, 100.0)
        told.append((refused.value.kind, refused.value.why, refused.value.mend, refused.value.again_s))
    assert told[0] == told[1]
    assert told[0][0] == "too_many_wrong_tokens"
    assert told[0][3] == 200


def test_whoever_worked_there_before_goes_on_and_so_does_everybody_elsewhere() -> None:
    guard = guard_with_a_locked_address()
    assert guard.require_known(HERE, "desk", 100.0) is False
    assert guard.require_known(THERE, "other", 100.0) is False
    assert guard.require_known(HERE, "other", 301.0) is False


def test_pages_for_everybody_are_counted_apart() -> None:
    guard = Guard(HttpLimits(requests_per_address=1))
    for _ in range(2):
        guard.require_address(HERE, 0.0, public=False)
    with pytest.raises(TooMuch, match="from this address"):
        guard.require_address(HERE, 0.0, public=False)
    guard.require_address(HERE, 0.0, public=True)


def test_a_token_has_a_limit_of_its_own_wherever_it_is_used() -> None:
    guard = Guard(HttpLimits(requests=1))
    guard.require_token("desk", 0.0)
    guard.require_token("desk", 0.0)
    with pytest.raises(TooMuch, match="'desk'") as refused:
        guard.require_token("desk", 0.0)
    assert (refused.value.status, refused.value.again_s) == (429, 1)
    guard.require_token("other", 0.0)


def test_a_desk_that_asks_for_everything_ten_times_a_second_never_meets_a_limit() -> None:
    guard = Guard(HttpLimits())
    for tick in range(600):
        for _ in range(9):  # Every list there is.
            guard.require_address(HERE, tick / 10, public=False)
            guard.require_token("desk", tick / 10)


def test_a_token_reads_so_many_streams_at_once_and_no_more() -> None:
    guard = Guard(HttpLimits(streams=2))
    with guard.streaming("desk"):
        with guard.streaming("desk"):
            with pytest.raises(Refusal, match="2 streams"), guard.streaming("desk"):
                pass
            with guard.streaming("other"):
                pass
        with guard.streaming("desk"):
            pass


def test_so_many_are_there_at_once_each_and_in_all() -> None:
    there = AtOnce(most_each=2, most=3)
    assert [there.enter(key) for key in ("a", "a", "a", "b", "b", "c")] == [True, True, False, True, False, False]
    there.leave("a")
    assert (there.enter("c"), len(there)) == (True, 3)
    for key in ("a", "b", "c"):
        there.leave(key)
    assert (len(there), dict(there._counts)) == (0, {})
