"""Drills: a marked test call over each line of each emergency number, one after the other."""

import asyncio
import sqlite3
from dataclasses import dataclass, field
from uuid import uuid4

import structlog

from asterisk.port import Answer, DrillCall
from calls.live import CallRef
from dialplan.drills import drill_goal
from dialplan.emergencies import RING_S
from hotline.controller import Controller, utc_ms
from hotline.office import Office
from hotline.talks import away
from recordings.drills import LOST, PLACED, PLANNED, PUT_OFF, DrillRow, Planned
from settings.emergencies import routes
from settings.shapes import Settings
from web.desk import Refusal

LOOK_S = 0.5
"""How often it is looked whether a test call has ended."""
LONGEST_S = RING_S + 60.0
"""So long a test call lasts at most, its prompts and the writing of its record included."""

_log = structlog.get_logger()


@dataclass(slots=True)
class Drilling:
    """Places one test call at a time; what became of it is taken from its record."""

    settings: Settings
    controller: Controller
    office: Office
    _begun: asyncio.Queue[tuple[DrillRow, ...]] = field(default_factory=asyncio.Queue)
    _busy: bool = False

    async def restore(self) -> None:
        """What the last controller planned is not called any more; what it placed tells its end itself.

        Raises OSError, sqlite3.Error.
        """
        for row in await self.office.do(lambda books: books.drills.open()):
            if row.result == PLANNED:
                await self._end(row, LOST)
            else:
                self._busy = True
                self._begun.put_nowait((row,))

    async def begin(self, who: str, number: str | None, trunk: str | None) -> tuple[DrillRow, ...]:
        """Plans the test calls; `run` places them. Raises Refusal."""
        calls = self._planned(number, trunk)
        if not self.controller.steering:
            raise away()
        if self._busy:
            raise Refusal(409, "drill_runs", "a drill runs already", "wait until it has ended: 'hotline drill --list'")
        self._busy = True
        try:
            rows = await self.office.asked(lambda books: books.drills.plan(who, calls, utc_ms()))
        except BaseException:
            self._busy = False
            raise
        self._begun.put_nowait(rows)
        return rows

    async def run(self) -> None:
        """Places what was planned, until it is cancelled."""
        while True:
            rows = await self._begun.get()
            try:
                await self._placed(rows)
            except (OSError, sqlite3.Error) as error:
                _log.error("drill_failed", error=str(error))
            finally:
                self._busy = not self._begun.empty()

    def _planned(self, number: str | None, trunk: str | None) -> tuple[Planned, ...]:
        found = tuple(
            Planned(route.number, line, route.drill, str(uuid4()))
            for route in routes(self.settings.emergencies)
            for line in route.trunks
            if number in (None, route.number) and trunk in (None, line)
        )
        if not found:
            what = " over ".join(text for text in (number or "any number", trunk) if text)
            raise Refusal(422, "not_allowed", f"no emergency line is {what}", "give a number and a trunk of them")
        return found

    async def _placed(self, rows: tuple[DrillRow, ...]) -> None:
        """Emergencies that need the lines put off all that is left."""
        for place, row in enumerate(rows):
            if row.result != PLACED and not await self._place(row):
                continue
            result = await self._result(row)
            _log.info("drill_ended", call=row.ref, number=row.number, trunk=row.trunk, result=result)
            if result == PUT_OFF:
                for left in rows[place + 1 :]:
                    await self._end(left, PUT_OFF)
                return

    async def _place(self, row: DrillRow) -> bool:
        """Whether Asterisk took it."""
        switches = self.controller.switches
        await self.office.do(lambda books: books.drills.placed(row.id, utc_ms()))
        _log.info("drill_placed", call=row.ref, number=row.number, trunk=row.trunk)
        call = DrillCall(CallRef(row.ref), drill_goal(row.number, row.trunk))
        if switches and await switches[0].drill(call) is Answer.DONE:
            return True
        await self._end(row, LOST)
        return False

    async def _result(self, row: DrillRow) -> str:
        """As soon as its record has ended, or LOST."""
        for _ in range(round(LONGEST_S / LOOK_S)):
            found = await self.office.do(lambda books: books.drills.settle(row))
            if found is not None:
                return found
            await asyncio.sleep(LOOK_S)
        await self._end(row, LOST)
        return LOST

    async def _end(self, row: DrillRow, result: str) -> None:
        await self.office.do(lambda books: books.drills.end(row.id, result))
