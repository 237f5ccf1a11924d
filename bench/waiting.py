"""The waiting room against Asterisk's own queue: what a caller who waits costs, with music and announcements."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.comparison import Comparison, Figure, Run, Target
from bench.processes import cpu_ms, memory_kib
from bench.telephones import media_sink
from bench.waiting_crowd import Line, crowd, dropped, line
from bench.waiting_stage import NUMBER, PROJECT, QUEUE, Serving, WayName, serving, waiting_city, waits_by

PATIENCE_S = 30.0
"""So long after the last caller was to come the others are not waited for."""
_LOOK_S = 0.5
COMPARISON = Comparison(
    "waiting",
    "Callers who wait while no seat is free",
    (
        Figure("memory_kib", "memory of Asterisk, KiB a caller"),
        Figure("controller_kib", "memory of the controller, KiB a caller"),
        Figure("cpu_ms", "CPU of Asterisk, ms a caller and minute", digits=0),
        Figure("controller_ms", "CPU of the controller, ms a caller and minute", digits=2),
        Figure("let_in_s", "until all were let in, s"),
        Figure("kept_out", "callers who did not come to wait", digits=0),
        Figure("lost", "calls lost while waiting", digits=0),
        Figure("surviving", "callers who went on in a survival queue", digits=0),
        Figure("packets", "packets of audio a caller and second", more_is_better=True),
        Figure("packet_us", "CPU of Asterisk, µs a packet of audio", more_is_better=False),
        Figure("told", "places told a caller and minute", digits=2, more_is_better=True),
    ),
    reference=QUEUE,
    size="callers who wait",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The load. Each caller hears as many announcements in the window as `every_s` goes into `window_s`."""

    sizes: tuple[int, ...]
    ways: tuple[WayName, ...]
    a_second: int
    every_s: int
    """How often a place is told."""
    settle_s: int
    """From when all wait until the window begins."""
    window_s: int
    brief: bool = False
    """Whether an announcement is two syllables, instead of the whole texts."""


FULL = Plan((125, 500, 2000), (PROJECT, QUEUE), a_second=50, every_s=20, settle_s=5, window_s=20)
QUICK = Plan((100,), (PROJECT, QUEUE), a_second=100, every_s=5, settle_s=1, window_s=5, brief=True)


@dataclass(frozen=True, slots=True)
class Moment:
    """What had been used, sent and held at one moment."""

    at_s: float
    """By a clock that does not jump."""
    at_us: int
    """By the journal's clock, since the epoch."""
    cpu_ms: float
    memory_kib: int
    controller_ms: float | None
    controller_kib: int | None
    packets: int


def in_turn(plan: Plan, rounds: int) -> Iterator[tuple[int, int, WayName]]:
    """(round from 1, size, way): each round has every way at every size, and begins with another way."""
    for number in range(rounds):
        turn = number % len(plan.ways)
        for size in plan.sizes:
            for way in (*plan.ways[turn:], *plan.ways[:turn]):
                yield number + 1, size, way


def figures(size: int, empty: Moment, begin: Moment, end: Moment, found: Line) -> Mapping[str, float | None]:
    """Of one round. `empty`: before anybody came; from `begin` to `end` all waited; `found`: at the end.

    Costs are those of a caller who was there; None for all of them where nobody was.
    """
    there, passed_s = found.waits - found.gone, end.at_s - begin.at_s
    packets, asterisk_ms = end.packets - begin.packets, end.cpu_ms - begin.cpu_ms
    kib, ms = _spent(empty.controller_kib, end.controller_kib), _spent(begin.controller_ms, end.controller_ms)
    told = sum(begin.at_us <= at_us < end.at_us for at_us in found.told_us)
    took_us = None if found.first_us is None or found.last_us is None else found.last_us - found.first_us

    def each(value: float | None) -> float | None:
        return None if value is None or not there else value / there

    def each_minute(value: float | None) -> float | None:
        return each(None if value is None else value * 60 / passed_s)

    return {
        "memory_kib": each(end.memory_kib - empty.memory_kib),
        "controller_kib": each(kib),
        "cpu_ms": each_minute(asterisk_ms),
        "controller_ms": each_minute(ms),
        "let_in_s": None if took_us is None or found.waits != size else took_us / 1e6,
        # Where more calls wait than callers came, nobody can say who is missing.
        "kept_out": None if found.waits > size else size - found.waits,
        "lost": found.gone,
        "surviving": None if ms is None else found.surviving,
        "packets": each(packets / passed_s),
        "packet_us": asterisk_ms * 1000 / packets if packets else None,
        "told": None if ms is None else each_minute(told),
    }


def _spent(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


async def compare(plan: Plan, rounds: int, told: Callable[[Run], None]) -> list[Run]:
    """Plays everything, one after the other. Raises StartFailed, NeverHappened."""
    runs: list[Run] = []
    # Short names, because Asterisk's control sockets have little room for a path.
    with tempfile.TemporaryDirectory(prefix="hb") as folder:
        sounds = Path(folder) / "sounds"
        sounds.mkdir()
        for number, size, way in in_turn(plan, rounds):
            others = os.getloadavg()[0]
            with tempfile.TemporaryDirectory(prefix="w", dir=folder) as place:
                found = await play(way, size, plan, Path(place), sounds)
            runs.append(Run(way, number, found, size, others))
            told(runs[-1])
    return runs


async def play(way: WayName, size: int, plan: Plan, folder: Path, sounds: Path) -> Mapping[str, float | None]:
    """One round of one way, in an empty `folder`. Raises StartFailed, NeverHappened."""
    settings = waiting_city(plan.every_s, brief=plan.brief)
    with (folder / "controller.log").open("w", encoding="utf-8") as log, media_sink() as sink:
        async with serving(way, settings, folder, sounds, log) as running:
            empty = _moment(running, sink)
            sip = running.instance.settings.server.sip
            async with crowd((str(sip.address), sip.port), NUMBER, sink, folder, size=size, a_second=plan.a_second):
                await _all_there(running, way, size, size / plan.a_second + PATIENCE_S)
                await asyncio.sleep(plan.settle_s)
                begin = _moment(running, sink)
                await asyncio.sleep(plan.window_s)
                end = _moment(running, sink)
                return figures(size, empty, begin, end, _line(running, way))


async def _all_there(running: Serving, way: WayName, size: int, within_s: float) -> None:
    """Until all wait; who does not come within that time is counted as lost."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if _line(running, way).waits >= size:
            return
        await asyncio.sleep(_LOOK_S)


def _line(running: Serving, way: WayName) -> Line:
    journal = running.instance.folders.journal
    # Asterisk makes it with the first call.
    text = journal.read_text(encoding="utf-8") if journal.exists() else ""
    return line(text.rpartition("\n")[0].split("\n"), NUMBER, waits_by(way))


def _moment(running: Serving, sink: int) -> Moment:
    steering = running.controller_pid
    return Moment(
        time.monotonic(),
        time.time_ns() // 1000,
        cpu_ms(running.asterisk_pid),
        memory_kib(running.asterisk_pid),
        None if steering is None else cpu_ms(steering),
        None if steering is None else memory_kib(steering),
        dropped(sink, Path("/proc/net/udp").read_text(encoding="ascii")),
    )


def targets(runs: Sequence[Run]) -> list[Target]:
    """Nothing is promised of what a caller costs, but that nobody is lost who waits in this project's room."""
    lost = sum(run.figures["lost"] or 0 for run in runs if run.way == PROJECT)
    return [Target("calls lost while waiting", "0", f"{lost:.0f}", lost == 0)]


def with_way(plan: Plan, way: WayName) -> Plan:
    """The plan in which that way is measured, too."""
    return replace(plan, ways=(*plan.ways, way))


def load_of(plan: Plan) -> Mapping[str, object]:
    """What is kept of the load; sizes and ways stand in the rounds."""
    return {name: value for name, value in asdict(plan).items() if name not in ("sizes", "ways")}
