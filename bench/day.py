"""A generated day of calls: when they come, what they need, how long they take, when callers give up."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HOUR_S = 3600

ORDINARY_DAY = (
    0.006, 0.004, 0.003, 0.003, 0.004, 0.007, 0.017, 0.037, 0.073, 0.094, 0.092, 0.070,
    0.045, 0.058, 0.083, 0.088, 0.083, 0.068, 0.044, 0.036, 0.033, 0.026, 0.016, 0.010,
)  # fmt: skip
"""The share of a day's calls in each hour: an office day with a dip at noon. It sums to 1."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call that comes to the waiting room."""

    at_s: float
    """From midnight."""
    skills: frozenset[str]
    priority: int
    handling_s: float
    """Talking and wrapping up."""
    patience_s: float
    """The caller hangs up after waiting so long."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a generated day is made of."""

    calls: int
    shares: Mapping[frozenset[str], float]
    """Which part of the calls needs which skills; they sum to 1."""
    handling_s: float = 180.0
    patience_s: float = 120.0
    hours: tuple[float, ...] = ORDINARY_DAY


def generated(traffic: Traffic, seed: int) -> Iterator[Arrival]:
    """Arrivals as Erlang saw them: independent of each other, handling and patience exponential.

    The same seed gives the same day.
    """
    chance = random.Random(seed)
    kinds, weights = list(traffic.shares), list(traffic.shares.values())
    for hour, share in enumerate(traffic.hours):
        rate = traffic.calls * share / HOUR_S
        at_s = float(hour * HOUR_S)
        while rate > 0:
            at_s += chance.expovariate(rate)
            if at_s >= (hour + 1) * HOUR_S:
                break
            yield Arrival(
                at_s,
                chance.choices(kinds, weights)[0],
                5,
                chance.expovariate(1 / traffic.handling_s),
                chance.expovariate(1 / traffic.patience_s),
            )
