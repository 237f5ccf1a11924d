"""The third version of the store's tables: what proves, finds, holds and removes what is kept."""

from sqlite_utils import Database

from recordings import chain


def third(database: Database) -> None:
    _chain(database)
    _marks(database)
    _search(database)
    _proofs(database)
    _outbox(database)
    _bans(database)


def _chain(database: Database) -> None:
    """A link for each state in which an ended call's record was kept, and for each that was removed."""
    links = database.table("links")
    links.create(
        {
            "id": int,
            "node": str,
            "at_utc_ms": int,  # When it was written.
            "ref": str,
            "revision": int,
            "kind": str,  # 'kept' or 'removed'
            "why": str,  # It was removed.
            "digest": bytes,  # Of the record.
            "link": bytes,  # Of the link before it and of all of this row's columns.
        },
        pk="id",
        not_null={"node", "at_utc_ms", "ref", "revision", "kind", "why", "digest", "link"},
    )
    links.create_index(["ref"])
    chain.begin(database.conn)


def _marks(database: Database) -> None:
    """Calls that are confidential, and calls that must not be removed."""
    marks = database.table("marks")
    marks.create(
        {
            "id": int,
            "ref": str,
            "kind": str,  # 'held' or 'confidential'
            "reason": str,
            "who": str,
            "since_utc_ms": int,
            "ended_utc_ms": int,
            "ended_by": str,
        },
        pk="id",
        not_null={"ref", "kind", "reason", "who", "since_utc_ms"},
    )
    database.execute("CREATE UNIQUE INDEX marks_active ON marks (ref, kind) WHERE ended_utc_ms IS NULL")
    database.execute(
        "CREATE INDEX records_with_audio ON records (arrived_utc_ms) WHERE audio = 'kept' OR message_audio = 'kept'"
    )


def _search(database: Database) -> None:
    """What `recordings.queries` finds calls by, and what `recordings.figures` counts."""
    database.execute("DROP INDEX idx_records_caller_arrived_utc_ms")
    database.execute("DROP INDEX records_blocked")
    database.execute("CREATE INDEX records_by_caller ON records (caller, outcome, arrived_utc_ms, dialled, number)")
    database.execute("CREATE INDEX records_by_dialled ON records (dialled, outcome, arrived_utc_ms)")
    database.execute(
        "CREATE INDEX records_by_number ON records (number, outcome, arrived_utc_ms, dialled) WHERE number <> dialled"
    )
    database.execute("CREATE INDEX records_by_outcome ON records (outcome, arrived_utc_ms)")
    # Everything that figures read, so that they need no record; and a time of arrival is found by it, too.
    database.execute("DROP INDEX idx_records_arrived_utc_ms")
    database.execute(
        "CREATE INDEX records_in_figures ON records (arrived_utc_ms, outcome, running, number, dialled, wait_ms, "
        "talk_ms, rating, emergency_number, call_back_of, seats, agents)"
    )
    database.execute(
        "CREATE INDEX records_emergencies ON records (arrived_utc_ms, outcome, running, number, dialled, "
        "emergency_number, ref) WHERE emergency_number IS NOT NULL"
    )
    _people(database)


def _people(database: Database) -> None:
    """The seats and agents of each record as rows. Triggers keep them so, whoever writes the record."""
    same = ("outcome", "arrived_utc_ms", "ref", "dialled", "number", "caller")
    for one in ("seat", "agent"):
        database.execute(
            f"CREATE TABLE record_{one}s ({one} TEXT NOT NULL, outcome TEXT NOT NULL, arrived_utc_ms INTEGER NOT NULL, "
            "ref TEXT NOT NULL, dialled TEXT, number TEXT, caller TEXT, "
            f"PRIMARY KEY ({one}, outcome, arrived_utc_ms, ref)) WITHOUT ROWID"
        )
        add = f"INSERT INTO record_{one}s SELECT DISTINCT value, "
        database.execute(f"{add}{', '.join(same)} FROM records, json_each(records.{one}s)")
        add += f"{', '.join(f'NEW.{name}' for name in same)} FROM json_each(NEW.{one}s)"
        remove = (
            f"DELETE FROM record_{one}s WHERE {one} IN (SELECT value FROM json_each(OLD.{one}s)) "  # noqa: S608 - our own words
            "AND outcome = OLD.outcome AND arrived_utc_ms = OLD.arrived_utc_ms AND ref = OLD.ref"
        )
        other = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in (f"{one}s", *same))
        for when, what in (
            (f"INSERT ON records WHEN NEW.{one}s <> '[]'", add),
            (f"UPDATE ON records WHEN {other}", f"{remove}; {add}"),
            (f"DELETE ON records WHEN OLD.{one}s <> '[]'", remove),
        ):
            name = f"record_{one}s_{when.partition(' ')[0].lower()}"
            database.execute(f"CREATE TRIGGER {name} AFTER {when} BEGIN {what}; END")


def _proofs(database: Database) -> None:
    """Drills of the emergency lines, restarts, the calls that the controller saw, and what is known of the journal."""
    database.table("drills").create(
        {
            "id": int,
            "began_utc_ms": int,
            "who": str,
            "number": str,
            "trunk": str,
            "dialled": str,
            "result": str,
            "answered_ms": int,  # After it was dialled; null: nobody answered.
            "q850_cause": int,  # Why the line's leg ended.
            "ref": str,  # The test call's record.
        },
        pk="id",
        not_null={"began_utc_ms", "who", "number", "trunk", "dialled", "result", "ref"},
    )
    database.table("restarts").create(
        {
            "id": int,
            "part": str,  # 'asterisk', 'controller', or 'hotline': all of it.
            "why": str,
            "who": str,
            "calls": int,  # In progress when it was stopped, as far as is known.
            "ended_utc_ms": int,
            "up_utc_ms": int,
        },
        pk="id",
        not_null={"part", "why", "ended_utc_ms"},
    )
    # Removed once the record says so.
    database.table("seen").create({"ref": str, "node": str, "first_utc_ms": int, "sight": str}, pk="ref")
    for column in (
        "seen_live INTEGER",
        "clock_stepped INTEGER NOT NULL DEFAULT 0",
        "reconciled INTEGER NOT NULL DEFAULT 1",  # With what the controller saw; nothing was noted before.
        "lines_missing INTEGER NOT NULL DEFAULT 0",
        "absent_utc_ms INTEGER",  # Asterisk has it no more, and no line tells its end; then it was there last.
        "sight TEXT",  # What the controller saw, where that tells more than the journal.
    ):
        database.execute(f"ALTER TABLE records ADD COLUMN {column}")
    database.execute("CREATE INDEX records_to_reconcile ON records (ended_utc_ms) WHERE reconciled = 0 AND running = 0")
    database.execute("ALTER TABLE places ADD COLUMN last BLOB")


def _outbox(database: Database) -> None:
    """What is to be sent on, in the order of its changes; and what a receiver must know."""
    database.execute("ALTER TABLE outbox RENAME TO outbox_before")
    outbox = database.table("outbox")
    outbox.create(
        {
            "id": int,
            "ref": str,  # Without a record: it was removed.
            "revision": int,
            "refused": str,  # Why the receiver can never keep it.
        },
        pk="id",
        not_null={"ref", "revision"},
    )
    outbox.create_index(["ref"], unique=True)
    database.execute("INSERT INTO outbox (ref, revision) SELECT ref, revision FROM outbox_before ORDER BY rowid")
    database.execute("DROP TABLE outbox_before")
    database.table("receiver").create({"name": str}, pk="name")  # The one that was told of every record.
    database.table("removed").create({"ref": str, "revision": int}, pk="ref", not_null={"revision"})


def _bans(database: Database) -> None:
    """Addresses that are refused at the SIP port; what was before stands in the audit."""
    database.table("bans").create(
        {"address": str, "failures": int, "account": str, "since_utc_ms": int, "until_utc_ms": int},
        pk="address",
        not_null={"failures", "account", "since_utc_ms", "until_utc_ms"},
    )
