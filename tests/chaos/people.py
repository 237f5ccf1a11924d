"""Citizens under fire: what each of them met, seen from its own telephone."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from calls.record import CallRecord, Outcome
from hotline.stage import NeverHappened, until
from phones.call import NotAnswered, Refused, TooLate
from phones.placed import PlacedCall
from tests.chaos.scene import Scene
from tests.support.city_watch import GENERAL

EMERGENCY = "110"
CONNECTED_S = 60.0
"""A caller who is not answered for so long gives up."""
SILENT_S = 1.5
"""Whoever hears nothing for so long asks whether anybody is there."""
LATE_MS = 5_000
"""So much later than a telephone's end Asterisk may write it down on a slow machine."""
EARLY_MS = 100


@dataclass(slots=True)
class Citizen:
    """Somebody who calls once, and stays until told otherwise."""

    caller: str
    emergency: bool
    placed: PlacedCall
    placed_ms: int
    answered_ms: int | None = None
    """None: nobody answered."""
    lost: bool = False
    """Never connected, hung up on, or left with nobody at the other end."""
    ended_ms: tuple[int, int] | None = None
    """When it began to hang up, and when that was done."""

    async def connect(self) -> None:
        """Waits for the answer."""
        try:
            await self.placed.answered(CONNECTED_S)
        except (NotAnswered, TooLate):
            self.lost = True
        else:
            self.answered_ms = now_ms()

    async def ask(self) -> None:
        """Finds out whether anybody is still there."""
        if self.lost or not self.placed.up:
            self.lost = True
            return
        if await self._hears(SILENT_S):
            return
        with suppress(Refused, TooLate):
            await self.placed.hold()  # Refused by an Asterisk that knows nothing of the call.
            await self.placed.resume()
            if await self._hears(20.0):
                return
        self.lost = True

    async def _hears(self, within_s: float) -> bool:
        before_s = self.placed.heard_s
        with suppress(NeverHappened):
            await until("sound", lambda: self.placed.heard_s > before_s + 0.1, within_s=within_s)
            return True
        return False

    async def leave(self) -> None:
        began_ms = now_ms()
        await self.placed.hang_up()
        self.ended_ms = began_ms, now_ms()

    def wrong(self, records: Sequence[CallRecord], struck_ms: int) -> str | None:
        """What is wrong with what is kept of this call; None: nothing. `struck_ms`: when the fault began."""
        if self.answered_ms is None:
            return None if len(records) < 2 else f"{len(records)} records of a call that was never answered"
        if len(records) != 1:
            return f"{len(records)} records"
        (record,) = records
        if record.running:
            return "its record never ended"
        if not self.placed_ms - EARLY_MS <= record.arrived_utc_ms <= self.answered_ms + EARLY_MS:
            return f"it arrived at {record.arrived_utc_ms}, not from {self.placed_ms} to {self.answered_ms}"
        return self._wrong_end(record, struck_ms)

    def _wrong_end(self, record: CallRecord, struck_ms: int) -> str | None:
        ended_ms = record.ended_utc_ms or 0
        if self.lost:
            in_time = record.arrived_utc_ms <= ended_ms <= struck_ms + LATE_MS
            right = in_time and record.outcome is Outcome.INTERRUPTED
        else:
            began_ms, done_ms = self.ended_ms or (0, 0)
            in_time = began_ms - EARLY_MS <= ended_ms <= done_ms + LATE_MS
            talked = Outcome.ANSWERED if record.talk_ms else Outcome.ABANDONED
            right = record.outcome is (Outcome.EMERGENCY if self.emergency else talked)
        if in_time and right:
            return None
        return f"it ended {record.outcome.value} at {ended_ms}, {self}"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def calls(scene: Scene, ordinary: int, emergencies: int) -> list[Citizen]:
    """So many citizens call, one shortly after the other; returns once each call is on its way."""
    citizens = []
    total = ordinary + emergencies
    for place, caller in enumerate(scene.city.citizens(total)):
        emergency = place * emergencies // total < (place + 1) * emergencies // total  # Evenly among the others.
        began_ms = now_ms()
        placed = await scene.city.stage.carrier.call(EMERGENCY if emergency else GENERAL, caller=caller)
        citizens.append(Citizen(caller, emergency, placed, began_ms))
        await asyncio.sleep(0.02)
    return citizens


async def connected(citizens: Sequence[Citizen]) -> None:
    await asyncio.gather(*(one.connect() for one in citizens))


async def asked(citizens: Sequence[Citizen]) -> None:
    await asyncio.gather(*(one.ask() for one in citizens))


async def gone(citizens: Sequence[Citizen]) -> None:
    await asyncio.gather(*(one.leave() for one in citizens))
