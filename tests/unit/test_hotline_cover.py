"""Too few people are on duty: said once when it begins, and once when it is over."""

from datetime import UTC, datetime
from pathlib import Path

from structlog.testing import capture_logs

from calls.live import Device, Seat
from tests.support.desk_over_script import Running, running, until
from tests.support.settings_maker import city
from web.desk import Role, Who

BOSS = Who("Zhao", Role.SUPERVISOR)
SETTINGS = city(
    answering={"seats": {"8011": {}, "8012": {}}},
    agents={
        "pauses": {"meal": {"zh": "用餐", "en": "Meal"}},
        "agents": {
            "1001": {"name": "李", "skills": {"social": 4}},
            "1002": {"name": "王", "skills": {"general": 2}},
        },
    },
    shifts={
        "shifts": {"day": {"name": {"zh": "全天", "en": "All day"}, "hours": "00:00-24:00"}},
        "roster": [{"shift": "day", "agents": ["1001", "1002"]}],
        "cover": [{"least": 1, "skill": "general"}],
    },
)


async def comes(of: Running, agent: str, seat: Seat) -> None:
    of.switch.seat(seat, Device.FREE)
    await of.desk.sign_on(BOSS, agent, seat, None)
    await until(lambda: next(one.state for one in of.desk.agents() if one.agent == agent) == "idle")


async def test_low_cover_and_its_end_are_each_told_once(tmp_path: Path) -> None:
    async with running(SETTINGS, tmp_path / "records.db", {}) as city_:
        told: list[str] = []

        def looked() -> list[str]:
            """What was told so far, after two more looks."""
            with capture_logs() as logs:
                for _ in range(2):
                    city_.desk.cover.look(datetime.now(UTC))
            told.extend(one["event"] for one in logs)
            return told

        await until(lambda: city_.desk.cover.view(datetime.now(UTC)).cover)
        looked()
        told.clear()  # The desk itself may have looked before.
        await comes(city_, "1001", Seat("8011"))
        assert looked() == []
        await comes(city_, "1002", Seat("8012"))
        assert looked() == ["cover_good"]
        await city_.desk.pause(BOSS, "1002", "meal")
        assert looked() == ["cover_good", "cover_low"]
