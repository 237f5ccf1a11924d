"""A receiver of forwarded records in an SQLite file, and a forwarder that kills itself.

`python -m tests.support.sqlite_receiver STORE RECEIVER STATEMENTS`
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from recordings.forward import Forwarder, Parcel


class SqliteReceiver:
    """Keeps one row a call, the highest revision seen."""

    def __init__(self, path: Path, *, die_after: int | None = None) -> None:
        self._path = path
        self._left = die_after

    def receive(self, parcels: Sequence[Parcel]) -> None:
        with closing(sqlite3.connect(self._path)) as connection:
            connection.set_trace_callback(self._count)
            connection.execute("CREATE TABLE IF NOT EXISTS received (ref TEXT PRIMARY KEY, revision INT, record TEXT)")
            with connection:
                for parcel in parcels:
                    connection.execute(
                        "INSERT INTO received VALUES (?, ?, ?) ON CONFLICT (ref) DO UPDATE SET "
                        "revision = excluded.revision, record = excluded.record "
                        "WHERE excluded.revision > received.revision",
                        (parcel.ref, parcel.revision, parcel.text()),
                    )
        self._count("")

    def all(self) -> list[tuple[str, int, str]]:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute("SELECT ref, revision, record FROM received ORDER BY ref").fetchall()

    def _count(self, _: str) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    forwarder = Forwarder(Path(sys.argv[1]), SqliteReceiver(Path(sys.argv[2]), die_after=int(sys.argv[3])), at_once=7)
    while forwarder.send():
        pass


if __name__ == "__main__":
    main()
