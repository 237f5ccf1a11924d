"""Figures: what each counts, that it lists the very calls it counts, and that the index has all that it reads."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bench.records_calls import NODE
from calls.cel import Row
from recordings import figures_emergencies as emergencies_of
from recordings import report as reports
from recordings.duty import Duty, DutyRow
from recordings.figures import CATALOGUE, Average, By, Count, PassedOnIn, StateShare, Value, figure_of
from recordings.figures_behind import Asked, NotTold, Part, behind
from recordings.figures_calls import counts_sql, spread, values_of
from recordings.figures_emergencies import EMERGENCIES_SQL, Emergency, Passing, passing
from recordings.figures_span import Length, Span, span_of
from recordings.queries import begin_ms
from recordings.report import WITHIN_MS, Report, report
from recordings.store import Store
from recordings.tail import Batch, Place
from tests.support.journal_lines import MadeCall
from tests.support.keeping import CITY
from tests.support.peculiar_calls import peculiar

DAY = date(2026, 3, 2)
MONTH = span_of(Length.MONTH, DAY)
FAR_MS = 2**60
HOUR_MS = 3_600_000


def at(hour: float, day: date = DAY) -> int:
    """That hour of the city's day: ms since the epoch (UTC)."""
    return begin_ms(day, CITY) + int(hour * HOUR_MS)


def keep(store: Store, *calls: MadeCall) -> None:
    keep_rows(store, [row for call in calls for row in call.rows])


def keep_rows(store: Store, rows: list[Row]) -> None:
    ordered = tuple(sorted(rows, key=lambda row: row.at_us))
    store.keep(NODE, Batch(ordered, (), Place(1, ordered[0].at_us, b"made", 0)), 0)


def call_at(serial: int, hour: float, day: date = DAY, number: str = "12345") -> MadeCall:
    call = MadeCall(serial, begin_us=at(hour, day) * 1000 - 200_000)  # Its arrival is its second line.
    call.arrive(dialled=number)
    call.event("ANSWER")
    call.step("SERVED", number=number, mode="primary", by="dialled")
    return call


def answered(serial: int, hour: float, wait_ms: int = 1_000, mark: int = 0, seat: str = "8001") -> MadeCall:
    call = call_at(serial, hour)
    call.enter_room()
    call.step("OFFER", wait_ms=wait_ms - 200, seat=seat, agent=f"1{seat[1:]}")
    leg = call.leg(seat)
    call.event("ANSWER", leg)
    call.hangup(leg, wait_ms=60_000)
    call.step("TALKED", seat=seat, q850_cause=16)
    if mark:
        call.step("RATED", mark=mark)
    call.end()
    return call


def abandoned(serial: int, hour: float, day: date = DAY) -> MadeCall:
    call = call_at(serial, hour, day)
    call.enter_room()
    call.hangup(wait_ms=5_000)
    return call


def refused(serial: int, hour: float, why: str, number: str = "12345") -> MadeCall:
    call = MadeCall(serial, begin_us=at(hour) * 1000 - 200_000)
    call.arrive(dialled=number)
    call.step("REFUSED", why=why)
    call.end()
    return call


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "records.db") as opened:
        yield opened


def told(store: Store, span: Span | None = None, *, within_ms: int = WITHIN_MS, now_ms: int = FAR_MS) -> Report:
    return report(store, span or span_of(Length.DAY, DAY), CITY, now_ms, within_ms)


def both(value: Value) -> tuple[int, int | None]:
    return value.numerator, value.denominator


# --- what each counts ----------------------------------------------------------------------------


def test_rates_are_of_the_calls_that_asked_for_a_person(empty: Store) -> None:
    call_back = call_at(5, 9)
    call_back.enter_room()
    call_back.step("CALLBACK", to="13812345678")
    call_back.end()
    left = call_at(6, 9)
    left.end()
    keep(
        empty,
        *(answered(serial, 9, wait_ms) for serial, wait_ms in ((1, 1_000), (2, 15_000), (3, 15_001))),
        abandoned(4, 9),
        *(call_back, left),
        refused(7, 9, "full"),
        refused(8, 9, "blocked"),
    )
    total = told(empty).total
    assert both(total["calls"]) == (8, None)
    assert both(total["connection_rate"]) == (3, 6)
    assert both(total["answered_within"]) == (2, 6)
    assert both(told(empty, within_ms=15_001).total["answered_within"]) == (3, 6)
    assert both(total["abandonment"]) == (1, 6)
    assert both(total["waiting"]) == (31_001, 3)
    assert total["waiting"].spread == spread([1_000, 15_000, 15_001])
    assert both(total["talking"]) == (180_000, 3)


def test_a_rate_of_no_calls_is_none(empty: Store) -> None:
    keep(empty, refused(1, 9, "blocked"))
    total = told(empty).total
    rates = [figure.id for figure in CATALOGUE if not isinstance(figure.of, Count)]
    assert {id_: total[id_].result for id_ in rates} == dict.fromkeys(rates)
    assert total["asked"].result == 0


def test_only_marks_of_four_and_five_are_satisfied(empty: Store) -> None:
    keep(empty, *(answered(mark + 1, 9, mark=mark) for mark in range(6)))
    total = told(empty).total
    assert both(total["satisfaction"]) == (2, 5)
    assert both(total["rated"]) == (5, 6)


def test_a_call_belongs_to_the_day_and_hour_of_its_arrival_in_the_city(empty: Store) -> None:
    before = date(2026, 3, 1)
    keep(empty, abandoned(1, 23.9999, before), abandoned(2, 0), abandoned(3, 23.9999))
    found = told(empty)
    assert found.total["calls"].numerator == 2
    assert [hour for hour, values in found.by[By.HOUR].items() if values["calls"].numerator] == ["00", "23"]
    assert told(empty, span_of(Length.DAY, before)).total["calls"].numerator == 1
    days = told(empty, MONTH).by[By.DAY]
    assert {day: values["calls"].numerator for day, values in days.items() if values["calls"].numerator} == {
        "2026-03-01": 1,
        "2026-03-02": 2,
    }


def test_numbers_that_are_not_served_are_no_numbers_of_ours(empty: Store) -> None:
    keep(empty, refused(1, 9, "unknown", "12999"), abandoned(2, 9))
    found = told(empty)
    assert list(found.by[By.NUMBER]) == ["12345"]
    assert found.total["calls"].numerator == 2
    assert found.outcomes == {"refused_unknown": 1, "abandoned": 1}


def test_a_call_that_runs_still_counts_only_as_a_call(empty: Store) -> None:
    waits = call_at(1, 9)
    waits.enter_room()
    keep(empty, waits)
    found = told(empty)
    assert (found.running, found.total["calls"].numerator, found.total["asked"].numerator) == (1, 1, 0)
    assert found.outcomes == {}


def test_calls_of_ours_drills_and_interrupted_talks(empty: Store) -> None:
    keep_rows(empty, list(peculiar(begin_ms(MONTH.first, CITY))))
    empty.interrupt(NODE, FAR_MS)
    total = told(empty, MONTH).total
    assert both(total["calls"]) == (4, None)
    assert both(total["connection_rate"]) == (3, 3)  # One of them an emergency's caller put through by an agent.
    assert both(total["reached"]) == (1, 2)
    assert both(total["passed_on"]) == (2, 2)
    assert total["passed_on_in"].spread == spread([2_700, 4_200])
    seats = told(empty, MONTH).by[By.SEAT]
    assert {seat: values["answered"].numerator for seat, values in seats.items()} == {
        "8001": 2,
        "8002": 1,
        "8003": 0,
        "8004": 1,
    }


# --- what agents did -----------------------------------------------------------------------------


def duty(store: Store, *rows: tuple[float, str, str | None]) -> None:
    """(hour, state, call) of agent 1001 at seat 8001."""
    Duty(store).add(DutyRow("8001", "1001", state, "", call, at(hour)) for hour, state, call in rows)


def test_occupancy_is_work_as_a_part_of_work_and_readiness(empty: Store) -> None:
    duty(empty, (8, "idle", None), (9, "ringing", "a"), (9.5, "talking", "a"), (10, "wrap_up", None))
    duty(empty, (10.5, "paused", None), (12, "busy", None), (13, "offline", None))
    found = told(empty)
    assert found.total["occupancy"].result == pytest.approx(1 / 2.5)
    assert found.by[By.AGENT]["1001"]["occupancy"] == found.total["occupancy"]
    assert found.by[By.HOUR]["09"]["occupancy"].result == pytest.approx(0.5)
    assert found.by[By.HOUR]["11"]["occupancy"].result is None


def test_time_is_split_over_hours_but_a_wrap_up_is_the_hours_in_which_it_began(empty: Store) -> None:
    duty(empty, (8.5, "talking", "a"), (11.25, "wrap_up", None), (12.25, "idle", None), (12.5, "offline", None))
    hours = told(empty).by[By.HOUR]
    spent = {hour: values["occupancy"].numerator / HOUR_MS for hour, values in hours.items()}
    assert {hour: ms for hour, ms in spent.items() if ms} == {"08": 0.5, "09": 1, "10": 1, "11": 1.25}
    assert both(hours["11"]["wrap_up"]) == (HOUR_MS, 1)
    assert both(hours["12"]["wrap_up"]) == (0, 0)


def test_states_are_counted_from_the_beginning_of_the_time_until_now(empty: Store) -> None:
    duty(empty, (-2, "talking", "a"))
    assert both(told(empty, now_ms=at(6)).total["occupancy"]) == (6 * HOUR_MS, 6 * HOUR_MS)
    assert both(told(empty, now_ms=at(-1)).total["occupancy"]) == (0, 0)
    assert both(told(empty).total["occupancy"]) == (24 * HOUR_MS, 24 * HOUR_MS)


def test_a_wrap_up_is_of_the_number_of_the_call_before_it(empty: Store) -> None:
    call = answered(1, 9)
    keep(empty, call)
    duty(empty, (9, "talking", call.ref), (9.25, "wrap_up", None), (9.5, "idle", None))
    assert both(told(empty).by[By.NUMBER]["12345"]["wrap_up"]) == (HOUR_MS // 4, 1)


# --- emergencies ---------------------------------------------------------------------------------


def emergency(serial: int = 1) -> MadeCall:
    call = call_at(serial, 9)
    call.step("EMERGENCY", number="110", by="menu")
    return call


def line(call: MadeCall, trunk: str, answers_after_ms: int | None) -> None:
    call.step("TRUNK", trunk=trunk, dial="110")
    leg = call.leg(trunk)
    if answers_after_ms is not None:
        call.event("ANSWER", leg, wait_ms=answers_after_ms)
    call.hangup(leg, wait_ms=20_000)
    call.step("TRUNK_END", trunk=trunk, status="NOANSWER" if answers_after_ms is None else "ANSWER")


def test_an_emergency_is_passed_on_by_the_line_that_answers() -> None:
    call = emergency()
    line(call, "emergency_a", None)
    line(call, "emergency_b", 3_000)
    assert passing(call.rows) == Passing(passed_on=True, took_ms=100 + 100 + 20_000 + 100 + 100 + 100 + 3_000)


def test_an_emergency_that_no_line_answers_is_not_passed_on() -> None:
    call = emergency()
    line(call, "emergency_a", None)
    call.enter_room()
    assert passing(call.rows) == Passing(passed_on=False, took_ms=None)


def test_another_centre_after_an_emergency_is_not_its_line() -> None:
    call = emergency()
    line(call, "emergency_a", None)
    call.enter_room()
    line(call, "tax_centre", 2_000)
    assert not passing(call.rows).passed_on


def test_a_line_of_which_only_the_end_is_told_took_nobody_knows_how_long(empty: Store) -> None:
    call = emergency()
    call.step("TRUNK", trunk="emergency_a", dial="110")
    call.step("TRUNK_END", wait_ms=9_000, trunk="emergency_a", status="ANSWER")
    call.end()
    assert passing(call.rows) == Passing(passed_on=True, took_ms=None)
    keep(empty, call)
    total = told(empty).total
    assert (both(total["passed_on"]), total["passed_on_in"].result) == ((1, 1), None)


def test_a_report_is_of_one_moment_while_calls_are_kept(
    empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(empty, answered(1, 9))
    whole = emergencies_of.emergencies

    def meanwhile(store: Store, span: Span, timezone: ZoneInfo) -> Iterator[Emergency]:
        with Store(tmp_path / "records.db") as other:
            keep(other, answered(2, 9, 40_000))
        return whole(store, span, timezone)

    monkeypatch.setattr(reports, "emergencies", meanwhile)
    total = told(empty).total
    assert (total["answered"].numerator, total["waiting"].spread) == (1, spread([1_000]))
    assert told(empty).total["answered"].numerator == 2


# --- the very calls ------------------------------------------------------------------------------


@pytest.fixture
def store(empty: Store) -> Store:
    """A little of everything."""
    calls = [answered(serial, serial, serial * 4_000, serial % 6, f"800{serial % 3 + 1}") for serial in range(10, 20)]
    calls += [abandoned(20, 9), refused(21, 9, "full"), refused(22, 9, "unknown", "12999"), emergency(23)]
    line(calls[-1], "emergency_a", None)
    calls[-1].end()
    keep(empty, *calls)
    keep_rows(empty, list(peculiar(begin_ms(DAY, CITY))))
    empty.interrupt(NODE, FAR_MS)
    first, second = calls[0], calls[1]
    duty(empty, (9, "idle", None), (10, "ringing", first.ref), (10.1, "talking", first.ref), (10.2, "wrap_up", None))
    duty(empty, (10.3, "idle", None), (11.1, "talking", second.ref), (11.2, "wrap_up", None), (11.3, "offline", None))
    return empty


def test_every_figure_lists_as_many_calls_as_it_counts(store: Store) -> None:
    week = span_of(Length.WEEK, DAY)
    found = told(store, week)
    every = [(None, "", found.total), *((by, key, one) for by, keys in found.by.items() for key, one in keys.items())]
    checked = 0
    for by, key, values in every:
        for id_, value in values.items():
            figure = figure_of(id_)
            if isinstance(figure.of, StateShare):
                continue  # It counts time; which calls that was for is seen below.
            parts = {Part.NUMERATOR: value.numerator, Part.DENOMINATOR: value.denominator}
            if value.denominator is None:
                del parts[Part.DENOMINATOR]
            elif figure.unit.value == "s":
                parts[Part.NUMERATOR] = value.denominator
            for part, many in parts.items():
                if not many and by not in (None, By.SEAT):
                    continue  # Most hours.
                asked = Asked(figure, part, week, WITHIN_MS, by, key)
                assert len(list(behind(store, asked, CITY, FAR_MS))) == many, asked
                checked += bool(many)
    assert checked > 100


def test_the_calls_behind_an_occupancy_are_those_that_agents_worked_for(store: Store) -> None:
    asked = Asked(figure_of("occupancy"), Part.NUMERATOR, span_of(Length.DAY, DAY), WITHIN_MS)
    assert [call.ref for call in behind(store, asked, CITY, FAR_MS)] == [MadeCall(10).ref, MadeCall(11).ref]
    for by, key, many in ((By.HOUR, "10", 1), (By.HOUR, "09", 0), (By.SEAT, "8001", 2), (By.AGENT, "1002", 0)):
        of_key = replace(asked, by=by, key=key, part=Part.DENOMINATOR)
        assert len(list(behind(store, of_key, CITY, FAR_MS))) == many


def test_no_more_calls_are_listed_than_asked_for_and_the_earliest_first(store: Store) -> None:
    for id_ in ("answered", "passed_on", "occupancy"):
        asked = Asked(figure_of(id_), Part.NUMERATOR, MONTH, WITHIN_MS)
        every = list(behind(store, asked, CITY, FAR_MS))
        assert list(behind(store, asked, CITY, FAR_MS, 1)) == every[:1] != []
        assert [one.arrived_utc_ms for one in every] == sorted(one.arrived_utc_ms for one in every)


def test_what_a_figure_does_not_tell_is_refused() -> None:
    with pytest.raises(NotTold, match="calls is a count without a denominator: leave out --part"):
        Asked(figure_of("calls"), Part.DENOMINATOR, MONTH, WITHIN_MS)
    with pytest.raises(NotTold, match="connection_rate means nothing by seat: give one of number, hour, day"):
        Asked(figure_of("connection_rate"), Part.NUMERATOR, MONTH, WITHIN_MS, By.SEAT, "8001")


# --- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values_ms", "found"), [([], None), ([7], (7, 7, 7)), ([3, 1, 2, 4], (2, 4, 4))])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values_ms: list[int], found: tuple[int, int, int] | None
) -> None:
    lies = spread(values_ms)
    assert (lies and (lies.median_ms, lies.p95_ms, lies.max_ms)) == found


# --- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize("analyzed", [False, True], ids=["as it is", "analyzed"])
def test_figures_read_their_index_and_no_record(store: Store, analyzed: bool) -> None:
    store.database.conn.execute("ANALYZE" if analyzed else "SELECT 1")
    values = values_of(MONTH, CITY, WITHIN_MS)
    for sql in (counts_sql(None), counts_sql(By.SEAT), counts_sql(By.AGENT), EMERGENCIES_SQL):
        steps = [row[3] for row in store.database.conn.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        index = "records_emergencies" if sql is EMERGENCIES_SQL else "records_in_figures"
        reads = [step for step in steps if step.startswith(("SEARCH", "SCAN"))]
        assert reads[0].startswith(
            f"SEARCH records USING COVERING INDEX {index} (arrived_utc_ms>? AND arrived_utc_ms<?"
        )
        assert {step.split()[1] for step in reads[1:]} == {"drills", "tests"}  # A few a month.


# --- what the documents say ----------------------------------------------------------------------


def test_each_figure_is_documented_as_it_is_and_no_other(project: Path) -> None:
    text = (project / "docs/figures.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert rows == [
        (
            one.id,
            one.zh,
            one.en,
            one.unit.value,
            one.formula,
            one.source,
            ", ".join(by.value for by in By if by in one.by),
        )
        for one in CATALOGUE
    ]


def test_ids_are_single_and_every_average_is_of_a_column_in_the_index(empty: Store) -> None:
    assert len({one.id for one in CATALOGUE}) == len(CATALOGUE)
    assert any(isinstance(one.of, PassedOnIn) for one in CATALOGUE)
    columns = {row["name"] for row in empty.rows("PRAGMA index_info(records_in_figures)")}
    assert {one.of.amount for one in CATALOGUE if isinstance(one.of, Average)} <= columns
