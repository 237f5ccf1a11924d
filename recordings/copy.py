"""A second copy of the records in another SQLite file: on another disk, or for other programs to read."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from recordings.forward import Parcel, ReceiverAway

_TABLE = "CREATE TABLE IF NOT EXISTS received (ref TEXT PRIMARY KEY, revision INT NOT NULL, record TEXT NOT NULL)"
_KEEP = """
    INSERT INTO received (ref, revision, record) VALUES (?, ?, ?)
    ON CONFLICT (ref) DO UPDATE SET revision = excluded.revision, record = excluded.record
    WHERE excluded.revision > received.revision
"""


class SqliteCopy:
    """A `recordings.forward.Receiver`: table `received`, one row a call, the record as JSON."""

    def __init__(self, path: Path, trace: Callable[[str], None] | None = None) -> None:
        """`trace` is told each SQL statement before it runs."""
        self._path = path
        self._trace = trace

    def receive(self, parcels: Sequence[Parcel]) -> None:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as connection:
                connection.set_trace_callback(self._trace)
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(_TABLE)
                with connection:
                    connection.executemany(_KEEP, [(one.ref, one.revision, one.text()) for one in parcels])
        except sqlite3.Error as error:
            raise ReceiverAway(f"{self._path}: {error}") from error
