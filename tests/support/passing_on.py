"""Citizens and seats who talk, and a hand that passes their calls on: a compiled city on a real Asterisk."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asterisk.ami import AmiAccess
from asterisk.found import find
from asterisk.port import Answer, Party
from asterisk.switch import AmiSwitch
from calls.journal import Arrived, RoomEntered, Step
from calls.live import CallRef, Channel, LiveEvent, Seat
from dialplan.names import AMI_USER
from phones.behaviour import Answers, Behaviour
from phones.call import Call
from phones.ears import Ears, until_heard
from phones.g711 import RATE_HZ
from phones.line import Line
from phones.peer import Peer
from phones.placed import PlacedCall
from phones.telephone import Telephone
from phones.voices import voice
from tests.support.city_asterisk import BOUND_S, PASSWORD, CityAsterisk, secrets_of
from tests.support.city_asterisk import running as city_runs
from tests.support.settings_maker import city

SERVICE: dict[str, Any] = {
    "centres": {"tax": {"name": {"zh": "税务", "en": "Tax"}, "trunk": "tax_centre", "dial": "12366"}},
    "outside": {"trunk": "tax_centre", "allowed": ["1XXXXXXXXXX"]},
}
ANSWERING: dict[str, Any] = {
    "ring": "4s",
    # Ten in a row, which are one pattern in the dialplan, and one that is written out.
    "seats": {seat: {"skills": ["general", "social"]} for seat in (*map(str, range(8000, 8010)), "80011")},
}
OUTSIDE = "13912345678"
VOICE = "caller before"
VOICES = {
    VOICE: voice("caller", "before"),
    "caller after": voice("caller", "after"),
    "8001": voice("agent", "8001"),
    "8002": voice("agent", "8002"),
}
EARS = Ears(VOICES)
HEARING_S = 4.0
"""Twice what a voice takes."""


@dataclass
class Talk:
    """A citizen and a seat who talk."""

    town: "Town"
    caller: str
    placed: PlacedCall
    seat: Telephone

    @property
    def ref(self) -> CallRef:
        return CallRef(next(step.ref for step in self.steps if isinstance(step, Arrived)))

    @property
    def steps(self) -> list[Step]:
        return self.town.asterisk.steps(self.caller)

    @property
    def t0_ms(self) -> int:
        return next(step.t0_ms for step in self.steps if isinstance(step, RoomEntered))

    @property
    def leg(self) -> Call:
        return self.seat.calls[-1]

    async def parties(self, *contexts: str) -> tuple[Party, ...]:
        """Everybody, as soon as they are where they should be."""
        async with asyncio.timeout(BOUND_S):
            while True:
                found = await self.town.switch.parties(self.ref)
                if not contexts or sorted(party.context for party in found) == sorted(contexts):
                    return found
                await asyncio.sleep(0.02)

    async def transfer(self, goal: str) -> None:
        caller = (await self.parties())[0]
        assert await self.town.switch.transfer(caller.channel, goal) is Answer.DONE

    async def join(self) -> None:
        """Everybody into one conversation."""
        parties = await self.parties()
        assert await self.town.switch.join([party.channel for party in parties]) is Answer.DONE
        await self.parties(*["party"] * len(parties))

    async def consult(self, goal: str, *, join: bool = False) -> None:
        caller, leg = await self.parties("connect", "")
        assert await self.town.switch.consult(caller.channel, leg.channel, goal, join=join) is Answer.DONE

    async def wrote(self, kind: type, times: int = 1, **fields: object) -> None:
        await self.town.asterisk.wrote(self.caller, kind, times, **fields)


@dataclass
class Town:
    """The city, everybody outside, and the controller's hand on it."""

    asterisk: CityAsterisk
    switch: AmiSwitch
    carrier: Peer
    police: Peer
    tax: Peer
    heard: list[LiveEvent] = field(default_factory=list)
    callers: int = 0

    async def clear(self) -> None:
        """Nobody calls, and every far end answers, whatever the test before has left."""
        lines = (self.carrier, self.police, self.tax)
        await asyncio.gather(*(call.hang_up() for line in lines for call in line.calls))
        for line in lines:
            line.behave = Answers()
        await self.asterisk.clear()
        self.heard.clear()

    @asynccontextmanager
    async def telephone(self, seat: str, behave: Behaviour | None = None) -> AsyncIterator[Telephone]:
        phone = Telephone(seat, self.asterisk.server, password=PASSWORD, behave=behave or Answers())
        async with phone as telephone:
            yield telephone

    @asynccontextmanager
    async def talk(self, seat: Telephone) -> AsyncIterator[Talk]:
        """A citizen is connected with a seat."""
        self.callers += 1
        caller = f"137{self.callers:08}"
        await self.asterisk.beat()
        placed = await self.carrier.call("12333", caller=caller)
        try:
            await self.asterisk.wrote(caller, RoomEntered)
            linkedid = self.asterisk.linked(caller)
            channel = next(row.channel for row in self.asterisk.rows() if row.linkedid == linkedid)
            assert await self.switch.connect(Channel("node1", channel), Seat(seat.user)) is Answer.DONE
            await self.taken(seat)
            yield Talk(self, caller, placed, seat)
        finally:
            await placed.hang_up()

    async def until(self, wanted: Callable[[], bool], what: str) -> None:
        await self.asterisk.until(wanted, what)

    @property
    def complaints(self) -> str:
        return "\n".join(map(str, self.asterisk.process.complaints()))

    async def hears(self, event: LiveEvent) -> None:
        await self.until(lambda: event in self.heard, str(event))

    async def taken(self, line: Line) -> Call:
        """The call that a line has answered."""
        await self.until(lambda: bool(line.calls) and line.calls[-1].up, "an answer")
        return line.calls[-1]


async def _speak(call: Call, who: str) -> None:
    while await call.say(VOICES[who]):
        pass


async def _listen(town: Town) -> None:
    async with aclosing(town.switch.batches()) as batches:
        async for batch in batches:
            town.heard += batch or ()


async def is_heard(speaker: Call, hearing: Sequence[Call], deaf: Sequence[Call] = (), *, who: str = VOICE) -> None:
    """Somebody speaks until all of these have heard it; the others hear nothing of it."""
    begun = {call: call.heard_s for call in (*hearing, *deaf)}
    speaking = asyncio.create_task(_speak(speaker, who))
    try:
        for call in hearing:
            await until_heard(EARS, lambda: call.heard, who, since_s=begun[call], least_part=0.6)  # noqa: B023
        for call in deaf:
            assert not EARS.listen(call.heard[round(begun[call] * RATE_HZ) :])
    finally:
        speaking.cancel()
        speaker.media.hush()


async def deaf_to(speaker: Call, *deaf: Call) -> None:
    """Whoever speaks is not heard, in as much time as others need to hear it."""
    begun = {call: call.heard_s for call in deaf}
    await speaker.say(VOICES[VOICE])
    async with asyncio.timeout(BOUND_S):
        while any(call.heard_s < begun[call] + HEARING_S for call in deaf):  # noqa: ASYNC110 - sound comes by itself
            await asyncio.sleep(0.05)
    for call in deaf:
        assert not EARS.listen(call.heard[round(begun[call] * RATE_HZ) :])


async def talk_together(*calls: Call, deaf: Sequence[Call] = ()) -> None:
    """Each of them hears each other one, and nobody else does."""
    for speaker in calls:
        await is_heard(speaker, [call for call in calls if call is not speaker], deaf)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Town]:
    """The city's Asterisk, its carrier, the police and the tax line; no controller decides anything."""
    today = datetime.now(UTC).date()
    settings = city(service=SERVICE, answering=ANSWERING)
    async with city_runs(find(), settings, folder, today) as asterisk, AsyncExitStack() as stack:

        async def far_end(trunk: str) -> Peer:
            place = asterisk.settings.trunks[trunk]
            peer = Peer(asterisk.server, address=place.host, port=place.port, name=trunk)
            return await stack.enter_async_context(peer)

        server = asterisk.settings.server.ami
        access = AmiAccess(str(server.address), server.port, AMI_USER, secrets_of(asterisk.settings).ami)
        switch = AmiSwitch("node1", access)
        town = Town(
            asterisk, switch, await far_end("carrier"), await far_end("emergency_a"), await far_end("tax_centre")
        )
        listening = asyncio.create_task(_listen(town))
        yield town
        listening.cancel()
        await asyncio.wait({listening})
        await switch.close()
