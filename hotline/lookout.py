"""Looks whether calls that have been silent for long still exist: a line that tells an end may never have been written.

A call is ended for want of its channel only when Asterisk said twice that there is none, some seconds apart, with
the journal read to its end after each time. Whoever does not know ends nothing.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from asterisk.ami import LoginRefused
from asterisk.port import SwitchLost
from hotline.controller import now_ms, utc_ms
from recordings.keeper import Keeper
from recordings.lost import Running

LOOK_S = 5.0
SILENT_MS = 15_000
"""A call that says nothing for so long is asked for."""
AGAIN_MS = 60_000
"""So long after it was there it is asked for again."""
AT_ONCE = 200
"""So many calls are asked for in one look; the others come next."""

_log = structlog.get_logger()


@dataclass(slots=True)
class _Call:
    """What is known of one call."""

    asked_ms: int
    """By a clock that never jumps."""
    there_utc_ms: int
    """When it was there last."""
    absent: bool = False


class Absences:
    """Decides whom to ask for, and who is gone. Clocks are arguments."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}

    def due(self, running: Sequence[Running], at_ms: int, at_utc_ms: int) -> tuple[Running, ...]:
        """Whom to ask for now, of all calls that run: whoever was absent once comes first, then the longest not seen.

        Calls that run no more are forgotten.
        """
        refs = {one.ref for one in running}
        self._calls = {ref: call for ref, call in self._calls.items() if ref in refs}
        found = [
            (not call.absent, call.asked_ms, one)
            for one in running
            if at_utc_ms - one.last_utc_ms >= SILENT_MS
            if (call := self._of(one)).absent or at_ms - call.asked_ms >= AGAIN_MS
        ]
        return tuple(one for *_, one in sorted(found, key=lambda entry: entry[:2])[:AT_ONCE])

    def answered(self, asked: Iterable[Running], absent: frozenset[str], at_ms: int, at_utc_ms: int) -> dict[str, int]:
        """Who is gone, of those who were asked for, and when each was there last. absent: channels."""
        gone = {}
        for one in asked:
            call = self._calls[one.ref] = self._of(one)
            call.asked_ms = at_ms
            if one.channel not in absent:
                call.absent, call.there_utc_ms = False, at_utc_ms
            elif call.absent:
                gone[one.ref] = max(call.there_utc_ms, one.last_utc_ms)
            else:
                call.absent = True
        return gone

    def _of(self, one: Running) -> _Call:
        return self._calls.get(one.ref) or _Call(-AGAIN_MS, one.last_utc_ms)


class Lookout:
    """Ends what runs by the journal alone."""

    def __init__(
        self,
        keeper: Keeper,
        booted_utc_ms: Callable[[], int | None],
        absent: Callable[[Iterable[str]], Awaitable[frozenset[str]]],
    ) -> None:
        """absent: which of some channels do not exist; raises SwitchLost, LoginRefused."""
        self._keeper = keeper
        self._booted_utc_ms = booted_utc_ms
        self._absent = absent
        self._absences = Absences()

    async def run(self) -> None:
        """Looks every few seconds until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except (SwitchLost, LoginRefused, OSError, sqlite3.Error) as error:
                _log.info("calls_not_looked_for", why=str(error))

    async def look(self) -> None:
        """One look. Raises SwitchLost, LoginRefused, OSError, sqlite3.Error: then nothing is known."""
        booted = self._booted_utc_ms()
        if booted is None:
            return
        due = self._absences.due(await self._keeper.running(booted), now_ms(), utc_ms())
        if not due:
            return
        at_utc_ms = utc_ms()
        absent = await self._absent([one.channel for one in due])
        if self._booted_utc_ms() != booted:
            return  # Calls of an earlier Asterisk are told by its successor's start.
        gone = self._absences.answered(due, absent, now_ms(), at_utc_ms)
        if gone:
            await self._keeper.end(gone)
