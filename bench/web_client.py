"""Asks an HTTP interface, from a process of its own: `python -m bench.web_client`.

It reads tasks from standard input, one line of JSON each, and answers each with a line of JSON:
`asked` for an `Asks`, `heard` for a `Watch`. It ends with its input.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bench.figures import percentile

GAP_S = 0.35
"""Between two changes that are listened for: longer than changes are gathered."""
_PATIENCE_S = 10.0
_LAST_S = 3.0
"""So long the last change may take to be told."""
_LOOK_S = 0.05

Ask = tuple[str, str, Any]
"""Method, path below the address, and body or None."""


@dataclass(frozen=True, slots=True)
class Asks:
    """Several connections ask without a pause, each through its own asks again and again, once at least."""

    url: str
    token: str
    work: Sequence[Sequence[Ask]]
    """For each connection."""
    for_s: float


@dataclass(frozen=True, slots=True)
class Watch:
    """Several listeners of the live events, and changes that they are told of."""

    url: str
    token: str
    path: str
    """Of the live events."""
    listeners: int
    before: Sequence[Ask]
    """Done before anybody listens."""
    changes: Sequence[Ask]
    agent: str
    """Whom each of them changes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of `Asks`. Only what was answered well counts in its times."""

    answered: int
    refused: int
    """With a status of 400 or more."""
    took_s: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of `Watch`: how long after a seat changed a listener knew, by the moment that the event tells."""

    told: int
    missed: int
    """Changes that a listener was not told of."""
    p50_ms: float
    p99_ms: float


def _session(token: str, connections: int) -> ClientSession:
    return ClientSession(
        connector=TCPConnector(limit=connections),
        timeout=ClientTimeout(total=_PATIENCE_S),
        headers={"Authorization": f"Bearer {token}"},
    )


async def ask(task: Asks) -> Asked:
    """Raises aiohttp.ClientError, TimeoutError."""
    took_ms: list[float] = []
    refused = 0

    async def one(session: ClientSession, work: Sequence[Ask], until_s: float) -> None:
        nonlocal refused
        for method, path, body in cycle(work):
            began = time.perf_counter()
            async with session.request(method, task.url + path, json=body) as answer:
                await answer.read()
            if answer.status >= 400:
                refused += 1
            else:
                took_ms.append(1000 * (time.perf_counter() - began))
            if time.perf_counter() >= until_s:
                return

    async with _session(task.token, len(task.work)) as session, asyncio.TaskGroup() as tasks:
        began = time.perf_counter()
        for work in task.work:
            tasks.create_task(one(session, work, began + task.for_s))
    took_s = time.perf_counter() - began
    return Asked(len(took_ms), refused, took_s, percentile(took_ms, 0.5), percentile(took_ms, 0.99))


async def watch(task: Watch) -> Heard:
    """Raises aiohttp.ClientError, TimeoutError."""
    late_ms: list[list[float]] = [[] for _ in range(task.listeners)]
    ready = asyncio.Semaphore(0)
    began_ms = 0.0

    async def listen(session: ClientSession, heard: list[float]) -> None:
        async with session.get(task.url + task.path, timeout=ClientTimeout(total=None)) as stream:
            stream.raise_for_status()
            async for line in stream.content:
                if line.startswith(b"event: state"):
                    ready.release()
                elif line.startswith(b"data: "):
                    now_ms = time.time() * 1000
                    since_ms = changed_at(json.loads(line[6:]), task.agent)
                    heard.extend(now_ms - at_ms for at_ms in since_ms if at_ms >= began_ms)

    async with _session(task.token, task.listeners + 1) as session:
        await _change(session, task, task.before)
        listening = [asyncio.create_task(listen(session, heard)) for heard in late_ms]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                for _ in listening:
                    await ready.acquire()
            began_ms = time.time() * 1000 - 1  # What changed when is told in whole ms.
            await _change(session, task, task.changes)
            await _until_all(late_ms, len(task.changes))
        finally:
            for one in listening:
                one.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
    every = [late for heard in late_ms for late in heard]
    missed = task.listeners * len(task.changes) - len(every)
    return Heard(len(every), missed, percentile(every, 0.5), percentile(every, 0.99))


async def _change(session: ClientSession, task: Watch, work: Sequence[Ask]) -> None:
    for method, path, body in work:
        async with session.request(method, task.url + path, json=body) as answer:
            answer.raise_for_status()
        await asyncio.sleep(GAP_S)


def changed_at(event: Mapping[str, Any], agent: str) -> list[int]:
    """Since when the agent's seat is as the event tells: ms since the epoch. Nothing of an event `state`."""
    return [view["since_utc_ms"] for view in event.get("changed", ()) if view["agent"] == agent]


async def _until_all(heard: Sequence[Sequence[float]], many: int) -> None:
    for _ in range(int(_LAST_S / _LOOK_S)):
        if all(len(one) >= many for one in heard):
            return
        await asyncio.sleep(_LOOK_S)


async def _main() -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        kind, task = json.loads(line)
        found = await ask(Asks(**task)) if kind == "Asks" else await watch(Watch(**task))
        print(json.dumps(asdict(found)), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
