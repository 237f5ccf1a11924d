"""Lines of the journal that were never written: what was seen stands in for them, and no call runs for ever."""

import pytest
from structlog.testing import capture_logs

from calls.record import CallRecord, Outcome, Side
from calls.sight import SeenTalk
from recordings import lost
from recordings.callbacks import CallBacks
from recordings.proof import Proof
from recordings.seen import Seen, reconcile
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call, sight_of
from tests.support.keeping import Surroundings

pytestmark = pytest.mark.asyncio

LATER_MS = BEGIN_US // 1000 + 3_600_000
BOOTED_MS = BEGIN_US // 1000 - 60_000


def gave_up(serial: int = 1) -> MadeCall:
    call = MadeCall(serial)
    call.arrive()
    call.step("SERVED", number="12345", mode="primary", by="dialled")
    call.enter_room()
    call.end()
    return call


def without(call: MadeCall, *kinds: str) -> list[str]:
    return [line for line in call.lines if line.split('"')[1] not in kinds]


def only(around: Surroundings, store: Store) -> CallRecord:
    (record,) = around.found(store)
    return record


async def test_a_call_that_asterisk_has_no_more_is_ended_until_a_line_tells_its_end(
    around: Surroundings, store: Store
) -> None:
    call, other = gave_up(1), gave_up(2)
    around.write(without(call, "HANGUP", "CHAN_END", "LINKEDID_END") + other.lines)
    keeper = around.keeper(store)
    (running,) = await keeper.running(BOOTED_MS)
    assert (running.ref, running.channel) == (call.ref, call.linkedid)
    with capture_logs() as logs:
        await keeper.end({call.ref: running.last_utc_ms + 40, other.ref: 1})
    assert [(one["event"], one["call"]) for one in logs] == [("call_end_missing", call.ref)]
    record = next(one for one in around.found(store) if one.ref == call.ref)
    assert (record.outcome, record.running, record.lines_missing) == (Outcome.ABANDONED, False, True)
    assert record.ended_utc_ms == running.last_utc_ms + 40
    assert await keeper.running(BOOTED_MS) == ()
    around.write(call.lines)
    await keeper.catch_up()
    told = {(one.lines_missing, one.hung_up_by, one.wait_ms) for one in around.found(store)}
    assert told == {(False, Side.CALLER, 100)}
    assert list(Proof().faults(store, None)) == []


async def test_the_end_of_a_call_of_an_earlier_asterisk_is_told_by_its_successor(
    around: Surroundings, store: Store
) -> None:
    around.write(without(gave_up(), "HANGUP", "CHAN_END", "LINKEDID_END"))
    keeper = around.keeper(store)
    assert await keeper.running(LATER_MS) == ()
    assert only(around, store).outcome is Outcome.INTERRUPTED


async def test_a_caller_whose_wait_was_not_written_is_missed_all_the_same(around: Surroundings, store: Store) -> None:
    call = gave_up()
    Seen(store).note("node1", [sight_of(call)])
    around.write(without(call, "ROOM", "SERVED"))
    await around.keeper(store).catch_up()
    record = only(around, store)
    assert (record.outcome, record.number, record.lines_missing) == (Outcome.ABANDONED, "12345", True)
    assert (record.seen_live, record.skills, record.priority) == (True, ("general",), 5)
    assert record.wait_ms == 100
    books = CallBacks(store)
    books.sync(LATER_MS)
    assert [(entry.caller, entry.reasons) for entry in books.open()] == [("13812345678", ("abandoned",))]
    revisions = store.rows("SELECT revision FROM records")
    assert reconcile(store, "node1", LATER_MS) == []
    assert store.rows("SELECT revision FROM records") == revisions
    around.write(call.lines)
    await around.keeper(store).catch_up()
    assert not only(around, store).lines_missing
    assert only(around, store).number == "12345"


async def test_a_talk_that_was_not_written_is_told_by_who_saw_it(around: Surroundings, store: Store) -> None:
    call = answered_call(agent="1001")
    record = await whole(around, call)
    began_ms = record.talk_began_utc_ms or 0
    around.write(line for line in call.lines if "8001" not in line)
    Seen(store).note("node1", [sight_of(call, SeenTalk("8001", "1001", began_ms))])
    Seen(store).note("node1", [sight_of(call, SeenTalk("8001", "1001", began_ms, began_ms + 3000))])
    await around.keeper(store).catch_up()
    found = only(around, store)
    assert (found.outcome, found.seats, found.agents) == (record.outcome, record.seats, record.agents)
    assert (found.talk_ms, found.wait_ms, found.lines_missing) == (record.talk_ms, record.wait_ms, True)


async def whole(around: Surroundings, call: MadeCall) -> CallRecord:
    """What is kept of the call where nothing is lost."""
    beside = Surroundings(around.journal.parent / "beside")
    beside.write(call.lines)
    (record,) = await beside.caught_up()
    return record


async def test_a_call_that_was_seen_and_left_no_arrival_has_a_record(around: Surroundings, store: Store) -> None:
    call = answered_call()
    record = await whole(around, call)
    Seen(store).note("node1", [sight_of(call)])
    Seen(store).note("node2", [sight_of(answered_call(2))])
    keeper = around.keeper(store)
    with capture_logs() as logs:
        await keeper.catch_up()
        await keeper.catch_up()
    assert [(one["event"], one["call"]) for one in logs] == [("call_without_record", call.ref)]
    (running,) = await keeper.running(BOOTED_MS)
    assert (running.ref, running.channel) == (call.ref, call.channel)
    # The disk has room again: what follows is written, and belongs to the call.
    around.write(without(call, "CHAN_START", "ARRIVED", "SERVED", "MENU", "KEY", "SAID", "ROOM"))
    await keeper.running(BOOTED_MS)
    found = only(around, store)
    assert (found.outcome, found.seats, found.talk_ms) == (Outcome.ANSWERED, record.seats, record.talk_ms)
    assert (found.dialled, found.caller, found.trunk_in) == ("12345", "13812345678", "carrier_a")
    assert (found.hung_up_by, found.lines_missing, found.running) == (record.hung_up_by, True, False)
    assert list(Proof().faults(store, None)) == []


async def test_a_call_of_which_nothing_was_written_ends_when_it_is_gone(around: Surroundings, store: Store) -> None:
    call = gave_up()
    Seen(store).note("node1", [sight_of(call)])
    keeper = around.keeper(store)
    await keeper.catch_up()
    (running,) = await keeper.running(BOOTED_MS)
    Seen(store).note(
        "node1", [sight_of(call, SeenTalk("8001", "", running.last_utc_ms + 50, running.last_utc_ms + 90))]
    )
    await keeper.end({call.ref: running.last_utc_ms})
    await keeper.catch_up()
    record = only(around, store)
    assert (record.outcome, record.seats, record.talk_ms) == (Outcome.ANSWERED, ("8001",), 40)
    assert (record.ended_utc_ms, record.lines_missing) == (running.last_utc_ms + 90, True)
    assert store.rows("SELECT * FROM seen") == []


async def test_what_is_made_up_for_lost_lines_is_sent_on_and_stands_in_the_chain(around: Surroundings) -> None:
    call = gave_up()
    with Store(around.database, forwards=True) as store:
        Seen(store).note("node1", [sight_of(call)])
        around.write(without(call, "ROOM", "HANGUP", "CHAN_END", "LINKEDID_END"))
        await around.keeper(store).catch_up()
        (before,) = store.rows("SELECT revision FROM outbox")
        assert lost.end(store, "node1", {call.ref: 1}) == [call.ref]
        assert lost.end(store, "node1", {call.ref: 1}) == []
        reconcile(store, "node1", LATER_MS)
        (after,) = store.rows("SELECT revision FROM outbox")
        assert after["revision"] == before["revision"] + 2
        assert only(around, store).outcome is Outcome.ABANDONED
        assert list(Proof().faults(store, None)) == []
