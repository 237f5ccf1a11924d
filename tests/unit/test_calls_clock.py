"""Times of calls during which the machine's clock was set."""

from dataclasses import replace
from itertools import pairwise

from calls.cel import Row
from calls.clock import SLACK_US, steadied
from calls.fold import fold
from calls.record import Outcome
from tests.support.journal_lines import answered_call

ROWS = answered_call().rows


def stepped(rows: list[Row], at: int, by_us: int) -> list[Row]:
    """The clock is set by so much before the so-manyth line."""
    return [*rows[:at], *(replace(row, at_us=row.at_us + by_us) for row in rows[at:])]


def test_rows_of_a_steady_clock_stay_as_they_are() -> None:
    assert steadied(ROWS) == (tuple(ROWS), False)
    late = stepped(ROWS, len(ROWS) - 1, -SLACK_US // 2)
    assert steadied(late) == (tuple(late), False)


def test_a_clock_that_is_set_back_anywhere_makes_no_time_negative_and_loses_no_end() -> None:
    straight = fold("node1", ROWS)
    assert straight is not None
    for at in range(1, len(ROWS)):
        rows, back = steadied(stepped(ROWS, at, -3_600_000_000))
        assert back
        assert [row.kind for row in rows] == [row.kind for row in ROWS]
        assert all(earlier.at_us <= later.at_us for earlier, later in pairwise(rows))
        record = fold("node1", rows)
        assert record is not None
        assert (record.ref, record.outcome, record.running) == (straight.ref, Outcome.ANSWERED, False)
        assert record.ended_utc_ms is not None
        assert record.wait_ms is not None
        assert record.arrived_utc_ms <= record.ended_utc_ms
        assert record.wait_ms >= 0
        assert 0 <= record.talk_ms <= straight.talk_ms


def test_a_clock_that_is_set_forwards_and_back_again_leaves_one_call() -> None:
    rows, back = steadied(stepped(stepped(ROWS, 4, 60_000_000), 9, -60_000_000))
    record = fold("node1", rows)
    assert back
    assert record is not None
    assert (record.outcome, record.running, record.talk_ms) == (Outcome.ANSWERED, False, 3000)
