"""A store that is only read, and no longer than somebody waits."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recordings.store import Store

_STEPS = 10_000
"""Of SQLite's machine between two looks at the clock: well under a millisecond."""


class SearchTooSlow(TimeoutError):
    """A search was ended before it was done."""

    def __init__(self, bound_s: float) -> None:
        self.bound_s = bound_s
        super().__init__(f"the search took longer than {bound_s:.0f} s: name a day, a caller or a number")


class Reading:
    """The store's file, opened for reading alone. One thread at a time may use it."""

    def __init__(self, path: Path) -> None:
        """Raises StoreTooNew, sqlite3.Error."""
        self._store = Store(path)
        self._store.database.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        self._store.close()

    @contextmanager
    def bounded(self, bound_s: float) -> Iterator[Store]:
        """The store; whatever is asked of it ends within the bound. Raises SearchTooSlow, sqlite3.Error."""
        deadline_s = time.monotonic() + bound_s
        connection = self._store.database.conn
        connection.set_progress_handler(lambda: time.monotonic() > deadline_s, _STEPS)
        try:
            yield self._store
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise SearchTooSlow(bound_s) from error
            raise
        finally:
            connection.set_progress_handler(None, 0)
