"""Calls that are seldom and count otherwise than most: passed on, called back, cut off, tests of a line."""

from calls.cel import Row
from tests.support.journal_lines import MadeCall

_APART_US = 7 * 3_600_000_000


def peculiar(begin_utc_ms: int) -> tuple[Row, ...]:
    """Their rows in order; the first call arrives seven hours after that moment, each further one seven hours later.

    Two seats answer; an agent calls 110, which answers; we call back, twice, and reach one; a drill; a talk without
    an end; a caller who waits presses the key for 120, which answers.
    """
    calls = [MadeCall(serial, begin_us=begin_utc_ms * 1000 + serial * _APART_US) for serial in range(1, 8)]
    two_seats, by_agent, called_back, not_reached, drill, cut_off, waiting_emergency = calls
    for call in calls:
        call.arrive(dialled="110" if call is drill else "12333")
        call.event("ANSWER")
    two_seats.enter_room()
    first = two_seats.answered_by("8001", agent="1001")
    two_seats.step("TRANSFER", wait_ms=20_000, to="8002", how="blind")
    two_seats.hangup(first, wait_ms=0)
    second = two_seats.answered_by("8002", agent="1002")
    two_seats.hangup(second, wait_ms=4_000)
    two_seats.end(by=second)
    by_agent.enter_room()
    seat = by_agent.answered_by("8001", agent="1001")
    by_agent.step("EMERGENCY", number="110", by="transfer")
    _line_answers(by_agent, 2_500)
    by_agent.hangup(seat, wait_ms=0)
    by_agent.end()
    called_back.step("CALLED_BACK", first="", attempt=1)
    called_back.enter_room()
    called_back.end(by=called_back.talk("8003", agent="1003"))
    not_reached.step("CALLED_BACK", first="", attempt=1)
    not_reached.end()
    drill.step("DRILL", number="110", trunk="emergency_a")
    drill.end()
    cut_off.enter_room()
    cut_off.answered_by("8004", agent="1004")
    cut_off.step("HELD", wait_ms=9_000, seat="8004")
    waiting_emergency.enter_room()
    waiting_emergency.step("EMERGENCY", wait_ms=11_000, number="120", by="waiting")
    _line_answers(waiting_emergency, 4_000)
    waiting_emergency.end()
    return tuple(sorted((row for call in calls for row in call.rows), key=lambda row: row.at_us))


def _line_answers(call: MadeCall, after_ms: int) -> None:
    call.step("TRUNK", trunk="emergency_a", dial="110")
    line = call.leg("emergency_a")
    call.event("ANSWER", line, wait_ms=after_ms)
    call.hangup(line, wait_ms=60_000)
    call.step("TRUNK_END", trunk="emergency_a", status="ANSWER")
