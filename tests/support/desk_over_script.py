"""A live desk with its controller and store over a scripted switch: everything but Asterisk is real."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from calls.live import CallRef, Channel, Device, Seat, Waiting
from hotline.controller import Controller, now_ms, utc_ms
from hotline.desk import LiveDesk
from hotline.office import Office
from routing.leader import AloneLeader
from routing.room import Room
from routing.rules import Rules
from settings.shapes import Settings
from tests.support.scripted_switch import ScriptedSwitch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Running:
    """What runs."""

    switch: ScriptedSwitch
    desk: LiveDesk
    controller: Controller
    office: Office

    def waits(self, name: str, skill: str = "general", *, caller: str = "13800000001") -> Waiting:
        """A caller enters the waiting room now, after everybody who did so before."""
        waiting = Waiting(
            Channel("node1", f"PJSIP/carrier-{name}"),
            CallRef(name),
            utc_ms(),
            frozenset({skill}),
            5,
            "12345",
            "zh",
            caller,
        )
        self.switch.caller_waits(waiting)
        return waiting

    def talks(self, seat: Seat) -> None:
        """The caller who was offered to the seat is answered there."""
        for device in (Device.RINGING, Device.BUSY):
            self.switch.seat(seat, device)


async def until(condition: Callable[[], T | None]) -> T:
    """What the condition gives, as soon as that is something. Fails when it never is."""
    for _ in range(1000):
        if found := condition():
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")


@asynccontextmanager
async def running(
    settings: Settings, records: Path, pins: dict[str, str], back: Callable[[], int | None] = lambda: None
) -> AsyncIterator[Running]:
    """A controller that steers and a desk that is open. Its store stays for the next one. back: as of the desk."""
    switch = ScriptedSwitch()
    refs = (CallRef(f"new-{number}-{now_ms()}") for number in count(1))
    room = Room(Rules.of(settings), new_ref=lambda: next(refs), utc_ahead_ms=utc_ms() - now_ms())
    async with Office(records) as office:
        desk = LiveDesk(settings, pins, office, back)
        controller = Controller([switch], room, AloneLeader(), listener=desk)
        desk.steer(controller)
        await desk.restore()
        noting, opened, steering = (asyncio.create_task(part.run()) for part in (office, desk, controller))
        try:
            await until(lambda: switch.snapshots)
            yield Running(switch, desk, controller, office)
        finally:
            controller.let_go()
            await steering
            opened.cancel()
            await asyncio.gather(opened, return_exceptions=True)
            desk.close()
            office.stop()
            await noting
