"""The played day: the real waiting room and matcher against queueing theory."""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bench.day import HOUR_S, ORDINARY_DAY, Arrival, Traffic, generated
from bench.decision import came_us, freed_us, world
from bench.erlang import mean_wait_s, seats_needed, service_level, waiting_probability
from bench.recorded import DayUnreadable, recorded
from bench.simulate import ANSWER_MS, Outcome, Simulation, manned, staffed
from bench.staffing import Goal, busiest, hours, seats_by_play
from calls.live import Seat
from routing.skills import Has
from tests.support.settings_maker import city

GENERAL, SOCIAL = frozenset({"general"}), frozenset({"social"})
PLAIN_CITY = city(skills={})
"""Nothing is asked of a skill but to be there."""
BEIJING = ZoneInfo("Asia/Shanghai")
ONE_HOUR = (1.0,) + (0.0,) * 23


def can(**levels: int) -> Has:
    return frozenset(levels.items())


ONE_KIND = [can(general=1)]


def played(seats: Mapping[Seat, Has], calls: list[Arrival]) -> Outcome:
    return Simulation(manned(PLAIN_CITY, seats)).run(calls)


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
    assert sum(arrival.skills == SOCIAL for arrival in day) == pytest.approx(0.3 * len(day), rel=0.06)
    assert sum(9 * 3600 <= arrival.at_s < 10 * 3600 for arrival in day) == pytest.approx(0.094 * len(day), rel=0.08)


def test_callers_wait_as_theory_says_when_nobody_gives_up() -> None:
    flat = Traffic(6000, {GENERAL: 1.0}, handling_s=60, patience_s=1e9, hours=ONE_HOUR)
    occupied_s = 60 + ANSWER_MS / 1000
    load = 6000 / 3600 * occupied_s
    seats = math.ceil(load) + 5
    runs = [played(staffed(ONE_KIND, seats), list(generated(flat, seed))) for seed in range(2)]
    level = sum(run.service_level(15) for run in runs) / len(runs)
    assert level == pytest.approx(service_level(load, seats, occupied_s, 15), abs=0.08)
    assert sum(run.abandoned for run in runs) == 0


def test_nobody_is_passed_and_a_scarce_skill_is_kept_for_those_who_need_it() -> None:
    busy = Traffic(3000, {GENERAL: 0.8, SOCIAL: 0.2}, handling_s=50, patience_s=300, hours=ONE_HOUR)
    seats = {Seat(str(n)): can(general=1, social=1) if n < 12 else can(general=1) for n in range(42)}
    outcome = played(seats, list(generated(busy, seed=5)))
    assert outcome.passed == 0
    assert outcome.calls == pytest.approx(3000, rel=0.05)


def test_an_impatient_caller_gives_up_and_frees_nothing() -> None:
    calls = [Arrival(0.0, GENERAL, 5, 100.0, 1e6), Arrival(1.0, GENERAL, 5, 10.0, 5.0)]
    outcome = played(staffed(ONE_KIND, 1), calls)
    assert (outcome.abandoned, outcome.waits_s) == (1, [0.0])
    assert outcome.service_level(15) == 0.5


def test_the_more_urgent_is_served_first() -> None:
    calls = [
        Arrival(0.0, GENERAL, 5, 10.0, 1e6),
        Arrival(1.0, GENERAL, 5, 10.0, 1e6),
        Arrival(2.0, GENERAL, 1, 10.0, 1e6),
    ]
    assert played(staffed(ONE_KIND, 1), calls).waits_s == [0.0, 10.0, 23.0]


def test_a_longer_wait_lets_other_seats_do_at_the_very_moment() -> None:
    name = {"zh": "社保", "en": "Social security"}
    steps = [{"after": "30s", "level": 1}, {"after": "1m", "also": "general"}, {"after": "2m", "centre": "tax"}]
    rules = city(skills={"social": {"name": name, "level": 4, "steps": steps}})
    calls = [
        Arrival(0.0, SOCIAL, 5, 1000.0, 1e6),
        Arrival(1.0, SOCIAL, 5, 1000.0, 1e6),
        Arrival(2.0, SOCIAL, 5, 1, 1e6),
    ]
    seats = {Seat("1"): can(social=2), Seat("2"): can(general=1)}
    outcome = Simulation(manned(rules, seats)).run(calls)
    assert (outcome.waits_s, outcome.handed_over) == ([30.0, 60.0], 1)


def test_the_seats_needed_by_play_are_near_those_of_theory_when_nobody_gives_up() -> None:
    day = list(generated(Traffic(2000, {GENERAL: 1.0}, 60, 1e9, hours=(0.5, 0.5) + (0.0,) * 22), seed=2))
    hour = hours(day)[1]
    needed = seats_by_play(PLAIN_CITY, ONE_KIND, day, hour, Goal(15, 0.8))
    assert needed is not None
    assert abs(needed - hour.by_erlang(Goal(15, 0.8))) <= 3
    window = (hour.begin_s, hour.begin_s + HOUR_S)
    assert played(staffed(ONE_KIND, needed), day).service_level(15, *window) >= 0.8
    assert played(staffed(ONE_KIND, needed - 1), day).service_level(15, *window) < 0.8


def test_specialists_make_a_day_need_more_seats_than_all_rounders() -> None:
    day = list(generated(Traffic(1000, {GENERAL: 0.8, SOCIAL: 0.2}, 60, 300, hours=ONE_HOUR), seed=2))
    goal = Goal(15, 0.8)
    both = seats_by_play(PLAIN_CITY, [can(general=1, social=1)], day, busiest(day), goal)
    apart = seats_by_play(PLAIN_CITY, [can(general=1)] * 3 + [can(social=1)], day, busiest(day), goal)
    assert both is not None
    assert apart is not None
    assert both < apart


def test_a_goal_that_no_number_of_such_seats_reaches_is_said_to_be_out_of_reach() -> None:
    day = list(generated(Traffic(300, {GENERAL: 0.5, SOCIAL: 0.5}, 60, 300, hours=ONE_HOUR), seed=2))
    assert seats_by_play(PLAIN_CITY, ONE_KIND, day, busiest(day), Goal(15, 0.8)) is None


def test_each_measured_decision_finds_somebody() -> None:
    tried = world(demands=6, groups=20, seed=1)
    assert len({demand for demand, _ in tried.callers}) == 6
    assert len({has for has, _ in tried.seats}) == 20
    assert len(freed_us(tried)) == len(tried.seats) == 2000
    assert len(came_us(tried)) == len(tried.callers) == 1000
    everybody = tried.matcher(callers=True, seats=True)
    assert len(everybody.pairs()) == 1000


def written(folder: Path, text: str) -> Path:
    path = folder / "day"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_calls_is_a_recorded_day(tmp_path: Path) -> None:
    table = "arrival_s,skills,talk_s,priority,patience_s\n32405.5,social+english,60,3,40\n32400,general,30,,\n"
    first, second = recorded(written(tmp_path, table), zone=BEIJING, notes_s=10, patience_s=100, seed=1)
    assert (first.at_s, first.skills, first.priority, first.handling_s) == (32400.0, GENERAL, 5, 40.0)
    assert second == Arrival(32405.5, frozenset({"social", "english"}), 3, 70.0, 40.0)


def kept_call(at_ms: int, **changes: Any) -> dict[str, Any]:
    return {
        "waiting_since_utc_ms": at_ms,
        "wait_ms": 4000,
        "running": False,
        "skills": ["general"],
        "priority": 5,
        "talk_ms": 60_000,
        "talk_began_utc_ms": at_ms + 4000,
        "outcome": "answered",
    } | changes


def test_what_the_hotline_keeps_of_its_calls_is_a_recorded_day(tmp_path: Path) -> None:
    nine = round(datetime(2025, 11, 14, 9, tzinfo=BEIJING).timestamp() * 1000)
    gave_up = kept_call(nine + 1000, outcome="abandoned", talk_began_utc_ms=None, talk_ms=0, wait_ms=7000)
    never_waited = kept_call(nine, waiting_since_utc_ms=None, wait_ms=None, outcome="left")
    lines = [kept_call(nine + 60_000), gave_up, never_waited, kept_call(nine, running=True)]
    path = written(tmp_path, "\n".join(json.dumps(line) for line in lines) + "\n")
    impatient, answered = recorded(path, zone=BEIJING, notes_s=10, patience_s=100, seed=1)
    assert (impatient.at_s, impatient.patience_s) == (9 * 3600 + 1.0, 7.0)
    assert impatient.handling_s > 10
    assert (answered.at_s, answered.handling_s) == (9 * 3600 + 60.0, 70.0)
    assert answered.patience_s > 4
    assert recorded(path, zone=BEIJING, notes_s=10, patience_s=100, seed=1) == [impatient, answered]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("arrival_s,skills\n1,general\n", 1),
        ("arrival_s,skills,talk_s\n1,general,30\nsoon,general,30\n", 3),
        ("arrival_s,skills,talk_s\n1\n", 2),
        ("arrival_s,skills,talk_s\n1,,30\n", 2),
        ('{"wait_ms": 1}\n', 1),
        ("{broken\n", 1),
    ],
)
def test_a_file_that_is_no_day_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(DayUnreadable) as refused:
        recorded(written(tmp_path, text), zone=BEIJING, notes_s=10, patience_s=100, seed=1)
    assert refused.value.line == line
    assert "arrival_s, skills, talk_s" in str(refused.value)
