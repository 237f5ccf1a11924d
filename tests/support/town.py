"""A compiled city on a real Asterisk, its carrier and its far ends; tests stand in for the controller."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from asterisk.ami import AmiAccess
from asterisk.found import find
from asterisk.switch import AmiSwitch
from calls.journal import RoomEntered
from calls.live import Channel, LiveEvent
from dialplan.names import AMI_USER
from phones.behaviour import Answers, Behaviour
from phones.peer import Peer
from phones.placed import PlacedCall
from phones.telephone import Telephone
from settings.shapes import Settings
from tests.support.city_asterisk import BOUND_S, PASSWORD, CityAsterisk, running, secrets_of

T = TypeVar("T")


HARMLESS = (
    "Could not create dialog to invalid URI",  # Lines that are not there: one that nobody serves,
    "Failed to create outgoing session",
    "registration attempt",  # and one to register at.
    "Abnormal 'Gosub(seat_leg",  # A seat's leg was hung up in the very moment in which it answered.
    "Abnormal 'Gosub(seat_claim",  # Two queues wanted one seat, and this one does not ring it.
    "ast_streamfile failed on",  # The caller hung up just when the prompt began.
    "Session already DISCONNECTED [reason=487",  # The caller hung up just when the call was answered.
    "Unable to forward frametype",  # A line refused just when the caller's sound came.
)
"""Parts of what Asterisk may complain of in calls that are all right."""


def not_harmless(asterisk: CityAsterisk, *more: str) -> list[str]:
    """What Asterisk complained of so far, but for the harmless, and what else a test has caused."""
    told = [complaint.text for complaint in asterisk.process.complaints()]
    return [text for text in told if not any(part in text for part in (*HARMLESS, *more))]


@dataclass
class Town:
    """The city, its carrier, its emergency centres and whatever else its trunks lead to."""

    asterisk: CityAsterisk
    trunks: dict[str, Peer]
    callers: int = 0

    @property
    def carrier(self) -> Peer:
        return self.trunks["carrier"]

    @property
    def emergency_a(self) -> Peer:
        return self.trunks["emergency_a"]

    @property
    def emergency_b(self) -> Peer:
        return self.trunks["emergency_b"]

    async def clear(self) -> None:
        """Nobody calls, and every far end answers, whatever the test before has left: one that failed, perhaps."""
        lines = self.trunks.values()
        await asyncio.gather(*(call.hang_up() for line in lines for call in line.calls))
        for line in lines:
            line.behave = Answers()
        await self.asterisk.clear()
        await self._lines_up()

    async def _lines_up(self) -> None:
        """Asterisk knows that every far end is there; on a busy machine it may have missed their signs of life."""
        deadline = time.monotonic() + BOUND_S
        while missed := await self._missed():
            if time.monotonic() > deadline:
                raise AssertionError(f"Asterisk does not see these far ends: {missed}")
            for trunk in missed:
                await self.asterisk.say(f"pjsip qualify {trunk}")
            await asyncio.sleep(0.1)

    async def _missed(self) -> list[str]:
        told = (await self.asterisk.say("pjsip show contacts")).splitlines()
        seen = [line for line in told if " Avail " in line]
        return [trunk for trunk in self.trunks if not any(f" {trunk}/" in line for line in seen)]

    def new_caller(self) -> str:
        self.callers += 1
        return f"138{self.callers:08}"

    async def call(self, number: str, caller: str | None = None) -> tuple[PlacedCall, str]:
        caller = caller or self.new_caller()
        return await self.carrier.call(number, caller=caller), caller

    def telephone(self, seat: str, behave: Behaviour) -> Telephone:
        return Telephone(seat, self.asterisk.server, password=PASSWORD, behave=behave)

    async def waits(
        self, number: str = "12333", times: int = 1, *, caller: str | None = None
    ) -> tuple[PlacedCall, str]:
        """A caller in the waiting room."""
        call, caller = await self.call(number, caller)
        await self.asterisk.wrote(caller, RoomEntered, times)
        return call, caller

    async def connect(self, caller: str, seat: str) -> None:
        """What the controller does."""
        await self.asterisk.say(f"channel redirect {self.channel(caller)} connect,{seat},1")

    def channel(self, caller: str) -> str:
        linkedid = self.asterisk.linked(caller)
        return next(row.channel for row in self.asterisk.rows() if row.linkedid == linkedid)

    def switch(self) -> AmiSwitch:
        """The controller's own way to this Asterisk."""
        return AmiSwitch(self.asterisk.settings.city.node, self.access())

    def access(self) -> AmiAccess:
        server = self.asterisk.settings.server.ami
        return AmiAccess(str(server.address), server.port, AMI_USER, secrets_of(self.asterisk.settings).ami)


@asynccontextmanager
async def in_town(settings: Settings, folder: Path) -> AsyncIterator[Town]:
    """It runs until the end of the block."""
    today = datetime.now(UTC).date()
    async with running(find(), settings, folder, today) as asterisk, AsyncExitStack() as stack:

        async def far_end(trunk: str) -> Peer:
            place = asterisk.settings.trunks[trunk]
            peer = Peer(asterisk.server, address=place.host, port=place.port, name=trunk)
            return await stack.enter_async_context(peer)

        yield Town(asterisk, {trunk: await far_end(trunk) for trunk in settings.trunks if trunk != "registered"})


@dataclass
class Listener:
    """The switch, and everything that it told so far."""

    town: Town
    switch: AmiSwitch
    told: list[LiveEvent] = field(default_factory=list)

    def channel(self, caller: str) -> Channel:
        return Channel(self.switch.node, self.town.channel(caller))

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.told if isinstance(event, kind)]

    async def heard(self, kind: type[T], *, times: int = 1, **fields: object) -> T:
        """Waits for an event; the last one that is like this."""

        def found() -> list[T]:
            return [one for one in self.of(kind) if all(getattr(one, name) == value for name, value in fields.items())]

        await self.town.asterisk.until(lambda: len(found()) >= times, f"{kind.__name__} {fields}")
        return found()[-1]


@asynccontextmanager
async def listening(town: Town) -> AsyncIterator[Listener]:
    """A connection as the controller has it; it is steered for an hour from now on."""
    switch = town.switch()
    listener = Listener(town, switch)
    connected = asyncio.Event()

    async def listen() -> None:
        async with aclosing(switch.batches()) as batches:
            async for batch in batches:
                connected.set()
                listener.told += batch or ()

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(listen())
        await connected.wait()
        assert await switch.beat(int(time.time()) + 3600)
        yield listener
        reading.cancel()
    await switch.close()
