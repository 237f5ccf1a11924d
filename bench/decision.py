"""How long one decision of the matcher takes, with 1,000 callers waiting and 2,000 seats."""

import gc
import random
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from time import thread_time

from rich.console import Console
from rich.table import Table

from bench.figures import percentile
from calls.live import CallRef, Seat
from routing.matcher import Idle, Matcher, Rank
from routing.skills import Demand, Has

CALLERS, SEATS = 1000, 2000
WORLDS = ((1, 1), (4, 6), (12, 24), (30, 300), (30, 2000))
"""(demands, groups of seats that can do the same); in the last one no two seats are alike."""
SKILLS = tuple(f"s{number}" for number in range(12))


@dataclass(frozen=True, slots=True)
class World:
    """Who waits, and which seats there are."""

    callers: list[tuple[Demand, Rank]]
    seats: list[tuple[Has, Idle]]

    def matcher(self, *, callers: bool, seats: bool) -> Matcher:
        """With everybody or only one side in it, but having seen both."""
        made = Matcher()
        for demand, rank in self.callers:
            made.add_caller(demand, rank)
        for has, idle in self.seats:
            made.add_seat(has, idle)
        if not callers:
            for demand, rank in self.callers:
                made.remove_caller(demand, rank)
        if not seats:
            for has, idle in self.seats:
                made.remove_seat(has, idle)
        return made


def world(demands: int, groups: int, seed: int, times: int = 1) -> World:
    """Seats with 3 to 8 of 12 skills at levels 1 to 5; callers who need one or two, some with an alternative."""
    chance = random.Random(seed)
    wanted: dict[Demand, None] = {}
    while len(wanted) < demands:
        names = chance.sample(SKILLS, chance.choice((1, 1, 2)))
        need = frozenset((name, chance.randint(1, 3)) for name in names)
        other = [frozenset({(chance.choice(SKILLS), 1)})] if chance.random() < 0.3 else []
        wanted[frozenset([need, *other])] = None
    kinds: dict[Has, None] = {}
    while len(kinds) < groups:
        names = chance.sample(SKILLS, chance.randint(3, 8))
        kinds[frozenset((name, chance.randint(1, 5)) for name in names)] = None
    calls = chance.choices(list(wanted), k=CALLERS * times)
    able = [kind for kind, _ in zip(cycle(kinds), range(SEATS * times), strict=False)]
    return World(
        [(demand, (chance.choice((4, 5, 5)), at, CallRef(f"c{at:06}"))) for at, demand in enumerate(calls)],
        [(has, (chance.randrange(10**6), Seat(str(10_000 + at)))) for at, has in enumerate(able)],
    )


def freed_us(tried: World) -> list[float]:
    """A seat becomes free while everybody waits and all other seats are busy."""
    line = tried.matcher(callers=True, seats=False)
    whose = {rank[2]: (demand, rank) for demand, rank in tried.callers}
    found: list[float] = []
    for has, idle in tried.seats:
        began_s = thread_time()
        line.add_seat(has, idle)
        pairs = line.pairs()
        found.append((thread_time() - began_s) * 1e6)
        for ref, _ in pairs:
            line.add_caller(*whose[ref])
        if not pairs:
            line.remove_seat(has, idle)
        line.pairs()
    return found


def came_us(tried: World) -> list[float]:
    """A caller comes while all seats are free."""
    line = tried.matcher(callers=False, seats=True)
    whose = {idle[1]: (has, idle) for has, idle in tried.seats}
    found: list[float] = []
    for demand, rank in tried.callers:
        began_s = thread_time()
        line.add_caller(demand, rank)
        pairs = line.pairs()
        found.append((thread_time() - began_s) * 1e6)
        for _, seat in pairs:
            line.add_seat(*whose[seat])
        if not pairs:
            line.remove_caller(demand, rank)
        line.pairs()
    return found


def at_once_us(tried: World) -> list[float]:
    """Everybody waits and every seat is free: what the first decision after a start takes."""
    found: list[float] = []
    for _ in range(20):
        line = tried.matcher(callers=True, seats=True)
        began_s = thread_time()
        line.pairs()
        found.append((thread_time() - began_s) * 1e6)
    return found


def memory_kib(times: int) -> int:
    """What a matcher with so many times the callers and seats takes, their own values left out."""
    tried = world(30, 300, 1, times)
    tracemalloc.start()
    kept = tried.matcher(callers=True, seats=True)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    return size // 1024


def decision() -> None:
    """Measure the matcher: 1,000 callers and 2,000 seats, in groups that are few or many."""
    table = Table(title="One decision, µs of CPU: median / 99 %", header_style="bold")
    for heading in ("demands", "kinds of seats", "a seat is freed", "a caller comes", "all 1,000 at once"):
        table.add_column(heading, justify="right")
    gc.disable()
    for demands, groups in WORLDS:
        tried = world(demands, groups, 1)
        measured: tuple[Callable[[World], list[float]], ...] = (freed_us, came_us, at_once_us)
        table.add_row(str(demands), str(groups), *(_told(measure(tried)) for measure in measured))
    gc.enable()
    console = Console()
    console.print(table)
    sizes = ", ".join(f"{times}x: {memory_kib(times)} KiB" for times in (1, 2, 4))
    console.print(f"Memory of 30 demands and 300 kinds of seats, with so many times the callers and seats: {sizes}")


def _told(values_us: list[float]) -> str:
    return f"{median(values_us):.0f} / {percentile(values_us, 0.99):.0f}"
