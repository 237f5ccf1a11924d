"""The store's tables, version by version."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database


class StoreTooNew(RuntimeError):
    """The store was written by a newer version of this program."""

    def __init__(self, path: Path, version: int) -> None:
        self.path = path
        self.version = version
        super().__init__(
            f"{path} has version {version} of the tables, this program knows {len(MIGRATIONS)}: "
            "run the newer program, or give another data folder"
        )


@contextmanager
def transaction(database: Database) -> Iterator[None]:
    """All of it is on the disk afterwards, or nothing. Waits for other writers before it reads."""
    database.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.conn.execute("COMMIT")
    except BaseException:
        database.rollback()
        raise


def migrate(database: Database, path: Path) -> None:
    """Brings the tables to the newest version, one whole step at a time. Raises StoreTooNew."""
    while (version := _version(database)) < len(MIGRATIONS):
        with transaction(database):
            if _version(database) == version:  # Another process may have been faster.
                MIGRATIONS[version](database)
                database.execute(f"PRAGMA user_version = {version + 1}")
    if version > len(MIGRATIONS):
        raise StoreTooNew(path, version)


def _version(database: Database) -> int:
    with closing(database.execute("PRAGMA user_version")) as cursor:
        return int(cursor.fetchone()[0])


def _first(database: Database) -> None:
    """Records, their events, lines put aside, and how far the journal has been read."""
    records = database.table("records")
    records.create(
        {
            "ref": str,
            "node": str,
            "dialled": str,
            "number": str,
            "caller": str,
            "trunk_in": str,
            "trunk_out": str,
            "outcome": str,
            "running": int,
            "arrived_utc_ms": int,
            "answered_utc_ms": int,
            "waiting_since_utc_ms": int,
            "seat_rang_utc_ms": int,
            "talk_began_utc_ms": int,
            "ended_utc_ms": int,
            "wait_ms": int,
            "talk_ms": int,
            "menus": str,
            "keys": str,
            "language": str,
            "skills": str,
            "priority": int,
            "seats": str,
            "emergency_number": str,
            "hung_up_by": str,
            "q850_cause": int,
            "survived": int,
            "recorded": int,
            "recording_file": str,
            "recording_sha256": str,
            "recording_ms": int,
            "audio": str,  # Null: none is to come; then 'due', at last 'kept' or 'none'.
            "gone": int,  # The Asterisk that carried the call is no more.
            "revision": int,  # Counts up with each change.
        },
        pk="ref",
        not_null={"node", "outcome", "running", "arrived_utc_ms", "gone", "revision"},
        defaults={"gone": 0},
    )
    records.create_index(["arrived_utc_ms"])
    records.create_index(["caller", "arrived_utc_ms"])
    database.execute("CREATE INDEX records_running ON records (node) WHERE running = 1")
    database.execute("CREATE INDEX records_audio ON records (node) WHERE audio = 'due'")
    events = database.table("events")
    events.create(
        {
            "id": int,
            "ref": str,  # Null: it belongs to no call as far as is known.
            "node": str,
            "kind": str,
            "at_us": int,
            "channel": str,
            "uniqueid": str,
            "linkedid": str,
            "context": str,
            "exten": str,
            "peer": str,
            "extra": str,
            "digest": bytes,  # Of the columns that the unique index lacks.
        },
        pk="id",
    )
    events.create_index(["node", "uniqueid", "at_us", "kind", "digest"], unique=True)
    database.execute("CREATE INDEX events_ref ON events (ref) WHERE ref IS NOT NULL")
    database.execute("CREATE INDEX events_linkedid ON events (node, linkedid)")
    database.execute("CREATE INDEX events_nobody ON events (node, at_us) WHERE ref IS NULL")
    database.table("unreadable").create(
        {"id": int, "node": str, "found_utc_ms": int, "file": str, "offset": int, "line": str, "why": str}, pk="id"
    )
    database.table("places").create(
        {"node": str, "device": int, "inode": int, "head": bytes, "offset": int}, pk=("node", "device", "inode")
    )
    database.table("outbox").create({"ref": str, "revision": int}, pk="ref")


MIGRATIONS: tuple[Callable[[Database], None], ...] = (_first,)
"""Each brings the tables from its own index's version to the next; a released one never changes."""
