"""One round: a way to answer is started on the real Asterisk, the load is played, everything stops."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from asterisk.console import console
from asterisk.process import AsteriskProcess
from bench import queues
from bench.city import bench_city
from bench.figures import Caller, Figures, Skills, figures, waits_s
from bench.load import Planned
from bench.telephones import TALK_S, Telephones, media_sink
from bench.traced import callers
from hotline.instance import Instance
from hotline.stage import lines, on_stage, staged, until
from settings.shapes import Settings

DRAIN_S = 150.0
"""So long after the last call came the last talk must be over."""
TALK_TOLERANCE_S = 0.1
"""A talk shorter than planned by more than this was cut off."""
CARRIER_ADDRESS = "127.0.0.2"
"""Where the example city's carrier calls from."""


@dataclass(frozen=True, slots=True)
class Queues:
    """Asterisk's own queues: number → its queue; queue → the skills that its callers need."""

    queue_of: Mapping[str, str]
    needs: Mapping[str, Skills]
    strategy: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way to answer: with queues, or as this project does."""

    name: str
    queues: Queues | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """The calls, what their callers need (by number), and who serves them."""

    calls: Sequence[Planned]
    needs: Mapping[str, Skills]
    seats: Mapping[str, Skills]


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one."""

    way: str
    figures: Figures
    asterisk_cpu_ms: float
    """A call."""
    controller_cpu_ms: float | None
    """A call, records included; None where there is no controller."""
    wait_max_by_skill_s: Mapping[str, float]
    sipp_exit_code: int


@dataclass(frozen=True, slots=True)
class _Running:
    """An Asterisk that serves, and who steers it."""

    instance: Instance
    asterisk: AsteriskProcess
    controller_pid: int | None


async def play(way: Way, load: Load, folder: Path, prompts: Path) -> Round:
    """Plays one round in an empty `folder`. Raises LoadFailed, NeverHappened, StartFailed."""
    settings = bench_city(load.needs, load.seats)
    with (folder / "controller.log").open("w", encoding="utf-8") as log, media_sink() as sink:
        async with _running(way, settings, folder, prompts, log) as running:
            sip = running.instance.settings.server.sip
            phones = Telephones((str(sip.address), sip.port), folder, sink)
            async with phones.seats({seat: running.instance.secrets.seats[seat] for seat in load.seats}):
                return await _measured(way, load, running, phones)


async def _measured(way: Way, load: Load, running: _Running, phones: Telephones) -> Round:
    await until(f"{len(load.seats)} seats that answer", lambda: _reachable(running, len(load.seats)))
    pids = [_asterisk_pid(running), running.controller_pid]
    before = [_cpu_ms(pid) for pid in pids]
    bound_s = load.calls[-1].at_ms / 1000 + DRAIN_S
    exit_code = await phones.call(load.calls, CARRIER_ADDRESS, bound_s=bound_s)
    spent = [_cpu_ms(pid) - earlier for pid, earlier in zip(pids, before, strict=True)]
    found = await until("the end of every call in the journal", lambda: _traced(running, load))
    count = len(load.calls)
    return Round(
        way.name,
        figures(found, load.seats, placed=count, whole_s=TALK_S - TALK_TOLERANCE_S),
        spent[0] / count,
        spent[1] / count if running.controller_pid is not None else None,
        {skill: _longest(found, skill) for skill in sorted({next(iter(needs)) for needs in load.needs.values()})},
        exit_code,
    )


def _longest(found: Sequence[Caller], skill: str) -> float:
    return max(waits_s([caller for caller in found if skill in caller.needs]), default=0.0)


def _traced(running: _Running, load: Load) -> list[Caller]:
    """Every caller, once Asterisk has written down the end of its last channel; else none."""
    text = running.instance.folders.journal.read_text(encoding="utf-8")
    written = text.rpartition("\n")[0].split("\n")
    over = sum(line.startswith('"CHAN_END"') for line in written) >= sum(
        line.startswith('"CHAN_START"') for line in written
    )
    return callers(written, load.needs, load.seats) if over else []


async def _reachable(running: _Running, seats: int) -> bool:
    said = await console(running.asterisk.found, running.asterisk.conf, "pjsip show contacts", bound_s=10.0)
    own = [line for line in said.splitlines() if "Contact:" in line and "Avail" in line and "/sip:80" in line]
    return len(own) >= seats


@asynccontextmanager
async def _running(way: Way, settings: Settings, folder: Path, prompts: Path, log: TextIO) -> AsyncIterator[_Running]:
    if way.queues is None:
        async with staged(settings, folder / "d", seats=[], prompts=prompts, output=log) as stage:
            yield _Running(stage.instance, stage.supervisor.asterisk, stage.supervisor.controller_pid)
        return
    instance = Instance.made(on_stage(settings), folder / "d", prompts=prompts)
    catalogue = instance.catalogue()
    catalogue.build()
    instance.install()
    sounds = catalogue.sounds()
    greetings = {number: sounds[settings.numbers[number].greeting, "zh"] for number in way.queues.queue_of}
    seats = {seat: frozenset(entry.skills) for seat, entry in settings.answering.seats.items()}
    own = {
        "extensions.conf": queues.dialplan(way.queues.queue_of, greetings),
        "queues.conf": queues.queues(way.queues.needs, seats, strategy=way.queues.strategy),
    }
    for name, text in own.items():
        (instance.folders.etc / name).write_text(text, encoding="utf-8")
    asterisk = instance.process()
    await asterisk.start()
    try:
        async with lines(instance, seats=[]):
            yield _Running(instance, asterisk, None)
    finally:
        await asterisk.stop()


def _asterisk_pid(running: _Running) -> int:
    if running.asterisk.boot is None:
        raise AssertionError(running.asterisk.conf)
    return running.asterisk.boot.pid


def _cpu_ms(pid: int | None) -> float:
    """What a process has used of all processors until now."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
