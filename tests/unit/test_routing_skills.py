"""What callers need of a seat, and how the longer wait lets more seats do."""

from typing import Any

import pytest

from routing.skills import Demand, Demands, Has, Need, Stage, serves, spare
from tests.support.settings_maker import city

NAME = {"zh": "技能", "en": "Skill"}


def demands(**skills: dict[str, Any]) -> Demands:
    return Demands(city(skills={name: {"name": NAME, **skill} for name, skill in skills.items()}))


def need(**levels: int) -> Need:
    return frozenset(levels.items())


def any_of(*needs: Need) -> Demand:
    return frozenset(needs)


STEPPED = demands(
    general={},
    social={
        "level": 4,
        "steps": [
            {"after": "30s", "level": 2},
            {"after": "1m", "also": "general"},
            {"after": "2m", "centre": "tax"},
            {"after": "3m", "centre": "far"},
        ],
    },
    english={"language": "en", "level": 2, "steps": [{"after": "45s", "level": 1}]},
)


@pytest.mark.parametrize(
    ("waited_ms", "stage"),
    [
        (-5000, Stage(any_of(need(social=4)), 30_000, None)),
        (0, Stage(any_of(need(social=4)), 30_000, None)),
        (29_999, Stage(any_of(need(social=4)), 30_000, None)),
        (30_000, Stage(any_of(need(social=2)), 60_000, None)),
        (60_000, Stage(any_of(need(social=2), need(general=1)), 120_000, None)),
        (120_000, Stage(any_of(need(social=2), need(general=1)), 180_000, "tax")),
        (180_000, Stage(any_of(need(social=2), need(general=1)), None, "far")),
        (9_999_999, Stage(any_of(need(social=2), need(general=1)), None, "far")),
    ],
)
def test_a_longer_wait_asks_for_less_and_then_for_another_centre(waited_ms: int, stage: Stage) -> None:
    assert STEPPED.at(frozenset({"social"}), waited_ms) == stage


def test_a_skill_without_steps_stays_as_it_is() -> None:
    assert STEPPED.at(frozenset({"general"}), 10**7) == Stage(any_of(need(general=1)), None, None)


def test_each_of_several_skills_relaxes_on_its_own() -> None:
    both = frozenset({"social", "english"})
    assert STEPPED.at(both, 0) == Stage(any_of(need(social=4, english=2)), 30_000, None)
    assert STEPPED.at(both, 30_000) == Stage(any_of(need(social=2, english=2)), 45_000, None)
    assert STEPPED.at(both, 45_000) == Stage(any_of(need(social=2, english=1)), 60_000, None)
    assert STEPPED.at(both, 60_000).demand == any_of(need(social=2, english=1), need(general=1, english=1))
    assert STEPPED.at(both, 120_000).centre == "tax"


def test_who_replaces_two_skills_at_once_must_reach_the_higher_level() -> None:
    tried = demands(
        social={"level": 3, "steps": [{"after": "10s", "also": "general"}]},
        general={"level": 2},
    )
    wanted = tried.at(frozenset({"social", "general"}), 10_000).demand
    assert wanted == any_of(need(social=3, general=2), need(general=2))


def test_steps_in_any_order_are_taken_by_their_time() -> None:
    tried = demands(social={"level": 5, "steps": [{"after": "1m", "level": 1}, {"after": "30s", "level": 3}]})
    assert tried.at(frozenset({"social"}), 30_000) == Stage(any_of(need(social=3)), 60_000, None)
    assert tried.at(frozenset({"social"}), 60_000) == Stage(any_of(need(social=1)), None, None)


def test_the_last_demand_is_the_widest() -> None:
    assert STEPPED.last(frozenset({"social"})) == any_of(need(social=2), need(general=1))
    assert STEPPED.last(frozenset({"social", "english"})) == any_of(
        need(social=2, english=1), need(general=1, english=1)
    )


def test_stages_are_made_once() -> None:
    assert STEPPED.at(frozenset({"social"}), 1) is STEPPED.at(frozenset({"social"}), 2)


def test_a_skill_that_the_settings_no_longer_know_is_served_by_whoever_has_it() -> None:
    assert STEPPED.at(frozenset({"gone"}), 0) == Stage(any_of(need(gone=1)), None, None)


def test_a_caller_who_needs_nothing_is_served_by_anybody() -> None:
    wanted = STEPPED.at(frozenset(), 0).demand
    assert serves(frozenset(), wanted)
    assert serves(need(social=1), wanted)


@pytest.mark.parametrize(
    ("has", "demand", "left"),
    [
        (need(social=4), any_of(need(social=4)), (0, 0)),
        (need(social=3), any_of(need(social=4)), None),
        (need(social=5, general=2, english=1), any_of(need(social=4)), (2, 1)),
        (need(general=5), any_of(need(social=4), need(general=1)), (0, 4)),
        (need(social=5, general=2), any_of(need(social=4), need(general=2)), (1, 0)),
        (need(social=5), any_of(need(social=4, english=1)), None),
        (need(social=5, english=3), any_of(need(social=4, english=1)), (0, 3)),
        (need(), any_of(need(social=1)), None),
    ],
)
def test_a_seat_serves_with_so_much_to_spare(has: Has, demand: Demand, left: tuple[int, int] | None) -> None:
    assert spare(dict(has), demand) == left
    assert serves(has, demand) == (left is not None)
