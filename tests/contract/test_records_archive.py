"""What an archive promises: the same of an SQLite file and of a real PostgreSQL."""

import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from calls.fold import fold
from calls.record import CallRecord, Outcome, plain
from calls.timeline import tell
from recordings import queries
from recordings.archive import Archive, Parcel
from recordings.copy import SqliteArchive
from recordings.postgres import PostgresArchive
from recordings.queries import NoSuchCall, SeveralCalls, Wanted
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call
from tests.support.keeping import CITY, Surroundings
from tests.support.postgres_server import PASSWORD, PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
async def archive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Archive]:
    made: Archive
    if request.param == "sqlite":
        made = SqliteArchive(tmp_path / "archive.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        made = PostgresArchive(await server.database(), PASSWORD)
    yield made
    await made.close()


def parcel(call: MadeCall, revision: int = 1, *, lines: int | None = None, node: str = "node1") -> Parcel:
    """The call as a store sends it, after so many of its lines."""
    rows = call.rows[:lines]
    record = fold(node, rows, gone=False)
    assert record is not None
    events = tuple(
        (row.kind, row.at_us, row.channel, row.uniqueid, row.linkedid, row.context, row.exten, row.peer, row.extra)
        for row in rows
    )
    return Parcel(record.ref, revision, plain(record), () if record.running else events)


def many_calls() -> list[MadeCall]:
    """Of two nodes, callers, days and seats; answered, abandoned, left and still running."""
    calls = []
    for serial in range(16):
        call = MadeCall(serial, begin_us=BEGIN_US + serial * 20_000_000_000, node=f"node{serial % 2 + 1}")
        call.arrive(caller=f"1380000000{serial % 3}", dialled=("12345", "12333")[serial % 2])
        call.event("ANSWER")
        call.step("SERVED", number=("12345", "12345", "12333")[serial % 3], mode="primary", by="dialled")
        if serial % 4:
            call.enter_room()
        if serial % 4 > 1:
            call.talk(str(8001 + serial % 3), agent=str(1001 + serial % 2))
        if serial % 5:
            call.end()
        calls.append(call)
    return calls


async def test_a_call_is_found_with_all_that_was_told_of_it(archive: Archive) -> None:
    call = answered_call()
    sent = parcel(call)
    await archive.receive([sent])
    record = await archive.get(call.ref[:9])
    assert plain(record) == sent.record
    assert await archive.timeline(call.ref) == tell(call.rows)
    assert await archive.find(Wanted(), CITY) == [record]


async def test_a_call_that_runs_has_a_record_and_later_its_timeline(archive: Archive) -> None:
    call = answered_call()
    await archive.receive([parcel(call, 1, lines=6)])
    assert (await archive.get(call.ref)).running
    assert await archive.timeline(call.ref) == ()
    await archive.receive([parcel(call, 2)])
    assert (await archive.get(call.ref)).outcome is Outcome.ANSWERED
    assert await archive.timeline(call.ref) == tell(call.rows)


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 2, 1), (1, 2, 1)])
async def test_the_newest_revision_stays_whatever_the_order(archive: Archive, order: tuple[int, ...]) -> None:
    call = answered_call()
    states = {1: parcel(call, 1, lines=6), 2: parcel(call, 2)}
    for revision in order:
        await archive.receive([states[revision]])
    assert plain(await archive.get(call.ref)) == states[2].record
    assert await archive.timeline(call.ref) == tell(call.rows)


async def test_a_record_may_come_twice_in_one_lot(archive: Archive) -> None:
    call = answered_call()
    await archive.receive([parcel(call, 2), parcel(call, 1, lines=6), parcel(answered_call(2))])
    assert not (await archive.get(call.ref)).running
    assert len(await archive.find(Wanted(), CITY)) == 2


async def test_an_empty_lot_is_nothing_special(archive: Archive) -> None:
    await archive.receive([])
    assert await archive.find(Wanted(), CITY) == []


async def test_what_was_removed_is_gone_and_no_older_parcel_brings_it_back(archive: Archive) -> None:
    call, other = answered_call(1), answered_call(2)
    await archive.receive([parcel(call, 3), parcel(other, 3)])
    await archive.receive([Parcel(call.ref, 4, None)])
    for late in (1, 3, 4):
        await archive.receive([parcel(call, late)])
    with pytest.raises(NoSuchCall):
        await archive.get(call.ref)
    assert await archive.timeline(call.ref) == ()
    assert [record.ref for record in await archive.find(Wanted(), CITY)] == [other.ref]


async def test_a_removal_that_comes_first_or_twice_holds(archive: Archive) -> None:
    call = answered_call()
    for _ in range(2):
        await archive.receive([Parcel(call.ref, 4, None)])
    await archive.receive([Parcel(call.ref, 2, None)])
    await archive.receive([parcel(call, 3)])
    assert await archive.find(Wanted(), CITY) == []
    await archive.receive([parcel(call, 5)])  # Brought back on purpose.
    assert len(await archive.find(Wanted(), CITY)) == 1


async def test_an_older_removal_takes_nothing_newer_away(archive: Archive) -> None:
    call = answered_call()
    await archive.receive([parcel(call, 5)])
    await archive.receive([Parcel(call.ref, 4, None)])
    assert await archive.timeline(call.ref) == tell(call.rows)


async def test_ids_that_nobody_or_several_have_are_told(archive: Archive) -> None:
    await archive.receive([parcel(answered_call(serial)) for serial in range(3)])
    for begin in ("", "f", "zz", "0%", "_"):
        with pytest.raises(NoSuchCall):
            await archive.get(begin)
    with pytest.raises(SeveralCalls) as several:
        await archive.get("0000")
    assert several.value.refs == tuple(answered_call(serial).ref for serial in range(3))
    assert (await archive.get(answered_call(2).ref.upper())).ref == answered_call(2).ref


SEARCHES = (
    Wanted(),
    Wanted(limit=3),
    Wanted(day=date(2023, 11, 16)),
    Wanted(since=date(2023, 11, 16)),
    Wanted(until=date(2023, 11, 16)),
    Wanted(since=date(2023, 11, 16), until=date(2023, 11, 17)),
    Wanted(number="12345"),
    Wanted(number="12333"),
    Wanted(outcome=Outcome.ABANDONED),
    Wanted(caller="13800000001"),
    Wanted(caller=""),
    Wanted(seat="8002"),
    Wanted(seat="800"),
    Wanted(agent="1002"),
    Wanted(seat="8003", caller="13800000002", outcome=Outcome.ANSWERED, number="12345", until=date(2023, 11, 17)),
)


async def test_a_search_finds_what_it_finds_in_the_store(archive: Archive, tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    around.write(line for call in many_calls() for line in call.lines)
    with Store(around.database) as store:
        await around.keeper(store).catch_up()
        here = {wanted: queries.find(store, wanted, CITY) for wanted in SEARCHES}
    every = here[Wanted()]
    await archive.receive([Parcel(record.ref, 1, plain(record)) for record in every])
    assert {wanted: await archive.find(wanted, CITY) for wanted in SEARCHES} == here
    nothing = {Wanted(caller=""), Wanted(seat="800")}
    assert {wanted for wanted in SEARCHES if not here[wanted]} == nothing
    assert [wanted for wanted in SEARCHES if here[wanted] == every] == [Wanted()]


async def test_a_closed_archive_opens_again(archive: Archive) -> None:
    await archive.receive([parcel(answered_call())])
    await archive.close()
    await archive.close()
    assert len(await archive.find(Wanted(), CITY)) == 1


async def test_every_field_of_a_record_has_its_column_in_postgresql(postgres: PostgresServer) -> None:
    database = await postgres.database()
    archive = PostgresArchive(database, PASSWORD)
    assert await archive.find(Wanted(), CITY) == []
    await archive.close()
    connection = await postgres.superuser(database.database)
    rows = await connection.fetch("SELECT column_name FROM information_schema.columns WHERE table_name = 'records'")
    await connection.close()
    assert {row["column_name"] for row in rows} == {*(field.name for field in fields(CallRecord)), "revision"}


async def test_a_copy_in_the_form_of_earlier_versions_is_taken_over(tmp_path: Path) -> None:
    path, call = tmp_path / "copy.db", answered_call()
    record = parcel(call).record
    assert record is not None
    earlier = {name: value for name, value in record.items() if name not in {"agents", "rating", "clock_stepped"}}
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE received (ref TEXT PRIMARY KEY, revision INT NOT NULL, record TEXT NOT NULL)")
        connection.execute("INSERT INTO received VALUES (?, 3, ?)", (call.ref, json.dumps(earlier)))
    archive = SqliteArchive(path)
    assert plain(await archive.get(call.ref)) == record
    await archive.receive([parcel(call, 2, lines=6)])
    assert plain(await archive.get(call.ref)) == record
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'received'").fetchall() == []
