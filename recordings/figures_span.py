"""The days, weeks and months that figures are told of."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from recordings.queries import begin_ms, end_ms

HOUR_MS = 3_600_000
YEARS = range(1970, 9999)
"""From the one in which moments begin to be counted, to the last one that has another behind it."""


class Length(Enum):
    """Of a time that figures are told of."""

    DAY = "day"
    WEEK = "week"
    """From Monday (ISO 8601)."""
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of the city, one after the other."""

    length: Length
    first: date
    last: date

    @property
    def name(self) -> str:
        """2026-11-21, 2026-W47 or 2026-11."""
        match self.length:
            case Length.DAY:
                return self.first.isoformat()
            case Length.WEEK:
                year, week, _ = self.first.isocalendar()
                return f"{year}-W{week:02}"
            case Length.MONTH:
                return f"{self.first:%Y-%m}"

    @property
    def days(self) -> tuple[date, ...]:
        """Each of them."""
        return tuple(self.first + timedelta(days=day) for day in range((self.last - self.first).days + 1))

    def bounds_ms(self, timezone: ZoneInfo) -> tuple[int, int]:
        """When it begins and ends: ms since the epoch (UTC), the second not included."""
        return begin_ms(self.first, timezone), end_ms(self.last, timezone)

    def hours(self, timezone: ZoneInfo) -> tuple[tuple[date, int], ...]:
        """What calendar and clock show in each of its hours."""
        begin, end = self.bounds_ms(timezone)
        shown = (datetime.fromtimestamp(at / 1000, UTC).astimezone(timezone) for at in range(begin, end, HOUR_MS))
        return tuple((at.date(), at.hour) for at in shown)


def span_of(length: Length, day: date) -> Span:
    """The one in which this day is."""
    match length:
        case Length.DAY:
            return Span(length, day, day)
        case Length.WEEK:
            monday = day - timedelta(days=day.weekday())
            return Span(length, monday, monday + timedelta(days=6))
        case Length.MONTH:
            return Span(length, day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))


def read_span(length: Length, text: str | None, today: date) -> Span:
    """The span that was written: any day in it, 2026-W47 for a week, 2026-11 for a month; None: that of today.

    Raises ValueError.
    """
    if text is None:
        return span_of(length, today)
    if length is Length.MONTH and len(text) == len("2026-11"):
        text += "-01"
    if length is Length.WEEK and len(text) == len("2026-W47"):
        text += "-1"
    day = date.fromisoformat(text)
    if day.year not in YEARS:
        raise ValueError(f"{day} is before {YEARS.start} or after {YEARS.stop - 1}")
    return span_of(length, day)
