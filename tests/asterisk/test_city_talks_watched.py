"""Supervisors take part in talks, telephones and the controller die in their midst, in a city that runs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.journal import RoomEntered, SeatOffered
from calls.record import Side
from phones.behaviour import Answers
from phones.call import Call
from phones.telephone import Telephone
from tests.support.city_watch import (
    GENERAL,
    SOCIAL,
    no_controller,
)
from tests.support.desk_client import at_the_desk
from tests.support.hearing import hear, hear_one_another
from tests.support.talking import Desks, rung, talkative
from web.desk import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everybody(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[Desks]:
    async with talkative(tmp_path_factory.mktemp("city"), sounds, first=13510000000) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def desks(everybody: Desks) -> Desks:
    await everybody.clear()
    return everybody


async def test_a_caller_may_hang_up_while_held_and_an_agents_telephone_may_die_while_it_asks(desks: Desks) -> None:
    city = desks.city
    await desks.sit("8001", "8011", "8012")
    gone = await desks.talk("8001")
    server, password = city.stage.seats["8001"].server, city.stage.instance.secrets.seats["8009"]
    async with Telephone("8009", server, password=password, behave=Answers()) as phone:
        await desks.desk.post("/agents/1009/sign-on", seat="8009")
        lost = await desks.talk("8009", phone=phone)
        await asyncio.gather(gone.act("consult", to={"seat": "8011"}), lost.act("consult", to={"seat": "8012"}))
        asked, other = await rung(city, "8011"), await rung(city, "8012")
        await gone.placed.hang_up()
        await hear_one_another({"agent": gone.leg, "other": asked})
        await gone.leg.hang_up()
        await asked.ended()
        await gone.handed_over()
        await desks.desk.post("/agents/1001/pause", reason="break")
        later = desks.citizen()
        await city.calls(GENERAL, later)
        await phone.die()
    await city.wrote(lost.caller, RoomEntered, times=2)
    await other.ended()
    await desks.desk.post("/agents/1001/ready")
    assert await city.agent("8001", 2) == [lost.caller, later]
    for agent in ("1011", "1012"):
        await desks.desk.until_agent(agent, "idle")
    record = await gone.kept()
    assert (record.hung_up_by, record.seats) == (Side.CALLER, ("8001", "8011"))
    assert (await lost.kept()).seats == ("8009", "8012", "8001")


# --- supervisors -------------------------------------------------------------------------------


async def test_a_supervisor_listens_whispers_or_takes_part_and_it_is_noted(desks: Desks) -> None:
    watching = {"8021": "listen", "8022": "whisper", "8023": "barge"}
    await desks.sit("8001")
    talks = [await desks.talk("8001"), await desks.talk_next("8002"), await desks.talk_next("8003")]
    await asyncio.gather(*(desks.city.stage.seats[seat].register() for seat in watching))
    assert await desks.desk.refused("/seats/8004/watch", by="8021", how="listen") == "not_talking"
    assert await desks.desk.refused("/seats/8001/watch", by="8002", how="listen") == "seat_not_free"
    ears: list[Call] = []
    for talk, (seat, how) in zip(talks, watching.items(), strict=True):
        await desks.desk.post(f"/seats/{talk.seat}/watch", by=seat, how=how)
        ears.append(await rung(desks.city, seat))
    for how, talk, supervisor in zip(watching.values(), talks, ears, strict=True):
        await hear(
            {"caller": talk.placed, "agent": talk.leg, "supervisor": supervisor},
            {
                "supervisor": ["caller", "agent"],
                "agent": ["caller"] if how == "listen" else ["caller", "supervisor"],
                "caller": ["agent", "supervisor"] if how == "barge" else ["agent"],
            },
        )
    for talk, supervisor in zip(talks, ears, strict=True):
        await talk.placed.hang_up()
        await supervisor.ended()
        await talk.handed_over()
    async with at_the_desk(desks.city.stage.instance, Role.AUDITOR) as auditor:
        noted = [entry for entry in await auditor.get("/audit?limit=20") if entry["did"] in watching.values()]
    assert [(entry["did"], entry["role"], entry["what"]) for entry in noted[: len(watching)]] == [
        (how, "supervisor", {"seat": talk.seat, "by": seat})
        for talk, (seat, how) in reversed(list(zip(talks, watching.items(), strict=True)))
    ]


async def test_a_supervisor_takes_over_what_it_listens_to_and_signs_the_agent_off(desks: Desks) -> None:
    city, desk = desks.city, desks.desk
    await desks.sit("8001")
    await city.stage.seats["8021"].register()
    talk = await desks.talk("8001")
    await desk.post("/seats/8001/watch", by="8021", how="listen")
    listening = await rung(city, "8021")
    await desk.post("/seats/8001/take-over", by="8021")
    supervisor = await rung(city, "8021")
    assert listening.over
    assert supervisor.caller == talk.caller
    await hear_one_another({"caller": talk.placed, "other": supervisor})
    await talk.handed_over()
    await desk.until_seat("8021", "talking", call=talk.ref)
    await supervisor.hang_up()
    record = await talk.kept()
    assert (record.seats, record.agents, record.transfers) == (("8001", "8021"), ("1001",), ("8021",))
    other = await desks.talk("8001")
    await desk.post("/agents/1001/sign-off")
    await other.goes_on()
    waits = desks.citizen()
    await city.calls(GENERAL, waits)
    await other.leg.hang_up()
    await desk.until_seat("8001", "off")
    await city.until_waiting(1)
    assert city.steps(waits, SeatOffered) == []
    assert await desk.refused("/agents/1001/sign-off") == "not_signed_on"
    async with at_the_desk(city.stage.instance, Role.AUDITOR) as auditor:
        did = [(entry["did"], entry["what"]) for entry in await auditor.get("/audit?limit=10")]
    assert ("take_over", {"seat": "8001", "by": "8021"}) in did
    assert ("sign_off", {"agent": "1001"}) in did


# --- the controller dies -----------------------------------------------------------------------


async def test_talks_go_on_without_a_controller_which_finds_everybody_where_they_are(desks: Desks) -> None:
    city, desk = desks.city, desks.desk
    await desks.sit("8001", "8011", "8012")
    asks, three = await desks.talk("8001"), await desks.talk_next("8002")
    await asyncio.gather(asks.act("consult", to={"seat": "8011"}), three.act("consult", to={"seat": "8012"}, join=True))
    asked, expert = await rung(city, "8011"), await rung(city, "8012")
    async with no_controller(city):
        await asyncio.gather(
            hear_one_another({"agent": asks.leg, "other": asked}, {"caller": asks.placed}),
            hear_one_another({"caller": three.placed, "agent": three.leg, "other": expert}),
        )
    await city.until_steering()
    social, general = desks.citizen(), desks.citizen()
    await city.calls(SOCIAL, social)
    await city.calls(GENERAL, general)
    await desk.until_agent("1001", "talking")
    await desk.until_agent("1002", "talking")
    await city.until_waiting(2)
    await hear_one_another({"agent": asks.leg, "other": asked}, {"caller": asks.placed})
    assert city.steps(social, SeatOffered) == city.steps(general, SeatOffered) == []
    await asks.act("complete")
    await hear_one_another({"caller": asks.placed, "other": asked})
    assert (await rung(city, "8001")).caller == general
    async with no_controller(city):
        await three.leg.hang_up()
        await hear_one_another({"caller": three.placed, "other": expert})
    await desk.until_agent("1002", "idle")
    await desk.until_seat("8012", "talking", call=three.ref)
    await expert.hang_up()
    assert (await rung(city, "8012")).caller == social
    await asked.hang_up()
    for talk, other in ((asks, "8011"), (three, "8012")):
        record = await talk.kept()
        assert (record.seats, record.transfers) == ((talk.seat, other), (other,))
    for seat in ("8001", "8011", "8012"):
        assert len(city.steps(asks.caller, SeatOffered, seat=seat)) <= 1
