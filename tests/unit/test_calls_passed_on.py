"""What becomes of a call's record when the call is passed on, called back, or rated afterwards."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.cel import Row, parse
from calls.fold import fold
from calls.journal import EmergencyChosen, TalkEnded, Transferred
from calls.record import CallRecord, Outcome, Side, of_plain, plain
from calls.timeline import tell
from tests.support.journal_lines import BEGIN_US, MadeCall


def told(call: MadeCall) -> CallRecord:
    record = fold("node1", call.rows)
    assert record is not None
    return record


def real_call(name: str) -> list[Row]:
    """What Asterisk 22 wrote of a call."""
    return [parse(line) for line in (Path(__file__).parent / "cel_transfers" / name).read_text("utf-8").splitlines()]


def waiting_call() -> MadeCall:
    call = MadeCall()
    call.arrive()
    call.event("ANSWER")
    call.enter_room()
    return call


def blind_to_seat() -> MadeCall:
    call = waiting_call()
    first = call.answered_by("8001", agent="1001")
    call.step("TRANSFER", wait_ms=2000, to="8002", how="blind")
    call.hangup(first)
    second = call.answered_by("8002", agent="1002")
    call.hangup(second, wait_ms=4000)
    call.step("TALKED", seat="8002", q850_cause=16)
    call.end(by=second)
    return call


def test_a_call_that_is_passed_to_a_seat_names_both_seats_and_agents() -> None:
    record = told(blind_to_seat())
    assert (record.outcome, record.transfers) == (Outcome.ANSWERED, ("8002",))
    assert (record.seats, record.agents) == (("8001", "8002"), ("1001", "1002"))
    assert record.talk_ms == 2000 + 100 + 4000
    assert record.hung_up_by is Side.SEAT


def test_a_seat_that_was_offered_and_did_not_answer_adds_no_agent() -> None:
    call = waiting_call()
    call.step("OFFER", seat="8001", agent="1001")
    missed = call.leg("8001")
    call.hangup(missed, cause=19)
    call.step("BACK", seat="8001", why="NOANSWER")
    call.talk("8002")
    call.end()
    record = told(call)
    assert (record.seats, record.agents) == (("8002",), ())


def blind_to_skill() -> MadeCall:
    call = waiting_call()
    leg = call.answered_by("8001", agent="1001")
    call.step("TRANSFER", wait_ms=2000, to="skill_social", how="blind")
    call.hangup(leg)
    call.step("ROOM", skills="english+social", priority=5, t0_ms=BEGIN_US // 1000 + 400)
    call.end()
    return call


def test_a_call_that_is_passed_to_a_skill_and_given_up_there_was_answered() -> None:
    record = told(blind_to_skill())
    assert (record.outcome, record.transfers) == (Outcome.ANSWERED, ("skill_social",))
    assert record.skills == ("english", "social")
    assert record.hung_up_by is Side.CALLER
    assert (record.wait_ms, record.talk_ms) == (300, 2100)


def blind_to_centre() -> MadeCall:
    call = waiting_call()
    leg = call.answered_by("8001")
    call.step("TRANSFER", to="centre_tax", how="blind")
    call.hangup(leg)
    call.step("TRUNK", trunk="tax", dial="12366")
    call.event("ANSWER", call.leg("tax"))
    call.end()
    return call


def test_a_call_that_is_passed_to_another_centre_was_answered_by_us() -> None:
    record = told(blind_to_centre())
    assert (record.outcome, record.trunk_out, record.seats) == (Outcome.ANSWERED, "tax", ("8001",))
    assert record.talk_ms == 200


def consulted_police() -> MadeCall:
    """The agent calls 110, all three talk, the agent leaves."""
    call = waiting_call()
    seat = call.answered_by("8001", agent="1001")
    surrogate = call.leg("PJSIP/8001-00000101", "Surrogate")  # Asterisk's, when it sends the seat's leg elsewhere.
    call.hangup(surrogate, by="")
    call.step("HELD", seat="8001")
    call.step("EMERGENCY", on=seat, number="110", by="consult")
    call.step("TRUNK", on=seat, trunk="police_a", dial="110")
    police = call.leg("police_a")
    call.event("ANSWER", police, wait_ms=1000)
    call.step("JOINED")
    call.step("TRANSFER", wait_ms=5000, on=seat, to="110", how="attended")
    call.hangup(seat)
    call.hangup(police, wait_ms=3000)
    call.end(by="dialplan/builtin")
    return call


def test_an_emergency_that_the_agent_called_is_an_answered_call() -> None:
    record = told(consulted_police())
    assert (record.outcome, record.emergency_number, record.trunk_out) == (Outcome.ANSWERED, "110", "police_a")
    assert (record.seats, record.transfers) == (("8001",), ("110",))
    assert record.wait_ms == 300
    assert record.talk_ms == 6800  # As long as the seat was in it.


def test_the_timeline_says_who_consulted() -> None:
    said = [(entry.who, entry.kind) for entry in tell(consulted_police().rows)]
    assert ("caller", "HELD") in said
    assert {("seat 8001", "TRANSFER"), ("seat 8001", "TRUNK"), ("trunk police_a", "ANSWERED")} <= set(said)


def test_a_citizen_who_chooses_an_emergency_after_a_lost_seat_is_an_emergency() -> None:
    call = waiting_call()
    call.talk()
    call.enter_room()
    call.step("EMERGENCY", number="120", by="waiting")
    call.end()
    assert told(call).outcome is Outcome.EMERGENCY


def consulted_colleague() -> MadeCall:
    """A colleague is asked while the caller is held, and takes the call."""
    call = waiting_call()
    seat = call.answered_by("8001", agent="1001")
    call.step("HELD", seat="8001")
    call.step("OFFER", on=seat, seat="8002", agent="1002")
    other = call.leg("8002")
    call.event("ANSWER", other)
    call.step("JOINED")
    call.step("TRANSFER", on=seat, wait_ms=1000, to="8002", how="attended")
    call.hangup(seat)
    call.hangup(other, wait_ms=1000)
    call.step("TALKED", seat="8002", q850_cause=16)
    call.end(by="dialplan/builtin")
    return call


def test_a_colleague_who_was_asked_and_takes_the_call_counts_as_a_seat() -> None:
    record = told(consulted_colleague())
    assert (record.seats, record.agents) == (("8001", "8002"), ("1001", "1002"))
    assert (record.outcome, record.transfers, record.hung_up_by) == (Outcome.ANSWERED, ("8002",), Side.SEAT)


def overflowed(to: str, *, answered: bool) -> MadeCall:
    call = waiting_call()
    call.step("OVERFLOW", wait_ms=60_000, to=to)
    call.step("TRUNK", trunk="carrier_a", dial="13900001111")
    leg = call.leg("carrier_a")
    if answered:
        call.event("ANSWER", leg, wait_ms=2000)
        call.hangup(leg, wait_ms=10_000)
        call.step("TRUNK_END", trunk="carrier_a", status="ANSWER")
    call.end()
    return call


def test_the_duty_officer_is_a_person_of_ours() -> None:
    record = told(overflowed("duty", answered=True))
    assert (record.outcome, record.overflowed_to, record.trunk_out) == (Outcome.ANSWERED, "duty", "carrier_a")
    assert (record.wait_ms, record.talk_ms, record.seats) == (62_200, 10_000, ())


def test_another_centre_that_takes_an_overflowing_call_ends_the_wait() -> None:
    record = told(overflowed("centre_tax", answered=True))
    assert (record.outcome, record.overflowed_to) == (Outcome.TRANSFERRED, "centre_tax")
    assert (record.wait_ms, record.talk_ms, record.talk_began_utc_ms) == (62_200, 0, None)


@pytest.mark.parametrize("to", ["duty", "centre_tax"])
def test_a_caller_who_gives_up_while_the_call_overflows_has_abandoned(to: str) -> None:
    assert told(overflowed(to, answered=False)).outcome is Outcome.ABANDONED


def test_a_trunk_after_the_return_from_the_duty_officer_is_not_the_duty_officers() -> None:
    call = waiting_call()
    call.step("OVERFLOW", to="duty")
    call.enter_room()
    call.step("OVERFLOW", to="centre_tax")
    call.step("TRUNK", trunk="tax", dial="12366")
    call.event("ANSWER", call.leg("tax"))
    call.end()
    assert (told(call).outcome, told(call).talk_ms) == (Outcome.TRANSFERRED, 0)


def kept_place() -> MadeCall:
    call = waiting_call()
    call.step("PLACE", position=3, minutes=-1)
    call.step("KEY", where="waiting", key="1")
    call.step("CALLBACK", to="13812345678")
    call.end(by="dialplan/builtin")
    return call


def test_a_caller_who_hangs_up_to_be_called_back_has_not_abandoned() -> None:
    record = told(kept_place())
    assert (record.outcome, record.call_back_to) == (Outcome.CALL_BACK, "13812345678")
    assert record.hung_up_by is Side.SYSTEM
    assert record.wait_ms == 400


def test_a_caller_who_was_connected_all_the_same_was_answered() -> None:
    call = waiting_call()
    call.step("CALLBACK", to="13812345678")
    call.talk()
    call.end()
    assert told(call).outcome is Outcome.ANSWERED


def called_back(*, seat_answers: bool) -> MadeCall:
    """We call; the line is answered before the dialplan begins. The place in the line is an hour old."""
    call = MadeCall()
    call.event("CHAN_START")
    call.event("ANSWER", wait_ms=5000)
    call.step("ARRIVED", ref=call.ref, dialled="12345", caller="13812345678", trunk="carrier_a")
    call.step("CALLED_BACK", first=MadeCall(7).ref, attempt=2)
    call.step("SAID", prompt="call_back_hello", language="zh")
    if seat_answers:
        call.talk("8001", agent="1001")
    else:
        call.step("OFFER", seat="8001", agent="1001")
        call.hangup(call.leg("8001"), cause=19)
        call.step("BACK", seat="8001", why="NOANSWER")
        call.step("ROOM", skills="general", priority=5, t0_ms=BEGIN_US // 1000 - 3_600_000)
    call.end()
    return call


def test_a_call_back_is_a_call_of_its_own_that_names_the_first_one() -> None:
    record = told(called_back(seat_answers=True))
    assert (record.call_back_of, record.outcome, record.agents) == (MadeCall(7).ref, Outcome.ANSWERED, ("1001",))
    assert record.answered_utc_ms == record.arrived_utc_ms
    assert (record.number, record.wait_ms) == ("12345", None)


def test_the_wait_of_a_call_back_is_that_of_this_call() -> None:
    record = told(called_back(seat_answers=False))
    assert record.outcome is Outcome.ABANDONED
    assert record.waiting_since_utc_ms == record.arrived_utc_ms
    assert record.wait_ms is not None
    assert 0 <= record.wait_ms < 2000


def rated() -> MadeCall:
    call = waiting_call()
    leg = call.talk()
    call.step("RATED", mark=4)
    call.step("MESSAGE", file=f"{call.ref}-message.wav")
    call.end(by=leg)
    return call


def test_the_mark_and_the_message_after_the_talk_are_kept() -> None:
    record = told(rated())
    assert (record.rating, record.message_left, record.hung_up_by) == (4, True, Side.SEAT)
    assert record.talk_ms == 3000


_CALLS = (
    blind_to_seat(),
    blind_to_skill(),
    blind_to_centre(),
    consulted_police(),
    consulted_colleague(),
    overflowed("duty", answered=True),
    overflowed("centre_tax", answered=False),
    kept_place(),
    called_back(seat_answers=False),
    rated(),
)


@pytest.mark.parametrize("number", range(len(_CALLS)))
def test_rows_out_of_order_and_twice_give_the_same_record(number: int) -> None:
    rows = _CALLS[number].rows
    shuffled = [*rows, *rows[:5]]
    random.Random(number).shuffle(shuffled)  # noqa: S311 - it must be the same each time
    assert fold("node1", shuffled) == fold("node1", rows)
    assert tell(shuffled) == tell(rows)


@given(st.lists(st.sampled_from([row for call in _CALLS for row in call.rows]), max_size=60), st.booleans())
def test_any_heap_of_rows_gives_a_record_that_makes_sense(rows: list[Row], gone: bool) -> None:
    record = fold("node1", rows, gone=gone)
    tell(rows)
    if record is not None:
        assert record.talk_ms >= 0
        assert record.wait_ms is None or record.wait_ms >= 0
        assert record.waiting_since_utc_ms is None or record.waiting_since_utc_ms >= record.arrived_utc_ms
        assert of_plain(plain(record)) == record


# --- as Asterisk 22 wrote them -------------------------------------------------------------------


def test_a_real_call_that_is_passed_to_a_seat() -> None:
    record = fold("node1", real_call("blind_to_seat.csv"))
    assert record is not None
    assert (record.outcome, record.seats, record.transfers) == (Outcome.ANSWERED, ("8001", "8002"), ("8002",))
    assert (record.hung_up_by, record.trunk_out) == (Side.CALLER, None)
    assert record.talk_ms == 24 + 2743


def test_a_real_call_that_a_colleague_takes_after_being_asked() -> None:
    rows = real_call("attended_to_seat.csv")
    record = fold("node1", rows)
    assert record is not None
    assert (record.outcome, record.seats, record.transfers) == (Outcome.ANSWERED, ("8001", "8002"), ("8002",))
    assert (record.hung_up_by, record.trunk_out) == (Side.SEAT, None)
    assert record.talk_ms == 13_244
    said = [(entry.who, entry.kind) for entry in tell(rows)]
    assert said.index(("caller", "HELD")) < said.index(("seat 8001", "OFFER")) < said.index(("seat 8002", "ANSWERED"))
    assert said.index(("caller", "JOINED")) < said.index(("seat 8001", "TRANSFER"))


REAL_CALLS = sorted((Path(__file__).parent / "cel_transfers").glob("*.csv"))


@pytest.mark.parametrize("path", REAL_CALLS, ids=lambda path: path.stem)
def test_every_real_call_that_was_passed_on_has_ended_and_was_answered(path: Path) -> None:
    rows = real_call(path.name)
    record = fold("node1", rows)
    assert record is not None
    # Whoever chooses the emergency itself is an emergency, whatever was before.
    keyed = any(isinstance(row.step, EmergencyChosen) and row.step.by == "waiting" for row in rows)
    assert (record.outcome, record.running) == (Outcome.EMERGENCY if keyed else Outcome.ANSWERED, False)
    assert record.talk_ms > 0
    assert record.transfers == tuple(row.step.to for row in rows if isinstance(row.step, Transferred))
    assert set(record.seats) >= {row.step.seat for row in rows if isinstance(row.step, TalkEnded)}
