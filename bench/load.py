"""The calls of a benchmark: when each comes, and which number it dials."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Arrivals = Literal["poisson", "even"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A call to be placed, `at_ms` after the load's beginning."""

    at_ms: int
    number: str
    caller: str


def planned(
    shares: Mapping[str, float], *, a_second: float, for_s: float, arrivals: Arrivals, seed: int
) -> list[Planned]:
    """The load; the same arguments give the same calls. `shares`: number → its part of all calls.

    `poisson`: independent of each other, as callers come. `even`: each number's calls at equal
    distances, as one load generator for each number sends them; the seed means nothing then.
    """
    times = _poisson(shares, a_second, for_s, seed) if arrivals == "poisson" else _even(shares, a_second, for_s)
    return [
        Planned(round(at_s * 1000), number, f"1380{place:07d}") for place, (at_s, number) in enumerate(sorted(times))
    ]


def _poisson(shares: Mapping[str, float], a_second: float, for_s: float, seed: int) -> Iterator[tuple[float, str]]:
    chance = random.Random(seed)
    numbers, weights = list(shares), list(shares.values())
    at_s = chance.expovariate(a_second)
    while at_s < for_s:
        yield at_s, chance.choices(numbers, weights)[0]
        at_s += chance.expovariate(a_second)


def _even(shares: Mapping[str, float], a_second: float, for_s: float) -> Iterator[tuple[float, str]]:
    """The numbers' first calls are apart from each other."""
    for place, (number, share) in enumerate(shares.items()):
        distance_s = 1 / (a_second * share)
        count = math.floor(for_s / distance_s + 1e-9)
        yield from ((distance_s * (call + place / len(shares)), number) for call in range(count))
