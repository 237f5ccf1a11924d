"""The ways to answer that are compared: each is started on the real Asterisk, in the same city."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bench.city import bench_city
from bench.figures import Skills
from bench.ivr.way import NUMBER, Ivr, IvrPlaces, Sounds
from bench.ivr.ways import IVRS
from bench.waiting_stage import Serving
from hotline.instance import Instance
from hotline.stage import lines, on_stage, staged
from settings.shapes import Capacity, RtpPorts, Settings

GENERAL: Skills = frozenset({"general"})
NEEDS = {NUMBER: GENERAL}
FIRST_SEAT = 8001
MOST_CALLS = 2000
"""Callers who are let in at once."""


@dataclass(frozen=True, slots=True)
class Way:
    """`ivr`: by whom it was written otherwise; None: this project, steered by its controller or not."""

    name: str
    ivr: Ivr | None = None
    steered: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """A way that takes calls. `python_pid`: the process that steers them, if any."""

    way: Way
    serving: Serving
    python_pid: int | None


PROJECT = Way("this project", steered=True)
ALONE = Way("no controller")
BARE, *RIVALS = (Way(ivr.name, ivr) for ivr in IVRS)
WAYS = (BARE, PROJECT, ALONE, *RIVALS)


def seats_of(count: int) -> dict[str, Skills]:
    """So many that serve everybody."""
    return {str(seat): GENERAL for seat in range(FIRST_SEAT, FIRST_SEAT + count)}


def calls_city(seats: int) -> Settings:
    """With ports and room for as many calls as the machine can carry."""
    city = bench_city(NEEDS, seats_of(seats))
    room = {"capacity": Capacity(ordinary=MOST_CALLS, reserve=100), "rtp": RtpPorts(first=10_000, last=17_999)}
    return city.model_copy(update={"server": city.server.model_copy(update=room)})


@asynccontextmanager
async def serving(way: Way, seats: int, folder: Path, prompts: Path, log: TextIO) -> AsyncIterator[Served]:
    """Starts a way in an empty `folder`. Raises StartFailed, NeverHappened, bench.ivr.serving.NotServing."""
    settings = calls_city(seats)
    if way.steered:
        async with staged(settings, folder / "d", seats=[], prompts=prompts, output=log) as stage:
            pid = stage.supervisor.controller_pid
            yield Served(way, Serving(stage.instance, stage.supervisor.asterisk, pid), pid)
        return
    instance = Instance.made(on_stage(settings), folder / "d", prompts=prompts)
    instance.catalogue().build()
    instance.install()
    async with _written_over(way, instance, tuple(seats_of(seats)), log) as served:
        yield served


@asynccontextmanager
async def _written_over(way: Way, instance: Instance, seats: Sequence[str], log: TextIO) -> AsyncIterator[Served]:
    """Asterisk with the compiled files, or those of another way written over them."""
    places, sounds = IvrPlaces.beside(instance.folders.etc), Sounds.of(instance.catalogue())
    if way.ivr is not None:
        for name, text in way.ivr.files(sounds, seats, places).items():
            (instance.folders.etc / name).write_text(text, encoding="utf-8")
    asterisk = instance.process()
    await asterisk.start()
    try:
        async with lines(instance, seats=[]):
            running = Serving(instance, asterisk, None)
            if way.ivr is None:
                yield Served(way, running, None)
                return
            async with way.ivr.server(sounds, places, log) as pid:
                yield Served(way, running, pid)
    finally:
        await asterisk.stop()
