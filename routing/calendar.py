"""Which days are working days, weekends and holidays in the city."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

import chinese_calendar

from settings.shapes import Calendar, Settings

DayKind = Literal["workday", "weekend", "holiday"]

_FIRST_NATIONAL_YEAR = 2004


@dataclass(frozen=True, slots=True)
class Day:
    """A day and its kind; `known` is False where the national calendar has not been published yet."""

    date: date
    kind: DayKind
    known: bool


def national(day: date) -> DayKind | None:
    """The State Council's kind of a day; None outside the published years.

    A rest day that belongs to a holiday is a `holiday`, even on a Saturday; a weekend that is
    worked in exchange is a `workday`.
    """
    try:
        rests, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    if not rests:
        return "workday"
    return "weekend" if name is None else "holiday"


@cache
def horizon() -> date:
    """The last day that the national calendar knows: the end of its last published year.

    The State Council publishes a year's holidays in the November before it.
    """
    year = _FIRST_NATIONAL_YEAR
    while national(date(year + 1, 1, 1)) is not None:
        year += 1
    return date(year, 12, 31)


def day(calendar: Calendar, when: date) -> Day:
    """What kind of day it is: the city's own word first, then the national calendar, then the weekday."""
    for special in calendar.days:
        if special.date == when:
            return Day(when, special.kind, known=True)
    by_weekday: DayKind = "workday" if when.weekday() < 5 else "weekend"
    if not calendar.national:
        return Day(when, by_weekday, known=True)
    published = national(when)
    return Day(when, published or by_weekday, known=published is not None)


def days(settings: Settings, first: date, count: int) -> tuple[Day, ...]:
    """`count` days from `first` on, for a table that is looked up when calls arrive."""
    return tuple(day(settings.calendar, first + timedelta(days=after)) for after in range(count))
