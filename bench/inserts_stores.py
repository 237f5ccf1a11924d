"""Stores that hold calls already, in which further calls are kept and measured."""

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final, Protocol

from bench.postgres import Databases, used_ms
from bench.records_calls import NODE, Shape, Who, drawn, shapes
from bench.records_made import batch
from calls.record import plain
from recordings.archive import Parcel
from recordings.queries import get
from recordings.store import Store

WARM_UP: Final = 100
"""So many calls are kept before the clock runs."""
BEGIN_MS: Final = 1_793_462_400_000
"""The first call that the stores hold arrives then: 2026-11-01 in the city."""

_APART_MS = 385
"""Between two calls in the busiest hour of 100,000 a day."""
_SHAPES = 400
_CALLERS = 30_000
_FAR_MS = 2**53
_LOT = 200
_PARCELS = 500
_TABLES = ("events", "records")

Call = tuple[Shape, Who]


class KeptOtherwise(AssertionError):
    """A store does not hold what it was given: its figures are worth nothing."""

    def __init__(self, store: str, wanted: int, found: int) -> None:
        super().__init__(f"{store} was given calls to hold {wanted}, and holds {found}: mend the benchmark")


@dataclass(frozen=True, slots=True)
class Fresh:
    """Calls that no store holds, in the forms in which each kind of store is given them."""

    calls: Sequence[Call]
    rows: Sequence[tuple[Sequence[tuple[Any, ...]], ...]]
    """Of each call: the rows that the store keeps of it, by table."""
    parcels: Sequence[Parcel]


@dataclass(frozen=True, slots=True)
class Took:
    """What keeping the calls took, those of the warm-up left out."""

    wall_s: float
    cpu_s: float
    """Of this process."""
    server_cpu_ms: float | None
    """Of all of the database server's processes; None: there is none."""
    grew_bytes: int
    """By so much the store is longer; of PostgreSQL all its files of the database."""


class Kind(Protocol):
    """A kind of store."""

    async def keep(self, size: int, fresh: Fresh, at_once: int) -> Took:
        """Keeps the calls in a copy of the store that holds `size` already. Raises KeptOtherwise."""
        ...


def some_calls(many: int, seed: int, begin_ms: int) -> list[Call]:
    """Calls of every outcome, one after the other; each seed makes others."""
    chance, kinds = random.Random(seed), shapes(_SHAPES, 1)
    return [(chance.choice(kinds), drawn(chance, begin_ms + _APART_MS * number, _CALLERS)) for number in range(many)]


def lots(many: int, at_once: int) -> list[range]:
    """The calls of each transaction, those of the warm-up first and apart."""
    parts = ((0, WARM_UP), (WARM_UP, many))
    return [range(at, min(at + at_once, end)) for begin, end in parts for at in range(begin, end, at_once)]


def hold(path: Path, calls: Sequence[Call]) -> None:
    """Makes the store at `path` hold these calls, too; nothing is measured."""
    with Store(path) as store:
        store.database.execute("PRAGMA synchronous = OFF")
        for at in range(0, len(calls), _LOT):
            store.keep(NODE, batch(*calls[at : at + _LOT]), 0)
        store.interrupt(NODE, _FAR_MS)


def fresh(calls: Sequence[Call], folder: Path) -> Fresh:
    """The calls in every form, as a store of its own has them."""
    path = folder / "fresh.db"
    hold(path, calls)
    with Store(path) as store:
        found = Fresh(calls, [_rows(store, who.ref) for _, who in calls], parcels(store, calls))
    _remove(path)
    return found


def parcels(store: Store, calls: Sequence[Call]) -> list[Parcel]:
    """What is sent of these calls."""
    return [Parcel(who.ref, 1, plain(get(store, who.ref)), store.event_rows(who.ref)) for _, who in calls]


def _rows(store: Store, ref: str) -> tuple[list[tuple[Any, ...]], ...]:
    found = []
    for table in _TABLES:
        names = _names(store.database.conn, table)
        with closing(store.database.execute(f"SELECT {names} FROM {table} WHERE ref = ?", (ref,))) as rows:  # noqa: S608
            found.append(rows.fetchall())
    return tuple(found)


def _names(database: sqlite3.Connection, table: str) -> str:
    """Its columns but the number that SQLite gives each row."""
    with closing(database.execute(f"SELECT name FROM pragma_table_info('{table}') WHERE name <> 'id'")) as found:  # noqa: S608
        return ", ".join(f'"{name}"' for (name,) in found)


class OwnStore:
    """The store of this project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, size: int) -> Path:
        """The store that holds so many calls."""
        return self._folder / f"own-{size}.db"

    def prepare(self, sizes: Sequence[int], calls: Sequence[Call]) -> None:
        """Makes the stores: each holds the first so many of the calls."""
        before = 0
        for size in sizes:
            if before:
                shutil.copyfile(self.path(before), self.path(size))
            hold(self.path(size), calls[before:size])
            before = size

    async def keep(self, size: int, fresh: Fresh, at_once: int) -> Took:
        batches = [batch(*(fresh.calls[number] for number in lot)) for lot in lots(len(fresh.calls), at_once)]
        first = WARM_UP // at_once
        with _copy(self.path(size)) as path, Store(path) as store:
            for one in batches[:first]:
                store.keep(NODE, one, 0)
            grew = -_bytes(store.database.conn)
            began, began_cpu = perf_counter(), process_time()
            for one in batches[first:]:
                store.keep(NODE, one, 0)
            took = perf_counter() - began, process_time() - began_cpu
            (held,) = store.rows("SELECT count(*) AS many FROM records")
            _require("the store", size + len(fresh.calls), held["many"])
            return Took(*took, None, grew + _bytes(store.database.conn))


class PlainStore:
    """SQLite alone: the same rows in tables without any index, kept as durably."""

    def __init__(self, folder: Path, own: OwnStore) -> None:
        self._folder = folder
        self._own = own

    def prepare(self, sizes: Sequence[int]) -> None:
        """Makes the stores of the own ones."""
        for size in sizes:
            with closing(sqlite3.connect(self._path(size), isolation_level=None)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("ATTACH ? AS own", (str(self._own.path(size)),))
                for table in _TABLES:
                    names = _names(database, table)
                    database.execute(f"CREATE TABLE main.{table} AS SELECT {names} FROM own.{table}")  # noqa: S608

    async def keep(self, size: int, fresh: Fresh, at_once: int) -> Took:
        work = [[fresh.rows[number] for number in lot] for lot in lots(len(fresh.calls), at_once)]
        first = WARM_UP // at_once
        with (
            _copy(self._path(size)) as path,
            closing(sqlite3.connect(path, isolation_level=None)) as database,
        ):
            database.execute("PRAGMA synchronous = FULL")
            puts = [_put(database, table) for table in _TABLES]
            for one in work[:first]:
                _insert(database, puts, one)
            grew = -_bytes(database)
            began, began_cpu = perf_counter(), process_time()
            for one in work[first:]:
                _insert(database, puts, one)
            took = perf_counter() - began, process_time() - began_cpu
            with closing(database.execute("SELECT count(*) FROM records")) as held:
                _require("SQLite", size + len(fresh.calls), held.fetchone()[0])
            return Took(*took, None, grew + _bytes(database))

    def _path(self, size: int) -> Path:
        return self._folder / f"plain-{size}.db"


def _put(database: sqlite3.Connection, table: str) -> str:
    marks = ", ".join("?" * (_names(database, table).count(",") + 1))
    return f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608


def _insert(database: sqlite3.Connection, puts: Sequence[str], calls: Sequence[Sequence[Any]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    for number, put in enumerate(puts):
        database.executemany(put, [row for call in calls for row in call[number]])
    database.execute("COMMIT")


class PostgresStore:
    """The archive in PostgreSQL, which has committed durably before it answers."""

    def __init__(self, databases: Databases, own: OwnStore) -> None:
        self._databases = databases
        self._own = own
        self._names: dict[int, str] = {}

    async def prepare(self, sizes: Sequence[int], calls: Sequence[Call]) -> None:
        """Makes the databases: each holds the first so many of the calls."""
        before, databases = 0, self._databases
        for size in sizes:
            copy = await databases.copied(self._names[before], f"holds_{size}") if before else await databases.new()
            self._names[size] = copy
            with Store(self._own.path(size)) as store:
                async with databases.archive(copy) as archive:
                    for at in range(before, size, _PARCELS):
                        await archive.receive(parcels(store, calls[at : min(at + _PARCELS, size)]))
            before = size

    async def keep(self, size: int, fresh: Fresh, at_once: int) -> Took:
        name = await self._databases.copied(self._names[size], "measured")
        try:
            return await self._kept(name, size, fresh, at_once)
        finally:
            await self._databases.drop(name)

    async def _kept(self, name: str, size: int, fresh: Fresh, at_once: int) -> Took:
        work = [[fresh.parcels[number] for number in lot] for lot in lots(len(fresh.calls), at_once)]
        first, databases = WARM_UP // at_once, self._databases
        async with databases.archive(name) as archive:
            for one in work[:first]:
                await archive.receive(one)
            grew, before = -await databases.size_bytes(name), await databases.cpu_ms()
            began, began_cpu = perf_counter(), process_time()
            for one in work[first:]:
                await archive.receive(one)
            took = perf_counter() - began, process_time() - began_cpu
            spent = sum(used - before[pid] for pid, used in used_ms(before).items())
            held = await databases.said("SELECT count(*) FROM records", name)
            _require("PostgreSQL", size + len(fresh.calls), held)
            return Took(*took, spent, grew + await databases.size_bytes(name))


def _require(store: str, wanted: int, found: int) -> None:
    if wanted != found:
        raise KeptOtherwise(store, wanted, found)


def _bytes(database: sqlite3.Connection) -> int:
    found = 1
    for part in ("page_count", "page_size"):
        with closing(database.execute(f"PRAGMA {part}")) as said:
            found *= said.fetchone()[0]
    return found


@contextmanager
def _copy(path: Path) -> Iterator[Path]:
    """A copy that is on the disk, so that nothing is left to be written while others are measured."""
    copy = path.with_name("measured.db")
    shutil.copyfile(path, copy)
    descriptor = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        yield copy
    finally:
        _remove(copy)


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
