"""Records on their way into a real PostgreSQL that dies, hangs and refuses: all arrive, once, in order."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from calls.record import CallRecord
from calls.timeline import Entry
from recordings import queries
from recordings.archive import Parcel, ReceiverAway, ReceiverRefuses, ReceiverTooNew
from recordings.forward import Forwarder
from recordings.postgres import PostgresArchive
from recordings.postgres_schema import MIGRATIONS
from recordings.queries import MOST, Wanted
from recordings.store import Store
from settings.keeping import Postgresql
from tests.contract.test_records_archive import parcel
from tests.support.journal_lines import BEGIN_US, answered_call
from tests.support.keeping import CITY, Surroundings, until
from tests.support.postgres_server import PASSWORD, PostgresServer

Told = dict[str, tuple[CallRecord, tuple[Entry, ...]]]


@pytest.fixture
async def database(postgres: PostgresServer) -> Postgresql:
    return await postgres.database()


@pytest.fixture
async def archive(database: Postgresql) -> AsyncGenerator[PostgresArchive]:
    made = PostgresArchive(database, PASSWORD)
    yield made
    await made.close()


def lines_of_calls(count: int, *, first: int = 1) -> list[str]:
    """Their lines, as they come when they all run at the same time."""
    calls = [answered_call(serial, begin_us=BEGIN_US + serial * 1000) for serial in range(first, first + count)]
    return [line for lines in zip(*(call.lines for call in calls), strict=True) for line in lines]


async def kept(around: Surroundings, lines: Sequence[str]) -> None:
    """These lines are written, and kept in the node's store."""
    around.write(lines)
    with Store(around.database, forwards=True) as store:
        await around.keeper(store).catch_up()


def told_here(around: Surroundings) -> Told:
    with Store(around.database) as store:
        return {one.ref: (one, queries.timeline(store, one.ref)) for one in around.found(store)}


async def told_there(archive: PostgresArchive) -> Told:
    return {one.ref: (one, await archive.timeline(one.ref)) for one in await archive.find(Wanted(limit=MOST), CITY)}


def left(around: Surroundings) -> int:
    with Store(around.database) as store:
        return len(store.rows("SELECT * FROM outbox"))


async def sent_all(around: Surroundings, archive: PostgresArchive) -> None:
    forwarder = Forwarder(around.database, archive)
    while await forwarder.send():
        pass


@asynccontextmanager
async def forwarding(forwarder: Forwarder) -> AsyncGenerator[None]:
    task = asyncio.create_task(forwarder.run(every_s=0.01))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_server_that_is_killed_in_the_midst_of_a_stream_gets_all_of_it(
    postgres: PostgresServer, archive: PostgresArchive, tmp_path: Path
) -> None:
    around, lines = Surroundings(tmp_path), lines_of_calls(20)
    async with forwarding(Forwarder(around.database, archive, at_once=3)):
        for begin in range(0, len(lines), 40):
            if begin in {80, 200}:
                await asyncio.to_thread(postgres.kill)
            if begin in {160, 280}:
                await asyncio.to_thread(postgres.start)
            await kept(around, lines[begin : begin + 40])
        await asyncio.to_thread(postgres.start)
        await until(lambda: left(around) == 0)
    assert len(told_here(around)) == 20
    assert await told_there(archive) == told_here(around)


async def test_what_was_received_survives_the_death_of_the_server(
    postgres: PostgresServer, archive: PostgresArchive
) -> None:
    for serial in range(1, 6):
        await archive.receive([parcel(answered_call(serial))])
    postgres.kill()
    with pytest.raises(ReceiverAway):
        await archive.find(Wanted(), CITY)
    postgres.start()
    assert len(await archive.find(Wanted(), CITY)) == 5


async def test_a_forwarder_that_is_killed_again_and_again_brings_each_call_once(
    database: Postgresql, archive: PostgresArchive, tmp_path: Path, project: Path
) -> None:
    around = Surroundings(tmp_path)
    await kept(around, lines_of_calls(20))
    for lots, when in ((1, "before"), (2, "after"), (1, "after")):
        command = [sys.executable, "-m", "tests.support.killed_forwarder", str(around.database)]
        command += [str(database.port), database.database, str(lots), when]
        ended = await asyncio.to_thread(subprocess.run, command, cwd=project, check=False, timeout=60)
        assert ended.returncode == -9
    assert 0 < left(around) < 20
    await sent_all(around, archive)
    assert await told_there(archive) == told_here(around)
    assert left(around) == 0


async def test_a_server_that_hangs_holds_nothing_up_and_gets_all_once_it_goes_on(
    postgres: PostgresServer, database: Postgresql, archive: PostgresArchive, tmp_path: Path
) -> None:
    around, impatient = Surroundings(tmp_path), PostgresArchive(database, PASSWORD, patience_s=1.0)
    await kept(around, lines_of_calls(3))
    await archive.receive([])  # The tables are there.
    await impatient.receive([])
    postgres.hang()
    try:
        for _ in range(2):  # On the connection that there is, then on a new one.
            with pytest.raises(ReceiverAway, match=r"hotline_\d+: it did not answer within 1s"):
                await Forwarder(around.database, impatient).send()
        await impatient.close()
    finally:
        postgres.go_on()
    assert left(around) == 3
    await sent_all(around, archive)
    assert await told_there(archive) == told_here(around)


async def test_a_server_that_is_away_is_told_once_and_so_is_its_return(
    postgres: PostgresServer, archive: PostgresArchive, tmp_path: Path
) -> None:
    around = Surroundings(tmp_path)
    await kept(around, lines_of_calls(4))
    postgres.stop()
    forwarder = Forwarder(around.database, archive, at_once=2)
    with capture_logs() as logs:
        async with forwarding(forwarder):
            await until(lambda: logs)
            assert forwarder.behind == 4
            await kept(around, lines_of_calls(3, first=5))
            await until(lambda: forwarder.behind == 7)
            await asyncio.to_thread(postgres.start)
            await until(lambda: left(around) == 0)
    told = [(entry["event"], entry["behind"]) for entry in logs if entry["event"].startswith("records_")]
    assert told == [("records_not_forwarded", 4), ("records_forwarded_again", 7)]
    assert "start it, or mend 'postgresql' in server.yaml" in logs[0]["error"]
    assert await told_there(archive) == told_here(around)


async def test_a_record_that_postgresql_cannot_hold_does_not_hold_up_the_others(
    archive: PostgresArchive, tmp_path: Path
) -> None:
    around = Surroundings(tmp_path)
    await kept(around, lines_of_calls(5))
    bad = answered_call(3).ref
    with Store(around.database, forwards=True) as store, store.writing() as connection:
        connection.execute("UPDATE records SET caller = 'a' || char(0), revision = revision + 1 WHERE ref = ?", (bad,))
        store.changed(connection, bad)
    forwarder = Forwarder(around.database, archive)
    with capture_logs() as logs:
        assert [await forwarder.send(), await forwarder.send()] == [5, 0]
    assert [(entry["event"], entry["call"]) for entry in logs] == [("record_refused", bad)]
    assert set(await told_there(archive)) == set(told_here(around)) - {bad}
    assert forwarder.behind == 1
    with Store(around.database, forwards=True) as store, store.writing() as connection:
        connection.execute("UPDATE records SET caller = 'a', revision = revision + 1 WHERE ref = ?", (bad,))
        store.changed(connection, bad)
    await sent_all(around, archive)
    assert await told_there(archive) == told_here(around)
    assert left(around) == 0


async def test_two_nodes_that_begin_at_once_make_the_tables_once_and_share_them(
    database: Postgresql, archive: PostgresArchive, tmp_path: Path
) -> None:
    nodes = [Surroundings(tmp_path / str(number)) for number in range(4)]
    archives = [PostgresArchive(database, PASSWORD) for _ in nodes]
    for number, around in enumerate(nodes):
        await kept(around, lines_of_calls(5, first=1 + number * 5))
    await asyncio.gather(*(sent_all(*node) for node in zip(nodes, archives, strict=True)))
    everything = {ref: told for around in nodes for ref, told in told_here(around).items()}
    assert len(everything) == 20
    assert await told_there(archive) == everything
    for one in archives:
        await one.close()


async def test_older_tables_are_brought_to_the_newest_version_with_what_is_in_them(
    database: Postgresql, archive: PostgresArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive.receive([parcel(answered_call())])
    known = await archive.find(Wanted(), CITY)
    await archive.close()
    step = "CREATE TABLE steps (step text); INSERT INTO steps VALUES ('once'); ALTER TABLE records ADD note text"
    monkeypatch.setattr("recordings.postgres_schema.MIGRATIONS", (*MIGRATIONS, step))
    newer = [PostgresArchive(database, PASSWORD) for _ in range(3)]
    assert await asyncio.gather(*(one.find(Wanted(), CITY) for one in newer)) == [known] * 3
    monkeypatch.undo()
    with pytest.raises(ReceiverTooNew, match=rf"version {len(MIGRATIONS) + 1} of the tables.*run the newer program"):
        await archive.receive([parcel(answered_call(2))])
    for one in newer:
        await one.close()


async def test_tables_that_a_newer_node_changed_meanwhile_are_not_written_by_an_older_one(
    database: Postgresql, archive: PostgresArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive.receive([parcel(answered_call())])
    newer = PostgresArchive(database, PASSWORD)
    with monkeypatch.context() as upgraded:
        step = "ALTER TABLE records ADD note text NOT NULL DEFAULT '-'; ALTER TABLE records ALTER note DROP DEFAULT"
        upgraded.setattr("recordings.postgres_schema.MIGRATIONS", (*MIGRATIONS, step))
        await newer.find(Wanted(), CITY)
        await newer.close()
    with pytest.raises(ReceiverTooNew):
        await archive.receive([parcel(answered_call(2))])


async def test_a_step_of_a_migration_is_done_wholly_or_not_at_all(
    database: Postgresql, archive: PostgresArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recordings.postgres_schema.MIGRATIONS", (MIGRATIONS[0] + "SELECT nothing_such();",))
    with pytest.raises(ReceiverAway, match="nothing_such"):
        await archive.find(Wanted(), CITY)
    monkeypatch.undo()
    assert await archive.find(Wanted(), CITY) == []


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({"password": "hidden"}, "write the password of 'hotline' into secrets.yaml under 'postgresql'"),
        ({"database": "nowhere"}, "createdb -O hotline nowhere"),
        ({"user": "nobody"}, "write the password of 'nobody'"),
    ],
)
async def test_who_is_not_let_in_is_told_what_to_do(database: Postgresql, wrong: dict[str, str], mend: str) -> None:
    password = wrong.get("password", PASSWORD)
    there = database.model_copy(update={name: value for name, value in wrong.items() if name != "password"})
    with pytest.raises(ReceiverRefuses, match=mend) as refused:
        await PostgresArchive(there, password).find(Wanted(), CITY)
    assert password not in str(refused.value)


async def test_a_user_who_may_not_make_tables_is_told_what_to_do(
    postgres: PostgresServer, database: Postgresql
) -> None:
    connection = await postgres.superuser(database.database)
    await connection.execute(f"ALTER DATABASE {database.database} OWNER TO super")
    await connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
    await connection.close()
    with pytest.raises(ReceiverRefuses, match=f"ALTER DATABASE {database.database} OWNER TO hotline"):
        await PostgresArchive(database, PASSWORD).find(Wanted(), CITY)


async def test_a_host_that_is_not_there_is_away() -> None:
    nowhere = Postgresql(host="nowhere.invalid")
    with pytest.raises(ReceiverAway, match=r"nowhere\.invalid.*mend 'postgresql' in server\.yaml"):
        await PostgresArchive(nowhere, PASSWORD).receive([])


async def test_only_a_server_whose_certificate_is_trusted_is_believed_when_one_is_wanted(
    postgres: PostgresServer, database: Postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = PostgresArchive(database.model_copy(update={"tls": True}), PASSWORD)
    with pytest.raises(ReceiverAway, match="certificate verify failed"):
        await archive.receive([])
    trusted = tmp_path / "trusted.crt"
    trusted.write_bytes(postgres.certificate.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    await archive.receive([parcel(answered_call())])
    assert len(await archive.find(Wanted(), CITY)) == 1
    await archive.close()


async def test_a_connection_that_was_ended_by_the_server_is_made_anew(
    postgres: PostgresServer, archive: PostgresArchive
) -> None:
    await archive.receive([parcel(answered_call())])
    connection = await postgres.superuser()
    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hotline'")
    await connection.close()
    with suppress(ReceiverAway):  # It may have heard of that already.
        await archive.receive([parcel(answered_call(2))])
    await archive.receive([parcel(answered_call(3))])
    assert {answered_call(serial).ref for serial in (1, 3)} <= set(await told_there(archive))


# --- the order ----------------------------------------------------------------------------------


class Listener:
    """A receiver that notes what comes."""

    def __init__(self, name: str = "listener") -> None:
        self.name = name
        self.heard: list[Parcel] = []

    async def receive(self, parcels: Sequence[Parcel]) -> None:
        self.heard += parcels


async def test_records_are_sent_in_the_order_of_their_last_changes(tmp_path: Path) -> None:
    around, listener = Surroundings(tmp_path), Listener()
    for serial in (3, 1, 2):
        await kept(around, answered_call(serial).lines)
    with Store(around.database, forwards=True) as store, store.writing() as connection:
        connection.execute("UPDATE records SET revision = revision + 1 WHERE ref = ?", (answered_call(3).ref,))
        store.changed(connection, answered_call(3).ref)
    forwarder = Forwarder(around.database, listener, at_once=2)
    assert [await forwarder.send(), await forwarder.send(), await forwarder.send()] == [2, 1, 0]
    assert [one.ref for one in listener.heard] == [answered_call(serial).ref for serial in (1, 2, 3)]


async def test_a_removed_record_is_sent_on_as_removed(tmp_path: Path) -> None:
    around, listener, ref = Surroundings(tmp_path), Listener(), answered_call().ref
    await kept(around, answered_call().lines)
    forwarder = Forwarder(around.database, listener)
    await forwarder.send()
    with Store(around.database, forwards=True) as store, store.writing() as connection:
        store.remove(connection, ref, "retention")
    assert [await forwarder.send(), await forwarder.send()] == [1, 0]
    before, after = listener.heard
    assert after == Parcel(ref, before.revision + 1, None)


async def test_a_new_receiver_gets_every_record_and_each_once(tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    around.write(lines_of_calls(4))
    assert len(await around.caught_up()) == 4  # As long as nothing was forwarded.
    await kept(around, answered_call(5, begin_us=BEGIN_US + 5000).lines)
    heard = []
    for name in ("first", "first", "second"):
        listener = Listener(name)
        async with forwarding(Forwarder(around.database, listener)):
            await until(lambda: left(around) == 0 and knows(around, name))  # noqa: B023 - it ends within the round
        heard.append([one.ref for one in listener.heard])
    every = [answered_call(serial).ref for serial in range(1, 6)]
    assert [sorted(refs) for refs in heard] == [every, [], every]


def knows(around: Surroundings, name: str) -> bool:
    """Whether the receiver was told of every record."""
    with Store(around.database) as store:
        return store.rows("SELECT name FROM receiver") == [{"name": name}]
