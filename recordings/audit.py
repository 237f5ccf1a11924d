"""Who did what to the running hotline."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from recordings.store import Store


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did."""

    id: int
    at_utc_ms: int
    who: str
    role: str
    did: str
    """One word, such as `listen`."""
    what: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class By:
    """Who did it, and in which role."""

    who: str
    role: str


def note(connection: sqlite3.Connection, by: By, did: str, what: Mapping[str, str], at_utc_ms: int) -> None:
    """Adds an entry in the transaction of what was done."""
    connection.execute(
        "INSERT INTO audit (at_utc_ms, who, role, did, what) VALUES (?, ?, ?, ?, ?)",
        (at_utc_ms, by.who, by.role, did, json.dumps(dict(what), ensure_ascii=False)),
    )


class Audit:
    """Part of a store. As with the store, one thread at a time may use it. Entries are never changed, but for
    the telephone numbers in them: these are masked when the time of records is over (`recordings.removal`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, who: str, role: str, did: str, what: Mapping[str, str], at_utc_ms: int) -> None:
        """Is on the disk when it returns."""
        with self._store.writing() as connection:
            note(connection, By(who, role), did, what, at_utc_ms)

    def newest(self, limit: int) -> tuple[AuditEntry, ...]:
        """The last entries, newest first."""
        rows = self._store.rows("SELECT * FROM audit ORDER BY id DESC LIMIT ?", limit)
        return tuple(AuditEntry(**{**row, "what": json.loads(row["what"])}) for row in rows)
