"""What the controller saw of calls, beside what Asterisk wrote of them.

The journal is the truth. A call that waited and that no controller knew of is marked in its record; a call that
a controller saw, and of which nothing was written, is told.
"""

from collections.abc import Sequence

from recordings.store import Store

SETTLED_MS = 10_000
"""By then the journal's lines and the controller's notes are in the store, whichever was slower."""
_AT_ONCE = 500


class Seen:
    """The controller's notes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, node: str, refs: Sequence[str], at_utc_ms: int) -> None:
        """These calls wait. The same ones again change nothing."""
        with self._store.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO seen (ref, node, first_utc_ms) VALUES (?, ?, ?)",
                [(ref, node, at_utc_ms) for ref in refs],
            )


def reconcile(store: Store, node: str, now_utc_ms: int) -> list[str]:
    """Settles the records of calls that have ended; says which calls were seen and have none, each one once."""
    settled_ms = now_utc_ms - SETTLED_MS
    ended = store.rows(
        "SELECT ref, waiting_since_utc_ms, seen_live FROM records "
        "WHERE reconciled = 0 AND running = 0 AND node = ? AND ended_utc_ms < ? LIMIT ?",
        *(node, settled_ms, _AT_ONCE),
    )
    missing = store.rows(
        "SELECT seen.ref FROM seen LEFT JOIN records ON records.ref = seen.ref "
        "WHERE seen.node = ? AND seen.told = 0 AND seen.first_utc_ms < ? AND records.ref IS NULL",
        *(node, settled_ms),
    )
    if not (ended or missing):
        return []
    with store.writing() as connection:
        for row in ended:
            if row["waiting_since_utc_ms"] is not None and row["seen_live"] is None:
                connection.execute(
                    "UPDATE records SET revision = revision + 1, "
                    "seen_live = EXISTS (SELECT 1 FROM seen WHERE ref = ?1) WHERE ref = ?1",
                    (row["ref"],),
                )
                store.changed(connection, row["ref"])
            connection.execute("UPDATE records SET reconciled = 1 WHERE ref = ?", (row["ref"],))
            connection.execute("DELETE FROM seen WHERE ref = ?", (row["ref"],))
        connection.executemany("UPDATE seen SET told = 1 WHERE ref = ?", [(row["ref"],) for row in missing])
    return [str(row["ref"]) for row in missing]
