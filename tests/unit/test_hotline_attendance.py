"""After a long standstill nobody is signed on any more, as of the moment when Asterisk was there last."""

import asyncio
import os
from pathlib import Path

import pytest

from calls.live import Device, Seat
from hotline.attendance import Attendance
from hotline.controller import utc_ms
from recordings.duty import Duty, DutyRow
from recordings.store import Store
from tests.support.desk_over_script import running, until
from tests.support.settings_maker import city
from web.desk import Role, Who

KEPT_MS = 900_000
HOUR_MS = 3_600_000
BOSS = Who("Zhao", Role.SUPERVISOR)
SEATS = ("8011", "8012")
SETTINGS = city(
    answering={"seats": {"8001": {"skills": ["general"]}, "8011": {}, "8012": {}}},
    agents={"agents": {who: {"name": who, "skills": {"general": 2}} for who in ("1001", "1002")}},
)


def seen_at(folder: Path, at_utc_ms: int) -> Path:
    seen = folder / "asterisk.seen"
    seen.touch()
    os.utime(seen, ns=(at_utc_ms * 1_000_000,) * 2)
    return seen


@pytest.mark.parametrize(
    ("seen_ms", "booted_ms", "away"),
    [
        (-HOUR_MS, -HOUR_MS + KEPT_MS, False),
        (-HOUR_MS, -HOUR_MS + KEPT_MS + 1, True),
        (-HOUR_MS, -2 * HOUR_MS, False),  # Only the controller was away.
        (-HOUR_MS, None, False),
        (HOUR_MS, 0, False),  # The clock was set back.
    ],
)
def test_a_standstill_is_the_time_from_the_last_answer_to_the_next_start(
    tmp_path: Path, seen_ms: int, booted_ms: int | None, away: bool
) -> None:
    now_ms = utc_ms()
    seen = seen_at(tmp_path, now_ms + seen_ms)
    attendance = Attendance(seen, lambda: None if booted_ms is None else now_ms + booted_ms, KEPT_MS)
    assert attendance.back() == (now_ms + seen_ms if away else None)
    assert attendance.back() is None
    assert seen.stat().st_mtime_ns // 1_000_000 >= now_ms


def test_where_asterisk_was_never_seen_nothing_is_known(tmp_path: Path) -> None:
    attendance = Attendance(tmp_path / "asterisk.seen", utc_ms, 0)
    assert attendance.back() is None
    assert attendance.seen.stat().st_mode & 0o777 == 0o600


async def test_asterisk_is_seen_only_while_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.attendance.TOUCH_S", 0.0)
    asked: list[bool] = []
    there = False

    def answers() -> bool:
        asked.append(there)
        return there

    seen = tmp_path / "asterisk.seen"
    task = asyncio.create_task(Attendance(seen, lambda: None, 0).run(answers))
    await until(lambda: len(asked) > 3)
    assert not seen.exists()
    there = True
    await until(seen.exists)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_after_a_long_standstill_everybody_signs_on_again(tmp_path: Path) -> None:
    records = tmp_path / "records.db"
    long_ago_ms = utc_ms() - 10 * HOUR_MS
    with Store(records) as store:
        Duty(store).add(
            [
                DutyRow("8011", "1001", "idle", "", None, long_ago_ms - HOUR_MS),
                DutyRow("8012", "1002", "paused", "", None, long_ago_ms + 7),
            ]
        )
    async with running(SETTINGS, records, {"1001": "1", "1002": "2"}, back=iter([long_ago_ms, None]).__next__) as city_:
        assert [one.seat for one in city_.desk.agents()] == [None, None]
        for seat in SEATS:
            city_.switch.seat(Seat(seat), Device.FREE)
        await city_.desk.sign_on(BOSS, "1001", "8011", None)
        await until(lambda: [one.state for one in city_.desk.agents()] == ["idle", "offline"])
        totals = await city_.office.in_turn(
            lambda books: books.duty.totals(long_ago_ms - HOUR_MS, long_ago_ms + HOUR_MS, utc_ms())
        )
    assert [(one.agent, one.state, one.total_ms) for one in totals if one.state != "offline"] == [
        ("1001", "idle", HOUR_MS)
    ]
