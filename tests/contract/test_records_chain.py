"""Whoever changes, removes or puts in a record, or its audio, is found out: call by call."""

import json
from hashlib import sha256

import pytest

from calls.record import plain
from recordings import chain
from recordings.keys import KeyRing
from recordings.proof import Fault, Proof
from recordings.queries import get
from recordings.store import AUDIOS, Store
from tests.support.audio_of_calls import recorded_call
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call, ref_of
from tests.support.keeping import Surroundings

CALLS = 4


@pytest.fixture
async def kept(around: Surroundings, store: Store) -> Store:
    """A store with some calls, one with audio, one that still runs."""
    recorded_call(around, 1)
    for serial in range(2, CALLS + 1):
        around.write(answered_call(serial, begin_us=BEGIN_US + serial * 1_000_000).lines)
    running = MadeCall(CALLS + 1, begin_us=BEGIN_US + 9_000_000)
    running.arrive()
    around.write(running.lines)
    await around.keeper(store).catch_up()
    return store


def faults(around: Surroundings, *, heads: tuple[bytes, ...] = (), audio: bool = False) -> list[Fault]:
    with Store(around.database) as store:
        return list(Proof(heads).faults(store, (around.recordings, KeyRing()) if audio else None))


def found(around: Surroundings, *, heads: tuple[bytes, ...] = (), audio: bool = False) -> set[tuple[str, str]]:
    return {(fault.kind, fault.ref) for fault in faults(around, heads=heads, audio=audio)}


def sql(store: Store, *statements: str) -> None:
    """What somebody does to the file by hand."""
    with store.writing() as connection:
        for statement in statements:
            connection.execute(statement)


def head(store: Store) -> bytes:
    return chain.head(store.database.conn)


async def test_what_was_kept_is_proven(around: Surroundings, kept: Store) -> None:
    proof = Proof((head(kept),))
    assert list(proof.faults(kept, (around.recordings, KeyRing()))) == []
    assert (proof.records, proof.removed, proof.audio) == (CALLS, 0, 2)
    assert proof.head == head(kept)


async def test_anybody_can_compute_the_digest_from_what_is_shown(kept: Store) -> None:
    record = get(kept, ref_of(2))
    shown = json.loads(json.dumps(plain(record)))
    told = {
        name: value
        for name, value in shown.items()
        if value is not None and value != [] and (value is not False or name == "seen_live")
    }
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert chain.newest(kept.database.conn, record.ref) == (chain.KEPT, sha256(text.encode()).digest())


async def test_a_call_gets_a_link_for_each_state_in_which_it_was_kept_and_none_while_it_runs(
    around: Surroundings, store: Store
) -> None:
    call, keeper = recorded_call(around), around.keeper(store)
    late = call.lines.pop()
    await keeper.catch_up()
    links = len(store.rows("SELECT * FROM links"))
    for audio in AUDIOS:
        store.keep_audio(call.ref, audio, None, None, None)
    assert len(store.rows("SELECT * FROM links")) > links
    links = len(store.rows("SELECT * FROM links"))
    around.write([late])
    await keeper.catch_up()
    with store.writing() as connection:
        store.changed(connection, call.ref)
    assert len(store.rows("SELECT * FROM links")) == links, "nothing of the record has changed"
    assert found(around) == set()


@pytest.mark.parametrize(
    "change",
    [
        "caller = '13800000000'",
        "outcome = 'abandoned'",
        "talk_ms = 0",
        "q850_cause = NULL",
        "running = 1",
        "seats = '[]'",
        "recording_sha256 = NULL",
        "seen_live = 0",
    ],
)
async def test_a_changed_field_shows(around: Surroundings, kept: Store, change: str) -> None:
    sql(kept, f"UPDATE records SET {change} WHERE ref = '{ref_of(1)}'")  # noqa: S608 - the test's own
    assert found(around) == {("record_changed", ref_of(1))}


async def test_a_deleted_record_shows(around: Surroundings, kept: Store) -> None:
    sql(kept, f"DELETE FROM records WHERE ref = '{ref_of(3)}'")  # noqa: S608 - the test's own
    assert found(around) == {("record_missing", ref_of(3))}


async def test_a_record_that_was_put_in_shows(around: Surroundings, kept: Store) -> None:
    sql(
        kept,
        f"CREATE TEMP TABLE made AS SELECT * FROM records WHERE ref = '{ref_of(2)}'",  # noqa: S608 - the test's own
        f"UPDATE made SET ref = '{ref_of(99)}'",  # noqa: S608 - the test's own
        "INSERT INTO records SELECT * FROM made",
    )
    assert found(around) == {("record_unlinked", ref_of(99))}


async def test_a_deleted_link_shows(around: Surroundings, kept: Store) -> None:
    sql(kept, "DELETE FROM links WHERE id = 2")
    assert [fault.matter for fault in faults(around) if fault.kind == "links_missing"] == ["links 2 to 2 are gone"]


async def test_a_link_that_is_deleted_with_its_record_shows_though_the_others_move_up(
    around: Surroundings, kept: Store
) -> None:
    (gone,) = kept.rows("SELECT min(id) AS id FROM links WHERE ref = ?", ref_of(3))
    sql(
        kept,
        f"DELETE FROM links WHERE ref = '{ref_of(3)}'",  # noqa: S608 - the test's own
        f"DELETE FROM records WHERE ref = '{ref_of(3)}'",  # noqa: S608 - the test's own
        f"UPDATE links SET id = id - 1 WHERE id > {gone['id']}",  # noqa: S608 - the test's own
    )
    assert "link_broken" in {kind for kind, _ in found(around)}


async def test_swapped_links_show(around: Surroundings, kept: Store) -> None:
    sql(
        kept,
        "UPDATE links SET id = -1 WHERE id = 2",
        "UPDATE links SET id = 2 WHERE id = 3",
        "UPDATE links SET id = 3 WHERE id = -1",
    )
    assert "link_broken" in {kind for kind, _ in found(around)}


@pytest.mark.parametrize("change", ["digest = zeroblob(32)", "at_utc_ms = at_utc_ms - 1", "why = 'x'", "ref = 'x'"])
async def test_a_changed_link_shows(around: Surroundings, kept: Store, change: str) -> None:
    sql(kept, f"UPDATE links SET {change} WHERE id = 1")  # noqa: S608 - the test's own
    assert "link_broken" in {kind for kind, _ in found(around)}


async def test_an_end_that_was_cut_off_with_its_calls_shows_to_whoever_noted_the_head(
    around: Surroundings, kept: Store
) -> None:
    noted_before = head(kept)
    around.write(answered_call(50, begin_us=BEGIN_US + 90_000_000).lines)
    await around.keeper(kept).catch_up()
    noted = head(kept)
    sql(
        kept,
        f"DELETE FROM records WHERE ref = '{ref_of(50)}'",  # noqa: S608 - the test's own
        f"DELETE FROM links WHERE ref = '{ref_of(50)}'",  # noqa: S608 - the test's own
    )
    assert found(around, heads=(noted_before,)) == set(), "by itself the chain cannot know"
    assert found(around, heads=(noted,)) == {("head_unknown", "")}


async def test_a_chain_that_was_made_anew_shows_to_whoever_noted_a_head(around: Surroundings, kept: Store) -> None:
    noted = head(kept)
    with kept.writing() as connection:
        connection.execute("UPDATE records SET caller = '13800000000' WHERE ref = ?", (ref_of(2),))
        connection.execute("DELETE FROM links")
        chain.begin(connection)
    assert found(around) == set()
    assert found(around, heads=(noted,)) == {("head_unknown", "")}


async def test_audio_that_was_changed_or_is_gone_shows(around: Surroundings, kept: Store) -> None:
    record = get(kept, ref_of(1))
    assert record.recording_file is not None
    assert record.message_file is not None
    path = around.recordings / record.recording_file
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (around.recordings / record.message_file).unlink()
    assert found(around) == set(), "it was not asked for"
    assert found(around, audio=True) == {("audio_changed", ref_of(1)), ("audio_missing", ref_of(1))}


async def test_calls_of_a_store_from_before_there_was_a_chain_are_in_it(around: Surroundings, kept: Store) -> None:
    with kept.writing() as connection:
        connection.execute("DELETE FROM links")
        chain.begin(connection)
    assert found(around) == set()
    assert len(kept.rows("SELECT * FROM links")) == CALLS
