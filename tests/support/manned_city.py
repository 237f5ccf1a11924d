"""Agents in a staged city: their settings, what their telephones dial and hear, and what is kept of them."""

import asyncio
import os
import signal
from collections.abc import Mapping

from calls.journal import SeatOffered
from dialplan.names import SEAT
from hotline.stage import until
from recordings.duty import DutyRow
from settings.shapes import Settings
from settings.staff import Agent
from tests.support.city_watch import City
from tests.support.desk_client import DeskClient


def with_agents(
    settings: Settings, skills: Mapping[str, Mapping[str, int]], *, wrap_up_s: float, misses: int
) -> Settings:
    """The settings with these agents (number → skill → level) and no others."""
    agents = settings.agents.model_copy(
        update={
            "agents": {agent: Agent(name=f"agent {agent}", skills=dict(can)) for agent, can in skills.items()},
            "wrap_up": wrap_up_s,
            "misses": misses,
        }
    )
    return settings.model_copy(update={"agents": agents})


def with_wrap_up(settings: Settings, number: str, wrap_up_s: float) -> Settings:
    """The settings with another time for notes after calls to a number."""
    changed = settings.numbers[number].model_copy(update={"wrap_up": wrap_up_s})
    return settings.model_copy(update={"numbers": {**settings.numbers, number: changed}})


def endings(city: City, seat: str) -> list[str | None]:
    """The prompt in which each call of a seat's own ended, the oldest first; None of one that goes on."""
    rows = [row for row in city.journal() if row.channel.startswith(f"PJSIP/{seat}-")]
    dialled = [row.channel for row in rows if row.kind == "CHAN_START" and row.context == SEAT]
    ended = {row.channel: row.exten for row in rows if row.kind == "HANGUP"}
    return [ended.get(channel) for channel in dialled]


async def dials(city: City, seat: str, code: str, *keyed: str) -> str:
    """A seat's telephone dials a code, and keys in what it is asked for; the prompt that it hears in the end."""
    before = len(endings(city, seat))
    call = await city.stage.seats[seat].call(code)
    await call.answered()
    for keys in keyed:
        await call.press(keys)
    await call.ended()
    found: list[str] = await until(
        f"the end of {code} at {seat}",
        lambda: [prompt for prompt in endings(city, seat)[before:] if prompt is not None],
        seen=lambda: endings(city, seat),
    )
    return found[0]


async def signs_on(city: City, seat: str, agent: str) -> str:
    """An agent signs on by telephone, with the right PIN."""
    return await dials(city, seat, "*11", f"{agent}#", f"{city.stage.instance.secrets.agents[agent]}#")


async def here(city: City, *seats: str) -> None:
    """The telephones of these seats are there."""
    await asyncio.gather(*(city.stage.seats[seat].register() for seat in seats))


async def comes(desk: DeskClient, who: str, seat: str) -> None:
    """An agent is signed on by a supervisor. Whoever waits may be sent there at once."""
    await desk.post(f"/agents/{who}/sign-on", seat=seat)


async def sits(desk: DeskClient, who: str, seat: str) -> None:
    """The same, when nobody waits whom the agent could serve."""
    await comes(desk, who, seat)
    await desk.until_agent(who, "idle", seat=seat)


async def served_by(city: City, desk: DeskClient, who: str, callers: int) -> list[str]:
    """Who is served by an agent who comes to seat 8012 for them, and goes again."""
    await city.stage.seats["8012"].register()
    serving = city.agent("8012", callers)
    await comes(desk, who, "8012")
    served = await serving
    await desk.post(f"/agents/{who}/sign-off")
    return served


def offered(city: City, caller: str) -> list[tuple[str, str]]:
    """Each seat that was offered to a caller, with the agent there."""
    return [(step.seat, step.agent) for step in city.steps(caller, SeatOffered)]


async def nobody_signed_on(desk: DeskClient) -> None:
    """Everybody signs off."""
    for agent in await desk.get("/agents"):
        if agent["seat"] is not None:
            await desk.post(f"/agents/{agent['agent']}/sign-off")


def duty_of(city: City, agent: str) -> list[DutyRow]:
    """What is kept of an agent, in order."""
    rows = city.store.rows(
        "SELECT seat, agent, state, reason, call, at_utc_ms FROM duty WHERE agent = ? ORDER BY id", agent
    )
    return [DutyRow(**row) for row in rows]


async def kill_asterisk(city: City) -> None:
    """Returns once there is another one."""
    asterisk = city.stage.supervisor.asterisk
    boot = asterisk.boot
    assert boot is not None
    os.kill(boot.pid, signal.SIGKILL)
    await until("another Asterisk", lambda: asterisk.boot not in (None, boot))
