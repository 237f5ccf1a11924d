"""What a call's rows make of its record."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.cel import Row
from calls.fold import fold
from calls.record import CallRecord, Key, Outcome, Side, of_plain, plain
from calls.timeline import tell
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call


def told(call: MadeCall, *, gone: bool = False) -> CallRecord:
    record = fold("node1", call.rows, gone=gone)
    assert record is not None
    return record


def test_an_answered_call_is_told_in_full() -> None:
    call = answered_call()
    record = told(call)
    begin_ms = BEGIN_US // 1000
    assert record == CallRecord(
        ref=record.ref,
        node="node1",
        dialled="12345",
        number="12345",
        caller="13812345678",
        trunk_in="carrier_a",
        trunk_out=None,
        outcome=Outcome.ANSWERED,
        running=False,
        arrived_utc_ms=begin_ms + 200,
        answered_utc_ms=begin_ms + 300,
        waiting_since_utc_ms=begin_ms + 800,
        seat_rang_utc_ms=begin_ms + 1000,
        talk_began_utc_ms=begin_ms + 1100,
        ended_utc_ms=begin_ms + 4200,
        wait_ms=300,
        talk_ms=3000,
        menus=("main",),
        keys=(Key("main", "2"),),
        language="zh",
        skills=("general",),
        priority=5,
        seats=("8001",),
        agents=(),
        transfers=(),
        overflowed_to=None,
        call_back_of=None,
        call_back_to=None,
        emergency_number=None,
        hung_up_by=Side.SEAT,
        q850_cause=16,
        survived=False,
        recorded=False,
        rating=None,
        message_left=False,
    )
    assert record.ref == call.ref


def _abandoned(call: MadeCall) -> None:
    call.enter_room()


def _left(call: MadeCall) -> None:
    call.step("MENU", menu="main", attempt=1)


def _left_while_another_centre_rang(call: MadeCall) -> None:
    call.step("TRUNK", trunk="tax", dial="12366")
    call.leg("tax")


def _dialled_emergency(call: MadeCall) -> None:
    call.step("EMERGENCY", number="120", by="dialled")


def _emergency_at_an_operator(call: MadeCall) -> None:
    call.step("EMERGENCY", number="120", by="menu")
    call.enter_room("operator")
    call.talk()


def _transferred(call: MadeCall) -> None:
    call.step("TRUNK", trunk="tax", dial="12366")
    call.step("TRUNK_END", trunk="tax", status="ANSWER")


def _transferred_and_hung_up_by_the_caller(call: MadeCall) -> None:
    call.step("TRUNK", trunk="tax", dial="12366")
    call.event("ANSWER", call.leg("tax"))


def _sub_centre_away(call: MadeCall) -> None:
    call.step("TRUNK", trunk="tax", dial="12366")
    call.step("TRUNK_END", trunk="tax", status="CHANUNAVAIL")
    call.enter_room()
    call.talk()


def _refused(why: str) -> Callable[[MadeCall], None]:
    return lambda call: call.step("REFUSED", why=why)


def _closed(call: MadeCall) -> None:
    call.step("CLOSED", number="12333", hours="office")


def _closed_but_answered(call: MadeCall) -> None:
    call.step("CLOSED", number="12333", hours="office")
    call.enter_room()
    call.talk()


def _hung_up_in_the_notice(call: MadeCall) -> None:
    call.step("SERVED", number="12301", mode="whole", by="dialled")
    call.step("SAID", prompt="tourism_cancelled", language="zh")


@pytest.mark.parametrize(
    ("happens", "outcome"),
    [
        (_abandoned, Outcome.ABANDONED),
        (_left, Outcome.LEFT),
        (_left_while_another_centre_rang, Outcome.LEFT),
        (_dialled_emergency, Outcome.EMERGENCY),
        (_emergency_at_an_operator, Outcome.EMERGENCY),
        (_transferred, Outcome.TRANSFERRED),
        (_transferred_and_hung_up_by_the_caller, Outcome.TRANSFERRED),
        (_sub_centre_away, Outcome.ANSWERED),
        (_refused("blocked"), Outcome.REFUSED_BLOCKED),
        (_refused("full"), Outcome.REFUSED_FULL),
        (_refused("unknown"), Outcome.REFUSED_UNKNOWN),
        (_refused("cancelled"), Outcome.NOTICE),
        (_hung_up_in_the_notice, Outcome.NOTICE),
        (_closed, Outcome.CLOSED),
        (_closed_but_answered, Outcome.ANSWERED),
    ],
)
def test_each_way_through_the_hotline_has_its_outcome(happens: Callable[[MadeCall], None], outcome: Outcome) -> None:
    call = MadeCall()
    call.arrive()
    happens(call)
    assert told(call).outcome is Outcome.INTERRUPTED
    assert told(call).running
    call.end()
    assert told(call).outcome is outcome
    assert not told(call).running


def test_a_call_whose_asterisk_is_gone_ends_with_its_last_sign_of_life() -> None:
    call = answered_call()
    del call.lines[-3:]  # The caller's end is never written.
    record = told(call, gone=True)
    assert (record.outcome, record.running) == (Outcome.INTERRUPTED, False)
    assert record.ended_utc_ms == call.rows[-1].at_us // 1000
    assert record.talk_ms == 3000


def test_rows_without_an_arrival_are_no_call() -> None:
    assert fold("node1", []) is None
    assert fold("node1", answered_call().rows[:1]) is None


def test_a_seat_that_did_not_answer_is_no_talk_and_the_wait_goes_on() -> None:
    call = MadeCall()
    call.arrive()
    call.enter_room()
    began_us = call.now_us
    call.step("OFFER", seat="8002")
    missed = call.leg("8002")
    call.step("BACK", seat="8002", why="NOANSWER", wait_ms=15_000)
    call.step("OFFER", seat="8001", wait_ms=0)
    call.hangup(missed, cause=0, by="", wait_ms=0)
    answered = call.leg("8001")
    call.event("ANSWER", answered)
    call.end()
    record = told(call)
    assert record.seats == ("8001",)
    assert record.seat_rang_utc_ms == began_us // 1000 + 200
    assert record.wait_ms == 15_400
    assert record.talk_ms == 100
    assert record.hung_up_by is Side.CALLER


def test_a_lost_seat_is_not_who_hung_up_when_the_caller_waited_on() -> None:
    call = MadeCall()
    call.arrive()
    call.enter_room()
    leg = call.talk("8001")
    call.enter_room()
    call.end(by=leg)  # Asterisk keeps the first source that it learned.
    record = told(call)
    assert record.hung_up_by is Side.CALLER
    assert record.wait_ms == 300
    assert record.seats == ("8001",)


def test_the_hotline_itself_hangs_up_after_a_refusal() -> None:
    call = MadeCall()
    call.arrive()
    call.step("REFUSED", why="blocked")
    call.end(by="dialplan/builtin", cause=21)
    record = told(call)
    assert (record.hung_up_by, record.q850_cause) == (Side.SYSTEM, 21)


def test_with_no_controller_a_seat_is_known_by_its_telephone() -> None:
    call = MadeCall()
    call.arrive()
    call.enter_room("english+general")
    call.step("SURVIVAL", queue="survival_english_general")
    leg = call.leg("8003")
    call.event("ANSWER", leg)
    call.end(by=leg)
    record = told(call)
    assert record.survived
    assert record.seats == ("8003",)
    assert record.skills == ("english", "general")
    assert record.hung_up_by is Side.SEAT


def test_a_survival_queues_seat_tells_who_was_signed_on_there_and_is_named_once() -> None:
    call = MadeCall()
    call.arrive()
    call.enter_room()
    call.step("SURVIVAL", queue="survival_general")
    leg = call.leg("8003")
    call.event("ANSWER", leg)
    call.step("TOOK", on=leg, seat="8003", agent="1003")
    call.hangup(leg, wait_ms=3000)
    call.step("TALKED", seat="8003", q850_cause=16)
    call.end()
    record = told(call)
    assert (record.seats, record.agents, record.talk_ms) == (("8003",), ("1003",), 3100)
    assert ("seat 8003", "TOOK") in [(entry.who, entry.kind) for entry in tell(call.rows)]


def test_a_survival_queues_seat_behind_a_proxy_is_known_by_its_own_word() -> None:
    call = MadeCall()
    call.arrive()
    call.enter_room()
    call.step("SURVIVAL", queue="survival_general")
    leg = call.leg("carrier_a")  # The proxy's endpoint, by which the call came, too.
    call.event("ANSWER", leg)
    call.step("TOOK", on=leg, seat="8003", agent="")
    call.hangup(leg, wait_ms=3000)
    call.end()
    record = told(call)
    assert (record.outcome, record.seats, record.agents) == (Outcome.ANSWERED, ("8003",), ())
    assert record.talk_ms == 3000


def test_an_emergency_names_the_trunk_that_carried_it() -> None:
    call = MadeCall()
    call.arrive()
    call.enter_room()
    call.step("KEY", where="waiting", key="*3")
    call.step("EMERGENCY", number="120", by="waiting")
    call.step("TRUNK", trunk="ambulance_a", dial="120")
    call.leg("ambulance_a")
    call.step("TRUNK_END", trunk="ambulance_a", status="CHANUNAVAIL")
    call.step("TRUNK", trunk="ambulance_b", dial="120")
    leg = call.leg("ambulance_b")
    call.event("ANSWER", leg)
    call.end(by=leg)
    record = told(call)
    assert (record.emergency_number, record.trunk_out) == ("120", "ambulance_b")
    assert record.hung_up_by is Side.TRUNK
    assert record.seats == ()
    assert record.wait_ms == 200  # Until the key that ended the waiting.
    assert record.keys == (Key("waiting", "*3"),)


def test_two_seats_in_one_conversation_count_once() -> None:
    call = MadeCall()
    call.arrive()
    call.step("OFFER", seat="8001")
    first, second = call.leg("8001"), call.leg("8002")
    call.event("ANSWER", first)
    call.event("ANSWER", second, wait_ms=1000)
    call.hangup(first, wait_ms=1000)
    call.end(by=second)
    record = told(call)
    assert record.talk_ms == 2100
    assert record.seats == ("8001", "8002")


def test_an_agent_who_is_reached_through_a_local_channel_counts_once() -> None:
    call = MadeCall()
    call.arrive()
    call.step("OFFER", seat="8001")
    call.event("ANSWER", call.leg("8001"))
    for half in ("1", "2"):
        channel = f"Local/8001@agents-00000000;{half}"
        call._uniqueids[channel] = f"local.{half}"
        call.event("CHAN_START", channel)
        call.event("ANSWER", channel)
    call.end()
    assert told(call).seats == ("8001",)


def test_a_record_is_the_same_after_json() -> None:
    record = told(answered_call())
    assert of_plain(json.loads(json.dumps(plain(record)))) == record


def test_the_timeline_tells_who_did_what_in_order() -> None:
    entries = tell(answered_call().rows)
    assert [(entry.who, entry.kind) for entry in entries] == [
        ("caller", "ARRIVED"),
        ("caller", "ANSWERED"),
        ("caller", "SERVED"),
        ("caller", "SAID"),
        ("caller", "MENU"),
        ("caller", "KEY"),
        ("caller", "ROOM"),
        ("caller", "OFFER"),
        ("seat 8001", "RINGS"),
        ("seat 8001", "ANSWERED"),
        ("seat 8001", "ENDED"),
        ("caller", "TALKED"),
        ("caller", "ENDED"),
    ]
    assert entries[5].details == {"where": "main", "key": "2"}


def _mixed() -> list[Row]:
    """Rows of every kind of call at once: nothing that a real file could not hold."""
    found = []
    for happens in (_emergency_at_an_operator, _sub_centre_away, _closed, _transferred_and_hung_up_by_the_caller):
        call = MadeCall()
        call.arrive()
        happens(call)
        call.end()
        found += call.rows
    return found + answered_call().rows


@given(st.permutations(answered_call().rows), st.integers(0, 5))
def test_rows_out_of_order_and_twice_give_the_same_record(shuffled: list[Row], again: int) -> None:
    rows = [*shuffled, *shuffled[:again]]
    assert fold("node1", rows) == fold("node1", answered_call().rows)
    assert tell(rows) == tell(answered_call().rows)


@given(st.lists(st.sampled_from(_mixed()), max_size=40), st.booleans())
def test_any_heap_of_rows_gives_a_record_that_makes_sense(rows: list[Row], gone: bool) -> None:
    record = fold("node1", rows, gone=gone)
    tell(rows)
    assert (record is None) == all(row.kind != "ARRIVED" for row in rows)
    if record is not None:
        assert record.talk_ms >= 0
        assert record.wait_ms is None or record.wait_ms >= 0
        assert not (record.running and gone)
        assert of_plain(plain(record)) == record
