"""Whether a service is open, and what day it is in the city."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import assert_never
from zoneinfo import ZoneInfo

from routing.calendar import DayKind, day
from routing.modes import mode_on
from settings.shapes import Hours, MergeMode, Settings

ALWAYS = "always"
"""The hours that every city has: never closed."""


class NaiveMoment(ValueError):
    """A moment without a time zone: nobody can say which hour that is in the city."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment
        super().__init__(f"{moment.isoformat()} has no time zone: give an aware datetime, such as datetime.now(UTC)")


class UnknownHours(LookupError):
    """No hours have this name; `settings.check` lets no such name through."""

    def __init__(self, hours: str) -> None:
        self.hours = hours
        super().__init__(f"no hours are called {hours!r}: write them in hours.yaml")


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment as the city sees it: its date, its hour and what holds then."""

    settings: Settings
    at: datetime
    """In the city's time zone."""

    @property
    def today(self) -> date:
        return self.at.date()

    def mode(self, number: str) -> MergeMode | None:
        """The merge mode of a served number; None for a number that is not, or not yet, served."""
        entry = self.settings.numbers.get(number)
        return None if entry is None else mode_on(entry, self.today)

    def is_open(self, hours: str) -> bool:
        """Whether these hours say open. A span's end is the first moment of being closed."""
        if hours == ALWAYS:
            return True
        entry = self.settings.hours.get(hours)
        if entry is None:
            raise UnknownHours(hours)
        spans = _spans(entry, day(self.settings.calendar, self.today).kind)
        now = self.at.time()
        return entry.always or any(begin <= now and (now < end or end == time.max) for begin, end in spans)


def moment(settings: Settings, at: datetime) -> Moment:
    """Raises NaiveMoment."""
    if at.utcoffset() is None:
        raise NaiveMoment(at)
    return Moment(settings, at.astimezone(UTC).astimezone(ZoneInfo(settings.city.timezone)))


def is_open(settings: Settings, hours: str, at: datetime) -> bool:
    """Whether a service with these hours is open at an aware moment. Raises NaiveMoment, UnknownHours."""
    return moment(settings, at).is_open(hours)


def _spans(hours: Hours, kind: DayKind) -> tuple[tuple[time, time], ...]:
    match kind:
        case "workday":
            return hours.workdays
        case "weekend":
            return hours.weekends
        case "holiday":
            return hours.holidays
        case _:
            assert_never(kind)
