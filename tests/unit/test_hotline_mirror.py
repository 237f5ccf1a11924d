"""What Asterisk is told to go on alone: everything that it takes, and of what it refuses the log says so once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from asterisk.port import Answer
from calls.live import Agent, Seat
from hotline import mirror
from hotline.mirror import Manned, Mirror
from hotline.stage import until
from tests.support.scripted_switch import ScriptedSwitch

GENERAL = frozenset({"general"})
ANNE = Manned(Agent("1001"), GENERAL, paused=False)
BOB = Manned(Agent("1002"), GENERAL, paused=False)
OLD, NEW, OTHER = Seat("8001"), Seat("8002"), Seat("8003")


class OlderSwitch(ScriptedSwitch):
    """An Asterisk that does not know a seat yet."""

    def __init__(self) -> None:
        super().__init__()
        self.unknown = {NEW}
        self.refused = 0

    async def man(self, seat: Seat, agent: Agent | None, skills: frozenset[str], *, paused: bool) -> Answer:
        if seat in self.unknown:
            self.refused += 1
            return Answer.FAILED
        self.manned[seat] = (agent, skills, paused)
        return Answer.DONE

    async def block(self, number: str, until_day: str) -> Answer:
        self.blocked[number] = until_day
        return Answer.DONE


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "AGAIN_S", 0.001)


@asynccontextmanager
async def told(switch: ScriptedSwitch) -> AsyncIterator[Mirror]:
    made = Mirror(lambda: [switch])
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_seat_that_is_refused_keeps_nobody_else_from_being_known() -> None:
    switch = OlderSwitch()
    async with told(switch) as made:
        made.man({NEW: ANNE, OLD: BOB, OTHER: BOB})
        made.block({"13800000000": "20261231"})
        await until(
            "everything else is told", lambda: switch.manned.keys() == {OLD, OTHER} and "13800000000" in switch.blocked
        )
        switch.unknown.clear()
        await until("that is told, too", lambda: switch.manned.keys() == {OLD, NEW, OTHER})


async def test_a_refusal_is_said_once_until_something_changes() -> None:
    switch = OlderSwitch()
    with capture_logs() as said:
        async with told(switch) as made:
            made.man({NEW: ANNE})
            await until("it is refused again and again", lambda: switch.refused > 3)
            assert [(one["event"], one["seat"]) for one in said] == [("mirror_refused", NEW)]
            made.man({NEW: BOB})
            before = switch.refused
            await until("it is refused again and again", lambda: switch.refused > before + 3)
            assert len(said) == 2
            made.forget(switch.node)
            before = switch.refused
            await until("it is refused again and again", lambda: switch.refused > before + 3)
            assert len(said) == 3
