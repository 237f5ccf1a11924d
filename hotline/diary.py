"""What the supervisor writes down: restarts, and that it runs at all."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from hotline.folders import Folders
from recordings.restarts import Part, Restarts
from recordings.store import Store

_AGAIN_S = 1.0
_PATIENCE_S = 2.0
"""So long a restart waits at most for being written down; it is written later then."""

_log = structlog.get_logger()


class Diary:
    """Writes into the store of one instance. A store that is away is tried again until `close`."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._later: set[asyncio.Task[int]] = set()

    async def restart(self, part: Part, why: str, who: str | None, at_utc_ms: int, *, wait: bool = True) -> int | None:
        """Notes a restart; says the entry, or None when it will be written later. wait: for some seconds at most."""
        task = asyncio.create_task(self._kept(lambda one: one.ended(part, why, who, at_utc_ms)), name="note a restart")
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        with suppress(TimeoutError):
            if not wait:
                return None
            return await asyncio.wait_for(asyncio.shield(task), _PATIENCE_S)
        return None

    def last_alive_utc_ms(self) -> int | None:
        """When an earlier supervisor, that was never told to end, was last alive; None: there was none."""
        try:
            return self._folders.alive.stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return None

    def alive(self) -> None:
        """To be said every few seconds."""
        with suppress(OSError):  # On a full disk the file is there already.
            self._folders.alive.touch(mode=0o600)
            os.utime(self._folders.alive)

    async def close(self) -> None:
        """The supervisor ends as it was told to."""
        self._folders.alive.unlink(missing_ok=True)
        if self._later:
            await asyncio.wait(self._later, timeout=_PATIENCE_S)
        for task in list(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _kept(self, work: Callable[[Restarts], int]) -> int:
        told = ""
        while True:
            try:
                return await asyncio.to_thread(_written, self._folders.records, work)
            except (OSError, sqlite3.Error) as error:
                if str(error) != told:
                    told = str(error)
                    _log.error("restart_not_kept", error=told)
                await asyncio.sleep(_AGAIN_S)


def _written(records: Path, work: Callable[[Restarts], int]) -> int:
    with Store(records) as store:
        return work(Restarts(store))
