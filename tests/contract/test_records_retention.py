"""What is kept no longer is gone, everywhere and for good; what is held stays, and the chain tells all of it."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Coroutine
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from recordings.audit import Audit, By
from recordings.blocks import Blocks
from recordings.copy import SqliteArchive
from recordings.forward import Forwarder
from recordings.keys import KeyRing
from recordings.marks import MarkKind, Marks
from recordings.proof import Proof
from recordings.queries import MOST, Wanted, find
from recordings.removal import Due, Remover, survey, tell_days
from recordings.retention import DAY_MS, Part, Terms
from recordings.store import Store
from tests.support.audio_of_calls import recorded_call
from tests.support.journal_lines import answered_call
from tests.support.keeping import CITY, Surroundings, until
from tests.support.settings_maker import city

NOW_US = time.time_ns() // 1_000
BY = By("inspector", "supervisor")
SHORT = {"records": "300d", "audio": "30d"}
DAY_US = DAY_MS * 1000


def days_ago(days: int) -> int:
    return NOW_US - days * DAY_US


def remover(around: Surroundings, retention: dict[str, Any] | None = None, *, forwards: bool = False) -> Remover:
    terms = Terms.of(city(retention=retention or SHORT))
    return Remover(around.database, around.recordings, terms, journal=around.journal, forwards=forwards)


def refs(store: Store) -> set[str]:
    return {record.ref for record in find(store, Wanted(limit=MOST), CITY)}


def files(around: Surroundings) -> set[str]:
    return {path.name for path in around.recordings.rglob("*") if path.is_file()}


def proven(around: Surroundings, store: Store) -> Proof:
    proof = Proof()
    assert list(proof.faults(store, (around.recordings, KeyRing()))) == []
    return proof


async def test_audio_goes_first_and_the_record_tells_what_there_was(around: Surroundings, store: Store) -> None:
    recorded_call(around, 1, begin_us=days_ago(40))
    new = recorded_call(around, 2, begin_us=days_ago(20))
    await around.keeper(store).catch_up()
    before = find(store, Wanted(), CITY)[1]
    removed = await remover(around).remove()
    assert (removed.audio, removed.records) == (1, 0)
    assert files(around) == {f"{new.ref}.wav", f"{new.ref}-message.wav"}
    after = find(store, Wanted(), CITY)[1]
    assert (after.recording_file, after.message_file) == (None, None)
    assert (after.recording_sha256, after.recording_ms) == (before.recording_sha256, before.recording_ms)
    proven(around, store)
    assert (await remover(around).remove()).audio == 0


async def test_a_record_goes_with_all_that_is_told_of_its_call(around: Surroundings, store: Store) -> None:
    old = recorded_call(around, 1, begin_us=days_ago(301))
    new = recorded_call(around, 2, begin_us=days_ago(299))
    await around.keeper(store).catch_up()
    Marks(store).add(old.ref, MarkKind.CONFIDENTIAL, "a name was said", BY, 1)
    removed = await remover(around).remove()
    assert (removed.audio, removed.records) == (1, 1)
    assert refs(store) == {new.ref}
    for table in ("events", "marks", "seen"):
        assert store.rows(f"SELECT 1 FROM {table} WHERE ref = ?", old.ref) == []  # noqa: S608 - our own names
    proof = proven(around, store)
    assert (proof.records, proof.removed) == (1, 1)
    assert store.rows("SELECT why FROM links WHERE kind = 'removed'") == [{"why": "kept for 300 days"}]


async def test_a_call_that_is_held_stays_until_it_is_released(around: Surroundings, store: Store) -> None:
    call = recorded_call(around, 1, begin_us=days_ago(1000))
    await around.keeper(store).catch_up()
    marks = Marks(store)
    assert marks.add(call.ref, MarkKind.HELD, "lawsuit 12", BY, 5)
    assert not marks.add(call.ref, MarkKind.HELD, "again", BY, 6)
    assert (await remover(around).remove()).records == 0
    assert len(files(around)) == 2
    assert marks.end(call.ref, MarkKind.HELD, BY, 7)
    assert not marks.end(call.ref, MarkKind.HELD, BY, 8)
    assert [(mark.reason, mark.who, mark.ended_utc_ms) for mark in marks.of(call.ref)] == [("lawsuit 12", BY.who, 7)]
    assert [entry.did for entry in Audit(store).newest(9)] == ["release_record", "hold_record", "hold_record"]
    assert (await remover(around).remove()).records == 1
    assert files(around) == set()


async def test_a_confidential_mark_shortens_what_is_kept(around: Surroundings, store: Store) -> None:
    call = recorded_call(around, 1, begin_us=days_ago(20))
    await around.keeper(store).catch_up()
    rules = {**SHORT, "confidential": {"audio": "10d"}}
    assert (await remover(around, rules).remove()).audio == 0
    Marks(store).add(call.ref, MarkKind.CONFIDENTIAL, "as asked", BY, 1)
    assert (await remover(around, rules).remove()).audio == 1


async def test_what_is_removed_can_no_longer_be_found_in_the_file(around: Surroundings, store: Store) -> None:
    for serial in range(1, 40):
        recorded_call(around, serial, begin_us=days_ago(301) + serial * 1_000_000)
    await around.keeper(store).catch_up()
    await remover(around).remove()
    assert refs(store) == set()
    store.close()
    with closing(sqlite3.connect(around.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"13812345678" not in around.database.read_bytes()


async def test_whoever_has_a_copy_is_told_and_a_journal_that_is_read_again_brings_nothing_back(
    around: Surroundings,
) -> None:
    with Store(around.database, forwards=True) as store:
        call = recorded_call(around, 1, begin_us=days_ago(301))
        await around.keeper(store).catch_up()
        (told,) = store.rows("SELECT revision FROM outbox WHERE ref = ?", call.ref)
        await remover(around, forwards=True).remove()
        (again,) = store.rows("SELECT revision FROM outbox WHERE ref = ?", call.ref)
        assert again["revision"] > told["revision"]
        around.write(call.lines, name="journal.csv.again")
        await around.keeper(store).catch_up()
        assert refs(store) == set()
        proven(around, store)


async def test_numbers_go_from_what_is_kept_beside_the_calls(around: Surroundings, store: Store) -> None:
    caller, now_ms = "13812345678", NOW_US // 1000
    old_ms, new_ms = now_ms - 301 * DAY_MS, now_ms - 299 * DAY_MS
    for at_ms, state in ((old_ms, "reached"), (old_ms, "waiting"), (new_ms, "reached")):
        store.database["call_backs"].insert(  # type: ignore[union-attr]
            {"caller": f"{caller}{state[0]}", "number": "12345", "language": "zh", "skills": "[]", "priority": 5}
            | {"state": state, "since_utc_ms": at_ms, "last_utc_ms": at_ms}
        )
    blocks, audit = Blocks(store), Audit(store)
    blocks.add(caller, "calls without end", "8001", "2000-01-01", old_ms)
    audit.add("wang", "supervisor", "block", {"number": caller}, old_ms)
    audit.add("wang", "supervisor", "block", {"number": caller}, new_ms)
    around.write([f"a line that nobody understands {caller}"])
    await around.keeper(store).catch_up()
    store.database.execute("UPDATE unreadable SET found_utc_ms = ?", (old_ms,))
    await remover(around).remove()
    assert [row["state"] for row in store.rows("SELECT state FROM call_backs ORDER BY id")] == ["waiting", "reached"]
    assert store.rows("SELECT * FROM unreadable") == store.rows("SELECT * FROM blocks") == []
    assert [entry.what["number"] for entry in audit.newest(9)] == [caller, "138****5678"]


async def test_rotated_journals_go_when_they_are_read_and_old(around: Surroundings, store: Store) -> None:
    recorded_call(around, 1)
    await around.keeper(store).catch_up()
    around.journal.rename(around.journal.with_name("journal.csv.1"))
    around.write(answered_call(2).lines, name="journal.csv.2")
    around.write(["new"], name="journal.csv.3")
    around.write(["used"])
    for name in ("journal.csv", "journal.csv.1", "journal.csv.2"):
        os.utime(around.journal.with_name(name), (0, 0))
    await remover(around).remove()
    left = {path.name for path in around.journal.parent.iterdir()}
    assert left == {"journal.csv", "journal.csv.2", "journal.csv.3"}


async def test_many_calls_are_removed_in_small_pieces(
    around: Surroundings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recordings.removal._AT_ONCE", 2)
    monkeypatch.setattr("recordings.removal._LOOKED_AT", 3)
    monkeypatch.setattr("recordings.removal._BREATH_S", 0)
    calls = [recorded_call(around, serial, begin_us=days_ago(301)) for serial in range(1, 9)]
    young = recorded_call(around, 99, begin_us=days_ago(1))
    await around.keeper(store).catch_up()
    Marks(store).add(calls[3].ref, MarkKind.HELD, "lawsuit", BY, 1)
    removed = await remover(around).remove()
    assert removed.records == 7
    assert refs(store) == {calls[3].ref, young.ref}
    proven(around, store)


async def test_what_is_due_is_told_before_it_is_removed(around: Surroundings, store: Store) -> None:
    calls = {days: recorded_call(around, days, begin_us=days_ago(days)) for days in (310, 40, 20, 5)}
    await around.keeper(store).catch_up()
    Marks(store).add(calls[310].ref, MarkKind.HELD, "lawsuit", BY, 1)

    def soon(days: int) -> list[tuple[str, Part, bool]]:
        found = survey(store, Terms.of(city(retention=SHORT)), NOW_US // 1000 + days * DAY_MS)
        return [_told(due) for due in found]

    held, old = (calls[310].ref, Part.RECORD, True), (calls[40].ref, Part.AUDIO, False)
    assert soon(0) == [held, old]
    assert soon(12) == [held, old, (calls[20].ref, Part.AUDIO, False)]


def _told(due: Due) -> tuple[str, Part, bool]:
    return due.call.ref, due.part, due.call.held


async def test_a_machine_that_dies_after_the_files_are_gone_finishes_later(
    around: Surroundings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = recorded_call(around, 1, begin_us=days_ago(301))
    await around.keeper(store).catch_up()

    def dies(*_: object) -> None:
        raise OSError("power failure")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "remove", dies)
        with pytest.raises(OSError, match="power failure"):
            await remover(around).remove()
    assert refs(store) == {call.ref}
    assert (await remover(around).remove()).records == 1
    proven(around, store)


async def logged(work: Coroutine[Any, Any, None], event: str) -> dict[str, Any]:
    """The first such event that `work`, which never ends, logs."""
    with capture_logs() as logs:
        task = asyncio.create_task(work)
        await until(lambda: any(entry["event"] == event for entry in logs))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return dict(next(entry for entry in logs if entry["event"] == event))


async def test_the_end_of_a_day_is_told_with_the_chain_as_it_was_then(around: Surroundings, store: Store) -> None:
    for serial in (1, 2):
        recorded_call(around, serial)
    await around.keeper(store).catch_up()
    store.database.execute("UPDATE links SET at_utc_ms = at_utc_ms - ? WHERE id <= 2", (2 * DAY_MS,))
    yesterday = _yesterday()
    told = await logged(tell_days(around.database, CITY), "day_closed")
    (last,) = store.rows("SELECT link FROM links WHERE id = 2")
    assert (told["links"], told["head"]) == (2, last["link"].hex())
    assert told["day"] in (yesterday, _yesterday()), "it may be midnight"


def _yesterday() -> str:
    return (datetime.now(CITY).date() - timedelta(days=1)).isoformat()


async def test_the_hotline_removes_by_itself_and_says_so(around: Surroundings, store: Store) -> None:
    recorded_call(around, 1, begin_us=days_ago(301))
    recorded_call(around, 2, begin_us=days_ago(31))
    await around.keeper(store).catch_up()
    told = await logged(remover(around).run(), "retention_removed")
    assert (told["records"], told["audio"]) == (1, 1)


async def test_what_cannot_be_removed_is_told_and_stays_due(around: Surroundings, store: Store) -> None:
    call = recorded_call(around, 1, begin_us=days_ago(301))
    await around.keeper(store).catch_up()
    (file,) = around.recordings.rglob(f"{call.ref}.wav")
    file.unlink()
    file.mkdir()
    (file / "in the way").touch()
    assert (await logged(remover(around).run(), "retention_failed"))["log_level"] == "error"
    assert refs(store) == {call.ref}


async def test_what_is_removed_here_is_removed_from_the_copy(around: Surroundings, tmp_path: Path) -> None:
    archive = SqliteArchive(tmp_path / "copy.db")
    old = recorded_call(around, 1, begin_us=days_ago(301))
    new = recorded_call(around, 2, begin_us=days_ago(299))
    with Store(around.database, forwards=True) as store:
        await around.keeper(store).catch_up()
        forwarder = Forwarder(around.database, archive)
        await forwarder.send()
        assert {one.ref for one in await archive.find(Wanted(), CITY)} == {old.ref, new.ref}
        await remover(around, forwards=True).remove()
        await forwarder.send()
        assert {one.ref for one in await archive.find(Wanted(), CITY)} == {new.ref}
        assert forwarder.behind == 0
