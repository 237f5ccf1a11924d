"""The outbox: records are kept here first, and sent on to where all nodes' calls are kept."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from calls.record import plain
from recordings.archive import Parcel, ParcelRefused, Receiver, ReceiverAway
from recordings.store import Store, record_of

_NOTED_AT_ONCE = 5_000
_LOT = """
    SELECT outbox.ref AS noted_ref, outbox.revision AS noted, records.*
    FROM outbox LEFT JOIN records ON records.ref = outbox.ref
    WHERE outbox.refused IS NULL ORDER BY outbox.id LIMIT ?
"""
_RECORDS_AFTER = """
    SELECT ref, revision, arrived_utc_ms FROM records WHERE (arrived_utc_ms, ref) > (?, ?)
    ORDER BY arrived_utc_ms, ref LIMIT ?
"""
_NOTE = "INSERT OR IGNORE INTO outbox (ref, revision) VALUES (?, ?)"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Lot:
    parcels: tuple[Parcel, ...]
    noted: tuple[tuple[str, int], ...]
    """The outbox's entries that these are: (ref, revision)."""


class Forwarder:
    """Empties the outbox of one store into a receiver, in the order of the changes.

    It opens the store's file by itself. Whatever the receiver does, nothing else waits for it.
    """

    def __init__(self, path: Path, receiver: Receiver, *, at_once: int = 500) -> None:
        self._path = path
        self._receiver = receiver
        self._at_once = at_once
        self._trouble: type[Exception] | None = None
        self.behind = 0
        """How many records are still to be sent, when it last looked."""

    async def run(self, every_s: float = 1.0) -> None:
        """Sends what comes until it is cancelled."""
        all_noted = False
        while True:
            sent = 0
            try:
                if not all_noted:
                    await asyncio.to_thread(self._note_all)
                    all_noted = True
                sent = await self.send()
            except (ReceiverAway, OSError, sqlite3.Error) as away:
                await self._away(away)
            else:
                self._back(sent)
            if sent < self._at_once:
                await asyncio.sleep(every_s)

    async def send(self) -> int:
        """Sends one lot and takes it out of the outbox; says how many. Raises ReceiverAway, OSError, sqlite3.Error."""
        lot = await asyncio.to_thread(self._next)
        if lot.parcels:
            refused = await self._deliver(lot.parcels)
            await asyncio.to_thread(self._sent, lot, refused)
        return len(lot.parcels)

    async def _deliver(self, parcels: Sequence[Parcel]) -> Mapping[str, str]:
        """The records that can never be kept there, and why. One of them must not hold up the others."""
        try:
            await self._receiver.receive(parcels)
        except ParcelRefused as refused:
            if len(parcels) == 1:
                _log.error("record_refused", call=parcels[0].ref, error=str(refused))
                return {parcels[0].ref: refused.why}
            return {ref: why for one in parcels for ref, why in (await self._deliver((one,))).items()}
        return {}

    # --- in a thread: the store --------------------------------------------------------------

    def _next(self) -> _Lot:
        with Store(self._path, forwards=True) as store:
            self.behind = _count(store)
            rows = store.rows(_LOT, self._at_once)
            return _Lot(
                tuple(_parcel(store, row) for row in rows), tuple((row["noted_ref"], row["noted"]) for row in rows)
            )

    def _sent(self, lot: _Lot, refused: Mapping[str, str]) -> None:
        done = [key for key in lot.noted if key[0] not in refused]
        put_aside = [(refused[ref], ref, revision) for ref, revision in lot.noted if ref in refused]
        with Store(self._path, forwards=True) as store:
            with store.writing() as connection:  # One that changed meanwhile stays.
                connection.executemany("DELETE FROM outbox WHERE ref = ? AND revision = ?", done)
                connection.executemany("UPDATE outbox SET refused = ? WHERE ref = ? AND revision = ?", put_aside)
            self.behind = _count(store)

    def _note_all(self) -> None:
        """A receiver that is new gets every record: they are noted in small pieces, which nobody waits for long."""
        with Store(self._path, forwards=True) as store:
            with store.writing() as connection:  # After a start, with a newer program perhaps, they are tried again.
                connection.execute("UPDATE outbox SET refused = NULL WHERE refused IS NOT NULL")
            if store.rows("SELECT 1 FROM receiver WHERE name = ?", self._receiver.name):
                return
            arrived_utc_ms, ref = 0, ""
            while found := store.rows(_RECORDS_AFTER, arrived_utc_ms, ref, _NOTED_AT_ONCE):
                with store.writing() as connection:
                    connection.executemany(_NOTE, [(row["ref"], row["revision"]) for row in found])
                arrived_utc_ms, ref = found[-1]["arrived_utc_ms"], found[-1]["ref"]
            with store.writing() as connection:
                connection.execute("DELETE FROM receiver")
                connection.execute("INSERT INTO receiver (name) VALUES (?)", (self._receiver.name,))

    def _look(self) -> None:
        with Store(self._path, forwards=True) as store:
            self.behind = _count(store)

    # --- what is told ------------------------------------------------------------------------

    async def _away(self, error: Exception) -> None:
        with suppress(OSError, sqlite3.Error):  # The disk itself may be the trouble, which the keeper tells.
            await asyncio.to_thread(self._look)
        if self._trouble is not type(error):
            self._trouble = type(error)
            _log.warning("records_not_forwarded", error=str(error), behind=self.behind)

    def _back(self, sent: int) -> None:
        if self._trouble is not None:
            self._trouble = None
            _log.info("records_forwarded_again", behind=self.behind + sent)


def _count(store: Store) -> int:
    return int(store.rows("SELECT count(*) AS n FROM outbox")[0]["n"])


def _parcel(store: Store, row: Mapping[str, Any]) -> Parcel:
    if row["ref"] is None:
        return Parcel(row["noted_ref"], row["noted"], None)
    record = record_of(dict(row))
    events = () if record.running else store.event_rows(record.ref)
    return Parcel(record.ref, row["revision"], plain(record), events)
