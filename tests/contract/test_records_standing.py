"""How what is kept stands is seen without changing anything."""

import sqlite3
from pathlib import Path

import pytest

from recordings.audit import Audit
from recordings.proof import newest_faults
from recordings.restarts import Part, Restarts
from recordings.retention import DAY_MS, Terms
from recordings.schema import MIGRATIONS, StoreTooNew
from recordings.standing import (
    ReadOnlyStore,
    StoreTooOld,
    journal_unkept,
    next_to_send,
    recorded_bytes,
    standing,
)
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call, ref_of
from tests.support.keeping import Surroundings
from tests.support.settings_maker import city

TERMS = Terms.of(city())
SOON_MS = BEGIN_US // 1000 + 3_600_000
"""An hour after the calls."""
CALLS = 4


@pytest.fixture
async def kept(around: Surroundings, store: Store) -> Store:
    for serial in range(1, CALLS + 1):
        around.write(answered_call(serial, begin_us=BEGIN_US + serial * 1_000_000).lines)
    await around.keeper(store).catch_up()
    return store


def sql(store: Store, statement: str) -> None:
    with store.writing() as connection:
        connection.execute(statement)


async def test_a_store_that_is_well_says_so(around: Surroundings, kept: Store) -> None:
    found = standing(around.database, TERMS, SOON_MS)
    assert (found.faults, found.long_running, found.outbox, found.refused) == ((), 0, 0, 0)
    assert (found.backed_up_utc_ms, found.overdue_utc_ms, found.restarts) == (None, None, ())


async def test_a_store_that_nobody_has_open_is_left_as_it_is(around: Surroundings, kept: Store) -> None:
    kept.close()
    before = {path.name: path.stat() for path in around.database.parent.glob("records.db*")}
    standing(around.database, TERMS, SOON_MS)
    assert {path.name: path.stat() for path in around.database.parent.glob("records.db*")}.keys() == before.keys()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        ReadOnlyStore(around.database).database.execute("DELETE FROM records")


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE records SET talk_ms = 1 WHERE ref = '{}'", "record_changed"),
        ("DELETE FROM records WHERE ref = '{}'", "record_missing"),
        ("UPDATE links SET digest = x'00' WHERE ref = '{}'", "link_broken"),
        ("DELETE FROM links WHERE ref = '{}'", "links_missing"),
    ],
)
async def test_a_change_among_the_newest_shows(around: Surroundings, kept: Store, statement: str, kind: str) -> None:
    sql(kept, statement.format(ref_of(2)))
    with ReadOnlyStore(around.database) as store:
        assert kind in {fault.kind for fault in newest_faults(store, 1_000)}


async def test_only_so_many_are_looked_at(around: Surroundings, kept: Store) -> None:
    sql(kept, f"UPDATE records SET talk_ms = 1 WHERE ref = '{ref_of(1)}'")  # noqa: S608 - the test's own
    with ReadOnlyStore(around.database) as store:
        assert list(newest_faults(store, 2)) == []
        assert [fault.ref for fault in newest_faults(store, 1_000)] == [ref_of(1)]


async def test_a_record_that_runs_for_more_than_a_day_is_counted(around: Surroundings, store: Store) -> None:
    call = MadeCall()
    call.arrive()
    around.write(call.lines)
    await around.keeper(store).catch_up()
    assert standing(around.database, TERMS, SOON_MS).long_running == 0
    assert standing(around.database, TERMS, SOON_MS + DAY_MS).long_running == 1


async def test_what_is_due_back_ups_and_restarts_are_seen(around: Surroundings, kept: Store) -> None:
    Audit(kept).add("op", "command", "backed_up", {}, SOON_MS)
    restarts = Restarts(kept)
    restarts.ended(Part.CONTROLLER, "wanted", "op", SOON_MS)
    restarts.ended(Part.ASTERISK, "it died", None, SOON_MS)
    found = standing(around.database, TERMS, SOON_MS)
    assert found.backed_up_utc_ms == SOON_MS
    assert [one.why for one in found.restarts] == ["it died"]
    late = standing(around.database, TERMS, SOON_MS + (TERMS.ordinary.records + 1) * DAY_MS)
    assert late.overdue_utc_ms is not None
    assert late.restarts == ()


async def test_what_waits_to_be_sent_is_counted(around: Surroundings) -> None:
    with Store(around.database, forwards=True) as store:
        around.write(answered_call().lines)
        await around.keeper(store).catch_up()
        found = standing(around.database, TERMS, SOON_MS)
        assert (found.outbox, found.outbox_first) == (1, next_to_send(around.database))
        sql(store, "UPDATE outbox SET refused = 'too long'")
        found = standing(around.database, TERMS, SOON_MS)
        assert (found.outbox, found.refused, found.outbox_first) == (0, 1, None)


async def test_lines_that_are_not_kept_yet_are_counted_without_the_one_that_is_cut_off(
    around: Surroundings, kept: Store
) -> None:
    assert journal_unkept(around.database, around.journal) == 0
    with around.journal.open("ab") as file:
        file.write(b"a line\nanother\nand one that")
    assert journal_unkept(around.database, around.journal) == len(b"a line\nanother\n")


async def test_recordings_grow_by_what_comes_less_what_goes(around: Surroundings, kept: Store) -> None:
    sql(kept, "UPDATE records SET recording_ms = 1000, recording_file = 'a.wav'")
    assert recorded_bytes(around.database, SOON_MS, 180) == CALLS * 16_000
    assert recorded_bytes(around.database, SOON_MS + 179 * DAY_MS, 180) == -CALLS * 16_000


@pytest.mark.parametrize(("version", "error"), [(len(MIGRATIONS) + 1, StoreTooNew), (1, StoreTooOld)])
def test_a_store_of_another_version_is_left_alone(tmp_path: Path, version: int, error: type[Exception]) -> None:
    path = tmp_path / "records.db"
    with sqlite3.connect(path) as made:
        made.execute(f"PRAGMA user_version = {version}")
    made.close()
    with pytest.raises(error):
        ReadOnlyStore(path)
    with sqlite3.connect(path) as read:
        assert read.execute("PRAGMA user_version").fetchone() == (version,)
    read.close()
