"""A day's figures: what each counts, on calls made by hand."""

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from typer.testing import CliRunner

from calls.record import Outcome
from hotline.cli import app
from recordings import show_figures
from recordings.figures import Counted, Spread, Tally, day_figures, figures, spread
from recordings.queries import begin_ms
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, MadeCall, answered_call
from tests.support.keeping import CITY, Surroundings
from tests.support.settings_maker import write_city

DAY = date(2026, 3, 1)
SOON_MS = 20_000


def counted(
    outcome: Outcome = Outcome.ANSWERED,
    *,
    hour: int = 9,
    number: str = "12345",
    wait_ms: int | None = 1_000,
    talk_ms: int = 60_000,
    running: bool = False,
    emergency: bool = False,
    ours: bool = False,
) -> Counted:
    return Counted(hour, number, outcome.value, running, emergency, ours, wait_ms, talk_ms)


def of(*calls: Counted, clock: range | tuple[int, ...] = range(24)) -> tuple[Tally, dict[str, int]]:
    found = figures(DAY, calls, clock, SOON_MS)
    return found.total, {name: many for name, many in found.outcomes.items() if many}


def test_the_service_level_is_the_share_of_answered_and_abandoned_calls_that_were_answered_soon() -> None:
    waited = [counted(wait_ms=wait_ms) for wait_ms in (0, SOON_MS, SOON_MS + 1)]
    total, outcomes = of(*waited, counted(Outcome.ABANDONED, wait_ms=500), counted(Outcome.LEFT, wait_ms=None))
    assert total == Tally(calls=5, answered=3, soon=2, abandoned=1, service_level=0.5)
    assert outcomes == {"answered": 3, "abandoned": 1, "left": 1}


def test_a_call_that_was_answered_without_waiting_was_answered_soon_but_waited_nowhere() -> None:
    found = figures(DAY, [counted(wait_ms=None)], range(24), SOON_MS)
    assert found.total.soon == 1
    assert found.wait is None
    assert found.talk == Spread(60_000, 60_000, 60_000, 60_000)


def test_without_answered_or_abandoned_calls_there_is_no_service_level() -> None:
    assert of(counted(Outcome.CLOSED, wait_ms=None))[0] == Tally(1, 0, 0, 0, None)
    assert of()[0] == Tally(0, 0, 0, 0, None)


def test_waits_and_talks_are_those_of_answered_calls() -> None:
    calls = [counted(wait_ms=wait_ms, talk_ms=2 * wait_ms) for wait_ms in range(1, 101)]
    found = figures(DAY, [*calls, counted(Outcome.ABANDONED, wait_ms=9_999)], range(24), SOON_MS)
    assert found.wait == Spread(mean_ms=50.5, median_ms=50, p95_ms=95, max_ms=100)
    assert found.talk == Spread(mean_ms=101, median_ms=100, p95_ms=190, max_ms=200)


@pytest.mark.parametrize(
    ("values_ms", "found"),
    [([], None), ([7], Spread(7, 7, 7, 7)), ([1, 2], Spread(1.5, 1, 2, 2)), ([3, 1, 2], Spread(2, 2, 3, 3))],
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values_ms: list[int], found: Spread) -> None:
    assert spread(values_ms) == found


def test_a_running_call_is_a_call_without_an_outcome() -> None:
    found = figures(DAY, [counted(Outcome.INTERRUPTED, running=True)], range(24), SOON_MS)
    assert (found.total.calls, found.running, sum(found.outcomes.values())) == (1, 1, 0)


def test_calls_that_we_made_count_only_as_such() -> None:
    calls = [counted(ours=True), counted(Outcome.LEFT, ours=True), counted()]
    found = figures(DAY, calls, range(24), SOON_MS)
    assert (found.called_back, found.reached, found.total.calls) == (2, 1, 1)
    assert found.talk == Spread(60_000, 60_000, 60_000, 60_000)


def test_an_emergency_counts_whoever_wanted_it() -> None:
    calls = [counted(Outcome.EMERGENCY, emergency=True), counted(emergency=True), counted()]
    assert figures(DAY, calls, range(24), SOON_MS).emergencies == 2


def test_numbers_come_by_their_calls_and_numbers_that_are_not_served_not_at_all() -> None:
    calls = [counted(number="12333"), counted(), counted(), counted(Outcome.REFUSED_UNKNOWN, number="12999")]
    found = figures(DAY, calls, range(24), SOON_MS)
    assert [(number, one.calls) for number, one in found.numbers.items()] == [("12345", 2), ("12333", 1)]
    assert found.outcomes["refused_unknown"] == 1


def test_an_hour_that_the_clock_shows_twice_is_one() -> None:
    clock = (0, 1, 2, 2, *range(3, 24))
    found = figures(DAY, [counted(hour=2), counted(hour=3), counted(hour=4)], clock, SOON_MS)
    assert {hour: one.calls for hour, one in found.hours.items() if one.calls} == {2: 2, 3: 1}
    assert len(found.hours) == 24


# --- of a store ----------------------------------------------------------------------------------


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """On one day in the city: an answered call, one that waits still, and a drill; on the next day another call."""
    around = Surroundings(tmp_path)
    waits = MadeCall(2)
    waits.arrive()
    waits.enter_room()
    drill = MadeCall(3)
    drill.arrive(caller="", dialled="110")
    drill.end()
    tomorrow = answered_call(4, begin_us=BEGIN_US + 86_400_000_000)
    around.write(answered_call(1).lines + waits.lines + drill.lines + tomorrow.lines)
    await around.caught_up()
    with Store(around.database) as opened:
        with opened.writing() as connection:
            connection.execute(
                "INSERT INTO drills (began_utc_ms, who, number, trunk, dialled, result, ref) "
                "VALUES (0, 'duty', '110', 'emergency_a', '110', 'answered', ?)",
                (drill.ref,),
            )
        yield opened


async def test_the_calls_of_the_citys_day_are_counted_and_drills_are_not(store: Store) -> None:
    found = day_figures(store, date(2023, 11, 15), CITY)
    assert found.total == Tally(calls=2, answered=1, soon=1, abandoned=0, service_level=1.0)
    assert found.running == 1
    assert found.numbers == {"12345": found.total}
    assert found.hours[6] == found.total
    assert found.wait == Spread(300, 300, 300, 300)
    assert day_figures(store, date(2023, 11, 16), CITY).total.calls == 1
    assert day_figures(store, date(2023, 11, 14), CITY).total.calls == 0


async def test_a_day_with_another_length_has_all_its_hours(store: Store) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for day in (date(2026, 3, 29), date(2026, 10, 25)):
        assert begin_ms(day, berlin) < begin_ms(date(day.year, day.month, day.day + 1), berlin)
        assert set(day_figures(store, day, berlin).hours) in ({*range(24)}, {*range(24)} - {2})


async def test_figures_are_shown_and_printed_for_programs(store: Store, tmp_path: Path) -> None:
    config = write_city(tmp_path / "city")
    words = ["figures", "--config", str(config), "--data", str(tmp_path), "--day", "2023-11-15"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "100.0 % within 20s" in told.output
    told = CliRunner().invoke(app, [*words, "--within", "0", "--json"])
    printed = json.loads(told.output)
    assert printed["day"] == "2023-11-15"
    assert printed["total"] == {"calls": 2, "answered": 1, "soon": 0, "abandoned": 0, "service_level": 0.0}


async def test_a_day_without_calls_is_shown_as_such() -> None:
    console = Console(width=80)
    with console.capture() as shown:
        console.print(show_figures.draw(figures(DAY, [], range(24), SOON_MS)))
    assert "calls          0" in shown.get()
    assert "hour" not in shown.get()


def documented(project: Path) -> set[str]:
    section = (project / "docs/records.md").read_text("utf-8").split("## A day in figures", 1)[1].split("\n## ")[0]
    return {
        word.strip(" `")
        for line in section.splitlines()
        if line.startswith("| `")
        for word in line.split("|")[1].split(",")
    }


def test_each_figure_is_documented(project: Path) -> None:
    printed = json.loads(show_figures.as_json(figures(DAY, [counted()], range(24), SOON_MS)))
    assert documented(project) >= set(printed) | set(printed["total"]) | set(printed["wait"])
