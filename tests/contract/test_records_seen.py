"""What the controller saw and what Asterisk wrote are held against each other; the clock may be set meanwhile."""

import pytest

from calls.record import CallRecord, Outcome
from recordings.restarts import Part, Restarts
from recordings.seen import SETTLED_MS, Seen, reconcile
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call, line, sight_of
from tests.support.keeping import Surroundings

pytestmark = pytest.mark.asyncio

LATER_MS = BEGIN_US // 1000 + 3_600_000


def by_ref(around: Surroundings, store: Store) -> dict[str, CallRecord]:
    return {str(record.ref): record for record in around.found(store)}


async def test_a_call_that_waited_says_whether_a_controller_knew_of_it(around: Surroundings, store: Store) -> None:
    seen, unseen, left = answered_call(1), answered_call(2), MadeCall(3)
    left.arrive()
    left.end()
    Seen(store).note("node1", [sight_of(seen)])
    around.write(seen.lines + unseen.lines + left.lines)
    await around.keeper(store).catch_up()
    assert reconcile(store, "node1", LATER_MS) == []
    records = by_ref(around, store)
    known = {ref: record.seen_live for ref, record in records.items()}
    assert known == {seen.ref: True, unseen.ref: False, left.ref: None}
    assert store.rows("SELECT * FROM seen") == []
    revisions = store.rows("SELECT revision FROM records ORDER BY ref")
    Seen(store).note("node1", [sight_of(unseen)])  # Too late.
    around.write(answered_call(4).lines)
    reconcile(store, "node1", LATER_MS)
    assert store.rows("SELECT revision FROM records ORDER BY ref") == revisions
    await around.keeper(store).catch_up()
    assert store.rows("SELECT * FROM seen") == []


async def test_a_call_that_has_just_ended_or_still_runs_is_not_settled_yet(around: Surroundings, store: Store) -> None:
    runs, ended = MadeCall(1), answered_call(2)
    runs.arrive()
    runs.enter_room()
    around.write(runs.lines + ended.lines)
    await around.keeper(store).catch_up()
    store.database.execute("UPDATE records SET reconciled = 0")
    assert reconcile(store, "node1", ended.now_us // 1000 + SETTLED_MS - 1) == []
    assert {record.seen_live for record in by_ref(around, store).values()} <= {None, False}
    assert by_ref(around, store)[runs.ref].seen_live is None


async def test_a_clock_that_is_set_back_in_a_call_leaves_one_record_that_says_so(
    around: Surroundings, store: Store
) -> None:
    call, other = answered_call(1), answered_call(2)
    keeper = around.keeper(store)
    around.write(call.lines[:8] + other.lines)
    await keeper.catch_up()
    for text in call.lines[8:]:
        kind, at, *rest = text.split('","')
        around.write(['","'.join((kind, f"{float(at) - 7200:.6f}", *rest))])
        await keeper.catch_up()
    records = by_ref(around, store)
    assert len(records) == 2
    stepped = records[call.ref]
    assert (stepped.outcome, stepped.running, stepped.clock_stepped) == (Outcome.ANSWERED, False, True)
    assert stepped.ended_utc_ms is not None
    assert stepped.ended_utc_ms >= stepped.arrived_utc_ms
    assert 0 <= stepped.talk_ms <= records[other.ref].talk_ms
    assert not records[other.ref].clock_stepped
    assert await around.caught_up() == around.found(store)


async def test_a_journal_that_lost_its_end_and_was_written_on_gives_each_call_once(
    around: Surroundings, store: Store
) -> None:
    first, cut, later = answered_call(1), MadeCall(2), answered_call(3, begin_us=BEGIN_US + 60_000_000)
    cut.arrive()
    cut.enter_room()
    around.write(first.lines + cut.lines)
    await around.keeper(store).catch_up()
    kept = around.journal.read_bytes()
    # The machine stops: a part of what was read is gone, the line there is cut off, and Asterisk writes on.
    around.journal.write_bytes(kept[: len(kept) // 2])
    around.write(later.lines)
    keeper = around.keeper(store)
    await keeper.reborn((BEGIN_US + 50_000_000) // 1000)
    outcomes = {ref: record.outcome for ref, record in by_ref(around, store).items()}
    assert outcomes == {first.ref: Outcome.ANSWERED, cut.ref: Outcome.INTERRUPTED, later.ref: Outcome.ANSWERED}


async def test_the_place_that_is_kept_holds_what_stands_before_it(around: Surroundings, store: Store) -> None:
    text = line("CHAN_START", BEGIN_US, "PJSIP/carrier_a-00000001", "node1-1.1", "node1-1.1")
    around.write([text, text])
    await around.keeper(store).catch_up()
    (place,) = store.places("node1")
    assert place.last == (text + "\n" + text + "\n").encode()[-200:]
    assert place.offset == around.journal.stat().st_size


async def test_restarts_are_kept_with_the_calls_in_progress_and_when_all_was_well_again(
    around: Surroundings, store: Store
) -> None:
    call = MadeCall(1)
    call.arrive()
    around.write(call.lines)
    await around.keeper(store).catch_up()
    restarts = Restarts(store)
    first = restarts.ended(Part.ASTERISK, "new settings", "root", 1_000)
    restarts.up(3_500)
    second = restarts.ended(Part.CONTROLLER, "it died, exit code -9", None, 5_000)
    restarts.up(4_000)  # The clock was set back meanwhile.
    restarts.ended(Part.CONTROLLER, "it died, exit code -9", None, 9_000)
    kept = restarts.get(first)
    assert kept is not None
    assert (kept.part, kept.who, kept.calls, kept.took_ms) == (Part.ASTERISK, "root", 1, 2_500)
    assert [one.took_ms for one in restarts.newest(2)] == [None, 0]
    assert restarts.newest(2)[1].id == second
    assert restarts.get(99) is None
