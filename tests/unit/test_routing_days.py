"""Days, hours and merge modes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from routing.calendar import Day, day, days, horizon, national
from routing.hours import NaiveMoment, UnknownHours, is_open, moment
from routing.modes import mode_on
from settings.shapes import Calendar, Number, Settings
from tests.support.settings_maker import city

NATIONAL_DAY = date(2025, 10, 1)
MID_AUTUMN_SATURDAY = date(2025, 10, 4)
WORKED_SUNDAY = date(2025, 9, 28)
PLAIN_SATURDAY = date(2025, 11, 15)
PLAIN_TUESDAY = date(2025, 11, 18)


def test_a_worked_weekend_is_a_workday() -> None:
    assert national(WORKED_SUNDAY) == "workday"


def test_a_saturday_within_a_holiday_is_a_holiday() -> None:
    assert national(MID_AUTUMN_SATURDAY) == "holiday"
    assert national(NATIONAL_DAY) == "holiday"


def test_plain_days_go_by_the_week() -> None:
    assert national(PLAIN_SATURDAY) == "weekend"
    assert national(PLAIN_TUESDAY) == "workday"


def test_the_horizon_is_the_last_day_that_the_national_calendar_knows() -> None:
    assert national(horizon()) is not None
    assert national(horizon() + timedelta(days=1)) is None
    assert horizon() >= date(2026, 12, 31)


def test_years_outside_the_published_ones_go_by_the_week_and_say_so() -> None:
    beyond = horizon() + timedelta(days=1)
    kinds = [day(Calendar(), beyond + timedelta(days=after)) for after in range(7)]
    assert sum(found.kind == "weekend" for found in kinds) == 2
    assert not any(found.known or found.kind == "holiday" for found in kinds)
    assert day(Calendar(), date(1999, 10, 1)) == Day(date(1999, 10, 1), "workday", known=False)


def test_the_city_s_own_day_wins_over_the_national_calendar_and_beyond_it() -> None:
    beyond = horizon() + timedelta(days=40)
    settings = city(
        calendar={
            "days": [
                {"date": "2025-10-01", "name": {"zh": "值守", "en": "Duty"}, "kind": "workday"},
                {"date": beyond.isoformat(), "name": {"zh": "节", "en": "Feast"}, "kind": "holiday"},
            ]
        }
    )
    assert day(settings.calendar, NATIONAL_DAY) == Day(NATIONAL_DAY, "workday", known=True)
    assert day(settings.calendar, beyond) == Day(beyond, "holiday", known=True)


def test_a_city_without_the_national_calendar_goes_by_the_week() -> None:
    calendar = Calendar(national=False)
    assert day(calendar, NATIONAL_DAY) == Day(NATIONAL_DAY, "workday", known=True)
    assert day(calendar, WORKED_SUNDAY) == Day(WORKED_SUNDAY, "weekend", known=True)


def test_a_table_of_days_has_every_day_once_and_in_order() -> None:
    table = days(city(), date(2025, 12, 30), 400)
    assert [entry.date for entry in table] == [date(2025, 12, 30) + timedelta(days=after) for after in range(400)]
    assert table[2].kind == "holiday"


OFFICE = {
    "workdays": ["09:00-12:00", "13:30-17:00"],
    "weekends": ["10:00-24:00"],
    "holidays": [],
}


def office(zone: str = "Asia/Shanghai") -> Settings:
    return city(
        hours={"office": OFFICE, "round": {"always": True}},
        city={"name": {"zh": "测试市", "en": "Testville"}, "timezone": zone},
    )


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2025-11-18T08:59:59+08:00", False),
        ("2025-11-18T09:00:00+08:00", True),
        ("2025-11-18T11:59:59+08:00", True),
        ("2025-11-18T12:00:00+08:00", False),
        ("2025-11-18T13:30:00+08:00", True),
        ("2025-11-18T17:00:00+08:00", False),
        ("2025-11-18T01:00:00+00:00", True),
        ("2025-11-15T09:30:00+08:00", False),
        ("2025-11-15T23:59:59.999999+08:00", True),
        ("2025-11-16T00:00:00+08:00", False),
        ("2025-09-28T09:30:00+08:00", True),
        ("2025-10-01T10:30:00+08:00", False),
    ],
)
def test_a_service_is_open_within_the_spans_of_the_day_s_kind(when: str, expected: bool) -> None:
    assert is_open(office(), "office", datetime.fromisoformat(when)) is expected


def test_hours_are_those_of_the_city_s_time_zone() -> None:
    at = datetime(2025, 11, 18, 0, 30, tzinfo=UTC)
    assert not is_open(office("Asia/Shanghai"), "office", at)
    assert is_open(office("Asia/Tokyo"), "office", at)


def test_a_service_with_no_hours_of_its_own_is_always_open() -> None:
    at = datetime(2025, 10, 1, 3, tzinfo=UTC)
    assert is_open(office(), "always", at)
    assert is_open(office(), "round", at)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(NaiveMoment, match="no time zone"):
        is_open(office(), "office", datetime(2025, 11, 18))  # noqa: DTZ001


def test_unknown_hours_are_named() -> None:
    with pytest.raises(UnknownHours, match="'nite'"):
        is_open(office(), "nite", datetime(2025, 11, 18, tzinfo=UTC))


def dated(*since: str) -> Number:
    modes = [{"mode": "whole", "from": day, "notice": f"n{at}"} for at, day in enumerate(since)]
    return Number.model_validate({
        "name": {"zh": "热线", "en": "Line"}, "modes": modes, "greeting": "hello", "skill": "general"
    })  # fmt: skip


def test_a_mode_holds_from_the_first_moment_of_its_day() -> None:
    number = dated("2026-01-01", "2024-06-01")
    first, second = number.modes[1], number.modes[0]
    assert mode_on(number, date(2024, 5, 31)) is None
    assert mode_on(number, date(2024, 6, 1)) == first
    assert mode_on(number, date(2025, 12, 31)) == first
    assert mode_on(number, date(2026, 1, 1)) == second


def test_the_day_of_a_mode_is_the_city_s_day() -> None:
    settings = city(numbers={"12318": dated("2026-01-01")})
    assert moment(settings, datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC)).mode("12318") is None
    assert moment(settings, datetime(2025, 12, 31, 16, 0, tzinfo=UTC)).mode("12318") is not None
    assert moment(settings, datetime(2026, 1, 1, tzinfo=UTC)).mode("99999") is None


@given(st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), min_size=1, max_size=4, unique=True), st.dates())
@tried(deadline=None)
def test_the_mode_of_a_day_is_the_last_that_has_begun(begins: list[date], day: date) -> None:
    found = mode_on(dated(*(begin.isoformat() for begin in begins)), day)
    assert (None if found is None else found.since) == max((b for b in begins if b <= day), default=None)
