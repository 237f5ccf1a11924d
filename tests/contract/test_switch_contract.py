"""The switch's contract, on the tests' own fake and on AMI with a server that plays Asterisk."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from asterisk.ami import AmiBounds
from asterisk.switch import AmiSwitch
from calls.live import CallRef, Device, Seat, Waiting
from tests.support.fake_ami import FakeAmi, FakeChannel, fake_ami
from tests.support.scripted_switch import ScriptedSwitch
from tests.support.switch_contract import DEMANDS, SEAT, Stage, SwitchContract, ear, event

__all__ = ["ear"]


class ScriptedStage:
    """The fake switch changes its own world."""

    def __init__(self) -> None:
        self.switch = ScriptedSwitch()

    async def waits(self, who: Waiting) -> Waiting:
        self.switch.caller_waits(who)
        return who

    async def survives(self, who: Waiting, queue: str) -> Waiting:
        self.switch.caller_survives(who, queue)
        return who

    async def leaves(self, who: Waiting, to: str) -> None:
        self.switch.caller_leaves(who.channel, to)

    async def hangs_up(self, who: Waiting) -> None:
        self.switch.hangs_up(who.channel)

    async def does_not_answer(self, who: Waiting, seat: Seat) -> None:
        self.switch.comes_back(who.channel, "CHANUNAVAIL")

    async def registers(self, seat: Seat) -> None:
        self.switch.seat(seat, Device.FREE)

    async def unregisters(self, seat: Seat) -> None:
        self.switch.seat(seat, Device.GONE)

    async def lose(self) -> None:
        self.switch.lose()

    async def writes(self, who: Waiting, name: str) -> None:
        self.switch.hear(event(name, who))

    async def is_not_reached(self, ref: CallRef) -> None:
        self.switch.not_reached(ref, "busy")

    async def manned(self, seat: Seat) -> tuple[str, frozenset[str]]:
        agent, skills, paused = self.switch.manned.get(seat, (None, frozenset(), False))
        served = () if paused else [demand for demand in DEMANDS if demand <= skills]
        return agent or "", frozenset("survival_" + "_".join(sorted(demand)) for demand in served)

    async def blocked_until(self, number: str) -> str:
        return self.switch.blocked.get(number, "")


class AmiStage:
    """The fake server's world; the switch is the real one."""

    def __init__(self, server: FakeAmi) -> None:
        self.server = server
        self.switch = AmiSwitch("node1", server.access, AmiBounds(answer_s=10.0, list_s=10.0), demands=DEMANDS)
        self._withdrawing = asyncio.create_task(self._withdraw())

    async def close(self) -> None:
        self._withdrawing.cancel()
        await asyncio.wait({self._withdrawing})
        await self.switch.close()

    async def waits(self, who: Waiting) -> Waiting:
        self.server.channels[who.channel.name] = _channel(who, "room")
        self.server.room(who.channel.name)
        return who

    async def survives(self, who: Waiting, queue: str) -> Waiting:
        self.server.channels[who.channel.name] = replace(_channel(who, "survival"), queue=queue)
        self.server.room(who.channel.name, "Survival")
        return who

    async def leaves(self, who: Waiting, to: str) -> None:
        self.server.channels[who.channel.name].context = to
        self.server.user_event("Left", who.channel.name, ("Ref", who.ref), ("To", to))

    async def hangs_up(self, who: Waiting) -> None:
        self.server.hang_up(who.channel.name)

    async def does_not_answer(self, who: Waiting, seat: Seat) -> None:
        self.server.user_event("Back", who.channel.name, ("Ref", who.ref), ("Seat", seat), ("Why", "CHANUNAVAIL"))
        self._enters_room(who.channel.name)

    async def registers(self, seat: Seat) -> None:
        self.server.device(seat, "NOT_INUSE")

    async def unregisters(self, seat: Seat) -> None:
        self.server.device(seat, "UNAVAILABLE")

    async def lose(self) -> None:
        await self.server.cut()

    async def writes(self, who: Waiting, name: str) -> None:
        if name == "CallBack":
            self.server.room(who.channel.name, name)
            return
        desk = [("Code", "*11"), ("Keyed", "1001"), ("Pin", "4711")]
        more: dict[str, list[tuple[str, str]]] = {"Sent": [("Seat", SEAT)], "Desk": [("Seat", SEAT), *desk]}
        self.server.user_event(name, who.channel.name, ("Ref", who.ref), *more.get(name, []))

    async def is_not_reached(self, ref: CallRef) -> None:
        """It says so by itself."""

    async def manned(self, seat: Seat) -> tuple[str, frozenset[str]]:
        rings = {
            queue
            for (queue, interface), paused in self.server.members.items()
            if interface == f"PJSIP/{seat}" and not paused
        }
        return self.server.globals[f"AGENT_{seat}"], frozenset(rings)

    async def blocked_until(self, number: str) -> str:
        return self.server.blocked.get(number, "")

    def _enters_room(self, channel: str) -> None:
        self.server.channels[channel].context = "room"
        self.server.room(channel)

    async def _withdraw(self) -> None:
        """Like app_queue, which lets a withdrawn caller go a moment later."""
        while True:
            for name, channel in self.server.channels.items():
                if channel.withdrawn:
                    channel.withdrawn, channel.queue = False, None
                    self._enters_room(name)
            await asyncio.sleep(0.02)


def _channel(who: Waiting, context: str) -> FakeChannel:
    variables = {
        "HL_REF": who.ref,
        "HL_T0": str(who.t0_ms),
        "HL_SKILLS": "+".join(sorted(who.skills)),
        "HL_PRIO": str(who.priority),
        "HL_NUMBER": who.number,
        "HL_LANG": who.language,
        "HL_SEAT": "",
    }
    return FakeChannel(context, variables=variables, number=who.caller)


class TestScriptedSwitch(SwitchContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return ScriptedStage()


class TestAmiSwitch(SwitchContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async with fake_ami() as server:
            stage = AmiStage(server)
            yield stage
            await stage.close()
