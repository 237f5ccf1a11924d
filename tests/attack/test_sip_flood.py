"""Scanners and malformed messages leave the hotline serving; a real Asterisk.

HOTLINE_ATTACK=long sends 50,000 messages instead of some 2,000 (`make test-attack`).
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest
import pytest_asyncio

from calls.journal import RoomEntered
from tests.support.raw_sip import Stranger, stranger
from tests.support.scanners import scan
from tests.support.settings_maker import PLAIN, city
from tests.support.sip_fuzz import messages
from tests.support.town import Town, in_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = os.environ.get("HOTLINE_ATTACK") == "long"
MESSAGES = 50_000 if LONG else 2_000
SEED = 20_260_101
A_SECOND = 800
"""Messages: as fast as they can be read here, so that few are dropped before."""
SEATS = "8001-8004"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    server = {**PLAIN["server"], "capacity": {"ordinary": 400, "reserve": 100}}
    async with in_town(city(server=server), tmp_path_factory.mktemp("flood")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: Town) -> Town:
    await running.clear()
    return running


async def serves(town: Town) -> None:
    """A citizen comes into the waiting room, and an emergency call to its centre."""
    await town.asterisk.beat()
    (citizen, caller), (urgent, _) = await town.call("12333"), await town.call("110")
    await urgent.answered()
    await town.asterisk.wrote(caller, RoomEntered)
    await asyncio.gather(citizen.hang_up(), urgent.hang_up())


async def serves_until(town: Town, over: "asyncio.Task[None]") -> int:
    """Serves again and again; how often."""
    times = 0
    while not over.done():
        await serves(town)
        times += 1
    await over
    return times


async def flood(senders: list[Stranger], count: int) -> None:
    """From all of them in turn, at a bounded rate."""
    share = count // len(senders)
    here = ["{}:{}".format(*sender.place) for sender in senders]
    there = "{}:{}".format(*senders[0].server)
    streams = [messages(SEED + place, share, here[place], there) for place in range(len(senders))]
    mixed = ((sender, data) for pair in zip(*streams, strict=True) for sender, data in zip(senders, pair, strict=True))
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while some := tuple(islice(mixed, 20)):
        for sender, data in some:
            await loop.sock_sendto(sender.socket, data, sender.server)
        due_s = max(due_s + len(some) / A_SECOND, loop.time() - 1)
        await asyncio.sleep(max(0.0, due_s - loop.time()))


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.timeout(600)
async def test_malformed_messages_leave_it_serving_before_while_and_after(town: Town) -> None:
    """Half of them from nowhere, half from the carrier's address, where they come further."""
    await serves(town)
    before = town.asterisk.process.boot
    assert before is not None
    used_mb = memory_mb(before.pid)
    with ExitStack() as opened:
        senders = [opened.enter_context(stranger(town.asterisk.server, ip)) for ip in ("127.0.0.30", "127.0.0.2")]
        assert await serves_until(town, asyncio.create_task(flood(senders, MESSAGES))) > 0
    await serves(town)
    assert town.asterisk.process.running()
    assert town.asterisk.process.boot == before, "Asterisk was started anew"
    await town.clear()
    town.asterisk.rows()  # Every line of the journal can be read.
    assert memory_mb(before.pid) < 2 * used_mb + 100


async def test_scanners_find_a_sip_port_and_nothing_behind_it(town: Town, tmp_path: Path) -> None:
    address, port = town.asterisk.server

    async def maps() -> None:
        told = await scan("svmap", tmp_path, "-p", str(port), address)
        assert "hotline" in told, told
        assert "Asterisk" not in told

    async def wars(method: str) -> None:
        told = await scan("svwar", tmp_path / method, "-p", str(port), "-e", SEATS, "-m", method, "--force", address)
        assert "found nothing" in told, told

    async def scans() -> None:
        await asyncio.gather(maps(), *map(wars, ("REGISTER", "INVITE", "OPTIONS")))

    await serves(town)
    assert await serves_until(town, asyncio.create_task(scans())) > 0
    await serves(town)
