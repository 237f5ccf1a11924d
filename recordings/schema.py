"""The store's tables, version by version."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from recordings.schema_third import third


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


def _second(database: Database) -> None:
    """Agents, transfers and call-backs in the records; duty, call-backs, audit and blocked callers beside them.

    Columns are added with constant values, so that millions of records need not be written anew.
    """
    for column in (
        "agents TEXT NOT NULL DEFAULT '[]'",
        "transfers TEXT NOT NULL DEFAULT '[]'",
        "overflowed_to TEXT",
        "call_back_of TEXT",
        "call_back_to TEXT",
        "rating INTEGER",
        "message_left INTEGER NOT NULL DEFAULT 0",
        "message_file TEXT",
        "message_sha256 TEXT",
        "message_ms INTEGER",
        "message_audio TEXT",  # As `audio`.
        "looked_at INTEGER NOT NULL DEFAULT 1",  # Whether its caller was missed is known; nobody is, from before.
    ):
        database.execute(f"ALTER TABLE records ADD COLUMN {column}")
    database.execute("UPDATE records SET looked_at = 0 WHERE running = 1")
    database.execute("CREATE INDEX records_message_audio ON records (node) WHERE message_audio = 'due'")
    database.execute("CREATE INDEX records_to_look_at ON records (ended_utc_ms) WHERE looked_at = 0 AND running = 0")
    database.execute("CREATE INDEX records_call_back_of ON records (caller) WHERE call_back_of IS NOT NULL")
    database.execute("CREATE INDEX records_blocked ON records (arrived_utc_ms) WHERE outcome = 'refused_blocked'")
    _duty(database)
    _call_backs(database)
    _desk(database)


def _duty(database: Database) -> None:
    duty = database.table("duty")
    duty.create(
        {
            "id": int,
            "seat": str,
            "agent": str,  # Null: nobody is signed on.
            "state": str,
            "reason": str,
            "call": str,
            "at_utc_ms": int,
        },
        pk="id",
        not_null={"seat", "state", "reason", "at_utc_ms"},
    )
    duty.create_index(["seat", "at_utc_ms"])
    duty.create_index(["agent", "at_utc_ms"])
    duty.create_index(["at_utc_ms"])


def _call_backs(database: Database) -> None:
    database.table("call_backs").create(
        {
            "id": int,
            "caller": str,
            "number": str,
            "language": str,
            "skills": str,
            "priority": int,
            "t0_utc_ms": int,
            "state": str,
            "state_before": str,  # While it is dialled: where it goes back to.
            "dialling_seen_utc_ms": int,  # When `dialling` was seen first.
            "since_utc_ms": int,
            "last_utc_ms": int,
            "attempts": int,
            "next_utc_ms": int,
            "reached_by": str,
            "why": str,
            "note": str,
        },
        pk="id",
        not_null={"caller", "number", "language", "skills", "priority", "state", "since_utc_ms", "last_utc_ms"},
        defaults={"attempts": 0, "why": "", "note": ""},
    )
    database.execute(
        "CREATE UNIQUE INDEX call_backs_open ON call_backs (caller) WHERE state IN ('waiting', 'listed', 'dialling')"
    )
    reasons = database.table("call_back_reasons")
    reasons.create(
        {"id": int, "call_back": int, "reason": str, "ref": str, "at_utc_ms": int},  # No ref: written by hand.
        pk="id",
        not_null={"call_back", "reason", "at_utc_ms"},
        foreign_keys=[("call_back", "call_backs", "id")],
    )
    reasons.create_index(["ref"], unique=True)
    reasons.create_index(["call_back"])


def _desk(database: Database) -> None:
    database.table("audit").create(
        {"id": int, "at_utc_ms": int, "who": str, "role": str, "did": str, "what": str},
        pk="id",
        not_null={"at_utc_ms", "who", "role", "did", "what"},
    )
    blocks = database.table("blocks")
    blocks.create(
        {
            "id": int,
            "number": str,
            "reason": str,
            "author": str,
            "until": str,  # The last day, as 2026-12-31.
            "added_utc_ms": int,
            "removed_utc_ms": int,
            "removed_by": str,
        },
        pk="id",
        not_null={"number", "reason", "author", "until", "added_utc_ms"},
    )
    database.execute("CREATE UNIQUE INDEX blocks_active ON blocks (number) WHERE removed_utc_ms IS NULL")
    blocks.create_index(["number", "added_utc_ms"])


MIGRATIONS: tuple[Callable[[Database], None], ...] = (_first, _second, third)
"""Each brings the tables from its own index's version to the next; a released one never changes."""
