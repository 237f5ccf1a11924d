"""What the demo shows a call back by."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.called_back import Return, returns
from routing.hours import moment
from settings.check import load
from settings.shapes import Settings


@pytest.fixture
def example(project: Path) -> Settings:
    return load(project / "config")


def shown(settings: Settings, *needed: str) -> Return | None:
    return returns(settings, moment(settings, datetime(2026, 3, 2, 3, tzinfo=UTC)), set(needed))


def test_the_example_city_shows_it_without_the_seats_of_other_calls(example: Settings) -> None:
    found = shown(example, "8001", "8006", "8002")
    assert found is not None
    assert (found.plan.number, found.plan.key, found.seat) == ("12329", "1", "8011")
    assert (found.agent, found.absent) == ("1007", frozenset({"8003", "8007"}))


def test_nobody_signs_on_who_knows_too_little(example: Settings) -> None:
    novices = {name: one.model_copy(update={"skills": {"housing": 2}}) for name, one in example.agents.agents.items()}
    agents = example.agents.model_copy(update={"agents": novices})
    assert shown(example.model_copy(update={"agents": agents}), "8001", "8002") is None


def test_a_city_without_call_backs_or_free_seats_shows_none(example: Settings) -> None:
    service = example.service.model_copy(update={"keys": {}})
    assert shown(example.model_copy(update={"service": service})) is None
    fixed = {name: seat for name, seat in example.answering.seats.items() if seat.skills}
    answering = example.answering.model_copy(update={"seats": fixed})
    assert shown(example.model_copy(update={"answering": answering})) is None
