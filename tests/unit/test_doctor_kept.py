"""What the doctor makes of what was seen: settings, disks, lines, names, records, limits."""

import os
import socket
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hotline.doctor import disk, kept, limits, lines, names, plan
from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.folders import Folders
from recordings.drills import DrillRow
from recordings.proof import Fault
from recordings.restarts import Part, Restart
from recordings.standing import Standing
from settings.check import check
from settings.emergencies import routes
from settings.keeping import Postgresql, Records
from settings.shapes import Capacity, Settings
from tests.support.settings_maker import PLAIN, city, write_city

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
TODAY = NOW.date()
DAY_MS = 86_400_000
CITY = city()
ROUTES = routes(CITY.emergencies)
EMERGENCY = {trunk for route in ROUTES for trunk in route.trunks}


def codes(found: Iterable[Finding]) -> list[str]:
    return [one.code for one in found]


# --- settings -------------------------------------------------------------------------------------


def planned(config: Path) -> plan.Planned:
    checked = check(config, TODAY)
    return plan.Planned(config, checked.settings, checked.problems, TODAY)


def told_of_plan(config: Path, today: date = TODAY) -> list[str]:
    return codes(one for one in plan.judge(CITY, planned(config), today) if one.code != "D012")


def test_settings_that_are_installed_are_well_wherever_they_were_read_from(tmp_path: Path) -> None:
    assert told_of_plan(write_city(tmp_path / "config")) == []


def test_settings_that_are_not_live_are_told_by_their_parts(tmp_path: Path) -> None:
    config = write_city(tmp_path / "config", {"city": {**PLAIN["city"], "node": "node2"}})
    (found,) = (one for one in plan.judge(CITY, planned(config), TODAY) if one.code == "D011")
    assert found.matter.endswith("is not what is installed: city")


def test_what_a_problem_quotes_is_not_repeated(tmp_path: Path) -> None:
    blocked = [{"number": "13900000000", "reason": "malicious", "author": "8001", "until": "2020-01-01"}]
    config = write_city(tmp_path / "config", {"blocked": blocked})
    found = list(plan.judge(CITY, planned(config), TODAY))
    assert "blocked.yaml:4 S090" in " ".join(one.matter for one in found)
    assert "13900000000" not in str(found)


def test_a_table_of_holidays_is_told_a_month_before_it_ends(tmp_path: Path) -> None:
    config = write_city(tmp_path / "config")
    assert told_of_plan(config, TODAY + timedelta(days=370)) == []
    assert told_of_plan(config, TODAY + timedelta(days=371)) == ["D013"]


@pytest.mark.parametrize(("hour", "day"), [(15, TODAY), (16, TODAY + timedelta(days=1))])
def test_the_day_is_the_city_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hour: int, day: date) -> None:
    at = NOW.replace(hour=hour)
    case = Case(CITY, Folders(tmp_path / "data"), write_city(tmp_path / "config"), at)
    dialplan = case.folders.etc / "extensions.conf"
    dialplan.parent.mkdir(parents=True)
    dialplan.touch()
    os.utime(dialplan, (at.timestamp(), at.timestamp()))
    looked_at: list[date] = []

    def judge(_installed: Settings, seen: plan.Planned, today: date) -> list[Finding]:
        looked_at.extend(one for one in (seen.compiled, today) if one is not None)
        return []

    monkeypatch.setattr(plan, "judge", judge)
    assert list(plan.findings(case)) == []
    assert looked_at == [day, day]


# --- disks ----------------------------------------------------------------------------------------

MB = 1_000_000
ROOM = disk.Disk(Path("/data"), 1, 100_000 * MB, 10**6, read_only=False)
MARK_MB = CITY.server.recording.stop_below_mb


def told_of_disks(*disks: disk.Disk, reserve: bool = True, a_day: int = 0) -> list[str]:
    return codes(disk.judge(CITY.server, disk.Disks(disks, reserve, a_day)))


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (ROOM, []),
        (replace(ROOM, free_bytes=MARK_MB * MB), []),
        (replace(ROOM, free_bytes=MARK_MB * MB - 1), ["D060"]),
        (replace(ROOM, free_files=9_999), ["D062"]),
        (replace(ROOM, free_files=None), []),
        (replace(ROOM, read_only=True), ["D063"]),
    ],
)
def test_each_disk_is_judged(seen: disk.Disk, told: list[str]) -> None:
    assert told_of_disks(seen) == told


def test_one_disk_is_told_once_and_two_are_told() -> None:
    full = replace(ROOM, free_bytes=0)
    assert told_of_disks(full, full, full, reserve=False) == ["D060"], "a reserve is nothing to ask for then"
    assert told_of_disks(ROOM, replace(ROOM, device=2)) == ["D064"]


def test_a_disk_that_recordings_will_fill_within_a_week_is_told() -> None:
    free = 70 * MB
    seen = replace(ROOM, free_bytes=MARK_MB * MB + free)
    assert told_of_disks(seen, a_day=free // 8) == []
    assert told_of_disks(seen, a_day=free // 6) == ["D061"]
    assert told_of_disks(seen, a_day=-free) == [], "more is removed than comes"


def test_a_missing_reserve_is_told() -> None:
    assert told_of_disks(ROOM, reserve=False) == ["D065"]


# --- lines ----------------------------------------------------------------------------------------


def drilled(result: str = "answered", days: float = 1) -> list[DrillRow]:
    began = NOW_MS - round(days * DAY_MS)
    return [
        DrillRow(n, began, "op", route.number, trunk, route.drill, result, 1, 16, f"ref{n}")
        for n, (route, trunk) in enumerate((route, trunk) for route in ROUTES for trunk in route.trunks)
    ]


def told_of_lines(seen: lines.Lines) -> list[str]:
    return codes(lines.judge(CITY, seen, NOW))


REACHED = dict.fromkeys(CITY.trunks, "Avail")


def test_lines_that_answer_are_well() -> None:
    assert told_of_lines(lines.Lines(REACHED, {"carrier": "Registered"}, drilled())) == []


def test_one_dead_line_of_an_emergency_number_is_told_and_all_of_them_are_told_first() -> None:
    first, *others = ROUTES[0].trunks
    assert told_of_lines(lines.Lines({**REACHED, first: "Unavail"}, {}, drilled())) == ["D071"]
    dead = {**REACHED, **dict.fromkeys((first, *others), "Unavail")}
    told = told_of_lines(lines.Lines(dead, {}, drilled()))
    assert told[0] == "D070"
    assert told.count("D071") == len(ROUTES[0].trunks)


def test_another_dead_line_is_told_and_one_that_asterisk_does_not_know() -> None:
    other = next(ident for ident in CITY.trunks if ident not in EMERGENCY)
    assert told_of_lines(lines.Lines({**REACHED, other: "Unavail"}, {}, drilled())) == ["D072"]
    unknown = {ident: state for ident, state in REACHED.items() if ident != other}
    assert told_of_lines(lines.Lines(unknown, {}, drilled())) == ["D072"]


def test_a_line_that_was_not_tried_yet_is_not_seen() -> None:
    assert set(told_of_lines(lines.Lines(dict.fromkeys(CITY.trunks, "NonQual"), {}, drilled()))) == {"D000"}


def test_a_refused_registration_is_told() -> None:
    assert told_of_lines(lines.Lines(REACHED, {"carrier": "Rejected"}, drilled())) == ["D073"]


def test_nothing_is_said_of_lines_that_no_asterisk_serves() -> None:
    assert told_of_lines(lines.Lines(None, {}, drilled())) == []


def test_drills_count_for_ninety_days_and_the_newest_decides() -> None:
    assert told_of_lines(lines.Lines(REACHED, {}, [])) == ["D074"]
    assert told_of_lines(lines.Lines(REACHED, {}, drilled(days=91))) == ["D074"]
    lines_of_all = len(drilled())
    assert told_of_lines(lines.Lines(REACHED, {}, drilled("busy"))) == ["D075"] * lines_of_all
    assert told_of_lines(lines.Lines(REACHED, {}, [*drilled(), *drilled("busy", 2)])) == []
    assert told_of_lines(lines.Lines(REACHED, {}, [*drilled("put_off"), *drilled("answered", 2)])) == []


# --- names ----------------------------------------------------------------------------------------


def test_names_are_judged() -> None:
    trunk = CITY.trunks["carrier"].model_copy(update={"host": "sip.carrier.invalid"})
    settings = CITY.model_copy(update={"trunks": {**CITY.trunks, "carrier": trunk}})
    assert names.named(settings) == {"sip.carrier.invalid": "trunks.yaml: carrier"}
    seen = names.Names({"sip.carrier.invalid": None}, "node1", 0.01)
    assert codes(names.judge(settings, seen)) == []
    assert codes(names.judge(settings, replace(seen, hosts={"sip.carrier.invalid": "unknown"}))) == ["D080"]
    assert codes(names.judge(settings, replace(seen, own_s=None))) == ["D081"]
    assert codes(names.judge(settings, replace(seen, own_s=3.0))) == ["D081"]


# --- records --------------------------------------------------------------------------------------

STANDS = Standing(
    faults=(), long_running=0, clock_stepped=0, put_aside=0, restarts=(), backed_up_utc_ms=NOW_MS - DAY_MS,
    overdue_utc_ms=None, outbox=0, refused=0, proof_faults=0, outbox_first=None,
)  # fmt: skip
SEEN = kept.Kept("", STANDS, 0, stuck=False)


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (STANDS, []),
        (replace(STANDS, faults=(Fault("record_changed", "ref", 0, "changed"),)), ["D090"]),
        (replace(STANDS, proof_faults=2), ["D090"]),
        (replace(STANDS, long_running=1), ["D091"]),
        (replace(STANDS, clock_stepped=1), ["D053"]),
        (replace(STANDS, put_aside=1), ["D099"]),
        (replace(STANDS, restarts=(Restart(1, Part.ASTERISK, "it died", None, 0, 0, 1),)), ["D008"]),
        (replace(STANDS, backed_up_utc_ms=None), ["D095"]),
        (replace(STANDS, backed_up_utc_ms=NOW_MS - 3 * DAY_MS), ["D095"]),
        (replace(STANDS, overdue_utc_ms=NOW_MS - DAY_MS // 2), []),
        (replace(STANDS, overdue_utc_ms=NOW_MS - 2 * DAY_MS), ["D096"]),
        (replace(STANDS, refused=1), ["D098"]),
        (replace(STANDS, outbox=5, outbox_first=7), []),
    ],
)
def test_what_is_kept_is_judged(standing: Standing, told: list[str]) -> None:
    assert codes(kept.judge(CITY, replace(SEEN, standing=standing), NOW)) == told


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (replace(SEEN, unreadable="it is no database", standing=None), ["D097"]),
        (replace(SEEN, journal_unkept=120), ["D092"]),
        (replace(SEEN, stuck=True), ["D093"]),
    ],
)
def test_what_keeps_it_is_judged(seen: kept.Kept, told: list[str]) -> None:
    assert codes(kept.judge(CITY, seen, NOW)) == told


# --- limits ---------------------------------------------------------------------------------------


def test_limits_are_judged_by_the_capacity() -> None:
    capacity = Capacity(ordinary=400, reserve=100)
    assert codes(limits.judge(capacity, limits.Limits(8_100, ()))) == []
    assert codes(limits.judge(capacity, limits.Limits(8_099, ()))) == ["D100"]
    assert codes(limits.judge(capacity, limits.Limits(None, (limits.Low("shift early", 2, 1),)))) == ["D101"]


# --- the archive ----------------------------------------------------------------------------------


def told_of_archive(folder: Path, records: Records) -> list[str]:
    server = CITY.server.model_copy(update={"records": records})
    settings = CITY.model_copy(update={"server": server})
    return codes(kept.archive_findings(Case(settings, Folders(folder), folder, NOW)))


def test_an_archive_is_told_when_nothing_is_there(tmp_path: Path) -> None:
    assert told_of_archive(tmp_path, Records()) == []
    assert told_of_archive(tmp_path, Records(copy_to=str(tmp_path / "copy.db"))) == []
    assert told_of_archive(tmp_path, Records(copy_to=str(tmp_path / "away" / "copy.db"))) == ["D094"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        postgresql = Postgresql(port=server.getsockname()[1])
        assert told_of_archive(tmp_path, Records(postgresql=postgresql)) == []
    assert told_of_archive(tmp_path, Records(postgresql=postgresql)) == ["D094"]
