"""Keeps calls while they run: journal file → events and records, spool → recordings."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog

from recordings import lost
from recordings.ledger import keep_due
from recordings.seen import reconcile
from recordings.store import Store
from recordings.tail import Tail
from recordings.vault import PLAIN, Vault

POLL_S = 0.2
"""What a call does is kept at most about so much later. Then its record says that it has begun, or ended."""

TIDY_S = 1.0
"""At most so far behind is the record of a call that goes on. So often, too, is done what nobody waits for: calls that
have ended are settled, and their audio moved."""

STEPPED_MS = 1_000
"""A clock that is so much off since the last look was set by somebody."""

_RETRY_S = 1.0

T = TypeVar("T")

_log = structlog.get_logger()


class Keeper:
    """The only writer of one node's calls into its store.

    Nothing is lost while it is away: the journal file waits, and the place that is reached is kept
    in the same transaction as the rows. `store` stays its user's to close, after `run` has ended.
    """

    def __init__(
        self,
        store: Store,
        journal_path: Path,
        spool: Path,
        recordings_dir: Path,
        *,
        node: str,
        timezone: ZoneInfo,
        vault: Vault = PLAIN,
    ) -> None:
        """`spool`: Asterisk's, with the folder `monitor` in it. `timezone`: the city's, for days."""
        self._store = store
        self._tail = Tail(journal_path, store.places(node))
        store.resume(node)
        self._monitor = spool / "monitor"
        self._recordings = recordings_dir
        self._node = node
        self._timezone = timezone
        self._vault = vault
        self._journal = journal_path
        self._alone = asyncio.Lock()
        self._tidied_s = -TIDY_S
        """When it was, by a clock that never jumps."""
        self._ahead_ms: int | None = None
        """The time of day, less that of a clock which nobody sets."""
        self.trouble = ""
        """Why calls cannot be kept just now; empty: they are."""

    async def run(self, booted_utc_ms: Callable[[], int | None] = lambda: None) -> None:
        """Keeps what happens until it is cancelled. A full disk is logged once, and tried again each
        second; nothing is skipped.

        `booted_utc_ms` tells when the running Asterisk was started: calls of an earlier one have ended.
        """
        boot: int | None = None
        while True:
            try:
                now = booted_utc_ms()
                if now is not None and now != boot:
                    await self.reborn(now)
                    boot = now
                await self._in_thread(self._look)
            except (OSError, sqlite3.Error) as error:
                self._troubled(str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if self.trouble:
                self.trouble = ""
                _log.info("calls_kept_again", node=self._node)
            await asyncio.sleep(POLL_S)

    def _troubled(self, error: str) -> None:
        if error != self.trouble:
            self.trouble = error
            _log.error("calls_not_kept", node=self._node, error=error)

    async def catch_up(self) -> None:
        """Keeps everything that is in the journal and the spool now. Raises OSError, sqlite3.Error."""
        await self._in_thread(self._round)

    async def reborn(self, at_utc_ms: int) -> None:
        """Says when the running Asterisk was started: calls that arrived before it have ended.

        To be called at each start, of the controller and of Asterisk; safe to repeat.
        Raises OSError, sqlite3.Error.
        """

        def ended() -> None:
            self._round()
            self._interrupt(at_utc_ms)

        await self._in_thread(ended)

    def _interrupt(self, booted_utc_ms: int) -> None:
        for ref in self._store.interrupt(self._node, booted_utc_ms):
            _log.warning("call_interrupted", node=self._node, call=ref)

    async def running(self, booted_utc_ms: int) -> tuple[lost.Running, ...]:
        """The calls that run by everything that is in the journal now, and by `reborn` of this moment.

        Raises OSError, sqlite3.Error.
        """

        def found() -> tuple[lost.Running, ...]:
            self._round()
            self._interrupt(booted_utc_ms)
            lost.claim(self._store, self._node)
            return lost.running(self._store, self._node)

        return await self._in_thread(found)

    async def end(self, absent: Mapping[str, int]) -> None:
        """Ends calls that Asterisk has no more, and of whose end there is no line in the journal now.

        absent: id → when the call was there last. Raises OSError, sqlite3.Error.
        """

        def ended() -> None:
            self._round()
            for ref in lost.end(self._store, self._node, absent):
                _log.error("call_end_missing", node=self._node, call=ref)

        await self._in_thread(ended)

    def _look(self) -> None:
        """One of the rounds that follow each other."""
        if time.monotonic() - self._tidied_s >= TIDY_S:
            self._round()
        else:
            self._read(patient=True)

    def _round(self) -> None:
        self._read(patient=False)
        self._store.catch_up(self._node)
        self._tidy()
        self._tidied_s = time.monotonic()

    def _read(self, *, patient: bool) -> None:
        # Asterisk makes no folder: without them it would lose records and audio with one line of log.
        for folder in (self._journal.parent, self._monitor):
            folder.mkdir(parents=True, exist_ok=True)
        with closing(self._tail.batches()) as batches:
            for batch in batches:
                self._store.keep(self._node, batch, _now_utc_ms(), patient=patient)
                for line in batch.unreadable:
                    _log.error(
                        "journal_line_unreadable", node=self._node, file=line.file, offset=line.offset, why=line.why
                    )
        self._look_at_clock(_now_utc_ms() - time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)

    def _tidy(self) -> None:
        for ref in reconcile(self._store, self._node, _now_utc_ms()):
            _log.error("call_without_record", node=self._node, call=ref)
        keep_due(
            self._store,
            self._monitor,
            self._recordings,
            self._vault,
            node=self._node,
            timezone=self._timezone,
            now_utc_ms=_now_utc_ms(),
        )

    def _look_at_clock(self, ahead_ms: int) -> None:
        before_ms, self._ahead_ms = self._ahead_ms, ahead_ms
        if before_ms is None or abs(ahead_ms - before_ms) < STEPPED_MS:
            return
        _log.warning("clock_stepped", node=self._node, by_ms=ahead_ms - before_ms)
        self._store.clock_stepped(self._node)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Disks are slow: they must not hold up the loop that steers calls."""
        async with self._alone:
            job = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(job)
            except asyncio.CancelledError:
                # The thread goes on: whoever cancelled may close the store next.
                await asyncio.wait([job])
                if not job.cancelled() and (error := job.exception()) is not None:
                    _log.error("calls_not_kept", node=self._node, error=str(error))
                raise


def _now_utc_ms() -> int:
    return time.time_ns() // 1_000_000
