"""The shelf over a real store: pages, listening, marks, and searches that end in time."""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from calls.record import Outcome
from hotline import shelf as shelves
from hotline.folders import Folders
from hotline.office import Office
from hotline.shelf import LiveShelf
from recordings.keys import KeyRing
from recordings.reading import Reading
from recordings.store import AUDIOS, Store
from tests.support.journal_lines import BEGIN_US, answered_call, ref_of
from tests.support.keeping import Surroundings
from tests.support.settings_maker import city
from web.desk import Refusal, Role, Who
from web.shelf import CallsPage, Search, Voice

BOSS = Who("Zhao", Role.SUPERVISOR)
CALLS = 7


class Shelf:
    """A shelf with what is beside it."""

    def __init__(self, live: LiveShelf, office: Office, data: Folders) -> None:
        self.live = live
        self.office = office
        self.data = data

    async def audit(self) -> list[tuple[str, str, str]]:
        """Who, what, of which call."""
        entries = await self.office.do(lambda books: books.audit.newest(10))
        return [(entry.who, entry.did, entry.what["call"]) for entry in entries]


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    around, data = Surroundings(tmp_path), Folders(tmp_path)
    for serial in range(1, CALLS + 1):
        # Two calls each arrive within the same millisecond.
        around.write(answered_call(serial, begin_us=BEGIN_US + serial // 2 * 1_000_000).lines)
    await around.caught_up()
    async with Office(data.records) as office, LiveShelf(city(), data, KeyRing(), office) as live:
        yield Shelf(live, office, data)


async def pages(shelf: Shelf, limit: int) -> list[list[str]]:
    found: list[list[str]] = []
    after = None
    for _ in range(CALLS + 1):
        page = await shelf.live.search(Search(limit=limit, after=after))
        found.append([record.ref for record in page.items])
        if (after := page.next) is None:
            return found
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_together_are_all_calls_once_newest_first(shelf: Shelf, limit: int) -> None:
    found = await pages(shelf, limit)
    assert [ref for page in found for ref in page] == [ref_of(serial) for serial in (6, 7, 4, 5, 2, 3, 1)]
    assert {len(page) for page in found[:-1]} <= {limit}


async def test_a_search_finds_what_it_names(shelf: Shelf) -> None:
    assert len((await shelf.live.search(Search(outcome=Outcome.ANSWERED.value, seat="8001"))).items) == CALLS
    for nothing in (Search(seat="8002"), Search(agent="1001"), Search(caller="110"), Search(day="2020-01-01")):
        assert await shelf.live.search(nothing) == CallsPage((), None)
    with pytest.raises(Refusal) as wrong:
        await shelf.live.search(Search(day="2026-11-21", since="2026-11-21"))
    assert wrong.value.status == 422


async def test_a_call_is_known_by_its_whole_id_alone(shelf: Shelf) -> None:
    found = await shelf.live.call(ref_of(1))
    assert (found.record.ref, found.held, found.confidential) == (ref_of(1), False, False)
    assert found.timeline[0].kind == "ARRIVED"
    for ref in (ref_of(1)[:-1], ref_of(CALLS + 1), ref_of(1)[:4]):
        with pytest.raises(Refusal) as unknown:
            await shelf.live.call(ref)
        assert unknown.value.status == 404


async def test_marks_are_kept_and_stand_in_the_audit(shelf: Shelf) -> None:
    running = asyncio.create_task(shelf.office.run())
    ref = ref_of(2)
    await shelf.live.hold(BOSS, ref, "court")
    await shelf.live.make_confidential(BOSS, ref, "police")
    marked = await shelf.live.call(ref)
    assert (marked.held, marked.confidential) == (True, True)
    await shelf.live.release(BOSS, ref)
    await shelf.live.end_confidential(BOSS, ref)
    freed = await shelf.live.call(ref)
    assert (freed.held, freed.confidential) == (False, False)
    with pytest.raises(Refusal) as again:
        await shelf.live.release(BOSS, ref)
    assert again.value.status == 409
    with pytest.raises(Refusal):
        await shelf.live.hold(BOSS, ref_of(CALLS + 1), "nobody")
    said = ["unmark_confidential", "release_record", "mark_confidential", "hold_record"]
    assert await shelf.audit() == [("Zhao", did, ref) for did in said]
    shelf.office.stop()
    await running


def keep_recording(data: Folders, ref: str, sound: bytes, sha256: str) -> None:
    path = data.recordings / "2026/11/22" / f"{ref}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sound)
    with Store(data.records) as store:
        store.keep_audio(ref, AUDIOS[0], str(path.relative_to(data.recordings)), sha256, 1000)


def lose_recording(data: Folders, ref: str) -> None:
    (data.recordings / "2026/11/22" / f"{ref}.wav").unlink()


async def test_whoever_hears_a_call_stands_in_the_audit_first(shelf: Shelf) -> None:
    sound = bytes(range(256)) * 1000
    keep_recording(shelf.data, ref_of(3), sound, hashlib.sha256(sound).hexdigest())
    heard = await shelf.live.sound(BOSS, ref_of(3), Voice.RECORDING)
    assert await shelf.audit() == [("Zhao", "play", ref_of(3))]
    assert b"".join([part async for part in heard.parts]) == sound
    with pytest.raises(Refusal) as nothing:
        await shelf.live.sound(BOSS, ref_of(3), Voice.MESSAGE)
    assert (nothing.value.status, nothing.value.kind) == (404, "no_audio")


async def test_audio_that_is_not_what_was_kept_ends_in_an_error(shelf: Shelf) -> None:
    keep_recording(shelf.data, ref_of(4), b"another", "0" * 64)
    heard = await shelf.live.sound(BOSS, ref_of(4), Voice.RECORDING)
    with pytest.raises(ValueError, match="not what was kept"):
        _ = [part async for part in heard.parts]
    lose_recording(shelf.data, ref_of(4))
    with pytest.raises(Refusal) as missing:
        await shelf.live.sound(BOSS, ref_of(4), Voice.RECORDING)
    assert missing.value.kind == "audio_broken"


async def test_a_search_that_takes_too_long_is_ended_and_the_next_one_is_served(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(store: Store, *_: object) -> list[dict[str, Any]]:
        return store.rows("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    with monkeypatch.context() as patched:
        patched.setattr(shelves, "find", endless)
        patched.setattr(shelves, "BOUND_S", 0.05)
        with pytest.raises(Refusal) as slow:
            await shelf.live.search(Search())
    assert (slow.value.status, slow.value.kind) == (503, "search_too_slow")
    assert len((await shelf.live.search(Search())).items) == CALLS


def test_a_store_that_is_read_cannot_be_written(tmp_path: Path) -> None:
    Store(tmp_path / "records.db").close()
    reading = Reading(tmp_path / "records.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"), reading.bounded(5) as store, store.writing():
        store.database.execute("DELETE FROM records")
    reading.close()
