"""An archive in another SQLite file: on another disk, or for other programs to read."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from calls.record import LISTS, CallRecord
from calls.timeline import Entry
from recordings import queries
from recordings.archive import Parcel, ReceiverAway, ReceiverTooNew, newest
from recordings.queries import Wanted
from recordings.schema import MIGRATIONS, StoreTooNew
from recordings.store import Store
from recordings.writing import row_of

_FIELDS = tuple(field.name for field in fields(CallRecord))
_KEEP = f"""
    INSERT INTO records ({", ".join(_FIELDS)}, revision, looked_at)
    SELECT {", ".join(f":{name}" for name in _FIELDS)}, :revision, 1
    WHERE NOT EXISTS (SELECT 1 FROM removed WHERE ref = :ref AND revision >= :revision)
    ON CONFLICT (ref) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FIELDS)},
        revision = excluded.revision WHERE excluded.revision > records.revision
"""  # noqa: S608 - names of our own columns
_NOT_TOLD: dict[str, Any] = {
    **{field.name: None if field.default is MISSING else field.default for field in fields(CallRecord)},
    **{name: [] for name in LISTS},
    "message_left": False,
}
"""What earlier versions' records lack."""

_GONE = """
    INSERT INTO removed (ref, revision) VALUES (:ref, :revision)
    ON CONFLICT (ref) DO UPDATE SET revision = max(revision, excluded.revision)
"""


class SqliteArchive:
    """A `recordings.archive.Archive`: a file with the tables of the store, opened for each piece of work."""

    def __init__(self, path: Path, trace: Callable[[str], None] | None = None) -> None:
        """`trace` is told each SQL statement before it runs."""
        self._path = path
        self._trace = trace

    @property
    def name(self) -> str:
        return str(self._path)

    async def receive(self, parcels: Sequence[Parcel]) -> None:
        def work() -> None:
            with self._opened() as store, store.writing() as connection:
                for one in newest(parcels):
                    _keep(store, connection, one)

        await asyncio.to_thread(work)

    async def find(self, wanted: Wanted, timezone: ZoneInfo) -> list[CallRecord]:
        def work() -> list[CallRecord]:
            with self._opened() as store:
                return queries.find(store, wanted, timezone)

        return await asyncio.to_thread(work)

    async def get(self, begin: str) -> CallRecord:
        def work() -> CallRecord:
            with self._opened() as store:
                return queries.get(store, begin)

        return await asyncio.to_thread(work)

    async def timeline(self, ref: str) -> tuple[Entry, ...]:
        def work() -> tuple[Entry, ...]:
            with self._opened() as store:
                return queries.timeline(store, ref)

        return await asyncio.to_thread(work)

    async def close(self) -> None:
        """Nothing stays open."""

    @contextmanager
    def _opened(self) -> Iterator[Store]:
        if not self._path.parent.is_dir():  # It may be on a disk that is not there: it must not be made elsewhere.
            raise ReceiverAway(self.name, "its folder is not there", "bring back the disk, or make the folder")
        try:
            with Store(self._path) as store:
                store.database.conn.set_trace_callback(self._trace)
                store.database.execute("PRAGMA secure_delete = ON")
                _take_over(store)
                yield store
        except StoreTooNew as error:
            raise ReceiverTooNew(self.name, error.version, len(MIGRATIONS)) from error
        except (sqlite3.Error, OSError) as error:
            raise ReceiverAway(self.name, str(error), "see whether its disk is full, or not writable") from error


def _keep(store: Store, connection: sqlite3.Connection, one: Parcel) -> None:
    key = {"ref": one.ref, "revision": one.revision}
    if one.record is None:
        connection.execute(_GONE, key)
        if connection.execute("DELETE FROM records WHERE ref = :ref AND revision < :revision", key).rowcount:
            connection.execute("DELETE FROM events WHERE ref = :ref", key)
    elif connection.execute(_KEEP, {**row_of(one.record), **key}).rowcount:
        connection.execute("DELETE FROM events WHERE ref = :ref", key)
        for event in one.events:
            store.keep_event(connection, one.ref, one.record["node"], event)


def _take_over(store: Store) -> None:
    """Earlier versions kept each record as JSON, in a table `received`."""
    if not store.rows("SELECT 1 FROM sqlite_master WHERE name = 'received'"):
        return
    with store.writing() as connection:
        for ref, revision, record in connection.execute("SELECT ref, revision, record FROM received"):
            _keep(store, connection, Parcel(ref, revision, {**_NOT_TOLD, **json.loads(record)}))
        connection.execute("DROP TABLE received")
