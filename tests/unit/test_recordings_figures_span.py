"""Days, weeks and months that figures are told of."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from recordings.figures_span import Length, read_span, span_of

DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("length", "text", "name", "first", "last"),
    [
        (Length.DAY, "2026-11-21", "2026-11-21", date(2026, 11, 21), date(2026, 11, 21)),
        (Length.WEEK, "2026-11-22", "2026-W47", date(2026, 11, 16), date(2026, 11, 22)),
        (Length.WEEK, "2026-W53", "2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        (Length.WEEK, "2027-01-01", "2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        (Length.MONTH, "2028-02", "2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        (Length.MONTH, None, "2026-03", date(2026, 3, 1), date(2026, 3, 31)),
    ],
)
def test_a_time_is_written_and_named_by_its_days(
    length: Length, text: str | None, name: str, first: date, last: date
) -> None:
    found = read_span(length, text, DAY)
    assert (found.name, found.first, found.last, len(found.days)) == (name, first, last, (last - first).days + 1)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (Length.DAY, "2026-02-30"),
        (Length.DAY, "1969-12-31"),
        (Length.DAY, "9999-12-31"),
        (Length.WEEK, "0001-W01"),
        (Length.MONTH, "9999-12"),
    ],
)
def test_a_time_that_cannot_be_told_of_is_refused(length: Length, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - That is all that is said of it.
        read_span(length, text, DAY)


def test_a_day_with_another_length_has_all_its_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = {day: span_of(Length.DAY, day).hours(berlin) for day in (date(2026, 3, 29), date(2026, 10, 25))}
    assert [len(one) for one in hours.values()] == [23, 25]
    assert [{clock for _, clock in one} for one in hours.values()] == [{*range(24)} - {2}, {*range(24)}]
    assert all({day} == {shown for shown, _ in one} for day, one in hours.items())
