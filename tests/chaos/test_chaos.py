"""The short form of `make chaos`: whoever dies while fifty people call, nothing of them is lost; and restarts."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from calls.record import Outcome
from hotline.stage import until
from tests.chaos.faults import SHORT, Fault
from tests.chaos.ordeal import ordeal
from tests.chaos.scene import Scene, scene, settings
from tests.support.city_command import HOTLINE
from tests.support.city_watch import GENERAL, hearing_on, next_call, talking

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path_factory.mktemp("city"), sounds, settings()) as running:
        yield running


@pytest.mark.parametrize("fault", SHORT, ids=lambda fault: fault.name)
async def test_fifty_calls_are_kept_whatever_dies(served: Scene, fault: Fault) -> None:
    toll = await ordeal(served, fault, ordinary=44, emergencies=6)
    assert toll.unexpected == ()
    assert (toll.in_progress, toll.records_lost) == (50, 0)
    assert toll.calls_lost == (50 if fault.ends_calls else 0)
    assert toll.emergencies_lost == (6 if fault.ends_calls else 0)


async def test_a_planned_restart_ends_no_call_of_the_controller_and_is_written_down(served: Scene) -> None:
    city, phone = served.city, served.city.stage.seats["7001"]
    await served.until_manned()
    await asyncio.gather(*(other.unregister() for seat, other in city.stage.seats.items() if seat != "7001"))
    first, second = city.citizens(2)
    placed = await city.calls(GENERAL, first)
    taken = await next_call(phone)
    await talking(taken)
    old = served.pid("hotline.node")
    assert "controller is back, and calls are steered" in await said(served, "restart", "controller", "--why", "test")
    assert served.pid("hotline.node") not in (None, old)
    await hearing_on(placed, taken)
    await placed.hang_up()
    assert (await city.kept(first)).outcome is Outcome.ANSWERED

    old = served.pid("asterisk.conf")
    placed = await city.calls(GENERAL, second)
    await talking(await next_call(phone))
    told = await said(served, "restart", "asterisk", "--now")
    assert "asterisk is back, and calls are steered" in told
    assert "1 were in progress" in told
    assert served.pid("asterisk.conf") not in (None, old)
    assert (await city.over(second)).outcome in (Outcome.ANSWERED, Outcome.INTERRUPTED)
    await placed.hang_up()
    assert "asterisk_died" not in served.command.said().partition("restart_wanted")[2]

    entries = [json.loads(line) for line in (await said(served, "restarts", "--json")).splitlines()]
    assert [(one["part"], one["why"], one["calls"]) for one in entries[:2]] == [
        ("asterisk", "", 1),
        ("controller", "test", 1),
    ]
    assert all(one["who"] and one["up_utc_ms"] >= one["ended_utc_ms"] for one in entries[:2])


async def test_every_restart_that_nobody_wanted_is_written_down(served: Scene) -> None:
    await served.kill("hotline.node")
    await served.until_ready()
    entries = await listed(served)
    assert (entries[0]["part"], entries[0]["why"], entries[0]["who"]) == ("controller", "it died, exit code -9", None)
    await served.kill_supervisor()
    await served.run_again()
    await served.until_ready()
    entries = await listed(served)
    assert (entries[0]["part"], entries[0]["why"]) == ("hotline", "it was killed, or the machine stopped")


async def listed(served: Scene) -> list[dict[str, Any]]:
    """The restarts, the newest first, once all of them are over."""

    async def over() -> list[dict[str, Any]]:
        entries = [json.loads(line) for line in (await said(served, "restarts", "--json")).splitlines()]
        return entries if all(one["up_utc_ms"] for one in entries) else []

    found: list[dict[str, Any]] = await until("the end of every restart", over)
    return found


async def said(served: Scene, *words: str) -> str:
    """What a command of this city says; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *(str(HOTLINE), *words, "--data", str(served.served.data)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
