"""Free space on the disks that calls need: when it runs low, recording stops before records do.

The supervisor looks, so that it holds with no controller, too; the dialplan has no means to look. It stops
recorders over Asterisk's console, those of new calls within LOOK_S. A file of some size stands in the data
folder as a reserve: it is given up for the records when nearly nothing else is left.
"""

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from pathlib import Path

import structlog

from asterisk.console import ConsoleFailed, console
from asterisk.process import AsteriskProcess
from hotline.folders import Folders

LOOK_S = 2.0
RESERVE_SHARE = 10
"""The reserve, and the space below which it is given up: this part of the space below which recording stops."""
_AGAIN_LOOKS = 15
"""After so many looks recorders are stopped again that were: a call that was passed on has a new one."""

_log = structlog.get_logger()


class Space(Enum):
    """How much is left."""

    ENOUGH = "enough"
    LOW = "low"
    """Nothing more is recorded."""
    FULL = "full"
    """The reserve is given up, too: only records and what people do are still written."""


def free_bytes(folders: Iterable[Path]) -> int:
    """On the fullest of the disks. Raises OSError."""
    return min(status.f_bavail * status.f_frsize for status in map(os.statvfs, folders))


def space_at(folders: Iterable[Path], mark_bytes: int, before: Space = Space.ENOUGH) -> Space:
    """The space on the fullest of the disks. Once it was low, a tenth more is enough. Raises OSError."""
    free = free_bytes(folders)
    if free < mark_bytes // RESERVE_SHARE:
        return Space.FULL
    enough_bytes = mark_bytes if before is Space.ENOUGH else mark_bytes * 11 // 10
    return Space.LOW if free < enough_bytes else Space.ENOUGH


class SpaceWatch:
    """Looks after one instance's disks."""

    def __init__(self, asterisk: AsteriskProcess, folders: Folders, mark_bytes: int) -> None:
        """mark_bytes: with less than that free nothing more is recorded."""
        self._asterisk = asterisk
        self._folders = folders
        self._mark_bytes = mark_bytes
        self._space = Space.ENOUGH
        self._stopped: set[str] = set()
        """Channels whose recorders were stopped."""
        self._looks = 0

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            with suppress(OSError):  # A folder that is not there yet, or is being made again.
                await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> Space:
        """Looks once, and does what follows. Raises OSError."""
        before, self._space = self._space, space_at(watched(self._folders), self._mark_bytes, self._space)
        match self._space:
            case Space.ENOUGH:
                self._stopped.clear()
                self._set_aside()
            case Space.LOW:
                await self._stop_recorders()
            case Space.FULL:
                self._folders.reserve.unlink(missing_ok=True)
                await self._stop_recorders()
        if self._space is not before:
            self._tell()
        return self._space

    def _tell(self) -> None:
        match self._space:
            case Space.ENOUGH:
                _log.info("disk_well")
            case Space.LOW:
                _log.error("disk_low", recording="stopped")
            case Space.FULL:
                _log.error("disk_full", recording="stopped")

    def _set_aside(self) -> None:
        """Makes the reserve, unless it is there."""
        if self._folders.reserve.exists():
            return
        try:
            with self._folders.reserve.open("xb") as file:
                os.posix_fallocate(file.fileno(), 0, self._mark_bytes // RESERVE_SHARE)
        except OSError:
            self._folders.reserve.unlink(missing_ok=True)

    async def _stop_recorders(self) -> None:
        """Of every call that was not there before. One that is not recorded says so, which changes nothing."""
        self._looks += 1
        if self._looks % _AGAIN_LOOKS == 0:
            self._stopped.clear()
        try:
            told = await self._asked("core show channels concise")
            there = {line.partition("!")[0] for line in told.splitlines() if line.startswith("PJSIP/")}
            self._stopped &= there
            for channel in sorted(there - self._stopped):
                await self._asked(f"mixmonitor stop {channel}")
                self._stopped.add(channel)
        except ConsoleFailed:
            return  # It is being started again; the next look finds it.

    async def _asked(self, command: str) -> str:
        return await console(self._asterisk.found, self._asterisk.conf, command)


def watched(folders: Folders) -> tuple[Path, ...]:
    """What must not be full: recordings that run, the journal, and records."""
    return folders.spool, folders.journal.parent.parent, folders.data
