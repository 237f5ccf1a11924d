"""The whole HTTP application in a thread of its own, for programs that attack it from outside."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from settings.listening import HttpLimits
from tests.support.scripted_desk import ScriptedDesk
from tests.support.scripted_shelf import ScriptedShelf
from web.api import PREFIX
from web.desk import Role
from web.health import Health, application
from web.serving import Runner
from web.tokens import Tokens

WELL = Health(
    "node1", "测试市", asterisk_connected=True, steering=True, calls_kept=True,
    waiting=0, seats_free=1, seats_known=2, calls_known=0,
)  # fmt: skip
FREELY = HttpLimits.model_validate(
    {
        "requests": 10_000,
        "requests_per_address": 10_000,
        "streams": 1000,
        "connections": 10_000,
        "connections_per_address": 10_000,
        "wrong_tokens": 1000,
        "lock": "1s",
    }
)
"""So that what is tried is what is behind the limits."""


@dataclass(frozen=True, slots=True)
class Interface:
    """Where it answers, and a token for each role; the agent's is that of agent 1001."""

    url: str
    tokens: dict[Role, str]

    @property
    def api(self) -> str:
        return self.url + PREFIX


@contextmanager
def interface(folder: Path, limits: HttpLimits = FREELY) -> Iterator[Interface]:
    """The application over a scripted desk and shelf; it is gone at the end."""
    known = Tokens.of(folder / "tokens.json")
    tokens = {role: known.add(role.value, role, "1001" if role is Role.AGENT else None, 0) for role in Role}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="interface")
    thread.start()
    try:
        runner = asyncio.run_coroutine_threadsafe(_started(known, limits), loop).result(30)
        try:
            yield Interface(f"http://127.0.0.1:{runner.addresses[0][1]}", tokens)
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def _started(known: Tokens, limits: HttpLimits) -> Runner:
    runner = Runner(application(lambda: WELL, ScriptedDesk(), ScriptedShelf(), known, limits=limits), limits)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner
