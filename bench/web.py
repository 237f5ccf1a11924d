"""The HTTP interface of a running city: how much it answers, how fast, and how soon listeners know of a change."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from os import getloadavg
from pathlib import Path
from typing import Any, Final

import soundfile

from bench.city import bench_city
from bench.comparison import Comparison, Figure, Run
from bench.inserts_stores import BEGIN_MS, hold, some_calls
from bench.processes import cpu_ms
from bench.web_client import Ask, Asked, Asks, Heard, Watch
from hotline.folders import Folders
from hotline.stage import Stage, staged
from prompts import music, sound
from prompts.catalogue import LANGUAGES
from recordings.store import Store
from settings.listening import HttpLimits
from settings.shapes import Prompt, Settings
from settings.staff import Agent
from settings.system_prompts import spoken_prompts
from web.api import PREFIX
from web.desk import Role
from web.tokens import Tokens

COMPARISON: Final = Comparison(
    "web",
    "The HTTP interface",
    (
        Figure("answers_a_s", "answers a second", 0, more_is_better=True),
        Figure("p50_ms", "answer, median ms", 2),
        Figure("p99_ms", "answer, 99 of 100, ms", 2),
        Figure("cpu_ms", "CPU of the controller, ms an answer", 2),
        Figure("refused_percent", "refused, %"),
        Figure("news_p50_ms", "a listener knows, median ms", 2),
        Figure("news_p99_ms", "a listener knows, 99 of 100, ms", 2),
        Figure("missed", "changes of which a listener was not told", 0),
    ),
    size="connections",
)
SIZES: Final = (1, 4, 16)
LISTENING: Final = "live events"
_AGENTS = tuple(str(1001 + number) for number in range(max(SIZES)))
_SEATS = tuple(str(8001 + number) for number in range(max(SIZES)))
_NUMBER = "12319"
_SKILL = "general"
_BEEP = 4_000
"""Samples of every prompt: nobody calls, and no time is spent on speech."""
_ANSWER_S = 60.0
_NO_LIMITS = HttpLimits(
    requests=10_000, requests_per_address=10_000, streams=1000, connections=1000, connections_per_address=1000
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    records: int
    """Calls that the store holds."""
    for_s: float
    """So long each way is asked at each size in a round."""
    changes: int
    """That listeners are told of, in the same."""
    rounds: int
    seed: int


@dataclass(frozen=True, slots=True)
class Way:
    """What is asked for. `asks`: what one connection, counted from 0, asks for by turns."""

    name: str
    asks: Callable[[int], Sequence[Ask]]


class ClientFailed(RuntimeError):
    """The process that asks has ended, or says nothing."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the client of the benchmark failed: {why}: see what it wrote above")


def ways(refs: Sequence[str]) -> tuple[Way, ...]:
    """What is asked for; `refs`: ids of calls that are kept."""
    return (
        Way("/healthz", lambda _: (("GET", "/healthz", None),)),
        Way("one call", lambda first: [_call(ref) for ref in (*refs[first:], *refs[:first])]),
        Way("search", lambda _: (("GET", f"{PREFIX}/calls?number=12345&limit=50", None),)),
        Way("seat's state", lambda number: changes(_AGENTS[number])),
    )


def _call(ref: str) -> Ask:
    return "GET", f"{PREFIX}/calls/{ref}", None


def changes(agent: str) -> tuple[Ask, Ask]:
    """The agent pauses, and is ready again."""
    path = f"{PREFIX}/agents/{agent}"
    return ("POST", f"{path}/pause", {"reason": "break"}), ("POST", f"{path}/ready", None)


def city(sound: Path) -> Settings:
    """The city of the benchmarks with more agents and seats, and no limits on asking. `sound`: of every prompt."""
    made = bench_city({_NUMBER: frozenset({_SKILL})}, {seat: frozenset({_SKILL}) for seat in _SEATS})
    agents = {agent: Agent(name=f"agent {agent}", skills={_SKILL: 3}) for agent in _AGENTS}
    recorded = Prompt(recordings={language: str(sound) for language in LANGUAGES})
    prompts = dict.fromkeys([*made.prompts.prompts, *spoken_prompts(made.prompts.prompts)], recorded)
    http = made.server.http.model_copy(update={"limits": _NO_LIMITS})
    return made.model_copy(
        update={
            "prompts": made.prompts.model_copy(update={"prompts": prompts}),
            "agents": made.agents.model_copy(update={"agents": agents}),
            "server": made.server.model_copy(update={"http": http}),
        }
    )


async def measure(plan: Plan, folder: Path, told: Callable[[str], None]) -> list[Run]:
    """Every round. Raises ClientFailed, hotline.stage.NeverHappened, asterisk.process.StartFailed."""
    (folder / "sounds").mkdir()
    beep = folder / "beep.wav"
    soundfile.write(beep, music.compose()[:_BEEP], sound.RATE_HZ)
    told(f"a city with {plan.records:,} records")
    refs = kept(Folders(folder / "d").records, plan)
    runs: list[Run] = []
    with (folder / "controller.log").open("w", encoding="utf-8") as log:
        async with (
            staged(city(beep), folder / "d", prompts=folder / "sounds", output=log) as stage,
            _client() as client,
        ):
            token = Tokens.of(stage.instance.folders.tokens).add("benchmark", Role.SUPERVISOR, None, 0)
            asked = _Asking(stage, client, stage.instance.settings.server.http.url, token)
            await asked.sign_on()
            every = ways(refs)
            for round_ in range(plan.rounds):
                first = round_ % len(every)
                for size in SIZES:
                    for way in (*every[first:], *every[:first]):
                        runs.append(await asked.way(way, size, round_, plan.for_s))
                        told(_line(runs[-1]))
                    runs.append(await asked.listening(size, round_, plan.changes))
                    told(_line(runs[-1]))
    return runs


def kept(path: Path, plan: Plan) -> list[str]:
    """Makes the store at `path` hold calls with which nothing is left to be done; some of their ids."""
    calls = some_calls(plan.records, plan.seed, BEGIN_MS)
    hold(path, calls)
    with Store(path) as store, store.writing() as connection:
        connection.execute(
            "UPDATE records SET looked_at = 1, reconciled = 1, audio = iif(audio IS NULL, NULL, 'none'), "
            "message_audio = iif(message_audio IS NULL, NULL, 'none')"
        )
    return [who.ref for _, who in calls[:: max(1, len(calls) // 200)]]


@dataclass(frozen=True, slots=True)
class _Client:
    """The process that asks."""

    process: asyncio.subprocess.Process

    async def done(self, task: Asks | Watch) -> dict[str, Any]:
        """Raises ClientFailed."""
        if self.process.stdin is None or self.process.stdout is None:
            raise AssertionError("the client has no pipes")
        self.process.stdin.write(json.dumps([type(task).__name__, asdict(task)]).encode() + b"\n")
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self.process.stdin.drain()
                line = await self.process.stdout.readline()
        except (TimeoutError, ConnectionError) as error:
            raise ClientFailed(str(error) or f"no answer within {_ANSWER_S:g} s") from error
        if not line:
            raise ClientFailed("it ended")
        found: dict[str, Any] = json.loads(line)
        return found


@asynccontextmanager
async def _client() -> AsyncIterator[_Client]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.web_client", stdin=pipe, stdout=pipe)
    try:
        yield _Client(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass(frozen=True, slots=True)
class _Asking:
    """A city, and who asks it."""

    stage: Stage
    client: _Client
    url: str
    token: str

    async def sign_on(self) -> None:
        """Every agent at a seat of its own."""
        for agent, seat in zip(_AGENTS, _SEATS, strict=True):
            path = f"{PREFIX}/agents/{agent}/sign-on"
            found = Asked(**await self.client.done(Asks(self.url, self.token, [[("POST", path, {"seat": seat})]], 0.0)))
            if found.refused:
                raise ClientFailed(f"agent {agent} was not signed on at {seat}")

    async def way(self, way: Way, size: int, round_: int, for_s: float) -> Run:
        others_load, before = getloadavg()[0], self._cpu_ms()
        task = Asks(self.url, self.token, [way.asks(number) for number in range(size)], for_s)
        found = Asked(**await self.client.done(task))
        return Run(way.name, round_, asked_figures(found, self._cpu_ms() - before), size, others_load)

    async def listening(self, listeners: int, round_: int, many: int) -> Run:
        others_load, by_turns = getloadavg()[0], changes(_AGENTS[0])
        work = [by_turns[number % 2] for number in range(many)]
        events = f"{PREFIX}/events?kinds=seats"
        task = Watch(self.url, self.token, events, listeners, by_turns, work, _AGENTS[0])
        found = Heard(**await self.client.done(task))
        return Run(LISTENING, round_, heard_figures(found), listeners, others_load)

    def _cpu_ms(self) -> float:
        pid = self.stage.supervisor.controller_pid
        if pid is None:
            raise AssertionError("no controller runs")
        return cpu_ms(pid)


def asked_figures(found: Asked, spent_ms: float) -> Mapping[str, float | None]:
    """`spent_ms`: processor time of the controller meanwhile."""
    if not found.answered:
        return {"answers_a_s": 0.0, "refused_percent": 100.0}
    return {
        "answers_a_s": found.answered / found.took_s,
        "p50_ms": found.p50_ms,
        "p99_ms": found.p99_ms,
        "cpu_ms": spent_ms / found.answered,
        "refused_percent": 100 * found.refused / (found.answered + found.refused),
    }


def heard_figures(found: Heard) -> Mapping[str, float | None]:
    """Of listeners to changes."""
    if not found.told:
        return {"missed": float(found.missed)}
    return {"news_p50_ms": found.p50_ms, "news_p99_ms": found.p99_ms, "missed": float(found.missed)}


def _line(run: Run) -> str:
    rate, news = run.figures.get("answers_a_s"), run.figures.get("news_p50_ms")
    what = f"{rate:,.0f} answers a second" if rate is not None else f"known after {news or 0:.1f} ms"
    return f"{run.way}, {run.size}: {what}"
