"""Checks a settings folder as a whole: every problem at once, or settings that can be used."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from settings.checks import (
    doors,
    emergencies,
    hours,
    menus,
    names,
    numbers,
    prompts,
    retention,
    seats,
    server,
    service,
    shifts,
)
from settings.problems import Problem
from settings.read import Draft, read_folder
from settings.shapes import Settings


class SettingsWrong(ValueError):
    """The settings cannot be used. `problems` has everything that is wrong, sorted by place."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check. Without errors there are settings, though perhaps with warnings."""

    settings: Settings | None
    problems: tuple[Problem, ...]
    """Sorted by file and line."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


def check(folder: Path, today: date | None = None) -> Checked:
    """Everything that is wrong with the settings in `folder`.

    `today`, in the city's time zone, is for what goes out of date: without it nothing is said of that.
    """
    draft, problems = read_folder(folder)
    found = tuple(sorted({*problems, *_between(draft, today)}))
    usable = all(problem.severity == "warning" for problem in found)
    return Checked(draft.settings if usable else None, found)


def load(folder: Path) -> Settings:
    """The settings in `folder`. Raises SettingsWrong with every problem if they cannot be used."""
    checked = check(folder)
    if checked.settings is None:
        raise SettingsWrong(checked.problems)
    return checked.settings


def _between(draft: Draft, today: date | None) -> Iterator[Problem]:
    for part in (
        names.missing_references,
        names.listed_twice,
        numbers.shadowing,
        numbers.mode_order,
        numbers.one_primary,
        numbers.closed_notice,
        numbers.circles,
        numbers.taken_over,
        numbers.comes_back,
        menus.way_to_a_person,
        menus.unreachable,
        emergencies.doubled_keys,
        emergencies.two_trunks,
        emergencies.drills,
        seats.one_skill_a_language,
        seats.unused_skills,
        seats.wait_steps,
        seats.unserved,
        seats.agents_like_seats,
        seats.idle_seats,
        service.waiting_keys,
        service.outside_patterns,
        service.ordinary_goals,
        shifts.duty_officer,
        shifts.roster_lines,
        prompts.system_prompts,
        prompts.counted,
        prompts.texts,
        prompts.recordings,
        server.ports,
        server.rtp_ports,
        server.records,
        server.timezone,
        server.trunks,
        server.calls_come_in,
        doors.in_the_clear,
        doors.certificate,
        doors.manager_stays_here,
        hours.possible,
        retention.audio_outlives,
        retention.confidential_in_the_clear,
    ):
        yield from part(draft)
    yield from emergencies.blocked_callers(draft, today)
    yield from hours.calendar_known(draft, today)
    yield from shifts.holes(draft, today)
    yield from shifts.cover_planned(draft, today)
