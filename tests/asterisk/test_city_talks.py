"""What agents and supervisors do with a talk, in a city that runs: who hears whom, who is free when, what is kept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from calls.journal import Held, RoomEntered, SeatMissed, SeatOffered
from calls.record import Outcome, Side
from hotline.stage import until
from phones.behaviour import Answers, Rejects, Rings
from tests.support.city_watch import (
    GENERAL,
    SOCIAL,
)
from tests.support.desk_client import at_the_desk
from tests.support.hearing import hear_one_another
from tests.support.manned_city import duty_of
from tests.support.talking import GENERALISTS, Desks, Talk, rung, taken, talkative
from web.desk import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")


OUTSIDE = "13912345678"
CENTRE = "tax_centre"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everybody(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[Desks]:
    async with talkative(tmp_path_factory.mktemp("city"), sounds, first=13500000000) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def desks(everybody: Desks) -> Desks:
    await everybody.clear()
    return everybody


async def until_held(talk: Talk) -> None:
    await talk.city.wrote(talk.caller, Held, seat=talk.seat)


# --- one call, several people ------------------------------------------------------------------


async def test_a_caller_is_held_and_taken_back_before_and_after_somebody_is_asked(desks: Desks) -> None:
    await desks.sit("8001", "8011")
    talk = await desks.talk("8001")
    await talk.act("hold")
    await until_held(talk)
    await hear_one_another({}, {"caller": talk.placed, "agent": talk.leg})
    await talk.act("retrieve")
    await talk.goes_on()
    await talk.act("consult", to={"seat": "8011"})
    other = await rung(desks.city, "8011")
    await desks.desk.until_agent("1011", "busy")
    await hear_one_another({"agent": talk.leg, "other": other}, {"caller": talk.placed})
    await talk.act("retrieve")
    await talk.goes_on()
    assert other.over
    await desks.desk.until_agent("1011", "idle")
    await talk.placed.hang_up()
    await talk.handed_over()
    record = await talk.kept()
    assert (record.seats, record.agents, record.transfers) == (("8001", "8011"), ("1001", "1011"), ())
    assert (record.outcome, record.hung_up_by) == (Outcome.ANSWERED, Side.CALLER)
    assert [row.state for row in duty_of(desks.city, "1011")][-3:] == ["idle", "busy", "idle"]


async def test_a_caller_goes_on_with_whoever_was_asked_and_the_agent_serves_the_next(desks: Desks) -> None:
    city = desks.city
    await desks.sit("8001", "8011")
    talk = await desks.talk("8001")
    await talk.goes_on()
    before = len(duty_of(city, "1011"))
    async with at_the_desk(city.stage.instance, Role.AGENT, "1001") as own:
        mine = replace(talk, desk=own)
        await mine.act("consult", to={"seat": "8011"})
        other = await rung(city, "8011")
        waits = desks.citizen()
        await city.calls(GENERAL, waits)
        await mine.act("complete")
    await desks.desk.until_seat("8011", "talking", call=talk.ref, agent="1011", caller=talk.caller)
    await hear_one_another({"caller": talk.placed, "other": other})
    assert talk.leg.over
    await talk.handed_over()
    following = await rung(city, "8001")
    assert following.caller == waits
    await other.hang_up()
    record = await talk.kept()
    assert (record.seats, record.agents, record.transfers) == (("8001", "8011"), ("1001", "1011"), ("8011",))
    assert (record.outcome, record.hung_up_by) == (Outcome.ANSWERED, Side.SEAT)
    assert await talk.voices_kept() == {"caller", "agent", "other"}
    assert record.recording_ms is not None
    assert record.talk_ms <= record.recording_ms + 1000
    await desks.desk.until_agent("1011", "idle")

    def done() -> list[str]:
        return [row.state for row in duty_of(city, "1011")[before:]]

    await until("the expert's notes", lambda: done() == ["busy", "talking", "wrap_up", "idle"], seen=done)
    assert [step.agent for step in city.steps(waits, SeatOffered)] == ["1001"]


async def test_three_talk_together_with_an_expert_and_with_the_police(desks: Desks) -> None:
    police = desks.city.stage.trunks["emergency_a"]
    await desks.sit("8001", "8011")
    expert, urgent = await desks.talk("8001"), await desks.talk_next("8002")
    answered = len(police.calls)
    await asyncio.gather(
        expert.act("consult", to={"seat": "8011"}, join=True),
        urgent.act("consult", to={"emergency": "110"}, join=True),
    )
    other, officer = await rung(desks.city, "8011"), await taken(police, answered)
    await asyncio.gather(
        hear_one_another({"caller": expert.placed, "agent": expert.leg, "other": other}),
        hear_one_another({"caller": urgent.placed, "agent": urgent.leg, "other": officer}),
    )
    assert (police.dialled[-1].number, police.dialled[-1].caller) == ("110", urgent.caller)
    await other.hang_up()
    await urgent.act("complete")
    await asyncio.gather(
        expert.goes_on(), hear_one_another({"caller": urgent.placed, "other": officer}), urgent.handed_over()
    )
    await expert.leg.hang_up()
    await officer.hang_up()
    await expert.handed_over()
    kept, alarm = await expert.kept(), await urgent.kept()
    assert (kept.seats, kept.transfers, kept.emergency_number) == (("8001", "8011"), (), None)
    assert (alarm.seats, alarm.transfers, alarm.emergency_number) == (("8002",), ("110",), "110")
    assert (alarm.outcome, alarm.trunk_out) == (Outcome.ANSWERED, "emergency_a")
    for talk in (expert, urgent):
        assert await talk.voices_kept() == {"caller", "agent", "other"}


async def test_a_caller_is_passed_on_to_a_seat_a_skill_a_centre_a_number_outside_and_an_emergency(desks: Desks) -> None:
    stage = desks.city.stage
    goals: dict[str, dict[str, str]] = {
        "8011": {"seat": "8011"},
        "skill_social": {"skill": "social"},
        f"centre_{CENTRE}": {"centre": CENTRE},
        OUTSIDE: {"outside": OUTSIDE},
        "110": {"emergency": "110"},
    }
    lines = {f"centre_{CENTRE}": CENTRE, OUTSIDE: "carrier", "110": "emergency_a"}
    await desks.sit("8001", "8011", "8012")
    talks = {"8011": await desks.talk("8001")}
    for goal, seat in zip(list(goals)[1:], GENERALISTS[1:], strict=False):
        talks[goal] = await desks.talk_next(seat)
    await asyncio.gather(*(talk.goes_on() for talk in talks.values()))
    answered = {goal: len(stage.trunks[trunk].calls) for goal, trunk in lines.items()}
    await talks["8011"].act("transfer", to=goals["8011"])
    others = {"8011": await rung(desks.city, "8011")}
    await asyncio.gather(*(talks[goal].act("transfer", to=to) for goal, to in goals.items() if goal != "8011"))
    others["skill_social"] = await rung(desks.city, "8012")
    for goal, trunk in lines.items():
        others[goal] = await taken(stage.trunks[trunk], answered[goal])
    await asyncio.gather(
        *(hear_one_another({"caller": talk.placed, "other": others[goal]}) for goal, talk in talks.items())
    )
    for goal, talk in talks.items():
        assert talk.leg.over
        await talk.handed_over()
        await others[goal].hang_up()
        record = await talk.kept()
        assert (record.transfers, record.outcome) == ((goal,), Outcome.ANSWERED)
        assert record.seats == (talk.seat, *{"8011": ["8011"], "skill_social": ["8012"]}.get(goal, []))
        assert record.trunk_out == lines.get(goal)
        assert record.emergency_number == ("110" if goal == "110" else None)
        assert await talk.voices_kept() == {"caller", "agent", "other"}
    for agent in ("1011", "1012"):
        await desks.desk.until_agent(agent, "idle")
        assert [row.state for row in duty_of(desks.city, agent)][-4:] == ["ringing", "talking", "wrap_up", "idle"]


# --- what goes wrong ---------------------------------------------------------------------------


async def test_nobody_is_left_alone_when_whoever_is_asked_is_busy_or_does_not_answer(desks: Desks) -> None:
    city = desks.city
    await desks.sit("8001", "8011", "8012")
    busy = await desks.talk("8011", SOCIAL)
    one, two = await desks.talk("8001"), await desks.talk_next("8002")
    city.stage.seats["8012"].behave = Rings()
    await asyncio.gather(one.act("consult", to={"seat": "8011"}), two.act("consult", to={"seat": "8012"}, join=True))
    assert await two.refused("complete") == "not_answered"
    await city.wrote(one.caller, SeatMissed, seat="8011", why="TAKEN")
    await one.goes_on(deaf={"other": busy.leg})
    await city.wrote(two.caller, SeatMissed, seat="8012", why="NOANSWER")
    await asyncio.gather(two.goes_on(), busy.goes_on())
    assert await two.refused("complete") == "nobody_else"
    await desks.desk.until_agent("1012", "idle")
    for talk in (one, two, busy):
        await talk.leg.hang_up()
        await talk.handed_over()
        assert (await talk.kept()).seats == (talk.seat,)


async def test_a_caller_whom_nobody_takes_is_the_first_in_line_again(desks: Desks) -> None:
    city, tax = desks.city, desks.city.stage.trunks[CENTRE]
    city.stage.seats["8012"].behave = Rejects(486)
    tax.behave = Rejects(486)
    await desks.sit("8001", "8012")
    one, two = await desks.talk("8001"), await desks.talk_next("8002")
    for agent in ("1001", "1002"):
        await desks.desk.post(f"/agents/{agent}/pause", reason="break")
    later = desks.citizen()
    await city.calls(GENERAL, later)
    await asyncio.gather(one.act("transfer", to={"seat": "8012"}), two.act("transfer", to={"centre": CENTRE}))
    await city.wrote(one.caller, SeatMissed, seat="8012", why="BUSY")
    for talk in (one, two):
        await city.wrote(talk.caller, RoomEntered, times=2)
    await city.until_waiting(3)
    waiting = await desks.desk.get("/waiting")
    assert [entry["caller"] for entry in waiting] == [one.caller, two.caller, later]
    await desks.desk.post("/agents/1001/ready")
    assert await city.agent("8001", 3) == [one.caller, two.caller, later]
    assert (await one.kept()).seats == ("8001",)
    tax.behave = Answers()


# --- who may do what ---------------------------------------------------------------------------


async def test_an_agent_acts_on_its_own_call_only_and_a_supervisor_on_every_one(desks: Desks) -> None:
    instance = desks.city.stage.instance
    await desks.sit("8001")
    talk = await desks.talk("8001")
    await desks.sit("8002")
    async with at_the_desk(instance, Role.AGENT, "1002") as other, at_the_desk(instance, Role.AUDITOR) as auditor:
        for what, body in (
            ("transfer", {"to": {"seat": "8002"}}),
            ("consult", {"to": {"seat": "8002"}}),
            ("hold", {}),
            ("join", {}),
            ("complete", {}),
            ("retrieve", {}),
        ):
            assert await other.refused(f"/calls/{talk.ref}/{what}", **body) == "not_yours"
            assert await auditor.refused(f"/calls/{talk.ref}/{what}", **body) == "not_your_role"
        assert await other.refused("/seats/8001/watch", by="8002", how="listen") == "not_your_role"
        assert await other.refused("/seats/8001/take-over", by="8002") == "not_your_role"
    await talk.goes_on()


async def test_a_call_goes_nowhere_that_the_settings_do_not_name(desks: Desks) -> None:
    city = desks.city
    carrier = city.stage.carrier
    await desks.sit("8001")
    talk = await desks.talk("8001")
    dialled = len(carrier.dialled)
    for to, kind in (
        ({"seat": "8099"}, "not_allowed"),
        ({"skill": "magic"}, "not_allowed"),
        ({"centre": "tax"}, "not_allowed"),
        ({"emergency": "112"}, "not_allowed"),
        ({"outside": "0085212345678"}, "not_allowed"),
        ({"outside": "139123456789"}, "not_allowed"),
        ({"outside": "1391234567,s,1"}, "not_usable"),
        ({"seat": "8001&PJSIP/1"}, "not_usable"),
        ({"skill": "general,1)\nAction: Originate"}, "not_usable"),
        ({"seat": "8002", "skill": "general"}, "not_usable"),
        ({}, "not_usable"),
    ):
        assert await talk.refused("transfer", to=to) == kind, to
        assert await talk.refused("consult", to=to) == kind, to
    assert await desks.desk.refused("/calls/no-such-call/hold") == "no_such_talk"
    for number in ("0085212345678", "12345", "s", "room"):
        await talk.leg.refer(number)
        await talk.goes_on()
    assert len(carrier.dialled) == dialled
    police = city.stage.trunks["emergency_a"]
    answered = len(police.calls)
    assert await talk.leg.refer("110") == 202
    await hear_one_another({"caller": talk.placed, "other": await taken(police, answered)})
    await talk.handed_over()
    assert police.dialled[-1].caller == talk.caller
    await talk.placed.hang_up()
    record = await talk.kept()
    assert (record.transfers, record.emergency_number) == (("110",), "110")
