"""Whole calls kept durably: how many a second, in the store and in PostgreSQL, beside SQLite alone."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import getloadavg
from pathlib import Path
from typing import Final

from bench.comparison import Comparison, Figure, Run
from bench.inserts_stores import (
    BEGIN_MS,
    WARM_UP,
    Fresh,
    Kind,
    OwnStore,
    PlainStore,
    PostgresStore,
    Took,
    fresh,
    some_calls,
)
from bench.postgres import BUFFERS, Databases
from tests.support.postgres_server import programs, running

COMPARISON: Final = Comparison(
    "inserts",
    "Durable records",
    (
        Figure("calls_a_s", "calls kept a second", 0, more_is_better=True),
        Figure("cpu_ms", "CPU of Python (SQLite included), ms a call", 2),
        Figure("server_cpu_ms", "CPU of PostgreSQL, ms a call", 2),
        Figure("bytes", "bytes a call", 0),
    ),
    reference="SQLite alone, 1",
    size="calls that the store holds already",
)
OWN, POSTGRESQL, ALONE = "store", "PostgreSQL", "SQLite alone"
SIZES = (2_500, 10_000, 40_000)
QUICK_SIZES = (100, 400, 1_600)

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of store, and how many calls it is given in one transaction."""

    kind: str
    at_once: int

    @property
    def name(self) -> str:
        return f"{self.kind}, {self.at_once}"


WAYS = tuple(Way(kind, at_once) for kind in (OWN, POSTGRESQL, ALONE) for at_once in (1, 100))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    sizes: Sequence[int]
    calls: int
    """Kept in each round of each way, WARM_UP left out."""
    rounds: int
    seed: int


def rotated(ways: Sequence[Way], round_: int) -> list[Way]:
    """The order of a round: each way comes first once."""
    first = round_ % len(ways)
    return [*ways[first:], *ways[:first]]


def figures(took: Took | None, calls: int) -> dict[str, float | None]:
    """The figures of one round; None: there is no such store on this machine."""
    if took is None:
        return {one.id: None for one in COMPARISON.figures}
    return {
        "calls_a_s": calls / took.wall_s,
        "cpu_ms": 1000 * took.cpu_s / calls,
        "server_cpu_ms": None if took.server_cpu_ms is None else took.server_cpu_ms / calls,
        "bytes": took.grew_bytes / calls,
    }


async def measure(plan: Plan, place: Path | None, told: Callable[[str], None]) -> tuple[list[Run], str | None]:
    """Every round, and the version of PostgreSQL; `place`: the folder in which the stores are made.

    Raises KeptOtherwise, sqlite3.Error, recordings.archive.ReceiverAway.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hb", dir=place)))
        told(f"stores that hold {', '.join(f'{size:,}' for size in plan.sizes)} calls")
        calls = some_calls(plan.sizes[-1], plan.seed, BEGIN_MS)
        own = OwnStore(folder)
        own.prepare(plan.sizes, calls)
        alone = PlainStore(folder, own)
        alone.prepare(plan.sizes)
        kinds: dict[str, Kind] = {OWN: own, ALONE: alone}
        version = None
        if programs() is None:
            told("PostgreSQL is not installed here, so nothing is shown for it: apt-get install postgresql")
        else:
            told("the same in PostgreSQL")
            databases = Databases(stack.enter_context(running(shared_buffers=BUFFERS)))
            there = PostgresStore(databases, own)
            await there.prepare(plan.sizes, calls)
            kinds[POSTGRESQL] = there
            version = await databases.version()
        return await _rounds(plan, kinds, folder, told), version


async def _rounds(plan: Plan, kinds: Mapping[str, Kind], folder: Path, told: Callable[[str], None]) -> list[Run]:
    runs: list[Run] = []
    for round_ in range(plan.rounds):
        begin_ms = BEGIN_MS + (2 + round_) * _DAY_MS
        new = fresh(some_calls(WARM_UP + plan.calls, plan.seed + 1 + round_, begin_ms), folder)
        for size in plan.sizes:
            for way in rotated(WAYS, round_):
                runs.append(await _run(way, kinds.get(way.kind), round_, size, new))
                told(_line(runs[-1]))
    return runs


async def _run(way: Way, kind: Kind | None, round_: int, size: int, new: Fresh) -> Run:
    others_load = getloadavg()[0]
    took = None if kind is None else await kind.keep(size, new, way.at_once)
    return Run(way.name, round_, figures(took, len(new.calls) - WARM_UP), size, others_load)


def _line(run: Run) -> str:
    rate = run.figures["calls_a_s"]
    return f"{run.way} of {run.size:,}: {'-' if rate is None else f'{rate:,.0f} calls a second'}"
