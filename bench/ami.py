"""How many of Asterisk's events a second are read: by panoramisk alone, by its parser alone, through our module."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from bench.ami_reader import OURS, PANORAMISK, PROTOCOL, Read
from bench.ami_stream import STREAMS, Source, Stream, stream
from bench.comparison import Comparison, Figure, Run
from bench.machine import PROJECT

WAYS = (PANORAMISK, PROTOCOL, OURS)
_ABOUT = {"steered": "what the controller is sent", "all": "everything, unfiltered"}
COMPARISON = Comparison(
    "ami",
    "Asterisk's events read",
    tuple(
        figure
        for name, about in _ABOUT.items()
        for figure in (
            Figure(f"{name}_a_s", f"events a second: {about}", 0, more_is_better=True),
            Figure(f"{name}_cpu_us", f"CPU µs an event: {about}", 1),
            Figure(f"{name}_peak_mb", f"memory at its peak, MB: {about}", 1),
        )
    ),
    reference=PANORAMISK,
    size="events",
)
_END_S = 330.0
"""The reader gives up before."""


class WronglyRead(AssertionError):
    """A reader that found another number of events than were sent: its speed means nothing."""

    def __init__(self, way: str, name: str, found: int, expected: int) -> None:
        self.way = way
        self.found = found
        self.expected = expected
        super().__init__(f"{way} read {found} events of the stream '{name}' instead of {expected}")


class ReaderFailed(Exception):
    """The process that reads ended before the stream did."""

    def __init__(self, way: str, said: str) -> None:
        self.way = way
        super().__init__(f"the reader of '{way}' ended early: {said.strip()[-500:] or 'without a word'}")


@dataclass(frozen=True, slots=True)
class Plan:
    sizes: tuple[int, ...]
    """Events of each stream, rounded to whole calls."""
    rounds: int


FULL_SIZES = (5_000, 20_000, 80_000)
QUICK_SIZES = (2_000, 8_000)


def measure(plan: Plan, told: Callable[[str], None]) -> list[Run]:
    """Every way at every size, round by round, each round beginning with another way.

    Raises ReaderFailed, WronglyRead.
    """
    runs: list[Run] = []
    for turn in range(plan.rounds):
        for size in plan.sizes:
            for place in range(len(WAYS)):
                runs.append(_run(WAYS[(turn + place) % len(WAYS)], turn + 1, size))
                told(_line(runs[-1]))
    return runs


def _run(way: str, turn: int, size: int) -> Run:
    run = Run(way, turn, {}, size)
    figures: dict[str, float] = {}
    for name in STREAMS:
        one = stream(name)
        calls = one.calls(size)
        read = _read(way, one, calls)
        if read.found != calls * expected(way, one):
            raise WronglyRead(way, name, read.found, calls * expected(way, one))
        events = calls * one.events
        figures[f"{name}_a_s"] = events / read.took_s
        figures[f"{name}_cpu_us"] = read.cpu_s * 1e6 / events
        figures[f"{name}_peak_mb"] = read.peak_mb
    return Run(way, turn, figures, size, run.others_load)


def expected(way: str, one: Stream) -> int:
    """How much a way must find in each call: every message, those of the right names, or those that mean something."""
    return {PANORAMISK: one.heard, PROTOCOL: one.events, OURS: one.meant}[way]


def _read(way: str, one: Stream, calls: int) -> Read:
    batches = one.batches(calls)
    source = Source()
    reader = subprocess.Popen(
        [sys.executable, "-m", "bench.ami_reader", way, str(source.port)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        source.accept()
        if _line_of(reader.stdout) != "ready":
            raise ReaderFailed(way, reader.communicate(timeout=10)[1])
        source.send(batches)
        said, complaints = reader.communicate(timeout=_END_S)
        if reader.returncode:
            raise ReaderFailed(way, complaints)
        return Read(**json.loads(said))
    finally:
        reader.kill()
        reader.wait()
        source.close()


def _line_of(output: IO[str] | None) -> str:
    return "" if output is None else output.readline().strip()


def _line(run: Run) -> str:
    rates = ", ".join(f"{name} {run.figures[f'{name}_a_s']:,.0f}" for name in STREAMS)
    return f"round {run.round}, {run.size:,} events, {run.way}: {rates} a second"
