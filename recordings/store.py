"""The local store: records and events in one SQLite file, each batch kept wholly or not at all."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from calls.cel import Row, build
from calls.clock import steadied
from calls.fold import fold
from calls.journal import Arrived
from calls.record import LISTS, CallRecord, of_plain
from calls.sight import Sight
from recordings import chain
from recordings.growing import Growing, Memory
from recordings.schema import migrate, transaction
from recordings.tail import Batch, Place, Unreadable
from recordings.writing import write, write_changes

_COLUMNS = ("channel", "uniqueid", "linkedid", "context", "exten", "peer", "extra")
_event = attrgetter("kind", "at_us", *_COLUMNS)
_TELL_NOTHING = frozenset({"BRIDGE_EXIT", "LINKEDID_END"})
"""Nothing that a HANGUP or another BRIDGE_ENTER doesn't tell: a fifth of all rows, not kept."""

_ENDS = frozenset({"HANGUP", "CHAN_END"})

_NOBODYS_S = 3600
"""So long an event waits for the call that it may belong to."""

_KEEP_EVENT = f"""
    INSERT OR IGNORE INTO events (ref, node, kind, at_us, {", ".join(_COLUMNS)}, digest)
    VALUES ({", ".join("?" * (5 + len(_COLUMNS)))})
"""  # noqa: S608 - names of our own columns
_OF_CHANNEL = "SELECT ref FROM events WHERE node = ? AND uniqueid = ? ORDER BY ref DESC LIMIT 1"
"""Null when it has rows that are all nobody's."""
_OF_LINKED = "SELECT ref FROM events WHERE node = ? AND linkedid = ? AND ref IS NOT NULL LIMIT 1"
_BESIDE = "SELECT gone, absent_utc_ms, sight FROM records WHERE ref = ?"
_EVENTS_OF = f"SELECT kind, at_us, {', '.join(_COLUMNS)} FROM events WHERE ref = ? ORDER BY id"  # noqa: S608


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
        self._memory = Memory()
        self._behind: set[str] = set()
        """Calls whose records do not say yet all that is kept of them."""
        self._folded: set[str] = set()
        """Calls whose records will, once this transaction is kept."""
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
        with closing(self.database.conn.execute(sql, values)) as cursor:
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, wholly on the disk afterwards or not at all."""
        try:
            with transaction(self.database):
                yield self.database.conn
            self._behind -= self._folded
        except BaseException:
            self._memory.clear()  # It may hold rows that are now not kept.
            raise
        finally:
            self._folded.clear()

    # --- the journal -------------------------------------------------------------------------

    def places(self, node: str) -> list[Place]:
        """How far each of the node's journal files has been read."""
        return [
            Place(row["device"], row["inode"], row["head"], row["offset"], row["last"] or b"")
            for row in self.rows("SELECT * FROM places WHERE node = ?", node)
        ]

    def keep(self, node: str, batch: Batch, now_utc_ms: int, *, patient: bool = False) -> None:
        """Keeps a batch, the records it changes and the place it reaches. Safe to repeat.

        `patient`: records of calls that go on may wait for `catch_up`.
        """
        with self.writing() as connection:
            touched: dict[str, bool] = {}
            for row in batch.rows:
                if (ref := self._keep_row(connection, node, row)) is not None:
                    touched[ref] = touched.get(ref, False) or row.kind in _ENDS
            for ref, ends in touched.items():
                if patient and not ends and self._memory.known(ref):
                    self._behind.add(ref)
                else:
                    self._fold(connection, node, ref)
            self._put_aside(connection, node, batch.unreadable, now_utc_ms)
            place = batch.place
            connection.execute(
                "INSERT OR REPLACE INTO places (node, device, inode, head, offset, last) VALUES (?, ?, ?, ?, ?, ?)",
                (node, place.device, place.inode, place.head, place.offset, place.last),
            )
            if batch.rows:
                stale_us = batch.rows[-1].at_us - _NOBODYS_S * 1_000_000
                connection.execute("DELETE FROM events WHERE ref IS NULL AND node = ? AND at_us < ?", (node, stale_us))

    def catch_up(self, node: str) -> None:
        """Brings the records that wait for it up to what is kept of their calls."""
        if self._behind:
            with self.writing() as connection:
                for ref in tuple(self._behind):
                    self._fold(connection, node, ref)

    def resume(self, node: str) -> None:
        """Has `catch_up` look at all of the node's running calls: whoever wrote before may have left some behind."""
        for row in self.rows("SELECT * FROM records WHERE node = ? AND running = 1", node):
            sight = None if row["sight"] is None else Sight.of_json(row["sight"])
            call = Growing(events_of(self.event_rows(row["ref"])), record_of(row), sight, bool(row["clock_stepped"]))
            self._memory.keep(row["ref"], call)
            self._behind.add(row["ref"])

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
                self.refold(connection, node, ref)
        return refs

    def clock_stepped(self, node: str) -> None:
        """Marks the node's running calls: the clock was set."""
        running = "node = ? AND running = 1 AND clock_stepped = 0"
        with self.writing() as connection:
            refs = [row["ref"] for row in self.rows(f"SELECT ref FROM records WHERE {running}", node)]  # noqa: S608 - our own words
            connection.execute(
                f"UPDATE records SET clock_stepped = 1, revision = revision + 1 WHERE {running}",  # noqa: S608 - our own words
                (node,),
            )
            for ref in refs:
                self.changed(connection, ref)

    def events(self, ref: str) -> list[Row]:
        """Everything that was kept of one call, with times that do not jump back."""
        return list(steadied(events_of(self.event_rows(ref)))[0])

    def event_rows(self, ref: str) -> tuple[tuple[Any, ...], ...]:
        """The same as it is kept: kind, time in µs, and the further columns of `calls.cel.Row` in their order."""
        with closing(self.database.execute(_EVENTS_OF, (ref,))) as cursor:
            return tuple(cursor.fetchall())

    def keep_event(self, connection: sqlite3.Connection, ref: str | None, node: str, event: Sequence[Any]) -> bool:
        """Keeps an event as `event_rows` tells it; whether it is new."""
        digest = blake2b("\x1f".join(event[2:]).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return connection.execute(_KEEP_EVENT, (ref, node, *event, digest)).rowcount > 0

    def _keep_row(self, connection: sqlite3.Connection, node: str, row: Row) -> str | None:
        """The call that the row changed, if it is new and somebody's."""
        if row.kind in _TELL_NOTHING:
            return None
        ref, claims = self._whose(connection, node, row)
        if not self.keep_event(connection, ref, node, _event(row)):
            return None
        if ref is None:
            self._memory.nobodys(row)
            return None
        if claims:
            self._claim(connection, node, ref, row)
        else:
            self._memory.grew(ref, row)
        return ref

    def _claim(self, connection: sqlite3.Connection, node: str, ref: str, row: Row) -> None:
        """Gives the call what was kept of the row's channel before, when it was nobody's."""
        connection.execute(
            "UPDATE events SET ref = ? WHERE ref IS NULL AND node = ? AND uniqueid = ?", (ref, node, row.uniqueid)
        )
        self._memory.forget(ref)
        earlier = self._memory.claimed(row.uniqueid)
        if _one(connection, "SELECT count(*) FROM events WHERE ref = ?", (ref,)) == (len(earlier) + 1,):
            self._memory.keep(ref, Growing(earlier))
        self._memory.grew(ref, row)

    def _whose(self, connection: sqlite3.Connection, node: str, row: Row) -> tuple[str | None, bool]:
        """The row's call, and whether earlier rows of its channel may become that call's by this one.

        A channel keeps its call whatever becomes of its linkedid (transfers change it), and a new
        channel belongs to the call of its linkedid.
        """
        if (known := self._memory.whose(row.uniqueid)) is not None:
            return known, False
        own = _one(connection, _OF_CHANNEL, (node, row.uniqueid))
        if own is not None and own[0] is not None:
            return str(own[0]), False
        linked = _one(connection, _OF_LINKED, (node, row.linkedid))
        if linked is not None:
            return str(linked[0]), own is not None
        if not isinstance(row.step, Arrived) or chain.was_removed(connection, row.step.ref):
            return None, False  # A journal that is read again must not bring back what was removed.
        return row.step.ref, True

    def refold(self, connection: sqlite3.Connection, node: str, ref: str, sight: Sight | None = None) -> None:
        """Makes the call's record anew from everything that is known of it.

        sight: of a call that has no record yet. To be called in the transaction that keeps what has changed.
        """
        self.forget(ref)
        self._fold(connection, node, ref, sight)

    def _fold(self, connection: sqlite3.Connection, node: str, ref: str, sight: Sight | None = None) -> None:
        self._folded.add(ref)
        call = self._memory.call(ref) or Growing(events_of(self.event_rows(ref)), sight=sight)
        gone, absent_utc_ms = 0, None
        if call.record is None:
            gone, absent_utc_ms, seen = _one(connection, _BESIDE, (ref,)) or (0, None, None)
            call.sight = call.sight if seen is None else Sight.of_json(seen)
        steady, stepped = steadied(call.rows)
        record = fold(node, steady, gone=bool(gone), absent_utc_ms=absent_utc_ms, sight=call.sight)
        if record is None or not record.running:
            self._memory.forget(ref, call)
        if record is None:
            return
        if call.record is None:
            write(connection, record, stepped=stepped)
        elif not write_changes(connection, call, record, stepped=stepped):
            return
        if record.running:
            call.record, call.stepped = record, stepped
            self._memory.keep(ref, call)
            self._send(connection, ref)
        else:
            self.changed(connection, ref)

    def forget(self, ref: str) -> None:
        """The call's rows are read anew when they are needed next."""
        self._memory.forget(ref)

    def _put_aside(
        self, connection: sqlite3.Connection, node: str, lines: Iterable[Unreadable], now_utc_ms: int
    ) -> None:
        connection.executemany(
            "INSERT INTO unreadable (node, found_utc_ms, file, offset, line, why) VALUES (?, ?, ?, ?, ?, ?)",
            [(node, now_utc_ms, line.file, line.offset, line.line, line.why) for line in lines],
        )

    # --- records -----------------------------------------------------------------------------

    def changed(self, connection: sqlite3.Connection, ref: str) -> None:
        """Adds it to the chain when the call has ended, and notes for the forwarder that it is to be sent (again).

        To be called in the transaction that changes the record, after its last change.
        """
        chain.keep(connection, ref)
        self._send(connection, ref)

    def _send(self, connection: sqlite3.Connection, ref: str) -> None:
        if self._forwards:
            connection.execute(
                "INSERT OR REPLACE INTO outbox (ref, revision) SELECT ref, revision FROM records WHERE ref = ?", (ref,)
            )

    def remove(self, connection: sqlite3.Connection, ref: str, why: str) -> None:
        """Removes an ended call and all that is told of it; the chain says so, and the forwarder passes it on."""
        chain.remove(connection, ref, why)
        if self._forwards:
            connection.execute(
                "INSERT OR REPLACE INTO outbox (ref, revision) SELECT ref, revision + 1 FROM records WHERE ref = ?",
                (ref,),
            )
        for table in ("events", "seen", "marks", "records"):
            connection.execute(f"DELETE FROM {table} WHERE ref = ?", (ref,))  # noqa: S608 - our own names

    def keep_audio(self, ref: str, audio: Audio, file: str | None, sha256: str | None, duration_ms: int | None) -> None:
        """Keeps where the call's audio is; all None: there is none and none will come."""
        with self.writing() as connection:
            connection.execute(
                f"UPDATE records SET {audio.state} = ?, {audio.fields}_file = ?, {audio.fields}_sha256 = ?, "  # noqa: S608 - our own columns
                f"{audio.fields}_ms = ?, revision = revision + 1 WHERE ref = ?",
                ("none" if file is None else "kept", file, sha256, duration_ms, ref),
            )
            self.changed(connection, ref)


def _one(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
    with closing(connection.execute(sql, values)) as cursor:
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


def events_of(kept: Iterable[Sequence[Any]]) -> list[Row]:
    """The events that `Store.event_rows` told."""
    return [build(kind, at_us, columns) for kind, at_us, *columns in kept]


def record_of(row: dict[str, Any]) -> CallRecord:
    """The record that stands in a row of the table `records`."""
    return of_plain({**row, **{name: json.loads(row[name]) for name in LISTS}})
