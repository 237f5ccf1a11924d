"""The local store: records and events in one SQLite file, each batch kept wholly or not at all."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import MISSING, dataclass, fields
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from calls.cel import Row, build
from calls.fold import fold
from calls.journal import Arrived
from calls.record import LISTS, CallRecord, of_plain, plain
from recordings.schema import migrate, transaction
from recordings.tail import Batch, Place, Unreadable

_FOLDED = tuple(field.name for field in fields(CallRecord) if field.default is MISSING)
_COLUMNS = ("channel", "uniqueid", "linkedid", "context", "exten", "peer", "extra")
_TELL_NOTHING = frozenset({"BRIDGE_EXIT", "LINKEDID_END"})
"""Nothing that a HANGUP or another BRIDGE_ENTER doesn't tell: a fifth of all rows, not kept."""

_NOBODYS_S = 3600
"""So long an event waits for the call that it may belong to."""

_KEEP_EVENT = f"""
    INSERT OR IGNORE INTO events (ref, node, kind, at_us, {", ".join(_COLUMNS)}, digest)
    VALUES ({", ".join("?" * (5 + len(_COLUMNS)))})
"""  # noqa: S608 - names of our own columns
_KEEP_RECORD = f"""
    INSERT INTO records ({", ".join(_FOLDED)}, audio, message_audio, looked_at, revision)
    VALUES ({", ".join("?" * len(_FOLDED))}, ?, ?, 0, 1)
    ON CONFLICT (ref) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FOLDED)},
        audio = coalesce(audio, excluded.audio), message_audio = coalesce(message_audio, excluded.message_audio),
        looked_at = looked_at AND outcome = excluded.outcome AND running = excluded.running, revision = revision + 1
"""  # noqa: S608 - names of our own columns


@dataclass(frozen=True, slots=True)
class Audio:
    """One of the files that a call may leave behind."""

    state: str
    """The column that tells where it is: null, `due`, `kept` or `none`."""
    wanted: str
    """The column that tells whether it is kept; one that isn't is removed."""
    fields: str
    """What its fields in the record begin with."""
    ending: str
    """Of the file's name, which begins with the call's id."""


AUDIOS = (
    Audio("audio", "recorded", "recording", ".wav"),
    Audio("message_audio", "message_left", "message", "-message.wav"),
)


class Store:
    """The file `path`, made when it is missing. One thread at a time may use it."""

    def __init__(self, path: Path, *, forwards: bool = False) -> None:
        """`forwards`: changed records are noted in the outbox for a `recordings.forward.Forwarder`.

        Raises StoreTooNew, sqlite3.Error.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        # It tells who called whom; the files that SQLite puts beside it get the same mode.
        path.touch(mode=0o600, exist_ok=True)
        self.path = path
        self._forwards = forwards
        self._running: dict[str, list[Row]] = {}
        self.database = Database(sqlite3.connect(path, timeout=30, check_same_thread=False))
        try:
            self.database.enable_wal()
            self.database.execute("PRAGMA synchronous = FULL")
            migrate(self.database, path)
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """What a query finds."""
        return list(self.database.query(sql, values))

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, wholly on the disk afterwards or not at all."""
        try:
            with transaction(self.database):
                yield self.database.conn
        except BaseException:
            self._running.clear()  # It may hold rows that are now not kept.
            raise

    # --- the journal -------------------------------------------------------------------------

    def places(self, node: str) -> list[Place]:
        """How far each of the node's journal files has been read."""
        return [
            Place(row["device"], row["inode"], row["head"], row["offset"])
            for row in self.rows("SELECT * FROM places WHERE node = ?", node)
        ]

    def keep(self, node: str, batch: Batch, now_utc_ms: int) -> None:
        """Keeps a batch, the records it changes and the place it reaches. Safe to repeat."""
        with self.writing() as connection:
            touched = {ref for row in batch.rows if (ref := self._keep_row(connection, node, row)) is not None}
            for ref in touched:
                self._fold(connection, node, ref)
            self._put_aside(connection, node, batch.unreadable, now_utc_ms)
            place = batch.place
            connection.execute(
                "INSERT OR REPLACE INTO places (node, device, inode, head, offset) VALUES (?, ?, ?, ?, ?)",
                (node, place.device, place.inode, place.head, place.offset),
            )
            if batch.rows:
                stale_us = batch.rows[-1].at_us - _NOBODYS_S * 1_000_000
                connection.execute("DELETE FROM events WHERE ref IS NULL AND node = ? AND at_us < ?", (node, stale_us))

    def interrupt(self, node: str, before_utc_ms: int) -> list[str]:
        """Ends the node's running calls that arrived before this moment: their Asterisk is gone."""
        found = self.rows(
            "SELECT ref FROM records WHERE node = ? AND running = 1 AND arrived_utc_ms < ?", node, before_utc_ms
        )
        refs = [str(row["ref"]) for row in found]
        if not refs:
            return []
        with self.writing() as connection:
            for ref in refs:
                connection.execute("UPDATE records SET gone = 1 WHERE ref = ?", (ref,))
                self._fold(connection, node, ref)
        return refs

    def events(self, ref: str) -> list[Row]:
        """Everything that was kept of one call."""
        found = self.rows("SELECT * FROM events WHERE ref = ? ORDER BY id", ref)
        return [build(row["kind"], row["at_us"], [row[name] for name in _COLUMNS]) for row in found]

    def _keep_row(self, connection: sqlite3.Connection, node: str, row: Row) -> str | None:
        """The call that the row changed, if it is new and somebody's."""
        if row.kind in _TELL_NOTHING:
            return None
        ref, new_here = self._whose(connection, node, row)
        columns = [getattr(row, name) for name in _COLUMNS]
        digest = blake2b("\x1f".join(columns).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        kept = connection.execute(_KEEP_EVENT, (ref, node, row.kind, row.at_us, *columns, digest)).rowcount
        if ref is None or not kept:
            return None
        if new_here:
            self._running.pop(ref, None)
            connection.execute(
                "UPDATE events SET ref = ? WHERE ref IS NULL AND node = ? AND uniqueid = ?", (ref, node, row.uniqueid)
            )
        elif ref in self._running:
            self._running[ref].append(row)
        return ref

    def _whose(self, connection: sqlite3.Connection, node: str, row: Row) -> tuple[str | None, bool]:
        """The row's call, and whether this is the first that ties its channel to it.

        A channel keeps its call whatever becomes of its linkedid (transfers change it), and a new
        channel belongs to the call of its linkedid.
        """
        for column in ("uniqueid", "linkedid"):
            with closing(
                connection.execute(
                    f"SELECT ref FROM events WHERE node = ? AND {column} = ? AND ref IS NOT NULL LIMIT 1",  # noqa: S608
                    (node, getattr(row, column)),
                )
            ) as cursor:
                found = cursor.fetchone()
            if found is not None:
                return str(found[0]), column == "linkedid"
        return (row.step.ref, True) if isinstance(row.step, Arrived) else (None, False)

    def _fold(self, connection: sqlite3.Connection, node: str, ref: str) -> None:
        rows = self._running.get(ref)
        if rows is None:
            rows = self._running[ref] = self.events(ref)
        with closing(connection.execute("SELECT gone FROM records WHERE ref = ?", (ref,))) as cursor:
            known = cursor.fetchone()
        record = fold(node, rows, gone=known is not None and bool(known[0]))
        if record is None:
            return
        if not record.running:
            self._running.pop(ref, None)
        values = plain(record)
        columns = [json.dumps(values[name], ensure_ascii=False) if name in LISTS else values[name] for name in _FOLDED]
        # Whoever gave a mark may have been recorded without saying anything: that file must go.
        due = (record.recorded, record.message_left or record.rating is not None)
        connection.execute(_KEEP_RECORD, (*columns, *("due" if one else None for one in due)))
        self.changed(connection, ref)

    def _put_aside(
        self, connection: sqlite3.Connection, node: str, lines: Iterable[Unreadable], now_utc_ms: int
    ) -> None:
        connection.executemany(
            "INSERT INTO unreadable (node, found_utc_ms, file, offset, line, why) VALUES (?, ?, ?, ?, ?, ?)",
            [(node, now_utc_ms, line.file, line.offset, line.line, line.why) for line in lines],
        )

    # --- records -----------------------------------------------------------------------------

    def changed(self, connection: sqlite3.Connection, ref: str) -> None:
        """Notes for the forwarder that this record is to be sent (again)."""
        if self._forwards:
            connection.execute(
                "INSERT OR REPLACE INTO outbox (ref, revision) SELECT ref, revision FROM records WHERE ref = ?", (ref,)
            )

    def keep_audio(self, ref: str, audio: Audio, file: str | None, sha256: str | None, duration_ms: int | None) -> None:
        """Keeps where the call's audio is; all None: there is none and none will come."""
        with self.writing() as connection:
            connection.execute(
                f"UPDATE records SET {audio.state} = ?, {audio.fields}_file = ?, {audio.fields}_sha256 = ?, "  # noqa: S608 - our own columns
                f"{audio.fields}_ms = ?, revision = revision + 1 WHERE ref = ?",
                ("none" if file is None else "kept", file, sha256, duration_ms, ref),
            )
            self.changed(connection, ref)


def record_of(row: dict[str, Any]) -> CallRecord:
    """The record that stands in a row of the table `records`."""
    return of_plain({**row, **{name: json.loads(row[name]) for name in LISTS}})
