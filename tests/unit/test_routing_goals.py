"""Where agents may pass calls on, and where not."""

from typing import Any

import pytest

from routing.goals import GoalNotAllowed, allows, goal
from settings.shapes import Settings
from tests.support.settings_maker import city

SERVICE: dict[str, Any] = {
    "centres": {"tax": {"name": {"zh": "税务", "en": "Tax"}, "trunk": "tax_centre", "dial": "12366"}},
    "outside": {"trunk": "carrier", "allowed": ["1XXXXXXXXXX", "010XXXXXXXX"]},
}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return city(service=SERVICE)


def test_a_goal_is_the_text_that_is_dialled(settings: Settings) -> None:
    assert goal(settings, seat="8002") == "8002"
    assert goal(settings, skill="social") == "skill_social"
    assert goal(settings, centre="tax") == "centre_tax"
    assert goal(settings, emergency="110") == "110"
    assert goal(settings, emergency="96333") == "96333"
    assert goal(settings, outside="13812345678") == "13812345678"


@pytest.mark.parametrize(
    "wrong",
    [
        {"seat": "8099"},
        {"seat": "110"},
        {"skill": "juggling"},
        {"centre": "post"},
        {"emergency": "911"},
        {"emergency": "13812345678"},
    ],
)
def test_what_the_settings_do_not_name_is_refused_with_the_file_that_would(
    settings: Settings, wrong: dict[str, str]
) -> None:
    with pytest.raises(GoalNotAllowed, match=r"\.yaml"):
        goal(settings, **wrong)


@pytest.mark.parametrize(
    "number",
    [
        "110",
        "8001",
        "0085212345678",
        "138123456789",
        "1381234567",
        "",
        "1381234567x",
        "13812345678\r\n",
        "١" * 11,
        "1" * 21,
    ],
)
def test_no_number_outside_is_dialled_that_no_pattern_allows(settings: Settings, number: str) -> None:
    with pytest.raises(GoalNotAllowed):
        goal(settings, outside=number)


def test_nothing_outside_is_dialled_where_the_settings_say_nothing_of_it() -> None:
    with pytest.raises(GoalNotAllowed, match=r"service\.yaml"):
        goal(city(), outside="13812345678")


def test_exactly_one_goal_is_named(settings: Settings) -> None:
    for named in ({}, {"seat": "8001", "skill": "social"}):
        with pytest.raises(GoalNotAllowed, match="exactly one"):
            goal(settings, **named)


def test_a_pattern_stands_for_whole_numbers(settings: Settings) -> None:
    outside = settings.service.outside
    assert outside is not None
    assert allows(outside, "01012345678")
    assert not allows(outside, "010123456789")
