"""The simulated day: the real matcher against queueing theory."""

import math

import pytest

from bench.day import ORDINARY_DAY, Arrival, Traffic, generated
from bench.erlang import mean_wait_s, seats_needed, service_level, waiting_probability
from bench.simulate import ANSWER_MS, Simulation
from calls.live import Seat

GENERAL, SOCIAL = frozenset({"general"}), frozenset({"social"})


def test_erlang_c_gives_the_values_that_tables_print() -> None:
    # 10 erlang on 11, 12 and 15 seats: published tables of Erlang C.
    assert waiting_probability(10, 11) == pytest.approx(0.682, abs=0.001)
    assert waiting_probability(10, 12) == pytest.approx(0.449, abs=0.001)
    assert waiting_probability(10, 15) == pytest.approx(0.102, abs=0.001)


def test_one_seat_waits_as_the_simplest_queue_does() -> None:
    assert mean_wait_s(0.5, 1, 60) == pytest.approx(60.0)
    assert math.isinf(mean_wait_s(1.0, 1, 60))


def test_the_seats_needed_are_the_fewest_that_do() -> None:
    for load in (0.5, 9.7, 120.0, 1900.0):
        seats = seats_needed(load, 180, within_s=15, level=0.8)
        assert service_level(load, seats, 180, 15) >= 0.8
        assert service_level(load, seats - 1, 180, 15) < 0.8


def test_a_generated_day_has_its_shape_and_can_be_made_again() -> None:
    traffic = Traffic(20_000, {GENERAL: 0.7, SOCIAL: 0.3})
    day = list(generated(traffic, seed=3))
    assert day == list(generated(traffic, seed=3))
    assert len(day) == pytest.approx(20_000, rel=0.03)
    assert sum(ORDINARY_DAY) == pytest.approx(1.0)
    assert sum(arrival.demand == SOCIAL for arrival in day) == pytest.approx(0.3 * len(day), rel=0.06)
    assert sum(9 * 3600 <= arrival.at_s < 10 * 3600 for arrival in day) == pytest.approx(0.094 * len(day), rel=0.08)


def test_the_matcher_waits_as_theory_says_when_nobody_gives_up() -> None:
    flat = Traffic(6000, {GENERAL: 1.0}, handling_s=60, patience_s=1e9, hours=(1.0,) + (0.0,) * 23)
    occupied_s = 60 + ANSWER_MS / 1000
    load = 6000 / 3600 * occupied_s
    seats = math.ceil(load) + 5
    runs = [Simulation({Seat(str(n)): GENERAL for n in range(seats)}).run(generated(flat, seed)) for seed in range(3)]
    level = sum(run.service_level(15) for run in runs) / len(runs)
    assert level == pytest.approx(service_level(load, seats, occupied_s, 15), abs=0.08)
    assert sum(run.abandoned for run in runs) == 0


def test_nobody_is_passed_and_a_scarce_skill_is_kept_for_those_who_need_it() -> None:
    shares = {GENERAL: 0.8, SOCIAL: 0.2}
    busy = Traffic(3000, shares, handling_s=50, patience_s=300, hours=(1.0,) + (0.0,) * 23)
    seats = {Seat(str(n)): GENERAL | SOCIAL if n < 12 else GENERAL for n in range(42)}
    outcome = Simulation(seats).run(generated(busy, seed=5))
    assert outcome.passed == 0
    assert outcome.calls == pytest.approx(3000, rel=0.05)


def test_an_impatient_caller_gives_up_and_frees_nothing() -> None:
    calls = [Arrival(0.0, GENERAL, 5, 100.0, 1e6), Arrival(1.0, GENERAL, 5, 10.0, 5.0)]
    outcome = Simulation({Seat("1"): GENERAL}).run(calls)
    assert (outcome.abandoned, outcome.waits_s) == (1, [0.0])


def test_the_more_urgent_is_served_first() -> None:
    calls = [
        Arrival(0.0, GENERAL, 5, 10.0, 1e6),
        Arrival(1.0, GENERAL, 5, 10.0, 1e6),
        Arrival(2.0, GENERAL, 1, 10.0, 1e6),
    ]
    outcome = Simulation({Seat("1"): GENERAL}).run(calls)
    assert outcome.waits_s == [0.0, 10.0, 23.0]
