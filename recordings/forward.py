"""The outbox: records that are kept here first, and sent on to where all nodes' calls are kept."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from calls.record import plain
from recordings.store import Store, record_of

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parcel:
    """One record as it stood at a revision; a higher revision replaces a lower one."""

    ref: str
    revision: int
    record: dict[str, Any]
    """As `calls.record.plain` tells it."""

    def text(self) -> str:
        return json.dumps(self.record, ensure_ascii=False)


class ReceiverAway(ConnectionError):
    """The receiver cannot be reached or did not keep what was sent; it is tried again later."""


class Receiver(Protocol):
    """Where records are sent."""

    def receive(self, parcels: Sequence[Parcel]) -> None:
        """Keeps them durably before it returns; the same one twice, or an older one later, changes
        nothing. Raises ReceiverAway."""
        ...


class Forwarder:
    """Empties the outbox of one store into a receiver. It opens the store's file by itself."""

    def __init__(self, path: Path, receiver: Receiver, *, at_once: int = 500) -> None:
        self._path = path
        self._receiver = receiver
        self._at_once = at_once

    async def run(self, every_s: float = 1.0) -> None:
        """Sends what comes until it is cancelled."""
        while True:
            try:
                sent = await asyncio.to_thread(self.send)
            except (ReceiverAway, OSError, sqlite3.Error) as away:
                _log.warning("records_not_forwarded", error=str(away))
                sent = 0
            if sent < self._at_once:
                await asyncio.sleep(every_s)

    def send(self) -> int:
        """Sends one lot and takes it out of the outbox; says how many. Raises ReceiverAway."""
        with Store(self._path, forwards=True) as store:
            rows = store.rows("SELECT records.* FROM outbox JOIN records USING (ref) LIMIT ?", self._at_once)
            if not rows:
                return 0
            self._receiver.receive([Parcel(row["ref"], row["revision"], plain(record_of(row))) for row in rows])
            with store.writing() as connection:
                connection.executemany(  # One that changed meanwhile stays.
                    "DELETE FROM outbox WHERE ref = ? AND revision = ?",
                    [(row["ref"], row["revision"]) for row in rows],
                )
            return len(rows)
