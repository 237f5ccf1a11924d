"""What crosses on a real Asterisk: callers, agents and commands, while the controller dies, hangs and comes back."""

import asyncio
import itertools
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from calls.journal import Held, Joined
from calls.record import CallRecord, Outcome
from hotline.stage import agent, until
from phones.behaviour import Answers, Rejects, Rings
from phones.taken import TakenCall
from phones.voices import voice
from settings.shapes import Settings, Skill, WaitStep
from tests.support.aftermath import LEAVING_MS, legs, passed_over, together, torn
from tests.support.city_watch import (
    GENERAL,
    HOUSING,
    SOCIAL,
    City,
    controller,
    hearing_on,
    next_call,
    no_controller,
    talking,
    unannounced,
    watched,
    with_priority,
    with_seats,
)
from tests.support.desk_client import DeskClient, at_the_desk
from tests.support.manned_city import nobody_signed_on, with_agents
from tests.support.quick_city import EXAMPLE, quick_city
from tests.support.storm import Citizen, Nature, Storm, crowd
from web.tokens import command_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = {
    "1001": {"general": 4, "social": 3},
    "1002": {"general": 4},
    "1003": {"general": 3, "housing": 3},
    "1004": {"general": 2, "social": 5},
    "1005": {"general": 3, "social": 1},
    "1006": {"social": 4, "housing": 4},
}
SIGNED_ON = {f"700{agent[-1]}": agent for agent in AGENTS}
STORM_S = 17.0
SEED = int(os.environ.get("HOTLINE_STORM", "12345"))
"""The same storm at each run, as far as the machine is the same; another number looks for other crossings."""

_numbers = itertools.count(13500000000)


def settings() -> Settings:
    """A speciality is first for those who know it well, and after a few seconds for others, too."""
    city = with_priority(unannounced(quick_city()), HOUSING, 2)
    city = with_agents(city, AGENTS, wrap_up_s=0.4, misses=2)
    city = with_seats(city, dict.fromkeys(SIGNED_ON, ()), ring_s=2.0, rest_s=0.5)
    steps = tuple(
        WaitStep.model_validate(step) for step in ({"after": "3s", "level": 1}, {"after": "6s", "also": "general"})
    )
    special = {ident: _special(city.skills[ident], steps) for ident in ("social", "housing")}
    call_back = city.service.call_back
    assert call_back is not None
    service = city.service.model_copy(
        update={"call_back": call_back.model_copy(update={"again": 2.0, "ring": 20.0, "tries": 9})}
    )
    return city.model_copy(update={"skills": {**city.skills, **special}, "service": service})


def _special(skill: Skill, steps: tuple[WaitStep, ...]) -> Skill:
    return skill.model_copy(update={"level": 3, "steps": steps})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    async with watched(settings(), tmp_path_factory.mktemp("city"), sounds=sounds) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(city: City) -> AsyncIterator[DeskClient]:
    async with at_the_desk(city.stage.instance) as client:
        yield client


@pytest.mark.timeout(480)  # On a machine at load 17 it was not over after 180 s, and nothing was wrong.
async def test_a_storm_loses_nobody_and_leaves_nothing_behind(city: City, desk: DeskClient) -> None:
    chance = Random(SEED)  # noqa: S311 - the same storm at each run
    await city.everybody_hangs_up()
    for phone in city.stage.seats.values():
        phone.behave = Rings()
    storm = Storm(city, desk, SIGNED_ON, chance)
    natures = {
        Nature.PATIENT: 34,
        Nature.IMPATIENT: 9,
        Nature.SKITTISH: 7,
        Nature.CALL_BACK: 6,
        Nature.EMERGENCY: 4,
    }
    citizens = crowd(chance, {GENERAL: 6, SOCIAL: 3, HOUSING: 2}, natures, STORM_S)
    async with storm.manned():
        await storm.all_idle()
        async with asyncio.TaskGroup() as group:
            group.create_task(controllers_die(city))
            group.create_task(telephones_refuse(city))
            group.create_task(calms_down(storm))
            group.create_task(storm.blow(citizens))
        await nobody_is_lost(city, desk, citizens)
        assert storm.second_calls == [], "a telephone rang that had a call"
        await storm.all_idle()
        await every_seat_serves(city, storm)
    nothing_crossed(city)


async def controllers_die(city: City) -> None:
    """Killed and started again; hung and waking up; killed and away for longer than callers wait for it."""
    await asyncio.sleep(3.0)
    os.kill(await controller(city), signal.SIGKILL)
    await asyncio.sleep(4.0)
    hung = await controller(city)
    os.kill(hung, signal.SIGSTOP)
    await asyncio.sleep(5.0)
    os.kill(hung, signal.SIGCONT)
    await asyncio.sleep(2.0)
    async with no_controller(city):
        await asyncio.sleep(4.5)


async def telephones_refuse(city: City) -> None:
    """For a while nobody takes a call back."""
    city.stage.carrier.behave = Rejects(486)
    await asyncio.sleep(6.0)
    city.stage.carrier.behave = Answers(after_s=0.3, says=voice("caller", "called back"), again=True)


async def calms_down(storm: Storm) -> None:
    await asyncio.sleep(STORM_S + 1.0)
    storm.calm = True


async def nobody_is_lost(city: City, desk: DeskClient, citizens: list[Citizen]) -> None:
    """Every call has one record that has ended; whoever stayed was served, and whoever was to be called back was."""
    records = {citizen.caller: await city.kept(citizen.caller) for citizen in citizens}
    outcomes = {nature: Counter[Outcome]() for nature in Nature}
    for citizen in citizens:
        outcomes[citizen.nature][records[citizen.caller].outcome] += 1
    assert set(outcomes[Nature.PATIENT]) == {Outcome.ANSWERED}, outcomes
    assert set(outcomes[Nature.CALL_BACK]) <= {Outcome.ANSWERED, Outcome.CALL_BACK}, outcomes
    assert set(outcomes[Nature.EMERGENCY]) <= {Outcome.ANSWERED, Outcome.EMERGENCY}, outcomes
    wanted = [record for record in records.values() if record.outcome is Outcome.CALL_BACK]
    await until("everybody called back", lambda: all(reached(city, one) for one in wanted))
    entries = await desk.get("/call-backs?every=true")
    assert len({entry["caller"] for entry in entries}) == len(entries)
    states = {entry["caller"]: entry["state"] for entry in entries}
    assert {states[one.caller] for one in wanted} <= {"reached"}
    missed = {one.caller for one in records.values() if one.outcome is Outcome.ABANDONED}
    assert missed <= states.keys()
    assert not {entry["state"] for entry in entries} & {"waiting", "dialling"}
    everything = Counter(record.caller for record in city.records() if record.call_back_of is None)
    assert {everything[citizen.caller] for citizen in citizens} == {1}
    assert not [record for record in city.records() if record.running]


def reached(city: City, first: CallRecord) -> bool:
    """Whether a caller was called back and somebody talked; never twice."""
    again = [one for one in city.records() if one.call_back_of == first.ref and one.talk_ms and not one.running]
    assert len(again) < 2, again
    return bool(again)


async def every_seat_serves(city: City, storm: Storm) -> None:
    """No seat was left unusable: with enough callers at once each of them rings."""
    callers = [str(13699000000 + one) for one in range(3 * len(SIGNED_ON))]
    numbers = [GENERAL, GENERAL, SOCIAL, HOUSING]
    await storm.blow([Citizen(one, numbers[int(one) % 4], Nature.PATIENT, 0.0) for one in callers])
    records = [await city.kept(caller) for caller in callers]
    assert {record.outcome for record in records} == {Outcome.ANSWERED}
    assert {seat for record in records for seat in record.seats} == set(SIGNED_ON)


def nothing_crossed(city: City) -> None:
    """By the journal: one seat at a time for a caller, one caller at a time for a seat, each in its turn.

    Also while callers are taken back out of survival queues; see `passed_over` for what has no order.
    """
    rows = city.journal()
    rang = legs(rows, SIGNED_ON)
    assert len(rang) > 40
    for seat in SIGNED_ON:
        assert together(((leg.rang_us, leg.ended_us) for leg in rang if leg.seat == seat), LEAVING_MS * 1000) == [], (
            seat
        )
    for linkedid in {leg.linkedid for leg in rang}:
        talked = [(leg.answered_us, leg.ended_us) for leg in rang if leg.linkedid == linkedid and leg.answered_us]
        assert together(talked, LEAVING_MS * 1000) == [], [leg for leg in rang if leg.linkedid == linkedid]
    assert passed_over(rows, city.stage.instance.settings) == []
    assert torn(rows, SIGNED_ON) == []
    said = city.log.read_text()
    assert "Traceback" not in said
    assert not [word for word in ("desk_failed", "duty_not_kept", "unreadable") if word in said]


async def test_a_second_controller_refuses_and_the_first_steers_on(city: City, desk: DeskClient) -> None:
    (caller,) = await nobody_serves(city, desk, 1)
    first = await controller(city)
    token = command_token(city.stage.instance.folders.data).read_bytes()
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hotline.node", city.stage.instance.folders.data),
        cwd=EXAMPLE.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await second.communicate()
    assert second.returncode == 1
    (line,) = said.decode().splitlines()
    assert f"a controller runs already in {city.stage.instance.folders.data} (process {first})" in line
    assert "stop it first" in line
    await city.calls(GENERAL, caller)
    serving = city.agent("7002", 1)
    await desk.post("/agents/1002/sign-on", seat="7002")
    assert await serving == [caller]
    assert await controller(city) == first
    assert command_token(city.stage.instance.folders.data).read_bytes() == token


async def test_who_is_being_called_back_when_the_controller_dies_is_called_once(city: City, desk: DeskClient) -> None:
    (caller,) = await nobody_serves(city, desk, 1)
    carrier = city.stage.carrier
    carrier.behave = Rings()
    placed = await city.calls(GENERAL, caller)
    await placed.press("1")
    first = await city.kept(caller)
    assert first.outcome is Outcome.CALL_BACK
    await desk.post("/agents/1002/sign-on", seat="7002")
    ringing = await called_back(city, caller)
    os.kill(await controller(city), signal.SIGKILL)
    await city.until_steering()
    await desk.until_seat("7002", "idle")
    serving = asyncio.ensure_future(city.stage.seats["7002"].next_call())
    assert ringing.answer()
    taken = await serving
    await talking(taken)
    assert taken.caller == caller
    states = {one["caller"]: one["state"] for one in await desk.get("/call-backs?every=true")}
    assert states[caller] in ("dialling", "reached")
    await hearing_on(ringing, taken)
    await taken.hang_up()
    await until("the caller was reached", lambda: reached(city, first))
    await until("nobody is to be called", lambda: nobody_open(desk))
    assert [one.number for one in carrier.dialled].count(caller) == 1


async def test_a_held_caller_is_taken_back_after_the_controllers_death(city: City, desk: DeskClient) -> None:
    (caller,) = await nobody_serves(city, desk, 1)
    placed = await city.calls(GENERAL, caller)
    await desk.post("/agents/1002/sign-on", seat="7002")
    taken = await next_call(city.stage.seats["7002"])
    await talking(taken)
    at = await desk.until_seat("7002", "talking")
    await desk.post(f"/calls/{at['call']}/hold")
    await city.wrote(caller, Held, seat="7002")
    os.kill(await controller(city), signal.SIGKILL)
    await city.until_steering()
    again = await desk.until_seat("7002", "talking")
    assert (again["agent"], again["call"]) == ("1002", at["call"])
    await desk.post(f"/calls/{at['call']}/retrieve")
    await city.wrote(caller, Joined)
    await hearing_on(placed, taken)
    await taken.hang_up()
    record = await city.kept(caller)
    assert (record.outcome, record.seats, record.agents) == (Outcome.ANSWERED, ("7002",), ("1002",))


async def nobody_serves(city: City, desk: DeskClient, callers: int) -> list[str]:
    """Nobody calls, and nobody is signed on; telephones answer. Callers whom no other test knows."""
    await city.send_away()
    await city.everybody_hangs_up()
    for seat, phone in city.stage.seats.items():
        phone.behave = agent(seat)
    city.stage.carrier.behave = Rings()
    await city.until_steering()
    await nobody_signed_on(desk)
    return [str(next(_numbers)) for _ in range(callers)]


async def called_back(city: City, caller: str) -> TakenCall:
    """The call back rings there."""

    def rings() -> TakenCall | None:
        calls = (call for call in city.stage.carrier.calls if isinstance(call, TakenCall))
        return next((call for call in calls if call.number == caller and not call.over), None)

    found: TakenCall = await until(f"{caller} is called back", rings)
    return found


async def nobody_open(desk: DeskClient) -> bool:
    entries = await desk.get("/call-backs?every=true")
    return not any(one["state"] in ("waiting", "dialling") for one in entries)
