"""Records of calls that go on may wait a moment, and do not depend on how the journal was sliced."""

import random
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.cel import parse
from recordings.queries import get
from recordings.store import Store
from recordings.tail import Batch, Place
from recordings.writing import write_changes
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call
from tests.support.keeping import Surroundings

CALL = answered_call()


class Undone(Exception):
    """Breaks a transaction off."""


def batch(lines: Sequence[str], offset: int = 0) -> Batch:
    return Batch(tuple(parse(line) for line in lines), (), Place(1, 1, b"head", offset))


def keep(store: Store, lines: Sequence[str], *, patient: bool = True) -> None:
    store.keep("node1", batch(lines), 0, patient=patient)


def forgotten(store: Store) -> None:
    """The store remembers nothing any more."""
    with suppress(Undone), store.writing():
        raise Undone


@contextmanager
def opened() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="hb") as folder, Store(Path(folder) / "records.db") as store:
        store.database.execute("PRAGMA synchronous = OFF")
        yield store


def kept(store: Store) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Records and events, without how often they were written."""
    records = store.rows("SELECT * FROM records ORDER BY ref")
    for record in records:
        del record["revision"]
    return records, store.rows("SELECT ref, kind, at_us, uniqueid, extra FROM events ORDER BY id")


def test_what_goes_on_waits_until_records_catch_up(store: Store) -> None:
    keep(store, CALL.lines[:3])
    begun = get(store, CALL.ref)
    keep(store, CALL.lines[3:7])
    assert len(store.events(CALL.ref)) == 7
    assert get(store, CALL.ref) == begun
    store.catch_up("node1")
    record = get(store, CALL.ref)
    assert (record.number, record.menus, record.running) == ("12345", ("main",), True)


def test_an_end_is_told_at_once_with_all_that_waited(store: Store) -> None:
    keep(store, CALL.lines[:3])
    keep(store, CALL.lines[3:9])
    keep(store, CALL.lines[9:])
    with opened() as other:
        keep(other, CALL.lines, patient=False)
        assert get(store, CALL.ref) == get(other, CALL.ref)
    revisions = store.rows("SELECT revision FROM records")
    store.catch_up("node1")
    assert store.rows("SELECT revision FROM records") == revisions


@pytest.mark.asyncio
async def test_whoever_comes_next_brings_up_what_was_left_behind(around: Surroundings) -> None:
    around.write(CALL.lines[:8])
    with Store(around.database) as store:
        keeper = around.keeper(store)
        await keeper.catch_up()
        expected = get(store, CALL.ref)
        (told,) = store.rows("SELECT revision FROM records")
    with Store(around.database) as store:  # As if it had not come to write that.
        store.database.execute("UPDATE records SET number = NULL, menus = '[]'")
    for revision in (told["revision"] + 1, told["revision"] + 1):
        with Store(around.database) as store:
            await around.keeper(store).catch_up()
            assert get(store, CALL.ref) == expected
            assert store.rows("SELECT revision FROM records") == [{"revision": revision}]


def test_what_could_not_be_written_goes_on_waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, CALL.lines[:3])
    keep(store, CALL.lines[3:8])

    def fails(*args: object, **names: object) -> bool:
        write_changes(*args, **names)  # type: ignore[arg-type]
        raise sqlite3.OperationalError("disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("recordings.store.write_changes", fails)
        with pytest.raises(sqlite3.OperationalError):
            store.catch_up("node1")
    store.catch_up("node1")
    record = get(store, CALL.ref)
    assert record.menus == ("main",)


def peculiar(serial: int) -> MadeCall:
    """A call with a consultation, a mark and a channel that is somebody else's for a moment."""
    call = MadeCall(serial, begin_us=BEGIN_US + serial * 1_000)
    call.arrive()
    call.event("ANSWER")
    call.enter_room()
    call.talk("8001", 1_000)
    other, call.linkedid = call.linkedid, "node1-1700000000.1"
    call.event("BRIDGE_ENTER")
    call.linkedid = other
    call.enter_room()
    call.talk("8002", 500)
    call.step("RATED", mark=5)
    call.end()
    return call


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_slices_and_what_is_remembered_change_nothing(chance: random.Random) -> None:
    calls = [answered_call(1), answered_call(2, begin_us=BEGIN_US + 500), peculiar(3), peculiar(4)]
    lines = sorted((line for call in calls for line in call.lines), key=lambda line: parse(line).at_us)
    for _ in range(chance.randrange(6)):  # Asterisk writes from several threads.
        at = chance.randrange(len(lines) - 1)
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    with opened() as plain, opened() as sliced:
        for line in lines:
            forgotten(plain)
            keep(plain, [line], patient=False)
        while lines:
            many = chance.randrange(1, 12)
            keep(sliced, lines[:many], patient=chance.random() < 0.7)
            lines = lines[many:]
            if chance.random() < 0.2:
                forgotten(sliced)
            if chance.random() < 0.3:
                sliced.catch_up("node1")
        sliced.catch_up("node1")
        assert kept(sliced) == kept(plain)
