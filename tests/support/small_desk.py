"""A desk of three seats and two agents, over a scripted switch."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from calls.live import Device, Seat
from tests.support.desk_over_script import Running, running, until
from tests.support.settings_maker import city
from web.desk import Role, Who

FIXED, FREE, OTHER = Seat("8001"), Seat("8011"), Seat("8012")
LI, WANG = "1001", "1002"
PINS = {LI: "471100", WANG: "836215"}
BOSS = Who("Zhao", Role.SUPERVISOR)
LI_HERSELF = Who("Li", Role.AGENT, LI)
SETTINGS = city(
    answering={
        "ring": "15s",
        "rest": "500ms",
        "seats": {FIXED: {"skills": ["general"]}, FREE: {}, OTHER: {}},
    },
    agents={
        "wrap_up": "1h",
        "pauses": {"rest": {"zh": "休息", "en": "Break"}, "meal": {"zh": "用餐", "en": "Meal"}},
        "agents": {
            LI: {"name": "李", "skills": {"social": 4}},
            WANG: {"name": "王", "skills": {"general": 2}},
        },
    },
    service={"call_back": {"trunk": "carrier", "tries": 2, "again": "1s", "ring": "30s"}},
)


def opened(records: Path) -> AbstractAsyncContextManager[Running]:
    return running(SETTINGS, records, PINS)


def state(of: Running, seat: Seat) -> str:
    return next(one.state for one in of.desk.seats() if one.seat == seat)


async def signed_on(of: Running, agent: str = LI, seat: Seat = FREE) -> None:
    of.switch.seat(seat, Device.FREE)
    await until(lambda: state(of, seat) == "off")
    await of.desk.sign_on(BOSS, agent, seat, None)
    await until(lambda: state(of, seat) == "idle")
