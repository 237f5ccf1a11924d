"""A forwarder into an SQLite copy that kills itself after so many SQL statements.

`python -m tests.support.sqlite_receiver STORE COPY STATEMENTS`
"""

import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from recordings.copy import SqliteCopy
from recordings.forward import Forwarder


class _Fuse:
    def __init__(self, statements: int) -> None:
        self._left = statements

    def burn(self, _: str) -> None:
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def received(path: Path) -> list[tuple[str, int, str]]:
    """Everything in the copy: (ref, revision, record)."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT ref, revision, record FROM received ORDER BY ref").fetchall()


def main() -> None:
    fuse = _Fuse(int(sys.argv[3]))
    forwarder = Forwarder(Path(sys.argv[1]), SqliteCopy(Path(sys.argv[2]), fuse.burn), at_once=7)
    while forwarder.send():
        fuse.burn("between two lots")


if __name__ == "__main__":
    main()
