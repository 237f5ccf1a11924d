"""Talks between citizens and agents of a staged city, and what agents and supervisors do with them by the interface."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

from calls.record import CallRecord
from hotline.stage import until
from phones.behaviour import Answers
from phones.call import Call
from phones.line import Line
from phones.placed import PlacedCall
from phones.telephone import Telephone
from phones.voices import read
from tests.support.city_watch import GENERAL, City, next_call, unannounced, watched, with_seats
from tests.support.desk_client import DeskClient, at_the_desk
from tests.support.hearing import Who, hear_one_another, voices_in
from tests.support.manned_city import duty_of, nobody_signed_on, with_agents
from tests.support.quick_city import quick_city

SEATS: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("8001", "8002", "8003", "8004", "8005", "8009", "8011", "8012", "8021", "8022", "8023"), ()
)
"""Nobody signs on at 802x, the supervisors' seats; the telephone of 8009 is the test's to bring."""
GENERALISTS = ("8001", "8002", "8003", "8004", "8005", "8009")
EXPERTS = ("8011", "8012")


def agent_of(seat: str) -> str:
    """Who sits there: 1001 at 8001."""
    return f"1{seat[1:]}"


@dataclass(frozen=True, slots=True)
class Talk:
    """A citizen and an agent who talk; `desk` acts on it."""

    city: City
    desk: DeskClient
    caller: str
    placed: PlacedCall
    seat: str
    leg: Call
    ref: str

    async def act(self, what: str, **body: object) -> None:
        """`act("transfer", to={"seat": "8011"})`"""
        await self.desk.post(f"/calls/{self.ref}/{what}", **body)

    async def refused(self, what: str, **body: object) -> str:
        return await self.desk.refused(f"/calls/{self.ref}/{what}", **body)

    async def goes_on(self, *, deaf: Mapping[Who, Call] | None = None) -> None:
        """Caller and agent hear one another, and nobody else hears them."""
        await hear_one_another({"caller": self.placed, "agent": self.leg}, deaf)

    def states(self) -> list[str]:
        """What the agent has done since the caller was offered to it."""
        rows = duty_of(self.city, agent_of(self.seat))
        return [row.state for row in dropwhile(lambda row: row.call != self.ref, rows)]

    async def handed_over(self) -> None:
        """Waits until the agent has had its time for notes, and is there for the next caller."""
        whole = ["ringing", "talking", "wrap_up", "idle"]
        await until(
            f"the agent's end of {self.ref}",
            lambda: [state for state in self.states() if state != "busy"][: len(whole)] == whole,
            seen=self.states,
        )

    async def kept(self) -> CallRecord:
        return await self.city.kept(self.caller)

    async def voices_kept(self) -> set[str]:
        """Whose voices are in the call's recording."""
        record = await self.kept()
        assert record.recording_file is not None
        sound = await asyncio.to_thread(read, self.city.stage.instance.folders.recordings / record.recording_file)
        return voices_in(sound)


@dataclass(slots=True)
class Desks:
    """Agents come to their seats, and callers to them."""

    city: City
    desk: DeskClient
    first: int
    """The number of the first caller."""
    callers: int = 0

    async def clear(self) -> None:
        """Nobody calls, and nobody is signed on; whoever is called answers."""
        await nobody_signed_on(self.desk)
        await self.city.clear()
        for phone in self.city.stage.seats.values():
            phone.behave = Answers()

    async def sit(self, *seats: str) -> None:
        """The agent of each seat is there, and free."""
        for seat in seats:
            await self.city.stage.seats[seat].register()
            await self.desk.post(f"/agents/{agent_of(seat)}/sign-on", seat=seat)
        for seat in seats:
            await self.desk.until_agent(agent_of(seat), "idle")

    def citizen(self) -> str:
        """A caller whom no other test knows."""
        self.callers += 1
        return str(self.first + self.callers)

    async def talk(self, seat: str, number: str = GENERAL, *, phone: Telephone | None = None) -> Talk:
        """A citizen calls and talks with the agent of this seat, who is the only one who could."""
        caller = self.citizen()
        placed = await self.city.calls(number, caller)
        leg = await next_call(phone or self.city.stage.seats[seat])
        assert leg.caller == caller, f"{leg.caller} rings {seat} instead of {caller}"
        shown = await self.desk.until_seat(seat, "talking")
        await leg.answered()
        return Talk(self.city, self.desk, caller, placed, seat, leg, shown["call"])

    async def talk_next(self, seat: str) -> Talk:
        """One more agent comes, whom the next caller gets because all others talk."""
        await self.sit(seat)
        return await self.talk(seat)


async def taken(line: Line, before: int) -> Call:
    """The call that a line has answered beside so many others."""

    def answered() -> Call | None:
        calls = line.calls[before:]
        return calls[-1] if calls and calls[-1].up else None

    found: Call = await until(f"an answer of {line.user}", answered)
    return found


async def rung(city: City, seat: str) -> Call:
    """The next call of a seat, answered."""
    call = await next_call(city.stage.seats[seat])
    await call.answered()
    return call


@asynccontextmanager
async def talkative(folder: Path, sounds: Path, *, first: int) -> AsyncIterator[Desks]:
    """A city whose telephones all answer and say nothing unasked, and a supervisor's desk in it."""
    agents = {
        **{agent_of(seat): {"general": 3} for seat in GENERALISTS},
        **{agent_of(seat): {"social": 3} for seat in EXPERTS},
    }
    settings = with_seats(unannounced(quick_city()), SEATS, ring_s=2.0, rest_s=0.5)
    settings = with_agents(settings, agents, wrap_up_s=0.3, misses=9)
    phones = [seat for seat in SEATS if seat != "8009"]
    async with watched(settings, folder, sounds=sounds, seats=phones) as city:
        for trunk in city.stage.trunks.values():
            trunk.behave = Answers()
        async with at_the_desk(city.stage.instance) as desk:
            yield Desks(city, desk, first)
