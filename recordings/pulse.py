"""What is new in a node's store, and how far behind it is: for figures that are shown while calls go on."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calls.emergency import passed_on_ms
from recordings.store import Store

PROVED = "prove"
"""What the audit calls it when somebody proved the chain of records."""
AT_ONCE = 1_000
"""So many calls are told by one look."""

_NEW = """
    SELECT links.id AS link, records.ref, coalesce(records.number, records.dialled) AS number, records.outcome,
        records.call_back_of IS NOT NULL AS ours, records.wait_ms, records.talk_ms, records.seats,
        records.emergency_number
    FROM links JOIN records ON records.ref = links.ref
    WHERE links.id > ? AND links.id <= ? AND links.kind = 'kept' AND records.node = ?
        AND NOT EXISTS (SELECT 1 FROM links AS earlier WHERE earlier.ref = links.ref AND earlier.id < links.id)
    ORDER BY links.id LIMIT ?
"""
_DUE = """
    SELECT (SELECT count(*) FROM records WHERE node = ?1 AND audio = 'due' AND running = 0)
        + (SELECT count(*) FROM records WHERE node = ?1 AND message_audio = 'due' AND running = 0) AS n
"""
_OPEN = "SELECT state, count(*) AS n FROM call_backs WHERE state IN ('waiting', 'listed', 'dialling') GROUP BY state"
_RESTARTS = "SELECT part, who IS NOT NULL AS wanted, count(*) AS n FROM restarts GROUP BY 1, 2"
_OUTBOX = "SELECT count(*) AS n, count(refused) AS refused FROM outbox"
_PROVED = "SELECT id, at_utc_ms, json_extract(what, '$.faults') AS faults FROM audit WHERE did = ? AND id > ?"


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A call whose record has just been finished."""

    ref: str
    number: str | None
    outcome: str
    ours: bool
    """The hotline called, to call back."""
    wait_ms: int | None
    talk_ms: int
    seats: str
    """As JSON."""
    emergency_number: str | None
    passed_on_ms: int | None
    """From the wish for that number until it answered."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How things stand in the store and before it."""

    outbox: int = 0
    refused: int = 0
    """Of these: the receiver can never keep them."""
    journal_unread_bytes: int = 0
    recordings_due: int = 0
    """Of calls that have ended."""
    spool_files: int = 0
    bans: int = 0
    """Addresses that are refused at the SIP port now."""
    call_backs: Mapping[str, int] = field(default_factory=dict)
    """State → call-backs that are open."""
    restarts: Mapping[tuple[str, bool], int] = field(default_factory=dict)
    """(part, whether somebody wanted it) → how often."""
    proved_utc_ms: int | None = None
    """When the chain of records was proved last."""
    faults: int | None = None
    """What was found then."""


class Pulse:
    """Looks into one node's store again and again. One thread at a time; it writes nothing."""

    def __init__(self, path: Path, journal: Path, monitor: Path, *, node: str) -> None:
        """What has ended before it is made is not told. `monitor`: the spool's folder with recordings.

        Raises StoreTooNew, sqlite3.Error.
        """
        self._path = path
        self._journal = journal
        self._monitor = monitor
        self._node = node
        self._proof_id = 0
        self._proved: tuple[int, int] | None = None
        with Store(path) as store:
            self._link = _newest(store)

    def look(self) -> tuple[tuple[EndedCall, ...], Backlog]:
        """Calls that have ended since the last look, at most AT_ONCE, and how things stand.

        Raises OSError, sqlite3.Error; then nothing is lost for the next look.
        """
        with Store(self._path) as store:
            newest = _newest(store)
            rows = store.rows(_NEW, self._link, newest, self._node, AT_ONCE)
            ended = tuple(_ended(store, row) for row in rows)
            backlog = self._backlog(store)
        self._link = rows[-1]["link"] if len(rows) == AT_ONCE else newest
        return ended, backlog

    def _backlog(self, store: Store) -> Backlog:
        outbox = store.rows(_OUTBOX)[0]
        for row in store.rows(_PROVED, PROVED, self._proof_id):
            self._proof_id, self._proved = row["id"], (row["at_utc_ms"], int(row["faults"] or 0))
        return Backlog(
            outbox=outbox["n"],
            refused=outbox["refused"],
            journal_unread_bytes=self._unread_bytes(store),
            recordings_due=store.rows(_DUE, self._node)[0]["n"],
            spool_files=_files(self._monitor),
            bans=store.rows("SELECT count(*) AS n FROM bans")[0]["n"],
            call_backs={row["state"]: row["n"] for row in store.rows(_OPEN)},
            restarts={(row["part"], bool(row["wanted"])): row["n"] for row in store.rows(_RESTARTS)},
            proved_utc_ms=None if self._proved is None else self._proved[0],
            faults=None if self._proved is None else self._proved[1],
        )

    def _unread_bytes(self, store: Store) -> int:
        """Of the journal and its rotated files that are still there."""
        read = {(place.device, place.inode): place.offset for place in store.places(self._node)}
        unread = 0
        try:
            with os.scandir(self._journal.parent) as entries:
                for entry in entries:
                    if entry.name.startswith(self._journal.name):
                        status = entry.stat()
                        unread += max(0, status.st_size - read.get((status.st_dev, status.st_ino), 0))
        except FileNotFoundError:
            return unread  # It was rotated a moment ago, or its folder is being made again.
        return unread


def _newest(store: Store) -> int:
    """The last link of the chain."""
    return int(store.rows("SELECT coalesce(max(id), 0) AS n FROM links")[0]["n"])


def _ended(store: Store, row: Mapping[str, Any]) -> EndedCall:
    emergency = row["emergency_number"]
    return EndedCall(
        ref=row["ref"],
        number=row["number"],
        outcome=row["outcome"],
        ours=bool(row["ours"]),
        wait_ms=row["wait_ms"],
        talk_ms=row["talk_ms"],
        seats=row["seats"],
        emergency_number=emergency,
        passed_on_ms=None if emergency is None else passed_on_ms(store.events(row["ref"])),
    )


def _files(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(1 for _ in entries)
    except FileNotFoundError:
        return 0
