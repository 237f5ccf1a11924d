"""Whether what is kept is what was kept: the chain, the records, and their audio.

Everything is streamed, so that millions of calls need little memory; it is read as it is at one
moment, while the hotline goes on.
"""

import sqlite3
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from recordings import chain
from recordings.chain import BEGIN, KEPT, REMOVED, Link
from recordings.keys import KeyMissing, KeyRing
from recordings.playback import sha256_of
from recordings.store import AUDIOS, Store
from recordings.vault import AudioBroken

_LINKS = "SELECT id, node, at_utc_ms, ref, revision, kind, why, digest, link FROM links ORDER BY id"
_RECORDS = """
    SELECT records.*, newest.kind AS link_kind, newest.digest AS link_digest
    FROM records LEFT JOIN links AS newest ON newest.id = (SELECT max(id) FROM links WHERE links.ref = records.ref)
"""
_MISSING = """
    SELECT ref, node, at_utc_ms FROM links AS last
    WHERE kind = 'kept' AND NOT EXISTS (SELECT 1 FROM records WHERE records.ref = last.ref)
    AND id = (SELECT max(id) FROM links WHERE links.ref = last.ref) ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was kept."""

    kind: str
    """`links_missing`, `link_broken`, `record_changed`, `record_unlinked`, `record_missing`, `record_returned`,
    `audio_missing`, `audio_changed`, `audio_unreadable` or `head_unknown`."""
    ref: str
    """The call; empty where it is not known."""
    at_utc_ms: int | None
    """When the call arrived, or when the link was written."""
    matter: str


@dataclass(slots=True)
class Proof:
    """What was looked at; its counts are complete when `faults` has been walked to its end."""

    heads: Collection[bytes] = ()
    """Links that were noted earlier: they must still be there."""
    links: int = 0
    records: int = 0
    """Of calls that have ended."""
    removed: int = 0
    """Records that were removed as the chain says."""
    audio: int = 0
    """Files that were read."""
    head: bytes = BEGIN
    _seen: set[bytes] = field(default_factory=set)

    def faults(self, store: Store, audio: tuple[Path, KeyRing] | None = None) -> Generator[Fault, None, None]:
        """Everything that is wrong, one after the other.

        audio: the folder of recordings and the keys, where the recordings are to be read, too.
        Raises OSError, sqlite3.Error.
        """
        connection: sqlite3.Connection = store.database.conn
        connection.execute("BEGIN")
        try:
            yield from self._chain(connection)
            yield from self._records(connection, audio)
            for row in _rows(connection, _MISSING):
                matter = "the chain knows this record, but it is gone, and nothing says that it was removed"
                yield Fault("record_missing", row["ref"], row["at_utc_ms"], matter)
        finally:
            connection.execute("ROLLBACK")

    def _chain(self, connection: sqlite3.Connection) -> Iterator[Fault]:
        before, last = BEGIN, 0
        for row in _rows(connection, _LINKS):
            ident, kept = row.pop("id"), row.pop("link")
            link = Link(**row)
            if ident != last + 1:
                yield Fault("links_missing", "", link.at_utc_ms, f"links {last + 1} to {ident - 1} are gone")
            elif link.after(before) != kept:
                matter = f"link {ident} does not follow from the one before it: one of the two was changed"
                yield Fault("link_broken", link.ref, link.at_utc_ms, matter)
            before, last = kept, ident
            self.links += 1
            self.removed += link.kind == REMOVED
            if kept in self.heads:
                self._seen.add(kept)
        self.head = before
        for head in self.heads:
            if head not in self._seen:
                matter = f"the head {head.hex()} is not in the chain: its end was cut off, or everything was made anew"
                yield Fault("head_unknown", "", None, matter)

    def _records(self, connection: sqlite3.Connection, audio: tuple[Path, KeyRing] | None) -> Iterator[Fault]:
        for row in _rows(connection, _RECORDS):
            if row["link_kind"] is None and row["running"]:
                continue
            self.records += not row["running"]
            if fault := _fault_of(row):
                yield Fault(fault[0], row["ref"], row["arrived_utc_ms"], fault[1])
            if audio is not None:
                yield from self._audio(row, *audio)

    def _audio(self, row: dict[str, Any], folder: Path, keys: KeyRing) -> Iterator[Fault]:
        for one in AUDIOS:
            file = row[f"{one.fields}_file"]
            if file is None:
                continue
            self.audio += 1
            try:
                if sha256_of(folder, file, keys) == row[f"{one.fields}_sha256"]:
                    continue
                kind, matter = "audio_changed", f"{file} is not what was kept (another hash)"
            except AudioBroken as error:
                kind, matter = "audio_changed" if (folder / file).exists() else "audio_missing", str(error)
            except (KeyMissing, OSError) as error:
                kind, matter = "audio_unreadable", str(error)
            yield Fault(kind, row["ref"], row["arrived_utc_ms"], matter)


def newest_faults(store: Store, most: int) -> Iterator[Fault]:
    """What is wrong with the chain's last `most` links, with the records that they tell of, and with as many of the
    newest records: a quick look. Raises sqlite3.Error.
    """
    connection: sqlite3.Connection = store.database.conn
    found = list(_rows(connection, f"SELECT * FROM ({_LINKS} DESC LIMIT {int(most) + 1}) ORDER BY id"))  # noqa: S608
    if len(found) <= most:
        found.insert(0, {"id": 0, "link": BEGIN})
    for before, row in pairwise(found):
        values = dict(row)
        ident, kept = values.pop("id"), values.pop("link")
        if ident != before["id"] + 1:
            yield Fault("links_missing", "", row["at_utc_ms"], f"links {before['id'] + 1} to {ident - 1} are gone")
        elif Link(**values).after(before["link"]) != kept:
            matter = f"link {ident} does not follow from the one before it: one of the two was changed"
            yield Fault("link_broken", row["ref"], row["at_utc_ms"], matter)
    yield from _newest_records(connection, {row["ref"]: row for row in found[1:]}, most)


def _newest_records(connection: sqlite3.Connection, links: dict[str, dict[str, Any]], most: int) -> Iterator[Fault]:
    """links: the newest one of each call."""
    for ref, link in links.items():
        record = next(_rows(connection, f"{_RECORDS} WHERE records.ref = ?", ref), None)
        if record is None and link["kind"] == KEPT:
            matter = "the chain knows this record, but it is gone, and nothing says that it was removed"
            yield Fault("record_missing", ref, link["at_utc_ms"], matter)
        elif record is not None and (fault := _fault_of(record)):
            yield Fault(fault[0], ref, record["arrived_utc_ms"], fault[1])
    for record in _rows(connection, f"{_RECORDS} ORDER BY records.arrived_utc_ms DESC LIMIT {int(most)}"):
        if record["link_kind"] is None and not record["running"] and (fault := _fault_of(record)):
            yield Fault(fault[0], record["ref"], record["arrived_utc_ms"], fault[1])


def _fault_of(row: dict[str, Any]) -> tuple[str, str] | None:
    """Kind and matter of what is wrong between a record and its newest link."""
    if row["link_kind"] is None:
        return (
            "record_unlinked",
            "no link knows the record of this ended call: it was put in, or links were cut off",
        )
    if row["link_kind"] != KEPT:
        return "record_returned", "the chain says that this record was removed, but it is there"
    if chain.digest(chain.told(row)) != row["link_digest"]:
        return "record_changed", "the record is not what was kept"
    return None


def _rows(connection: sqlite3.Connection, sql: str, *given: Any) -> Iterator[dict[str, Any]]:
    with closing(connection.execute(sql, given)) as cursor:
        columns = [column[0] for column in cursor.description]
        for values in cursor:
            yield dict(zip(columns, values, strict=True))
