"""Who was signed on when Asterisk went away for long is signed on no more: nobody knows who is still at a desk."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TOUCH_S = 5.0
"""At least so well it is known when Asterisk was there last."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """Knows since when a running Asterisk was not there before its start."""

    seen: Path
    """A file that is touched as long as Asterisk answers."""
    booted_utc_ms: Callable[[], int | None]
    """When the running Asterisk was started."""
    kept_ms: int
    """So long agents stay signed on without one."""

    async def run(self, answers: Callable[[], bool]) -> None:
        """Notes that Asterisk is there for as long as it answers, until it is cancelled."""
        while True:
            await asyncio.sleep(TOUCH_S)
            if answers():
                self._touch()

    def _touch(self) -> None:
        with suppress(OSError):  # On a full disk the file is there already.
            self.seen.touch(mode=0o600)
            os.utime(self.seen)

    def back(self) -> int | None:
        """Asterisk is there. When it was there last, if it was away for too long before it was started, in ms
        since the epoch; None: it was not. Said once."""
        since_utc_ms = self._away_since_utc_ms()
        self._touch()
        return since_utc_ms

    def _away_since_utc_ms(self) -> int | None:
        booted = self.booted_utc_ms()
        try:
            seen = self.seen.stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return None
        return seen if booted is not None and self.kept_ms < booted - seen else None
