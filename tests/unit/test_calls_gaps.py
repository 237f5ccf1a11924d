"""Lines of the journal are missing, and what the controller saw stands in for them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.cel import Row
from calls.fold import fold
from calls.live import CallRef
from calls.record import CallRecord, Outcome
from calls.sight import SeenTalk, Sight
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call, sight_of

LATER_MS = BEGIN_US // 1000 + 3_600_000


def gave_up() -> MadeCall:
    call = MadeCall()
    call.arrive()
    call.step("SERVED", number="12345", mode="primary", by="dialled")
    call.enter_room()
    call.end()
    return call


def not_taken() -> MadeCall:
    """A seat rings and does not take the call, which waits again and is given up."""
    call = MadeCall()
    call.arrive()
    call.step("SERVED", number="12345", mode="primary", by="dialled")
    call.enter_room()
    call.step("OFFER", seat="8001", agent="")
    call.hangup(call.leg("8001"), cause=19)
    call.step("BACK", seat="8001", why="NOANSWER")
    call.enter_room()
    call.end()
    return call


def seen_whole(call: MadeCall) -> Sight:
    """What a controller saw of it, its talk included."""
    record = folded(call.rows)
    began_ms = record.talk_began_utc_ms
    return sight_of(
        call, *(SeenTalk(seat, "", began_ms or 0, (began_ms or 0) + record.talk_ms) for seat in record.seats)
    )


def folded(rows: Sequence[Row], sight: Sight | None = None, absent_utc_ms: int | None = None) -> CallRecord:
    record = fold("node1", rows, sight=sight, absent_utc_ms=absent_utc_ms)
    assert record is not None
    return record


MADE = {"answered": answered_call, "gave up": gave_up, "not taken": not_taken}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
@given(data=st.data())
def test_whatever_lines_are_lost_the_outcome_of_a_call_that_was_seen_is_that_of_the_whole_journal(
    make: Callable[[], MadeCall], data: st.DataObject
) -> None:
    call = make()
    whole = folded(call.rows)
    kept = data.draw(st.lists(st.sampled_from(call.rows), unique=True))
    there = [row for row in kept if row.channel == call.channel]
    ended = any(row.kind in {"HANGUP", "CHAN_END"} for row in there)
    record = folded(kept, seen_whole(call), None if ended else 0)
    assert not record.running
    assert (record.ref, record.outcome, record.seats) == (whole.ref, whole.outcome, whole.seats)
    assert record.wait_ms is not None
    assert record.lines_missing or ended
    assert record.ended_utc_ms is not None
    assert record.ended_utc_ms <= (whole.ended_utc_ms or 0)


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_what_was_seen_adds_nothing_to_a_whole_journal(make: Callable[[], MadeCall]) -> None:
    call = make()
    assert folded(call.rows, seen_whole(call), LATER_MS) == folded(call.rows)


@given(st.permutations(answered_call().rows))
def test_lines_that_come_late_put_everything_right_whatever_their_order(late: list[Row]) -> None:
    call = answered_call()
    sight = seen_whole(call)
    for count in range(len(late) + 1):
        record = folded(late[:count], sight, LATER_MS)
    assert record == folded(call.rows)


def test_a_call_whose_end_was_lost_ends_at_its_last_sign_of_life() -> None:
    call = gave_up()
    rows = [row for row in call.rows if row.kind not in {"HANGUP", "CHAN_END", "LINKEDID_END"}]
    last_ms = rows[-1].at_us // 1000
    record = folded(rows, absent_utc_ms=last_ms + 700)
    assert (record.outcome, record.running, record.ended_utc_ms) == (Outcome.ABANDONED, False, last_ms + 700)
    assert (record.hung_up_by, record.q850_cause, record.lines_missing) == (None, None, True)
    assert folded(rows, absent_utc_ms=last_ms - 700).ended_utc_ms == last_ms


def test_a_telephone_that_was_taken_up_for_something_else_is_no_answer() -> None:
    call = not_taken()
    seen = replace(seen_whole(call), talks=(SeenTalk("8001", "", LATER_MS),))
    assert folded(call.rows, seen) == folded(call.rows)


def test_a_call_back_does_not_wait_because_it_was_seen() -> None:
    call = MadeCall()
    call.arrive()
    call.step("CALLED_BACK", first="", attempt=1)
    call.answered_by()
    call.end()
    seen = replace(seen_whole(gave_up()), ref=CallRef(call.ref))
    assert folded(call.rows, seen) == folded(call.rows)


def test_what_was_seen_is_added_to_what_was_seen_before() -> None:
    first = replace(seen_whole(gave_up()), talks=(SeenTalk("8001", "1001", 5), SeenTalk("8002", "", 1, 3)))
    later = replace(first, t0_utc_ms=9, talks=(SeenTalk("8001", "", 7, 8), SeenTalk("8003", "", 9)))
    both = later.after(first)
    assert both.talks == (SeenTalk("8001", "1001", 5, 8), SeenTalk("8002", "", 1, 3), SeenTalk("8003", "", 9))
    assert (both.t0_utc_ms, both.last_utc_ms) == (first.t0_utc_ms, first.first_utc_ms)
    assert later.after(both) == first.after(both) == both
    assert Sight.of_json(both.as_json()) == both
