"""What a waiting caller is told of the wait, against queues that are played to their end."""

import heapq
import random
from collections.abc import Callable

import pytest

from routing.estimate import NOT_KNOWN, HandlingTimes, estimate_ms, said_minutes
from settings.system_prompts import SAID_MINUTES

HOUR_MS = 3_600_000


def test_fewer_than_five_calls_tell_nothing() -> None:
    times = HandlingTimes()
    for _ in range(4):
        times.ended("12345", 60_000, 0)
    assert times.mean_ms("12345", 0) is None
    times.ended("12345", 120_000, 0)
    assert times.mean_ms("12345", 0) == 72_000


def test_a_number_with_few_calls_goes_by_all_numbers() -> None:
    times = HandlingTimes()
    for _ in range(5):
        times.ended("12345", 60_000, 0)
    for _ in range(4):
        times.ended("12333", 600_000, 0)
    assert times.mean_ms("12345", 0) == 60_000
    assert times.mean_ms("12333", 0) == times.mean_ms("12318", 0) == 300_000
    times.ended("12333", 600_000, 0)
    assert times.mean_ms("12333", 0) == 600_000


def test_only_the_last_fifty_calls_count() -> None:
    times = HandlingTimes()
    for handling_ms in [10**9] * 60 + [30_000] * 50:
        times.ended("12345", handling_ms, 0)
    assert times.mean_ms("12345", 0) == 30_000


def test_calls_of_more_than_two_hours_ago_are_forgotten() -> None:
    times = HandlingTimes()
    for at_ms in (0, 0, 0, HOUR_MS, HOUR_MS, HOUR_MS, HOUR_MS, HOUR_MS):
        times.ended("12345", 90_000 if at_ms else 10_000, at_ms)
    assert times.mean_ms("12345", 2 * HOUR_MS) == 60_000
    assert times.mean_ms("12345", 2 * HOUR_MS + 1) == 90_000
    assert times.mean_ms("12345", 3 * HOUR_MS + 1) is None


def test_nothing_is_estimated_without_seats_or_figures() -> None:
    assert estimate_ms(3, 0, 60_000) is None
    assert estimate_ms(3, 5, None) is None


def test_each_caller_ahead_takes_one_of_the_seats_that_become_free() -> None:
    assert estimate_ms(0, 1, 60_000) == 60_000
    assert estimate_ms(0, 6, 60_000) == 10_000
    assert estimate_ms(11, 6, 60_000) == 120_000


@pytest.mark.parametrize(
    ("wait_ms", "minutes"),
    [
        (0, 1),
        (60_000, 1),
        (60_001, 2),
        (6 * 60_000, 6),
        (6 * 60_000 + 1, 8),
        (30 * 60_000, 30),
        (30 * 60_000 + 1, NOT_KNOWN),
        (None, NOT_KNOWN),
    ],
)
def test_minutes_are_rounded_up_to_what_is_said(wait_ms: int | None, minutes: int) -> None:
    assert said_minutes(wait_ms) == minutes
    assert minutes in (*SAID_MINUTES, NOT_KNOWN)


def played(seats: int, load: float, handling: Callable[[random.Random], float], seed: int) -> list[tuple[int, int]]:
    """(estimated, real) waits, in ms, of one queue for equal seats; nobody gives up. `load` is of the seats."""
    chance = random.Random(seed)  # noqa: S311 - a played day must come back with its seed
    times = HandlingTimes()
    ends: list[tuple[int, int]] = []
    line: list[tuple[int, int | None]] = []
    found: list[tuple[int, int]] = []
    sample = random.Random(0)  # noqa: S311 - as above
    mean_ms = sum(handling(sample) for _ in range(20_000)) / 20_000

    def until(now_ms: float) -> None:
        while ends and ends[0][0] <= now_ms:
            free_ms, took_ms = heapq.heappop(ends)
            times.ended("12345", took_ms, free_ms)
            if line:
                came_ms, estimate = line.pop(0)
                if estimate is not None:
                    found.append((estimate, free_ms - came_ms))
                begins(free_ms)

    def begins(now_ms: int) -> None:
        took_ms = round(handling(chance))
        heapq.heappush(ends, (now_ms + took_ms, took_ms))

    at_ms = 0.0
    for _ in range(4000):
        at_ms += chance.expovariate(load * seats / mean_ms)
        until(at_ms)
        if len(ends) < seats:
            begins(round(at_ms))
        else:
            line.append((round(at_ms), estimate_ms(len(line), seats, times.mean_ms("12345", round(at_ms)))))
    until(at_ms * 10)
    return found


def exponential(chance: random.Random) -> float:
    return chance.expovariate(1 / 180_000)


def even(chance: random.Random) -> float:
    return chance.lognormvariate(12.0, 0.5)


@pytest.mark.parametrize(("seats", "load"), [(3, 0.95), (8, 0.97), (60, 0.99), (60, 1.05)])
@pytest.mark.parametrize("handling", [exponential, even])
def test_estimates_are_right_on_the_average(
    seats: int, load: float, handling: Callable[[random.Random], float]
) -> None:
    found = [pair for seed in range(3) for pair in played(seats, load, handling, seed)]
    estimated, real = (sum(column) for column in zip(*found, strict=True))
    assert len(found) > 500
    assert estimated / real == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("handling", [exponential, even])
def test_the_estimate_of_a_long_line_is_near_the_real_wait(handling: Callable[[random.Random], float]) -> None:
    found = [pair for pair in played(60, 1.05, handling, 1) if pair[1] > 3 * 60_000]
    assert len(found) > 500
    assert sum(abs(estimated - real) / real for estimated, real in found) / len(found) < 0.3
