"""How many seats a day needs, found by playing it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from bench.day import HOUR_S, Arrival
from bench.erlang import seats_needed
from bench.simulate import ANSWER_MS, Simulation, manned, staffed
from routing.skills import Has
from settings.shapes import Settings


@dataclass(frozen=True, slots=True)
class Goal:
    """So large a part of an hour's calls is to be answered within so many seconds."""

    within_s: float = 15.0
    level: float = 0.8


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the day, and what Erlang C says to it; `load_erlang` counts ringing, talk and notes."""

    begin_s: float
    calls: int
    occupied_s: float
    """How long a call keeps a seat, on the average."""

    @property
    def load_erlang(self) -> float:
        return self.calls / HOUR_S * self.occupied_s

    def by_erlang(self, goal: Goal) -> int:
        """The fewest seats by Erlang C: as if all seats could serve all calls, and nobody gave up."""
        return seats_needed(self.load_erlang, self.occupied_s, within_s=goal.within_s, level=goal.level)


def hours(arrivals: Sequence[Arrival]) -> list[Hour]:
    """The day's hours in which calls come."""
    calls = Counter(int(arrival.at_s // HOUR_S) for arrival in arrivals)
    handling_s = dict.fromkeys(calls, 0.0)
    for arrival in arrivals:
        handling_s[int(arrival.at_s // HOUR_S)] += arrival.handling_s
    return [
        Hour(float(hour * HOUR_S), calls[hour], handling_s[hour] / calls[hour] + ANSWER_MS / 1000)
        for hour in sorted(calls)
    ]


def busiest(arrivals: Sequence[Arrival]) -> Hour:
    return max(hours(arrivals), key=lambda hour: hour.load_erlang)


def seats_by_play(
    city: Settings, kinds: Sequence[Has], arrivals: Sequence[Arrival], hour: Hour, goal: Goal
) -> int | None:
    """The fewest seats, of each kind in turn, that reach the goal for the calls of one hour.

    The hour before it is played, too, so that it begins as it would. None when not even four times
    the seats that Erlang C asks for reach it: then no seat has a skill or a level that is needed.
    """
    end_s = hour.begin_s + HOUR_S
    window = [arrival for arrival in arrivals if hour.begin_s - HOUR_S <= arrival.at_s < end_s]

    @cache
    def reaches(seats: int) -> bool:
        outcome = Simulation(manned(city, staffed(kinds, seats))).run(window)
        return outcome.service_level(goal.within_s, hour.begin_s, end_s) >= goal.level

    guess = hour.by_erlang(goal)
    return _fewest(reaches, guess, most=4 * guess + 4 * len(kinds))


def _fewest(reaches: Callable[[int], bool], guess: int, most: int) -> int | None:
    """The smallest number, at most `most`, that reaches; the search widens from the guess."""
    step = max(1, guess // 16)
    low, high = guess - step, guess
    while low > 0 and reaches(low):
        low, high, step = low - 2 * step, low, 2 * step
    while not reaches(high):
        if high == most:
            return None
        low, high, step = high, min(most, high + step), 2 * step
    low = max(low, 0)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high
