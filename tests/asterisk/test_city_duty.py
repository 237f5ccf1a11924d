"""Nobody is on duty: calls go to the duty officer, and it is told that cover is low, in a city that runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.journal import Overflowed, RoomEntered, TrunkEnded
from calls.record import CallRecord, Outcome
from hotline.stage import until
from phones.behaviour import Answers, Rejects
from phones.voices import voice
from settings.shapes import Settings
from settings.staff import Cover, DutyOfficer, RosterLine, Shift, ShiftsFile
from tests.support.city_watch import (
    GENERAL,
    SOCIAL,
    City,
    next_call,
    no_controller,
    talking,
    unannounced,
    watched,
    with_seats,
)
from tests.support.desk_client import DeskClient, at_the_desk
from tests.support.manned_city import here, nobody_signed_on, offered, sits, with_agents
from tests.support.quick_city import quick_city

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEATS: dict[str, tuple[str, ...]] = {"8011": (), "8012": ()}
AGENTS = {"1001": {"general": 3}, "1002": {"social": 3}}
OFFICER = "13800000000"
AFTER_S = 1.0
ON_DUTY = Answers(after_s=0.2, says=voice("agent", "duty officer"), again=True)


def with_shifts(settings: Settings) -> Settings:
    """Both agents are always planned, at least one of them for general matters, and there is a duty officer."""
    shifts = ShiftsFile.model_validate(
        {
            "shifts": {"day": Shift.model_validate({"name": {"zh": "全天", "en": "All day"}, "hours": "00:00-24:00"})},
            "roster": (RosterLine(shift="day", agents=tuple(AGENTS)),),
            "cover": (Cover(least=1, skill="general"),),
            "duty_officer": DutyOfficer(trunk="carrier", dial=OFFICER, after="1s"),
        }
    )
    return settings.model_copy(update={"shifts": shifts})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    settings = with_seats(with_shifts(unannounced(quick_city())), SEATS, ring_s=3.0, rest_s=0.5)
    settings = with_agents(settings, AGENTS, wrap_up_s=0.0, misses=2)
    async with watched(settings, tmp_path_factory.mktemp("city"), sounds=sounds) as city:
        yield city


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(running: City) -> AsyncIterator[DeskClient]:
    """A supervisor's."""
    async with at_the_desk(running.stage.instance) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def city(running: City, desk: DeskClient) -> City:
    """Nobody calls, nobody is signed on, and no telephone is there but the duty officer's."""
    await nobody_signed_on(desk)
    await running.clear()
    running.stage.carrier.behave = ON_DUTY
    return running


async def officer_talks(city: City) -> None:
    """The duty officer takes the next call, hears the caller, and hangs up."""
    while (taken := await city.stage.carrier.next_call()).over:
        pass
    assert taken.number == OFFICER
    await talking(taken)
    await taken.hang_up()


async def kept_of_officer(city: City, caller: str) -> CallRecord:
    """The record of a caller who talked with the duty officer."""
    record = await city.kept(caller)
    assert (record.outcome, record.overflowed_to) == (Outcome.ANSWERED, "duty")
    assert (record.trunk_out, record.seats, record.agents) == ("carrier", (), ())
    assert record.talk_ms > 0
    return record


async def test_low_cover_is_told_until_enough_agents_with_the_skill_are_on_duty(city: City, desk: DeskClient) -> None:
    duty = await desk.get("/shifts")
    assert (duty["shifts"], duty["planned"], duty["missing"]) == (["day"], ["1001", "1002"], ["1001", "1002"])
    (rule,) = duty["cover"]
    assert (rule["skill"], rule["least"], rule["on_duty"], rule["planned"]) == ("general", 1, 0, 1)
    assert rule["low_from_utc_ms"] is not None
    await here(city, "8011", "8012")
    await sits(desk, "1002", "8012")
    (rule,) = (await desk.get("/shifts"))["cover"]
    assert rule["on_duty"] == 0
    await sits(desk, "1001", "8011")
    duty = await desk.get("/shifts")
    (rule,) = duty["cover"]
    assert (rule["on_duty"], rule["low_from_utc_ms"]) == (1, None)
    assert (duty["present"], duty["missing"]) == (["1001", "1002"], [])
    # Nobody has been there before: the controller said so when it began.
    assert "cover_low" in city.log.read_text().partition("agent_signed_on")[0]


async def test_while_nobody_is_on_duty_who_could_serve_it_a_call_goes_to_the_duty_officer(
    city: City, desk: DeskClient
) -> None:
    pauses, other = city.citizens(2)
    await here(city, "8011", "8012")
    await sits(desk, "1001", "8011")
    await sits(desk, "1002", "8012")
    await desk.post("/agents/1002/pause", reason="meal")
    await city.calls(SOCIAL, pauses)
    await city.wrote(pauses, Overflowed, to="duty")
    await officer_talks(city)
    assert not (await kept_of_officer(city, pauses)).survived
    # Somebody who could serve it is on duty: it waits, however long that one talks.
    placed = await city.calls(GENERAL, other)
    talk = await next_call(city.stage.seats["8011"])
    await talking(talk)
    (waits,) = city.citizens(1)
    waiting = await city.calls(GENERAL, waits)
    await until("a wait longer than the duty officer's", lambda: waiting.heard_s > 2 * AFTER_S)
    await talk.hang_up()
    await placed.ended()
    assert await city.agent("8011", 1) == [waits]
    assert city.steps(waits, Overflowed) == []


async def test_whom_the_duty_officer_does_not_take_waits_again_and_is_served_by_who_comes(
    city: City, desk: DeskClient
) -> None:
    first, second = city.citizens(2)
    city.stage.carrier.behave = Rejects(486)
    await city.calls(GENERAL, first)
    await city.wrote(first, TrunkEnded, trunk="carrier", status="BUSY")
    await city.wrote(first, RoomEntered, times=2)
    await city.until_waiting(1)
    await city.calls(GENERAL, second)
    await city.wrote(second, RoomEntered, times=2)
    serving = city.agent("8011", 2)
    await here(city, "8011")
    await desk.post("/agents/1001/sign-on", seat="8011")
    assert await serving == [first, second]
    assert len({step.t0_ms for step in city.steps(first, RoomEntered)}) == 1
    assert [len(city.steps(caller, Overflowed)) for caller in (first, second)] == [1, 1]
    assert offered(city, first) == [("8011", "1001")]


async def test_the_duty_officer_is_reached_while_the_controller_is_away(city: City, desk: DeskClient) -> None:
    taken, back, late = city.citizens(3)
    await here(city, "8011")
    await sits(desk, "1001", "8011")
    async with no_controller(city):
        await city.calls(SOCIAL, taken)
        await officer_talks(city)
        city.stage.carrier.behave = Rejects(486)
        await city.calls(SOCIAL, back)
        await city.wrote(back, TrunkEnded, trunk="carrier", status="BUSY")
        # Who is signed on is on duty still.
        serving = city.agent("8011", 1)
        await city.calls(GENERAL, late)
        assert await serving == [late]
    await city.until_waiting(1)
    assert (await kept_of_officer(city, taken)).survived
    # Killed as soon as that one was there, the controller knows it still.
    await desk.until_agent("1001", "idle", seat="8011")
    await here(city, "8012")
    serving = city.agent("8012", 1)
    await desk.post("/agents/1002/sign-on", seat="8012")
    assert await serving == [back]
    assert city.steps(late, Overflowed) == []
    assert len({step.t0_ms for step in city.steps(back, RoomEntered)}) == 1
