"""One fault in a city full of calls: who was lost, and how long it took to recover."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from calls.record import CallRecord
from hotline.stage import NeverHappened, until
from tests.chaos.faults import Fault
from tests.chaos.people import Citizen, asked, calls, connected, gone, now_ms
from tests.chaos.scene import Scene

SETTLED_S = 60.0
"""After so long every record has ended that ever will."""


@dataclass(frozen=True, slots=True)
class Toll:
    """What a fault cost."""

    fault: str
    in_progress: int
    """Calls that were answered when it struck, emergencies among them."""
    calls_lost: int
    """Callers who were cut off, or who called meanwhile and were never connected, as their telephones tell."""
    records_lost: int
    """Calls that Asterisk had answered without one whole and right record each, here and where it is sent on to."""
    emergencies_lost: int
    """Those of the calls lost that were emergencies."""
    recovered_s: float
    """From the fault (or its end, where somebody has to end it) until a new caller was answered and all is steered."""
    unexpected: tuple[str, ...]
    """What should not have been, in words; empty: all is as it should be."""


async def ordeal(scene: Scene, fault: Fault, *, ordinary: int, emergencies: int) -> Toll:
    """Fills the city with calls, lets the fault strike, and counts. More calls come while it lasts."""
    await scene.until_manned()
    before = await calls(scene, ordinary, emergencies)
    await connected(before)
    await until("a record of each call", lambda: len(_found(scene, before)) == len(before))
    await _past_the_greeting(scene, before)
    already_lost = [one.caller for one in before if one.lost]
    resynchronised = scene.said("resynchronised")
    struck_ms = now_ms()
    struck_s = time.monotonic()
    async with fault.strikes(scene):
        meanwhile = await calls(scene, max(2, ordinary // 10), max(1, emergencies // 3))
        if not fault.ends_calls and fault.resynchronises:
            struck_s = time.monotonic()
    await connected(meanwhile)
    if fault.resynchronises:
        await until("everything read anew", lambda: scene.said("resynchronised") > resynchronised, within_s=SETTLED_S)
    await scene.until_ready()
    recovered_s = time.monotonic() - struck_s
    citizens = [*before, *meanwhile]
    await asked(citizens)
    await _past_the_greeting(scene, citizens)
    await gone(citizens)
    await asyncio.gather(*(call.hang_up() for seat in scene.city.stage.seats.values() for call in seat.calls))
    wrong = await _wrong(scene, citizens, struck_ms)
    await scene.until_empty()
    if scene.archive is not None:
        wrong += await scene.archive.wrong(scene.city)
    cut = [one for one in before if one.lost]
    never = [one for one in meanwhile if one.lost]
    unexpected = [*(f"{caller} was lost before anything happened" for caller in already_lost), *wrong]
    if cut and not fault.ends_calls:
        unexpected.append(f"{len(cut)} calls in progress were cut")
    if never:
        unexpected.append(f"{len(never)} who called meanwhile were not connected")
    lost = [*cut, *never]
    return Toll(
        fault.name,
        len(before),
        len(lost),
        len(wrong),
        sum(one.emergency for one in lost),
        round(recovered_s, 1),
        tuple(unexpected),
    )


async def _past_the_greeting(scene: Scene, citizens: list[Citizen]) -> None:
    """Whoever hung up in a greeting would have left rightly. A wait that no record tells of is found later."""
    patient = [one for one in citizens if not (one.emergency or one.lost)]

    def waiting() -> bool:
        kept = _found(scene, patient)
        return all(any(record.waiting_since_utc_ms for record in kept.get(one.caller, ())) for one in patient)

    with suppress(NeverHappened):
        await until("everybody's wait", waiting, within_s=SETTLED_S / 2)


async def _wrong(scene: Scene, citizens: list[Citizen], struck_ms: int) -> list[str]:
    """What is wrong with the records, once all are settled."""

    def found() -> list[str]:
        kept = _found(scene, citizens)
        told = ((one, one.wrong(kept.get(one.caller, []), struck_ms)) for one in citizens)
        return [f"{one.caller}: {wrong}" for one, wrong in told if wrong is not None]

    with suppress(NeverHappened):
        await until("every record", lambda: not found(), within_s=SETTLED_S)
    return found()


def _found(scene: Scene, citizens: list[Citizen]) -> dict[str, list[CallRecord]]:
    """Their records by caller; nobody without one."""
    callers = {one.caller for one in citizens}
    found: dict[str, list[CallRecord]] = {}
    for record in scene.city.records():
        if record.caller in callers:
            found.setdefault(record.caller, []).append(record)
    return found
