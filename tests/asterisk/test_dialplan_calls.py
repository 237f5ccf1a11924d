"""The compiled dialplan on a real Asterisk, with real telephones and nobody steering."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio

from asterisk.ami import ActionRefused, AmiBounds, open_ami
from asterisk.heard import HEARD
from asterisk.port import Answer
from calls.journal import (
    EmergencyChosen,
    Refused,
    RoomEntered,
    Said,
    SeatMissed,
    SurvivalEntered,
    TalkEnded,
    TrunkEnded,
)
from calls.live import Seat
from phones.behaviour import Answers, Rejects, Rings
from tests.support.settings_maker import PLAIN, city
from tests.support.town import Town, in_town, not_harmless

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    trunks = {**PLAIN["trunks"], "registered": {"host": "127.0.0.6", "username": "city", "register": True}}
    async with in_town(city(trunks=trunks), tmp_path_factory.mktemp("city")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: Town) -> Town:
    """Nobody calls there."""
    await running.clear()
    return running


async def test_it_boots_without_a_word_of_complaint(town: Town) -> None:
    assert town.asterisk.process.complaints() == ()
    assert "8001" in await town.asterisk.say("queue show survival_english_social")


async def test_every_word_of_the_dialplan_is_known_to_the_modules_that_are_loaded(town: Town) -> None:
    """Asterisk itself notices a missing application only when a call comes to it."""
    text = town.asterisk.compiled.files["extensions.conf"]
    known = await town.asterisk.say("core show applications") + await town.asterisk.say("core show functions")
    words = {word.lower() for word in re.findall(r"^\s*([A-Za-z_0-9]+)\b", known, re.MULTILINE)}
    applications = set(re.findall(r"^(?:exten =>| same =>) [^,]*,(?:[^,]*,)?([A-Za-z]+)\(", text, re.MULTILINE))
    functions = set(re.findall(r"(?:\$\{|Set\()([A-Z_]+)\(", text))
    assert {"Dial", "BackGround", "CELGenUserEvent"} <= applications
    assert {"GROUP", "STRFTIME", "UUID"} <= functions
    assert [word for word in sorted(applications | functions) if word.lower() not in words] == []


async def test_an_emergency_number_is_connected_without_a_prompt_and_with_the_callers_number(town: Town) -> None:
    call, caller = await town.call("110")
    await call.answered()
    assert [dialled.number for dialled in town.emergency_a.dialled if dialled.caller == caller] == ["110"]
    assert not [step for step in town.asterisk.steps(caller) if isinstance(step, Said)]
    await call.hang_up()


async def test_when_no_trunk_answers_an_emergency_our_own_operators_do(town: Town) -> None:
    for peer in (town.emergency_a, town.emergency_b):
        peer.behave = Rejects(503)
    await town.asterisk.beat()
    call, caller = await town.call("120")
    await town.asterisk.wrote(caller, RoomEntered, skills="general", priority=0)
    ends = [step for step in town.asterisk.steps(caller) if isinstance(step, TrunkEnded)]
    assert [end.trunk for end in ends] == ["emergency_b", "emergency_a"]
    assert "ANSWER" not in {end.status for end in ends}
    for peer in (town.emergency_a, town.emergency_b):
        peer.behave = Answers()
    await call.hang_up()


@pytest.mark.parametrize("steered", [True, False])
async def test_the_emergency_key_is_obeyed_while_waiting_and_in_survival(town: Town, steered: bool) -> None:
    await town.asterisk.beat(alive=steered)
    call, caller = await town.waits()
    if not steered:
        await town.asterisk.wrote(caller, SurvivalEntered)
    await call.press("*1")
    await town.asterisk.wrote(caller, EmergencyChosen, number="110", by="waiting")
    arrived = town.emergency_a.dialled
    await town.asterisk.until(lambda: caller in {dialled.caller for dialled in arrived}, "the call to 110")
    await call.hang_up()


async def test_a_redirect_that_crosses_an_emergency_key_does_not_take_the_caller_away(town: Town) -> None:
    await town.asterisk.beat()
    call, caller = await town.waits()
    arrived = town.emergency_a.dialled
    async with town.telephone("8001", Answers()) as seat:
        await call.press("*1")
        await town.asterisk.until(lambda: caller in {dialled.caller for dialled in arrived}, "the call to 110")
        await town.connect(caller, "8001")
        await town.asterisk.until(
            lambda: [dialled.caller for dialled in arrived].count(caller) == 2, "the call to 110 once more"
        )
        assert seat.calls == []
    await call.hang_up()


@pytest.mark.parametrize(
    "place", ["connect,8001,99", "connect,ring,99", "room,s,99", "room,place,99", "transfer,8001,99"]
)
async def test_a_redirect_that_comes_between_two_steps_leaves_the_caller_waiting(town: Town, place: str) -> None:
    """Asterisk finds no step then, as with a step that there is not: of the new place, or where a jump would lead."""
    await town.asterisk.beat()
    call, caller = await town.waits()
    await town.asterisk.say(f"channel redirect {town.channel(caller)} {place}")
    await town.asterisk.wrote(caller, RoomEntered, times=2)
    assert call.up
    await call.hang_up()


async def test_a_redirect_that_begins_at_the_second_step_connects_the_caller_all_the_same(town: Town) -> None:
    await town.asterisk.beat()
    call, caller = await town.waits()
    async with town.telephone("8001", Answers()) as seat:
        await town.asterisk.say(f"channel redirect {town.channel(caller)} connect,8001,2")
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        await call.hang_up()


async def test_a_seat_that_does_not_answer_gives_the_caller_back_who_waits_since_the_same_moment(town: Town) -> None:
    await town.asterisk.beat()
    call, caller = await town.waits()
    async with town.telephone("8001", Rejects(486)):
        await town.connect(caller, "8001")
        await town.asterisk.wrote(caller, RoomEntered, 2)
    steps = town.asterisk.steps(caller)
    assert SeatMissed("8001", "BUSY") in steps
    assert len({step.t0_ms for step in steps if isinstance(step, RoomEntered)}) == 1
    assert len([step for step in steps if isinstance(step, Said) and step.prompt == "please_wait"]) == 1
    await call.hang_up()


async def test_two_callers_sent_to_one_seat_do_not_both_ring_it(town: Town) -> None:
    await town.asterisk.beat()
    (one, first), (two, second) = await town.waits(), await town.waits()
    async with town.telephone("8001", Rings()) as seat:
        await asyncio.gather(town.connect(first, "8001"), town.connect(second, "8001"))
        await town.asterisk.until(
            lambda: any(SeatMissed("8001", "TAKEN") in town.asterisk.steps(caller) for caller in (first, second)),
            "the second caller's return",
        )
        assert len(seat.calls) == 1
        await one.hang_up()
        await two.hang_up()


async def test_a_caller_who_has_pressed_a_star_is_connected_all_the_same(town: Town) -> None:
    """Asterisk's own collecting of digits would take the redirect for a wrong number and hang up."""
    await town.asterisk.beat()
    call, caller = await town.waits()
    async with town.telephone("8001", Answers()) as seat:
        await call.press("*")
        await town.asterisk.until_at(caller, "Read")
        await town.connect(caller, "8001")
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        await call.hang_up()


async def test_the_controllers_account_may_do_what_the_controller_does_and_no_more(town: Town) -> None:
    switch = town.switch()
    await town.asterisk.beat(alive=False)
    call, caller = await town.waits()
    await town.asterisk.wrote(caller, SurvivalEntered, queue="survival_social")
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        snapshot = await switch.snapshot()
        [(queue, waiting)] = [entry for entry in snapshot.surviving if entry[1].channel.name == town.channel(caller)]
        assert (queue, waiting.skills, waiting.priority) == ("survival_social", frozenset({"social"}), 4)
        assert await switch.beat(int(time.time()))
        assert await switch.withdraw(queue, waiting.channel) == Answer.DONE
        await town.asterisk.wrote(caller, RoomEntered, 2, t0_ms=waiting.t0_ms)
        async with town.telephone("8001", Answers()) as seat:
            assert await switch.connect(waiting.channel, Seat("8001")) == Answer.DONE
            await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
            await call.hang_up()
    control = await open_ami(town.access(), HEARD, AmiBounds())
    for action, headers in (
        ("Command", {"Command": "core show version"}),
        ("Originate", {"Channel": "Local/110@arrival", "Application": "System", "Data": "id"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("ModuleLoad", {"LoadType": "reload"}),
    ):
        with pytest.raises(ActionRefused):
            await control.act(action, headers)
    await control.close()


async def test_with_nobody_steering_the_longest_waiting_caller_is_served_first(town: Town) -> None:
    await town.asterisk.beat(alive=False)
    (one, first), (two, second) = await town.waits(), await town.waits()
    for caller in (first, second):
        await town.asterisk.wrote(caller, SurvivalEntered, queue="survival_social")
    async with town.telephone("8003", Answers()) as seat:
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        assert seat.calls[-1].caller == first
        await seat.calls[-1].hang_up()
        await one.ended()
        await town.asterisk.wrote(first, TalkEnded, seat="8003", q850_cause=16)
        await town.asterisk.until(lambda: any(taken.up and taken.caller == second for taken in seat.calls), "the next")
        await two.hang_up()


async def test_a_blocked_caller_is_refused_and_still_reaches_an_emergency(town: Town) -> None:
    blocked = town.asterisk.settings.blocked[0].number
    call = await town.carrier.call("12345", caller=blocked)
    await town.asterisk.wrote(blocked, Refused, why="blocked")
    assert (await call.ended()).cause == 21
    call = await town.carrier.call("119", caller=blocked)
    await call.answered()
    await call.hang_up()


HOSTILE = ("1380\r\nEvent: UserEvent\r\nUserEvent: Room", "${SHELL(id)}5", '1");x', "1,2&ref=3", "9" * 30)


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_nothing_but_digits_is_left_of_a_hostile_caller_id(town: Town, hostile: str) -> None:
    call = await town.carrier.call("40088", caller=hostile, name='a" <sip:1@x>')
    digits = "".join(character for character in hostile if character.isdigit())[:20]
    await town.asterisk.wrote(digits, Refused, why="unknown")
    assert hostile not in str([row.extra for row in town.asterisk.rows()])
    await call.hang_up()


async def test_a_dialled_number_with_more_than_digits_in_it_is_not_found(town: Town) -> None:
    for number in ("1234\r\nEvent: x", "123${SHELL(id)}", "*1", "1" * 21):
        call = await town.carrier.call(number, caller="13812345678")
        assert (await call.ended()).status == 404
    # Had one of them begun, that would have been written before the beginning of this one.
    call, caller = await town.call("40088")
    await town.asterisk.wrote(caller, Refused, why="unknown")
    assert [row.exten for row in town.asterisk.rows() if row.kind == "CHAN_START"] == ["40088"]
    await call.hang_up()


async def test_nothing_was_complained_about_in_all_these_calls(town: Town) -> None:
    assert not_harmless(town.asterisk) == []
