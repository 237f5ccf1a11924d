"""What the store and its keeper promise, on real files."""

import asyncio
import os
import sqlite3
import time
import wave
from hashlib import sha256
from pathlib import Path

import pytest
from sqlite_utils import Database
from structlog.testing import capture_logs

from calls.record import Outcome
from recordings.schema import MIGRATIONS, StoreTooNew
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call
from tests.support.keeping import Surroundings, until

pytestmark = pytest.mark.asyncio


async def test_a_record_grows_while_its_call_runs(around: Surroundings, store: Store) -> None:
    keeper, lines = around.keeper(store), answered_call().lines
    seen = []
    for line in lines:
        around.write([line])
        await keeper.catch_up()
        seen += [(record.outcome, record.running) for record in around.found(store)]
    assert seen == [(Outcome.INTERRUPTED, True)] * (len(seen) - 3) + [(Outcome.ANSWERED, False)] * 3
    assert around.found(store) == await around.caught_up()


async def test_calls_that_run_at_the_same_time_are_kept_apart(around: Surroundings) -> None:
    calls = [answered_call(serial, begin_us=BEGIN_US + serial * 1000) for serial in range(5)]
    for lines in zip(*(call.lines for call in calls), strict=True):
        around.write(lines)
    records = await around.caught_up()
    assert [record.ref for record in records] == [call.ref for call in calls]
    assert {(record.outcome, record.talk_ms, record.seats) for record in records} == {
        (Outcome.ANSWERED, 3000, ("8001",))
    }


async def test_the_same_lines_again_change_nothing(around: Surroundings) -> None:
    around.write(answered_call().lines)
    first = await around.caught_up()
    around.write(answered_call().lines, name="journal.csv.copy")
    assert await around.caught_up() == first


async def test_a_call_keeps_its_record_when_its_linkedid_changes(around: Surroundings) -> None:
    call = MadeCall()
    call.arrive()
    call.enter_room()
    call.step("OFFER", seat="8001")
    leg = call.leg("8001")
    call.event("ANSWER", leg)
    call.linkedid = "node1-1795295000.0"  # An attended transfer joined it with an older channel.
    other = call.leg("8002")
    call.event("BRIDGE_ENTER")
    call.event("ANSWER", other)
    call.hangup(leg)
    call.end(by=other)
    around.write(call.lines)
    (record,) = await around.caught_up()
    assert record.outcome is Outcome.ANSWERED
    assert record.seats == ("8001", "8002")


async def test_two_callers_who_are_joined_keep_a_record_each(around: Surroundings) -> None:
    first, second = MadeCall(1), MadeCall(2)
    for call in (first, second):
        call.arrive()
        call.enter_room()
    second.linkedid = first.linkedid
    second.step("KEY", where="waiting", key="*3")
    second.end()
    first.end()
    around.write(first.lines[:3] + second.lines + first.lines[3:])
    records = await around.caught_up()
    assert {(record.ref, len(record.keys), record.outcome) for record in records} == {
        (first.ref, 0, Outcome.ABANDONED),
        (second.ref, 1, Outcome.ABANDONED),
    }


async def test_a_second_arrival_of_the_same_call_makes_no_second_record(around: Surroundings) -> None:
    call = MadeCall()
    call.arrive()
    call.talk()
    call.step("ARRIVED", ref=MadeCall(9).ref, dialled="12333", caller="", trunk="carrier_a")
    call.end()
    around.write(call.lines)
    (record,) = await around.caught_up()
    assert (record.ref, record.dialled, record.outcome) == (call.ref, "12345", Outcome.ANSWERED)


async def test_channels_that_belong_to_no_call_make_no_record_and_go_away(around: Surroundings, store: Store) -> None:
    seat = MadeCall()
    seat.event("CHAN_START")
    seat.end()
    later = answered_call(2, begin_us=BEGIN_US + 2 * 3_600_000_000)
    around.write(seat.lines)
    await around.keeper(store).catch_up()
    assert around.found(store) == []
    assert store.rows("SELECT count(*) AS n FROM events") != [{"n": 0}]
    around.write(later.lines)
    await around.keeper(store).catch_up()
    assert [record.ref for record in around.found(store)] == [later.ref]
    assert store.rows("SELECT count(*) AS n FROM events WHERE ref IS NULL") == [{"n": 0}]


async def test_a_restarted_asterisk_ends_its_old_calls_and_no_new_one(around: Surroundings, store: Store) -> None:
    old, ended = MadeCall(1), answered_call(2)
    old.arrive()
    old.talk()
    new = MadeCall(3, begin_us=BEGIN_US + 60_000_000)
    new.arrive()
    around.write(old.lines + ended.lines + new.lines)
    keeper = around.keeper(store)
    with capture_logs() as logs:
        await keeper.reborn((BEGIN_US + 60_000_000) // 1000)
        await keeper.reborn((BEGIN_US + 60_000_000) // 1000)
    assert [entry["call"] for entry in logs] == [old.ref]
    by_ref = {str(record.ref): record for record in around.found(store)}
    assert (by_ref[old.ref].outcome, by_ref[old.ref].running) == (Outcome.INTERRUPTED, False)
    assert by_ref[old.ref].ended_utc_ms == old.now_us // 1000
    assert by_ref[ended.ref].outcome is Outcome.ANSWERED
    assert by_ref[new.ref].running
    new.end()
    around.write(new.lines[-3:])
    await keeper.catch_up()
    assert {str(record.ref): record.outcome for record in around.found(store)}[new.ref] is Outcome.LEFT


async def test_bad_lines_stand_in_a_table_of_their_own_and_in_the_log_without_their_text(
    around: Surroundings, store: Store
) -> None:
    call = answered_call()
    around.write([call.lines[0], "138 nonsense 12345678", *call.lines[1:]])
    with capture_logs() as logs:
        await around.keeper(store).catch_up()
    assert [record.outcome for record in around.found(store)] == [Outcome.ANSWERED]
    (row,) = store.rows("SELECT file, line, why FROM unreadable")
    assert row == {"file": "journal.csv", "line": "138 nonsense 12345678", "why": "it does not hold 9 quoted columns"}
    assert [entry["event"] for entry in logs] == ["journal_line_unreadable"]
    assert "12345678" not in str(logs)


async def test_a_batch_that_fails_half_way_is_kept_not_at_all_and_then_wholly(
    around: Surroundings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    around.write(answered_call().lines)
    keeper = around.keeper(store)

    def full_disk(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "_put_aside", full_disk)
        with pytest.raises(sqlite3.OperationalError):
            await keeper.catch_up()
    for table in ("events", "records", "places"):
        assert store.rows(f"SELECT count(*) AS n FROM {table}") == [{"n": 0}]  # noqa: S608 - our own names
    await keeper.catch_up()
    assert [record.outcome for record in around.found(store)] == [Outcome.ANSWERED]


async def test_a_record_never_tells_more_than_the_events_that_are_kept(
    around: Surroundings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, keeper = MadeCall(), around.keeper(store)
    call.arrive()
    around.write(call.lines)
    await keeper.catch_up()
    call.enter_room()
    around.write(call.lines[2:])
    with monkeypatch.context() as patched:
        patched.setattr(store, "_put_aside", None)
        with pytest.raises(TypeError):
            await keeper.catch_up()
    store.interrupt("node1", 2**60)
    assert around.found(store)[0].waiting_since_utc_ms is None


async def test_a_missing_folder_is_made_again(around: Surroundings, store: Store) -> None:
    around.journal.parent.rmdir()
    await around.keeper(store).catch_up()
    assert around.journal.parent.is_dir()


async def test_a_keeper_that_runs_waits_for_its_folder_and_goes_on(around: Surroundings, store: Store) -> None:
    around.journal.parent.rmdir()
    around.journal.parent.touch()
    keeper = around.keeper(store)
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(keeper.run())
            await until(lambda: keeper.trouble)
            around.journal.parent.unlink()
            around.journal.parent.mkdir()
            around.write(answered_call().lines)
            await until(lambda: len(logs) > 1)
            task.cancel()
    assert keeper.trouble == ""
    assert len(around.found(store)) == 1
    assert [entry["event"] for entry in logs] == ["calls_not_kept", "calls_kept_again"]


async def test_calls_of_an_earlier_boot_are_ended_by_a_keeper_that_runs(around: Surroundings, store: Store) -> None:
    around.write(answered_call().lines[:-3])
    boots = iter([None, 2**60])
    task = asyncio.create_task(around.keeper(store).run(lambda: next(boots, 2**60)))
    await until(lambda: [one for one in around.found(store) if not one.running])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancelled_keeper_leaves_the_store_free_to_close(around: Surroundings) -> None:
    around.write([line for serial in range(50) for line in answered_call(serial).lines])
    for _ in range(5):
        with Store(around.database) as store:
            task = asyncio.create_task(around.keeper(store).run())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert len(await around.caught_up()) == 50


# --- audio ---------------------------------------------------------------------------------------


def recorded_call(
    around: Surroundings, *, seconds: int, closed: bool = True, serial: int = 1, begin_us: int = BEGIN_US
) -> MadeCall:
    """A call, and its audio as Asterisk leaves it in the spool."""
    call = MadeCall(serial, begin_us=begin_us)
    call.arrive()
    call.step("RECORDING", file=f"{call.ref}.wav")
    call.end()
    path = around.monitor / f"{call.ref}.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x01\x02" * 8000 * seconds)
    if not closed:
        with path.open("r+b") as raw:
            raw.seek(4)
            raw.write(bytes(4))
            raw.seek(40)
            raw.write(bytes(4))
    around.write(call.lines)
    return call


async def test_finished_audio_is_moved_to_its_day_in_the_citys_time_with_its_hash(around: Surroundings) -> None:
    call = recorded_call(around, seconds=2)  # 22:13 UTC on the 14th is the 15th in Shanghai.
    audio = (around.monitor / f"{call.ref}.wav").read_bytes()
    (record,) = await around.caught_up()
    assert record.recording_file == f"2023/11/15/{call.ref}.wav"
    assert (around.recordings / record.recording_file).read_bytes() == audio
    assert record.recording_sha256 == sha256(audio).hexdigest()
    assert record.recording_ms == 2000
    assert list(around.monitor.iterdir()) == []


async def test_a_late_event_leaves_the_recording_where_it_is(around: Surroundings, store: Store) -> None:
    call, keeper = recorded_call(around, seconds=1), around.keeper(store)
    await keeper.catch_up()
    (record,) = around.found(store)
    assert record.recording_file is not None
    (around.recordings / record.recording_file).unlink()  # Somebody moved it to another disk.
    call.event("BRIDGE_ENTER")
    around.write(call.lines[-1:])
    await keeper.catch_up()
    assert around.found(store) == [record]


async def test_a_caller_who_was_never_connected_leaves_no_audio(around: Surroundings) -> None:
    recorded_call(around, seconds=0)
    (record,) = await around.caught_up()
    assert record.recorded
    assert record.recording_file is None
    assert list(around.monitor.iterdir()) == []


async def test_audio_that_is_still_being_written_waits(around: Surroundings, store: Store) -> None:
    call = recorded_call(around, seconds=1, closed=False)
    await around.keeper(store).catch_up()
    assert around.found(store)[0].recording_file is None
    assert (around.monitor / f"{call.ref}.wav").exists()


async def test_audio_that_a_dead_asterisk_left_open_is_mended_and_kept(around: Surroundings) -> None:
    call = recorded_call(around, seconds=1, closed=False)
    source = around.monitor / f"{call.ref}.wav"
    os.utime(source, (0, 0))
    (record,) = await around.caught_up()
    assert record.recording_file is not None
    with wave.open(str(around.recordings / record.recording_file)) as file:
        assert file.getnframes() == 8000


async def test_a_missing_file_is_given_up_after_some_patience(around: Surroundings, store: Store) -> None:
    for serial, begin_us in ((1, BEGIN_US), (2, time.time_ns() // 1000)):
        call = recorded_call(around, seconds=1, serial=serial, begin_us=begin_us)
        (around.monitor / f"{call.ref}.wav").unlink()
    await around.keeper(store).catch_up()
    assert [row["audio"] for row in store.rows("SELECT audio FROM records ORDER BY arrived_utc_ms")] == ["none", "due"]


async def test_a_crash_between_moving_audio_and_telling_the_store_is_healed(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_call(around, seconds=1)

    def crash(*_: object) -> None:
        raise OSError("power failure")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "keep_audio", crash)
        with pytest.raises(OSError, match="power failure"):
            await around.caught_up()
    assert list(around.monitor.iterdir()) == []
    (record,) = await around.caught_up()
    assert record.recording_ms == 1000


async def test_audio_goes_to_another_disk_by_copying(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    call = recorded_call(around, seconds=1)
    real = Path.replace

    def other_disk(self: Path, target: Path) -> Path:
        if self.suffix == ".wav":
            raise OSError(18, "Invalid cross-device link")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", other_disk)
    (record,) = await around.caught_up()
    assert record.recording_file is not None
    assert [path.name for path in (around.recordings / record.recording_file).parent.iterdir()] == [f"{call.ref}.wav"]
    assert list(around.monitor.iterdir()) == []


# --- the file itself -----------------------------------------------------------------------------


async def test_the_store_is_durable_and_readable_while_it_is_written(around: Surroundings, store: Store) -> None:
    assert store.rows("PRAGMA journal_mode") == [{"journal_mode": "wal"}]
    assert store.rows("PRAGMA synchronous") == [{"synchronous": 2}]
    around.write(answered_call().lines)
    with store.writing(), Store(around.database) as reader:
        assert around.found(reader) == []


async def test_a_store_from_a_newer_program_is_refused_and_left_alone(around: Surroundings, store: Store) -> None:
    store.database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StoreTooNew, match="run the newer program"):
        Store(around.database)


async def test_an_older_store_is_brought_to_the_newest_version_once(
    around: Surroundings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def second(database: Database) -> None:
        steps.append("second")
        database.execute("ALTER TABLE records ADD COLUMN note TEXT")

    monkeypatch.setattr("recordings.schema.MIGRATIONS", (*MIGRATIONS, second))
    for _ in range(2):
        with Store(around.database) as newer:
            assert newer.rows("SELECT note FROM records") == []
    assert steps == ["second"]


async def test_only_this_nodes_calls_are_ended_by_its_restart(around: Surroundings, store: Store) -> None:
    call = MadeCall(1)
    call.arrive()
    around.write(call.lines)
    await around.keeper(store).catch_up()
    assert store.interrupt("node2", 2**60) == []
    assert store.interrupt("node1", 2**60) == [call.ref]
