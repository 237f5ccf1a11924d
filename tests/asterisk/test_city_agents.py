"""Agents sign on, pause, take notes and leave, in a city that runs: whose callers go where, and what is kept of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from calls.journal import RoomEntered, SeatMissed
from hotline.stage import agent, until
from phones.behaviour import Rejects
from phones.ears import Ears, until_heard
from recordings.duty import DutyRow
from tests.support.city_watch import (
    GENERAL,
    SOCIAL,
    City,
    next_call,
    talking,
    unannounced,
    watched,
    with_seats,
)
from tests.support.desk_client import DeskClient, at_the_desk
from tests.support.manned_city import (
    comes,
    dials,
    duty_of,
    here,
    nobody_signed_on,
    offered,
    served_by,
    signs_on,
    sits,
    with_agents,
    with_wrap_up,
)
from tests.support.quick_city import quick_city
from web.desk import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEATS: dict[str, tuple[str, ...]] = {"8001": ("general",), "8011": (), "8012": ()}
AGENTS = {
    "1001": {"general": 3},
    "1002": {"social": 3},
    "1003": {"general": 2, "social": 4},
    "1004": {"general": 3},
    "1005": {"general": 3},
}
MISSES = 2
LONG_S = 600.0
"""For notes after a talk about social security: nobody waits for its end here."""
HEARD = {"desk_on": "您已经签入，请接听。", "desk_taken": "此座席已有其他人员签入。"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    settings = with_seats(unannounced(quick_city(heard=HEARD)), SEATS, ring_s=3.0, rest_s=0.5)
    settings = with_wrap_up(with_agents(settings, AGENTS, wrap_up_s=0.5, misses=MISSES), SOCIAL, LONG_S)
    async with watched(settings, tmp_path_factory.mktemp("city"), sounds=sounds) as city:
        yield city


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(running: City) -> AsyncIterator[DeskClient]:
    """A supervisor's."""
    async with at_the_desk(running.stage.instance) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def city(running: City, desk: DeskClient) -> City:
    """Nobody calls, nobody is signed on, and no telephone is there: a test lets those come that it needs."""
    await nobody_signed_on(desk)
    await running.clear()
    return running


# --- telephones --------------------------------------------------------------------------------


async def test_who_signs_on_by_telephone_gets_the_callers_of_its_skills_until_it_signs_off(
    city: City, desk: DeskClient
) -> None:
    general, social, again, late = city.citizens(4)
    phone = city.stage.seats["8011"]
    await phone.register()
    await city.calls(GENERAL, general)
    await city.calls(SOCIAL, social)
    serving = city.agent("8011", 2)
    assert await signs_on(city, "8011", "1002") == "desk_on"
    await city.kept(social)
    ears = Ears({prompt: city.stage.catalogue.samples(prompt, "zh") for prompt in HEARD})
    signing = next(call for call in phone.calls if call.number == "*11")
    assert (await until_heard(ears, lambda: signing.heard, "desk_on")).prompt == "desk_on"
    assert await dials(city, "8011", "*13", "2") == "desk_paused"
    await desk.until_agent("1002", "paused", reason="meal")
    await city.calls(SOCIAL, again)
    assert await dials(city, "8011", "*14") == "desk_ready"
    assert await serving == [social, again]
    assert await dials(city, "8011", "*12") == "desk_off"
    assert (await desk.get("/agents/1002"))["state"] == "offline"
    await city.calls(SOCIAL, late)
    await city.until_waiting(2)
    assert offered(city, social) == offered(city, again) == [("8011", "1002")]
    assert offered(city, general) == offered(city, late) == []


async def test_a_telephone_hears_why_somebody_is_not_signed_on(city: City, desk: DeskClient) -> None:
    await here(city, "8001", "8011", "8012")
    await comes(desk, "1001", "8012")

    async def at_a_taken_seat() -> None:
        assert await signs_on(city, "8012", "1003") == "desk_taken"
        assert await dials(city, "8012", "*13", "9") == "desk_wrong"

    async def at_an_empty_seat() -> None:
        assert await dials(city, "8011", "*11", "4444#", "000000#") == "desk_wrong"
        assert await dials(city, "8011", "*12") == "desk_not_on"

    await asyncio.gather(at_a_taken_seat(), at_an_empty_seat(), locked_out(city, desk, "1005", "8001"))
    await desk.until_agent("1001", "idle", seat="8012")
    assert (await desk.get("/seats/8011"))["agent"] is None


async def locked_out(city: City, desk: DeskClient, who: str, seat: str) -> None:
    """Five wrong PINs in a row, some by telephone, lock an agent out until a supervisor helps."""
    pin = city.stage.instance.secrets.agents[who]
    async with at_the_desk(city.stage.instance, Role.AGENT, who) as own:
        for _ in range(4):
            assert await own.refused(f"/agents/{who}/sign-on", seat=seat, pin="00") == "wrong_pin"
        assert await dials(city, seat, "*11", f"{who}#", "00#") == "desk_wrong"
        assert await own.refused(f"/agents/{who}/sign-on", seat=seat, pin=pin) == "locked"
        assert await signs_on(city, seat, who) == "desk_locked"
    assert (await desk.get(f"/agents/{who}"))["state"] == "offline"
    await sits(desk, who, seat)
    assert pin not in city.log.read_text()


async def test_an_agent_who_goes_to_another_seat_takes_its_callers_along(city: City, desk: DeskClient) -> None:
    first, second = city.citizens(2)
    await here(city, "8011", "8012")
    pin = city.stage.instance.secrets.agents["1001"]
    async with at_the_desk(city.stage.instance, Role.AGENT, "1001") as own:
        view = await own.post("/agents/1001/sign-on", seat="8011", pin=pin)
        assert (view["state"], view["seat"]) == ("idle", "8011")
        assert await own.refused("/agents/1003/sign-on", seat="8012", pin=pin) == "not_yours"
        serving = city.agent("8011", 1)
        await city.calls(GENERAL, first)
        assert await serving == [first]
        assert await signs_on(city, "8012", "1001") == "desk_on"
        assert (await desk.get("/seats/8011"))["state"] == "off"
        serving = city.agent("8012", 1)
        await city.calls(GENERAL, second)
        assert await serving == [second]
    assert (offered(city, first), offered(city, second)) == ([("8011", "1001")], [("8012", "1001")])


async def test_who_signs_on_at_a_seat_with_skills_of_its_own_brings_others(city: City, desk: DeskClient) -> None:
    general, social = city.citizens(2)
    await here(city, "8001")
    await sits(desk, "1002", "8001")
    await city.calls(GENERAL, general)
    serving = city.agent("8001", 2)
    await city.calls(SOCIAL, social)
    await city.kept(social)
    assert offered(city, general) == []
    await desk.post("/agents/1002/sign-off")
    assert await serving == [social, general]
    assert (offered(city, social), offered(city, general)) == ([("8001", "1002")], [("8001", "")])


# --- states ------------------------------------------------------------------------------------


async def test_everything_that_an_agent_does_is_kept_and_adds_up_to_the_day(city: City, desk: DeskClient) -> None:
    (caller,) = city.citizens(1)
    phone = city.stage.seats["8011"]
    await phone.register()
    await sits(desk, "1004", "8011")
    await until(
        "the sign-on to be kept", lambda: duty_of(city, "1004")[-1:] and duty_of(city, "1004")[-1].state == "idle"
    )
    began = len(duty_of(city, "1004"))
    await desk.post("/agents/1004/pause", reason="break")
    await desk.post("/agents/1004/ready")
    await city.calls(GENERAL, caller)
    taken = await next_call(phone)
    await talking(taken)
    await desk.until_agent("1004", "talking")
    await taken.hang_up()
    await desk.until_agent("1004", "wrap_up")
    await desk.until_agent("1004", "idle")
    await phone.unregister()
    await desk.until_agent("1004", "unreachable")
    await phone.register()
    await desk.until_agent("1004", "idle")
    await desk.post("/agents/1004/sign-off")
    ref = (await city.kept(caller)).ref

    def kept() -> list[DutyRow]:
        rows = duty_of(city, "1004")[began:]
        return rows if rows and rows[-1].state == "offline" else []

    rows: list[DutyRow] = await until("the end of duty", kept, seen=lambda: duty_of(city, "1004"))
    assert [(row.seat, row.state, row.reason, row.call) for row in rows] == [
        ("8011", "paused", "break", None),
        ("8011", "idle", "", None),
        ("8011", "ringing", "", ref),
        ("8011", "talking", "", ref),
        ("8011", "wrap_up", "", None),
        ("8011", "idle", "", None),
        ("8011", "unreachable", "", None),
        ("8011", "idle", "", None),
        ("8011", "offline", "", None),
    ]
    assert sorted(row.at_utc_ms for row in rows) == [row.at_utc_ms for row in rows]
    await adds_up(city, desk, rows[-1].at_utc_ms)


async def adds_up(city: City, desk: DeskClient, at_utc_ms: int) -> None:
    """The totals of the day of that moment are those of all of it until now, offline included."""
    zone = ZoneInfo(city.stage.instance.settings.city.timezone)
    today = datetime.fromtimestamp(at_utc_ms / 1000, zone).date()
    begin, end = (datetime.combine(today + timedelta(days=more), time.min, zone) for more in (0, 1))

    def passed_ms() -> int:
        return round((min(datetime.now(zone), end) - begin).total_seconds() * 1000)

    before_ms = passed_ms()
    totals = await desk.get(f"/agents/1004/totals?day={today}")
    after_ms = passed_ms()
    assert {one["agent"] for one in totals} == {"1004"}
    assert before_ms <= sum(one["total_ms"] for one in totals) + 1
    assert sum(one["total_ms"] for one in totals) <= after_ms + 1
    times = {(one["state"], one["reason"]): one["times"] for one in totals if one["state"] not in ("idle", "offline")}
    kept = [(row.state, row.reason) for row in duty_of(city, "1004") if row.state not in ("idle", "offline")]
    assert {("paused", "break"), ("ringing", ""), ("talking", ""), ("unreachable", ""), ("wrap_up", "")} == set(kept)
    assert times == {state: kept.count(state) for state in kept}
    every = await desk.get(f"/totals?day={today}")
    assert {(one["state"], one["times"]) for one in every if one["agent"] == "1004"} == {
        (one["state"], one["times"]) for one in totals
    }


async def test_nobody_rings_who_takes_notes_or_pauses_until_it_is_ready(city: City, desk: DeskClient) -> None:
    first, second, third, fourth = city.citizens(4)
    phone = city.stage.seats["8011"]
    await phone.register()
    await sits(desk, "1002", "8011")
    serving = city.agent("8011", 1)
    await city.calls(SOCIAL, first)
    assert await serving == [first]
    await desk.until_agent("1002", "wrap_up")
    await city.calls(SOCIAL, second)
    assert await served_by(city, desk, "1003", 1) == [second]
    assert offered(city, second) == [("8012", "1003")]
    await city.calls(SOCIAL, third)
    await desk.post("/agents/1002/ready")
    taken = await next_call(phone)
    await talking(taken)
    await desk.post("/agents/1002/pause", reason="training")
    assert (await desk.get("/agents/1002"))["state"] == "talking"
    await taken.hang_up()
    await desk.until_agent("1002", "paused", reason="training")
    await city.calls(SOCIAL, fourth)
    assert await served_by(city, desk, "1003", 1) == [fourth]
    assert offered(city, fourth) == [("8012", "1003")]


async def test_who_misses_several_callers_is_paused_and_they_stay_first_in_line(city: City, desk: DeskClient) -> None:
    first, second, third = city.citizens(3)
    for caller in (first, second):
        await city.calls(GENERAL, caller)
    await city.until_waiting(2)
    phone = city.stage.seats["8011"]
    phone.behave = Rejects(486)
    await phone.register()
    await desk.post("/agents/1001/sign-on", seat="8011")
    await desk.until_agent("1001", "paused", reason="missed")
    assert await served_by(city, desk, "1003", 2) == [first, second]
    assert [step.why for step in city.steps(first, SeatMissed, seat="8011")] == ["BUSY"] * MISSES
    assert offered(city, second) == [("8012", "1003")]
    assert len({step.t0_ms for step in city.steps(first, RoomEntered)}) == 1
    phone.behave = agent("8011")
    await city.calls(GENERAL, third)
    assert await dials(city, "8011", "*14") == "desk_ready"
    assert await city.agent("8011", 1) == [third]


async def test_a_seat_that_telephones_by_itself_never_rings(city: City, desk: DeskClient) -> None:
    first, second = city.citizens(2)
    phone = city.stage.seats["8011"]
    await phone.register()
    await sits(desk, "1001", "8011")
    own = await phone.call("110")
    await own.answered()
    await desk.until_agent("1001", "busy")
    await city.calls(GENERAL, first)
    assert await served_by(city, desk, "1003", 1) == [first]
    await city.calls(GENERAL, second)
    await own.hang_up()
    assert await city.agent("8011", 1) == [second]
    assert offered(city, first) == [("8012", "1003")]
