"""The plan of duty: three shifts, a night that belongs to its evening, holidays, and too few people."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from routing.hours import NaiveMoment
from routing.shifts import CoverNow, Plan, cover
from settings.shapes import Settings
from tests.support.settings_maker import city

SHIFTS = {
    "early": {"name": {"zh": "早班", "en": "Early"}, "hours": "07:00-15:00"},
    "late": {"name": {"zh": "中班", "en": "Late"}, "hours": "15:00-23:00"},
    "night": {"name": {"zh": "夜班", "en": "Night"}, "hours": "23:00-07:00"},
}
ROSTER = [
    {"shift": "early", "agents": ["1001", "1002"], "days": ["workday"]},
    {"shift": "early", "agents": ["1001"], "days": ["weekend", "holiday"]},
    {"shift": "late", "agents": ["1002"]},
    {"shift": "night", "agents": ["1001"], "days": ["workday"]},
    {"shift": "night", "agents": ["1002"], "days": ["weekend", "holiday"]},
]
BEIJING = timedelta(hours=8)


def planned(**changes: Any) -> Settings:
    return city(shifts={"shifts": SHIFTS, "roster": ROSTER, **changes})


def at(day: str, hour: str) -> datetime:
    """An hour in the city, said in another zone: it must not matter."""
    return datetime.fromisoformat(f"{day}T{hour}+08:00").astimezone(UTC)


FRIDAY, SATURDAY, SUNDAY, MONDAY = "2025-11-14", "2025-11-15", "2025-11-16", "2025-11-17"
EVE_OF_NATIONAL_DAY, NATIONAL_DAY, WORKED_SUNDAY = "2025-09-30", "2025-10-01", "2025-09-28"


@pytest.mark.parametrize(
    ("moment", "shifts"),
    [
        (at(FRIDAY, "06:59"), ("night",)),
        (at(FRIDAY, "07:00"), ("early",)),
        (at(FRIDAY, "14:59"), ("early",)),
        (at(FRIDAY, "15:00"), ("late",)),
        (at(FRIDAY, "23:00"), ("night",)),
        (at(SATURDAY, "00:00"), ("night",)),
    ],
)
def test_a_shift_runs_from_its_first_minute_to_its_end(moment: datetime, shifts: tuple[str, ...]) -> None:
    assert Plan(planned()).shifts(moment) == shifts


@pytest.mark.parametrize(
    ("moment", "agents"),
    [
        (at(FRIDAY, "08:00"), {"1001", "1002"}),
        (at(SATURDAY, "08:00"), {"1001"}),
        (at(WORKED_SUNDAY, "08:00"), {"1001", "1002"}),
        (at(NATIONAL_DAY, "08:00"), {"1001"}),
        (at(FRIDAY, "23:30"), {"1001"}),
        (at(SATURDAY, "06:30"), {"1001"}),
        (at(SATURDAY, "23:30"), {"1002"}),
        (at(MONDAY, "06:30"), {"1002"}),
        (at(EVE_OF_NATIONAL_DAY, "23:30"), {"1001"}),
        (at(NATIONAL_DAY, "06:30"), {"1001"}),
        (at(NATIONAL_DAY, "23:30"), {"1002"}),
    ],
)
def test_a_night_goes_by_the_day_on_which_it_began(moment: datetime, agents: set[str]) -> None:
    assert Plan(planned()).planned(moment) == agents


def test_a_line_of_the_roster_holds_from_its_first_to_its_last_day() -> None:
    line = {"shift": "night", "agents": ["1001"], "from": FRIDAY, "until": SATURDAY}
    plan = Plan(planned(roster=[line]))
    assert plan.planned(at(FRIDAY, "06:59")) == frozenset()
    assert plan.planned(at(FRIDAY, "23:00")) == {"1001"}
    assert plan.planned(at(SUNDAY, "06:59")) == {"1001"}
    assert plan.planned(at(SUNDAY, "23:00")) == frozenset()


def test_shifts_may_overlap_and_their_people_add_up() -> None:
    shifts = {**SHIFTS, "middle": {"name": {"zh": "跨班", "en": "Middle"}, "hours": "13:00-17:00"}}
    plan = Plan(planned(shifts=shifts, roster=[*ROSTER, {"shift": "middle", "agents": ["1001"]}]))
    assert plan.shifts(at(SATURDAY, "15:30")) == ("late", "middle")
    assert plan.planned(at(SATURDAY, "15:30")) == {"1001", "1002"}


def test_a_shift_of_a_whole_day_always_runs() -> None:
    plan = Plan(planned(shifts={"all": {"name": SHIFTS["early"]["name"], "hours": "00:00-24:00"}}, roster=[]))
    assert plan.shifts(at(FRIDAY, "00:00")) == plan.shifts(at(FRIDAY, "23:59")) == ("all",)
    assert plan.changes_after(at(FRIDAY, "00:00")) == at(SATURDAY, "00:00")


def test_the_next_change_is_the_next_begin_or_end() -> None:
    plan = Plan(planned())
    assert plan.changes_after(at(FRIDAY, "06:59")) == at(FRIDAY, "07:00")
    assert plan.changes_after(at(FRIDAY, "07:00")) == at(FRIDAY, "15:00")
    assert plan.changes_after(at(FRIDAY, "23:30")) == at(SATURDAY, "07:00")
    change = plan.changes_after(at(FRIDAY, "07:00"))
    assert change is not None
    assert change.utcoffset() == BEIJING


def test_without_shifts_nothing_changes() -> None:
    plan = Plan(city())
    assert plan.changes_after(at(FRIDAY, "08:00")) is None
    assert (plan.shifts(at(FRIDAY, "08:00")), plan.planned(at(FRIDAY, "08:00"))) == ((), frozenset())


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime.fromisoformat(f"{FRIDAY}T08:00")
    plan = Plan(planned())
    for asked in (plan.shifts, plan.planned, plan.changes_after):
        with pytest.raises(NaiveMoment):
            asked(naive)


BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=730)).map(lambda later: BEGIN + later)


@given(MOMENTS)
@tried(deadline=None, max_examples=50)
def test_between_two_changes_the_shifts_and_their_people_stay(moment: datetime) -> None:
    plan = Plan(planned())
    change = plan.changes_after(moment)
    assert change is not None
    just_before = change - timedelta(microseconds=1)
    assert plan.shifts(just_before) == plan.shifts(moment)
    assert plan.planned(just_before) == plan.planned(moment)
    assert plan.shifts(change) != plan.shifts(moment)


def test_clocks_that_are_put_forward_do_not_lose_the_night() -> None:
    berlin = {"name": {"zh": "柏林", "en": "Berlin"}, "timezone": "Europe/Berlin"}
    plan = Plan(city(city=berlin, shifts={"shifts": SHIFTS}))
    spring = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert plan.shifts(spring) == ("night",)
    assert plan.changes_after(spring) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 21, 0, tzinfo=UTC)
    assert plan.shifts(autumn) == ("night",)
    assert plan.changes_after(autumn) == datetime(2026, 10, 25, 6, 0, tzinfo=UTC)


def covered(moment: datetime, present: set[str], **changes: Any) -> CoverNow:
    settings = planned(**changes)
    (only,) = cover(settings, Plan(settings), moment, present)
    return only


def test_enough_people_are_no_lack() -> None:
    found = covered(at(FRIDAY, "08:00"), {"1001", "1002"}, cover=[{"least": 1}])
    assert (found.on_duty, found.planned, found.low_from) == (2, 2, None)


def test_too_few_people_now_are_a_lack_from_now_on() -> None:
    moment = at(FRIDAY, "08:00")
    found = covered(moment, {"1001"}, cover=[{"least": 2}])
    assert (found.on_duty, found.planned, found.low_from) == (1, 2, moment)


def test_too_few_people_in_the_plan_are_told_in_good_time() -> None:
    rule = {"cover": [{"least": 2}], "warn": "30m"}
    present = {"1001", "1002"}
    assert covered(at(FRIDAY, "14:29"), present, **rule).low_from is None
    found = covered(at(FRIDAY, "14:30"), present, **rule)
    assert (found.on_duty, found.planned, found.low_from) == (2, 1, at(FRIDAY, "15:00"))


def test_a_rule_for_one_shift_holds_in_it_alone() -> None:
    rule = {"cover": [{"least": 2, "shift": "night"}], "warn": "1h"}
    assert covered(at(FRIDAY, "20:00"), set(), **rule).low_from is None
    assert covered(at(FRIDAY, "22:00"), set(), **rule).low_from == at(FRIDAY, "23:00")
    assert covered(at(SATURDAY, "03:00"), {"1001"}, **rule).low_from == at(SATURDAY, "03:00")


def test_a_rule_for_a_skill_counts_those_who_have_it() -> None:
    rule = {"cover": [{"least": 1, "skill": "english"}]}
    assert covered(at(FRIDAY, "08:00"), {"1001", "9999"}, **rule).on_duty == 0
    found = covered(at(FRIDAY, "08:00"), {"1001", "1002"}, **rule)
    assert (found.on_duty, found.planned, found.low_from) == (1, 1, None)


def test_without_a_roster_only_the_present_is_judged() -> None:
    assert covered(at(FRIDAY, "14:59"), {"1001"}, cover=[{"least": 1}], roster=[]).low_from is None
    assert covered(at(FRIDAY, "14:59"), set(), cover=[{"least": 1}], roster=[]).low_from is not None


def test_without_shifts_a_rule_holds_always() -> None:
    moment = at(FRIDAY, "03:00")
    assert covered(moment, set(), cover=[{"least": 1}], roster=[], shifts={}).low_from == moment


def test_between_shifts_nobody_is_missed() -> None:
    gap = {"early": SHIFTS["early"], "late": SHIFTS["late"]}
    rule = {"cover": [{"least": 1}], "shifts": gap, "roster": ROSTER[:3], "warn": "1h"}
    assert covered(at(FRIDAY, "03:00"), set(), **rule).low_from is None
    assert covered(at(FRIDAY, "23:00"), set(), **rule).low_from is None


def test_the_city_s_own_day_decides_who_is_planned() -> None:
    friday = date.fromisoformat(FRIDAY)
    feast = {"days": [{"date": friday.isoformat(), "name": {"zh": "节", "en": "Feast"}, "kind": "holiday"}]}
    plan = Plan(city(calendar=feast, shifts={"shifts": SHIFTS, "roster": ROSTER}))
    assert plan.planned(at(FRIDAY, "08:00")) == {"1001"}
