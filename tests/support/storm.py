"""A storm over a staged city: citizens without patience, agents who come and go, everything by one seed."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from random import Random

import aiohttp

from hotline.stage import until
from phones.call import NotAnswered, TooLate
from phones.placed import PlacedCall
from phones.taken import TakenCall
from phones.telephone import Telephone
from tests.support.city_watch import City
from tests.support.desk_client import DeskClient, NotDone

AWAY = (NotDone, aiohttp.ClientError, TimeoutError)
"""What the interface answers while there is no controller, or it changes its mind too late."""
_PATIENCE_S = 5.0
"""An agent whom the interface keeps waiting for longer goes on without it."""


class Nature(Enum):
    """What a citizen does beside waiting."""

    PATIENT = "patient"
    IMPATIENT = "impatient"
    """Hangs up after some seconds, wherever the call is then."""
    SKITTISH = "skittish"
    """Hangs up in the moment in which a seat becomes free, or rings."""
    CALL_BACK = "call_back"
    """Asks to be called back, unless somebody talks first."""
    EMERGENCY = "emergency"
    """Presses an emergency key."""


@dataclass(frozen=True, slots=True)
class Citizen:
    """Somebody who calls once."""

    caller: str
    number: str
    nature: Nature
    after_s: float
    """Since the beginning of the storm."""


@dataclass(slots=True)
class Storm:
    """Everybody in it. `blow` lets the citizens call; the agents work until they are cancelled."""

    city: City
    desk: DeskClient
    signed_on: Mapping[str, str]
    """Seat → the agent who belongs there."""
    chance: Random
    calm: bool = False
    """Agents answer everything and stay."""
    second_calls: list[str] = field(default_factory=list)
    """Telephones that were called while they had a call."""
    _placed: dict[str, PlacedCall] = field(default_factory=dict)
    _skittish: list[str] = field(default_factory=list)
    _excused: set[str] = field(default_factory=set)
    """Agents who are away on purpose."""

    # --- citizens ---------------------------------------------------------------------------------

    async def blow(self, citizens: list[Citizen]) -> None:
        """Returns once every one of them has hung up, or was hung up on."""
        async with asyncio.TaskGroup() as group:
            for citizen in citizens:
                group.create_task(self._calls(citizen))

    async def _calls(self, citizen: Citizen) -> None:
        await asyncio.sleep(citizen.after_s)
        placed = await self.city.stage.carrier.call(citizen.number, caller=citizen.caller)
        self._placed[citizen.caller] = placed
        with suppress(NotAnswered):
            await placed.answered()
            match citizen.nature:
                case Nature.IMPATIENT:
                    await asyncio.sleep(self.chance.uniform(0.1, 6.0))
                    await placed.hang_up()
                case Nature.SKITTISH:
                    self._skittish.append(citizen.caller)
                case Nature.CALL_BACK:
                    await asyncio.sleep(self.chance.uniform(0.5, 2.0))
                    await placed.press("1")
                case Nature.EMERGENCY:
                    await asyncio.sleep(self.chance.uniform(0.5, 2.0))
                    await placed.press("*1")
                    with suppress(TooLate):
                        await placed.ended(within_s=4.0)
                    await placed.hang_up()
                case Nature.PATIENT:
                    pass
        await placed.ended(within_s=120.0)

    def _startle(self, caller: str | None = None) -> None:
        """One of those who hang up when a seat is theirs does so a moment later."""
        known = [one for one in self._skittish if caller in (None, one)]
        if known:
            self._skittish.remove(known[0])
            placed = self._placed[known[0]]
            asyncio.get_running_loop().call_later(
                self.chance.uniform(0.0, 0.02), lambda: asyncio.ensure_future(placed.hang_up())
            )

    # --- agents -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def manned(self) -> AsyncIterator[None]:
        """Agents sit at every seat, and somebody sees to it that they come back."""
        tasks = [asyncio.create_task(self._sits(seat), name=f"seat {seat}") for seat in self.signed_on]
        tasks.append(asyncio.create_task(self._sees_to_it(), name="supervisor"))
        try:
            yield
        except BaseException:
            for task in tasks:  # Shown when the test fails: where everybody was.
                task.print_stack(file=sys.stdout)
            raise
        finally:
            failed = [task for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in failed:
                task.result()

    async def all_idle(self) -> None:
        """Waits until every agent is ready for a call."""

        async def idle() -> bool:
            agents = {one["agent"]: one for one in await self.desk.get("/agents")}
            return all(agents[agent]["state"] == "idle" for agent in self.signed_on.values())

        await until("every agent idle", idle)

    async def _sees_to_it(self) -> None:
        """Signs on, or sets to work, whoever was put out by the storm."""
        seats = {agent: seat for seat, agent in self.signed_on.items()}
        while True:
            with suppress(*AWAY):
                for one in await self.desk.get("/agents"):
                    agent = one["agent"]
                    if agent not in seats or agent in self._excused:
                        continue
                    if one["seat"] is None:
                        await self.desk.post(f"/agents/{agent}/sign-on", seat=seats[agent])
                    elif one["state"] == "paused":
                        await self.desk.post(f"/agents/{agent}/ready")
            await asyncio.sleep(0.5)

    async def _sits(self, seat: str) -> None:
        phone = self.city.stage.seats[seat]
        while True:
            try:
                call = await phone.next_call(within_s=3600.0)
            except TooLate:
                continue
            if call.over:
                continue
            if any(not other.over for other in phone.calls if other is not call):
                self.second_calls.append(seat)
            self._startle(call.caller)
            await self._takes(phone, seat, call)

    async def _takes(self, phone: Telephone, seat: str, call: TakenCall) -> None:
        mood = 1.0 if self.calm else self.chance.random()
        if mood < 0.08:  # Lets it ring.
            await call.ended()
        elif mood < 0.14:
            call.refuse(486)
        elif mood < 0.20:
            call.refuse(480)
            await self._goes_away(phone)
        else:
            await self._talks(seat, call)
            if mood < 0.36:
                await self._is_absent(seat, mood)

    async def _goes_away(self, phone: Telephone) -> None:
        await phone.unregister()
        await asyncio.sleep(self.chance.uniform(0.2, 2.0))
        await phone.register()

    async def _talks(self, seat: str, call: TakenCall) -> None:
        await asyncio.sleep(self.chance.uniform(0.05, 0.4))
        if not call.answer():
            return
        with suppress(TooLate):
            await call.ended(within_s=self.chance.uniform(0.4, 1.5))
        if not call.over and not self.calm and self.chance.random() < 0.12 and await self._passed_on(seat):
            with suppress(TooLate):
                await call.ended(within_s=3.0)
        self._startle()
        await call.hang_up()

    async def _passed_on(self, seat: str) -> bool:
        """Whether somebody else has the caller now, or will have."""
        goal = self.chance.choice([{"skill": "general"}, {"seat": self.chance.choice(sorted(self.signed_on))}])
        with suppress(*AWAY):
            async with asyncio.timeout(_PATIENCE_S):
                return await self._asks_to_pass_on(seat, goal)
        return False

    async def _asks_to_pass_on(self, seat: str, goal: dict[str, str]) -> bool:
        at = await self.desk.get(f"/seats/{seat}")
        if at["state"] != "talking" or goal.get("seat") == seat:
            return False
        await self.desk.post(f"/calls/{at['call']}/transfer", to=goal)
        return True

    async def _is_absent(self, seat: str, mood: float) -> None:
        agent = self.signed_on[seat]
        self._excused.add(agent)
        with suppress(*AWAY):
            async with asyncio.timeout(_PATIENCE_S):
                await self.desk.post(
                    f"/agents/{agent}/pause" if mood < 0.28 else f"/agents/{agent}/sign-off",
                    **({"reason": "break"} if mood < 0.28 else {}),
                )
        await asyncio.sleep(self.chance.uniform(0.2, 1.5))
        self._excused.discard(agent)


def crowd(chance: Random, numbers: Mapping[str, int], natures: Mapping[Nature, int], within_s: float) -> list[Citizen]:
    """So many citizens of each nature, who call at any time. numbers: how likely each of them is dialled."""
    callers = itertools.count(13600000000)
    return [
        Citizen(
            str(next(callers)),
            chance.choices(list(numbers), list(numbers.values()))[0],
            nature,
            chance.uniform(0.0, within_s),
        )
        for nature, count in natures.items()
        for _ in range(count)
    ]
