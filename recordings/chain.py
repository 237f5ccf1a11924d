"""The chain: what each ended call's record was, link by link, so that a change or a loss shows.

A link holds the digest of a record and is hashed together with the link before it, in order of
writing. Whoever knows a later link, the head of that moment, can tell whether anything before it
was changed (`recordings.proof`). Decision 0020 tells why it is one chain.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

from calls.record import LISTS, CallRecord

KEPT = "kept"
REMOVED = "removed"
BEGIN = bytes(32)
"""What stands before the first link."""

_FIELDS = tuple(field.name for field in fields(CallRecord))
_FLAGS = frozenset(field.name for field in fields(CallRecord) if field.type is bool)
_UNSETTLED = frozenset(field.name for field in fields(CallRecord) if field.type == bool | None)
_LISTS = frozenset(LISTS)
_EMPTY = (None, "", "[]")


@dataclass(frozen=True, slots=True)
class Link:
    """A state in which a record was kept, or that it was removed."""

    node: str
    at_utc_ms: int
    """When it was written."""
    ref: str
    revision: int
    kind: str
    """`kept` or `removed`."""
    why: str
    """Why it was removed; empty otherwise."""
    digest: bytes
    """Of the record; of one that was removed, as it was last."""

    def after(self, before: bytes) -> bytes:
        """The link's own hash, behind the link `before` it: SHA-256 of both."""
        told = [self.node, self.at_utc_ms, self.ref, self.revision, self.kind, self.why, self.digest.hex()]
        return sha256(before + _canonical(told)).digest()


def digest(record: Mapping[str, Any]) -> bytes:
    """SHA-256 of a record as `calls.record.plain` tells it: its canonical JSON, in UTF-8.

    Canonical: keys sorted, no blanks, nothing escaped that need not be, and without the entries that
    are null, an empty list or false (of those that may be null, false stays): a field that a later
    version adds changes no older digest.
    """
    return sha256(_canonical({name: value for name, value in record.items() if _says(name, value)})).digest()


def _says(name: str, value: Any) -> bool:
    return value is not None and value != [] and (value is not False or name in _UNSETTLED)


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """The record in a row of the table `records`, as `calls.record.plain` tells it; columns may be missing."""
    found = {name: row[name] for name in _FIELDS if name in row}
    for name in _LISTS & found.keys():
        found[name] = [] if found[name] in _EMPTY else json.loads(found[name])
    for name in (_FLAGS | _UNSETTLED) & found.keys():
        found[name] = None if found[name] is None and name in _UNSETTLED else bool(found[name])
    return found


def keep(connection: sqlite3.Connection, ref: str) -> None:
    """Adds a link for the record of an ended call, unless its newest link says the same.

    To be called in the transaction that changes the record.
    """
    with closing(connection.execute("SELECT * FROM records WHERE ref = ? AND running = 0", (ref,))) as cursor:
        values = cursor.fetchone()
        if values is None:
            return
        row = dict(zip((column[0] for column in cursor.description), values, strict=True))
    now = digest(told(row))
    if newest(connection, ref) != (KEPT, now):
        add(connection, Link(row["node"], time.time_ns() // 1_000_000, ref, row["revision"], KEPT, "", now))


def remove(connection: sqlite3.Connection, ref: str, why: str) -> None:
    """Adds the link that says that this record is being removed. To be called before it is."""
    with closing(connection.execute("SELECT * FROM records WHERE ref = ?", (ref,))) as cursor:
        row = dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))
    now_utc_ms = time.time_ns() // 1_000_000
    add(connection, Link(row["node"], now_utc_ms, ref, row["revision"] + 1, REMOVED, why, digest(told(row))))


def add(connection: sqlite3.Connection, link: Link) -> None:
    """Puts a link behind the last one. To be called in a transaction that keeps other writers out."""
    connection.execute(
        "INSERT INTO links (node, at_utc_ms, ref, revision, kind, why, digest, link) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(link.node, link.at_utc_ms, link.ref, link.revision, link.kind, link.why, link.digest),
            link.after(head(connection)),
        ),
    )


def head(connection: sqlite3.Connection) -> bytes:
    """The last link; of an empty chain, `BEGIN`."""
    with closing(connection.execute("SELECT link FROM links ORDER BY id DESC LIMIT 1")) as cursor:
        found = cursor.fetchone()
    return BEGIN if found is None else bytes(found[0])


def newest(connection: sqlite3.Connection, ref: str) -> tuple[str, bytes] | None:
    """Kind and digest of the call's newest link."""
    with closing(
        connection.execute("SELECT kind, digest FROM links WHERE ref = ? ORDER BY id DESC LIMIT 1", (ref,))
    ) as cursor:
        found = cursor.fetchone()
    return None if found is None else (str(found[0]), bytes(found[1]))


def was_removed(connection: sqlite3.Connection, ref: str) -> bool:
    """Whether the call's record was removed, and not put back since."""
    found = newest(connection, ref)
    return found is not None and found[0] == REMOVED


def begin(connection: sqlite3.Connection) -> None:
    """Adds a link for each ended call that was kept before there was a chain."""
    with closing(connection.execute("SELECT * FROM records WHERE running = 0 ORDER BY arrived_utc_ms, ref")) as cursor:
        columns = [column[0] for column in cursor.description]
        now_utc_ms = time.time_ns() // 1_000_000
        for values in cursor:
            row = dict(zip(columns, values, strict=True))
            add(connection, Link(row["node"], now_utc_ms, row["ref"], row["revision"], KEPT, "", digest(told(row))))


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
