"""What callers meet while they wait, when they are called back, and after the talk, on a real Asterisk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from asterisk.port import Answer, DialBack
from calls.journal import (
    Arrived,
    CallBackWanted,
    CalledBack,
    EmergencyChosen,
    KeyPressed,
    MessageLeft,
    Overflowed,
    PlaceTold,
    Rated,
    Refused,
    RoomEntered,
    Said,
    SeatMissed,
    SeatOffered,
    Step,
    SurvivalEntered,
    TalkEnded,
    TrunkEnded,
)
from calls.live import Agent, AsksPlace, CallBackEnded, CallRef, EnteredRoom, LeftRoom, Seat, WantsCallBack
from phones.behaviour import Answers, Rejects
from phones.placed import PlacedCall
from phones.voices import voice
from tests.support.full_service import FULL_SERVICE
from tests.support.settings_maker import PLAIN, city
from tests.support.town import Listener, Town, in_town, listening, not_harmless

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFFICER = "13800000001"
"""The duty officer's number."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    seats = {**PLAIN["answering"]["seats"], "8009": {}}
    settings = city(**FULL_SERVICE, answering={**PLAIN["answering"], "ring": "2s", "seats": seats})
    async with in_town(settings, tmp_path_factory.mktemp("city")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: Town) -> Town:
    """Nobody calls there."""
    await running.clear()
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def steered(town: Town) -> AsyncIterator[Listener]:
    async with listening(town) as listener:
        yield listener


def after(steps: list[Step], kind: type) -> list[Step]:
    """What follows the first step of a kind."""
    place = next(place for place, step in enumerate(steps) if isinstance(step, kind))
    return steps[place + 1 :]


def prompts(steps: list[Step]) -> list[str]:
    return [step.prompt for step in steps if isinstance(step, Said)]


# --- announcements -----------------------------------------------------------------------------


async def test_a_caller_is_told_its_place_when_the_controller_answers(town: Town, steered: Listener) -> None:
    async def told(position: int, minutes: int) -> None:
        call, caller = await town.waits()
        channel = steered.channel(caller)
        await steered.heard(AsksPlace, channel=channel)
        assert await steered.switch.tell_place(channel, position, minutes) is Answer.DONE
        await town.asterisk.wrote(caller, PlaceTold, position=position, minutes=minutes)
        assert "still_waiting" not in prompts(town.asterisk.steps(caller))
        # Nothing is left of it for the next time.
        await steered.heard(AsksPlace, times=2, channel=channel)
        await town.asterisk.wrote(caller, Said, prompt="still_waiting")
        await call.hang_up()

    await asyncio.gather(told(1, 1), told(7, 4), told(30, 30), told(31, -1))


async def test_an_answer_without_a_sound_for_it_is_not_told(town: Town, steered: Listener) -> None:
    async def answered(nonsense: str) -> None:
        call, caller = await town.waits()
        await steered.heard(AsksPlace, channel=steered.channel(caller))
        await town.asterisk.say(f"dialplan set chanvar {town.channel(caller)} HL_PLACE {nonsense}")
        await town.asterisk.wrote(caller, Said, prompt="still_waiting")
        assert not [step for step in town.asterisk.steps(caller) if isinstance(step, PlaceTold)]
        await call.hang_up()

    await asyncio.gather(*map(answered, ("7:7", "0:1", "x:1", "7", "-1:5", "7:5:1", "${EPOCH}:1")))


async def test_without_an_answer_the_caller_hears_that_nobody_is_forgotten(town: Town, steered: Listener) -> None:
    call, caller = await town.waits()
    asked = await steered.heard(AsksPlace, channel=steered.channel(caller))
    entered = await steered.heard(EnteredRoom)
    assert (entered.caller.caller, asked.ref) == (caller, entered.caller.ref)
    await town.asterisk.wrote(caller, Said, prompt="still_waiting")
    await call.hang_up()


# --- keys --------------------------------------------------------------------------------------


async def test_the_position_key_asks_and_tells_at_once(town: Town, steered: Listener) -> None:
    call, caller = await town.waits()
    channel = steered.channel(caller)
    await town.asterisk.wrote(caller, Said, prompt="still_waiting")
    before = len([event for event in steered.of(AsksPlace) if event.channel == channel])
    await call.press("9")
    await steered.heard(AsksPlace, times=before + 1, channel=channel)
    await steered.switch.tell_place(channel, 30, 30)
    await town.asterisk.wrote(caller, PlaceTold, position=30, minutes=30)
    assert KeyPressed("waiting", "9") in town.asterisk.steps(caller)
    await call.hang_up()


async def test_a_key_waits_for_another_skill_since_the_same_moment(town: Town, steered: Listener) -> None:
    call, caller = await town.waits()
    await town.asterisk.wrote(caller, RoomEntered, skills="social", priority=4)
    await call.press("4")
    await town.asterisk.wrote(caller, RoomEntered, skills="general", priority=2)
    await call.press("3")
    await town.asterisk.wrote(caller, RoomEntered, skills="social", priority=2)
    entered = [step for step in town.asterisk.steps(caller) if isinstance(step, RoomEntered)]
    assert len({step.t0_ms for step in entered}) == 1
    assert prompts(town.asterisk.steps(caller)).count("please_wait") == 1
    await town.asterisk.until(lambda: len(of_channel(steered, caller)) == 3, "the third event")
    assert [event.caller.skills for event in of_channel(steered, caller)] == [{"social"}, {"general"}, {"social"}]
    await call.hang_up()


def of_channel(steered: Listener, caller: str) -> list[EnteredRoom]:
    return [event for event in steered.of(EnteredRoom) if event.caller.caller == caller]


async def test_a_prompt_key_says_it_and_a_key_without_meaning_changes_nothing(town: Town, steered: Listener) -> None:
    call, caller = await town.waits()
    await town.asterisk.until_at(caller, "WaitExten")
    await call.press("75#8")
    await call.press("2")
    await town.asterisk.wrote(caller, Said, prompt="hint")
    keys = [step.key for step in town.asterisk.steps(caller) if isinstance(step, KeyPressed)]
    assert keys == ["2"]
    await town.asterisk.wrote(caller, Said, prompt="still_waiting")
    assert not call.over
    await call.hang_up()


# --- call backs --------------------------------------------------------------------------------


async def test_a_caller_who_wants_to_be_called_back_hears_so_and_keeps_the_place(town: Town, steered: Listener) -> None:
    call, caller = await town.waits()
    await call.press("1")
    wanted = await steered.heard(WantsCallBack)
    [entered] = of_channel(steered, caller)
    assert (wanted.to, wanted.caller) == (caller, entered.caller)
    assert (await call.ended()).cause == 16
    assert after(town.asterisk.steps(caller), KeyPressed)[:2] == [CallBackWanted(caller), Said("call_back_kept", "zh")]


async def test_nobody_is_called_back_at_no_number_or_at_ours(town: Town, steered: Listener) -> None:
    async def refused(number: str) -> None:
        call = await town.carrier.call("12333", caller=number)
        digits = "".join(character for character in number if character.isdigit())
        await town.asterisk.wrote(digits, RoomEntered)
        await call.press("1")
        await town.asterisk.wrote(digits, Said, prompt="call_back_no_number")
        await town.asterisk.wrote(digits, Said, prompt="still_waiting")
        assert not [event for event in steered.of(WantsCallBack) if event.to == digits]
        await call.hang_up()

    await asyncio.gather(*map(refused, ("anonymous", "12", "110", "12345")))


async def test_a_redirect_that_crosses_the_call_back_key_does_not_connect_the_caller_too(
    town: Town, steered: Listener
) -> None:
    """Sent nearer and nearer to the moment from which on the key wins: the caller is either connected or called
    back, never both."""

    async def crossings(seat: str) -> None:
        early_s, late_s = 0.0, 0.4
        async with town.telephone(seat, Answers(hangs_up_after_s=0.1)):
            for _ in range(7):
                middle_s = (early_s + late_s) / 2
                connected, called_back = await _crossed(town, steered, seat, middle_s)
                assert connected != called_back, middle_s
                early_s, late_s = (middle_s, late_s) if connected else (early_s, middle_s)

    await asyncio.gather(*map(crossings, ("8001", "8002", "8003")))


async def _crossed(town: Town, steered: Listener, seat: str, late_s: float) -> tuple[bool, bool]:
    """Whether the caller was connected, and whether it will be called back."""
    call, caller = await town.waits()

    def written(kind: type) -> list[Step]:
        return [step for step in town.asterisk.steps(caller) if isinstance(step, kind)]

    await town.asterisk.until_at(caller, "WaitExten")
    pressing = call.press("1")
    await asyncio.sleep(late_s)
    for entered in range(1, 9):  # Who comes back is sent again: astray, or the seat was still occupied.
        await steered.switch.connect(steered.channel(caller), Seat(seat))
        await pressing
        await town.asterisk.until(
            lambda: call.over or bool(written(TalkEnded)) or len(written(RoomEntered)) > entered,  # noqa: B023
            "the end of the talk, or of the call",
        )
        if call.over or written(TalkEnded):
            break
    await call.hang_up()
    await town.asterisk.ended(caller)
    if written(CallBackWanted):
        await steered.heard(WantsCallBack, to=caller)
    return bool(written(SeatOffered)), bool(written(CallBackWanted))


FIRST = CallRef("7a0e4d3c-7a42-4f0e-9d57-2f4b6a1f0000")


def call_back(caller: str) -> DialBack:
    return DialBack(
        ref=CallRef(str(uuid4())),
        first=FIRST,
        attempt=2,
        to=caller,
        trunk="carrier",
        ring_s=5,
        seat=Seat("8002"),
        number="12329",
        skills=frozenset({"general"}),
        priority=5,
        language="en",
        t0_ms=1_700_000_000_000,
    )


async def test_a_call_back_is_greeted_recorded_and_connected_with_its_seat(town: Town, steered: Listener) -> None:
    caller = town.new_caller()
    town.carrier.behave = Answers(says=voice("caller", "a"), again=True)
    async with town.telephone("8002", Answers(says=voice("agent", "8002"), again=True)) as seat:
        back = call_back(caller)
        assert await steered.switch.dial_back(back) is Answer.DONE
        await steered.heard(CallBackEnded, ref=back.ref, why="")
        await town.asterisk.wrote(caller, SeatOffered, seat="8002", agent="")
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        steps = town.asterisk.steps(caller)
        assert steps[:2] == [
            Arrived(back.ref, "12329", caller, "carrier"),
            CalledBack(FIRST, 2),
        ]
        assert Said("call_back_hello", "en") in steps
        # The citizen sees who calls, the seat sees the citizen.
        assert town.carrier.dialled[-1].caller == "12329"
        assert seat.calls[-1].caller == caller
        recording = town.asterisk.places.monitor / f"{back.ref}.wav"
        await town.asterisk.until(lambda: recording.exists() and recording.stat().st_size > 10_000, "a recording")
        await seat.calls[-1].hang_up()
        await town.asterisk.wrote(caller, Said, prompt="survey")
        await town.carrier.calls[-1].hang_up()


async def test_a_call_back_whose_seat_does_not_take_it_waits_as_the_first_in_line(
    town: Town, steered: Listener
) -> None:
    caller = town.new_caller()
    town.carrier.behave = Answers()
    await steered.switch.dial_back(call_back(caller))
    await town.asterisk.wrote(caller, SeatMissed, seat="8002", why="TAKEN")
    await town.asterisk.wrote(caller, RoomEntered, t0_ms=1_700_000_000_000, skills="general", priority=5)
    await town.carrier.calls[-1].press("*1")
    await town.asterisk.wrote(caller, EmergencyChosen, number="110", by="waiting")
    await town.carrier.calls[-1].hang_up()


@pytest.mark.parametrize(
    ("status", "why"), [(486, "busy"), (603, "rejected"), (480, "no answer"), (404, "unreachable")]
)
async def test_a_call_back_that_is_refused_says_why(town: Town, steered: Listener, status: int, why: str) -> None:
    town.carrier.behave = Rejects(status)
    back = call_back(town.new_caller())
    assert await steered.switch.dial_back(back) is Answer.DONE
    assert (await steered.heard(CallBackEnded, ref=back.ref)).why == why


async def test_the_emergency_key_is_obeyed_before_the_seat_of_a_call_back(town: Town, steered: Listener) -> None:
    caller = town.new_caller()
    town.carrier.behave = Answers()
    music = next((town.asterisk.places.music).iterdir()).with_suffix("")
    await town.asterisk.say(f"dialplan set global SAY_en_call_back_hello {music}")
    back = call_back(caller)
    await steered.switch.dial_back(back)
    await town.asterisk.wrote(caller, Said, prompt="call_back_hello")
    await town.carrier.calls[-1].press("*1")
    await town.asterisk.wrote(caller, EmergencyChosen, number="110")
    await steered.heard(LeftRoom, ref=back.ref, to="emergency")
    assert not [step for step in town.asterisk.steps(caller) if isinstance(step, SeatOffered)]
    await town.carrier.calls[-1].hang_up()


# --- overflow ----------------------------------------------------------------------------------


async def test_another_centre_takes_the_caller(town: Town, steered: Listener) -> None:
    town.trunks["tax_centre"].behave = Answers()
    call, caller = await town.waits()
    await steered.switch.overflow(steered.channel(caller), "centre_tax")
    await steered.heard(LeftRoom, to="overflow")
    await town.asterisk.until(lambda: any(taken.up for taken in town.trunks["tax_centre"].calls), "the centre's answer")
    await town.trunks["tax_centre"].calls[-1].hang_up()
    assert (await call.ended()).cause == 16
    steps = town.asterisk.steps(caller)
    assert after(steps, Overflowed)[0] == Said("to_centre", "zh")
    assert steps[-1] == TrunkEnded("tax_centre", "ANSWER")


@pytest.mark.parametrize("way", ["centre_tax", "duty"])
async def test_who_is_not_taken_elsewhere_waits_since_the_same_moment(town: Town, steered: Listener, way: str) -> None:
    town.trunks["tax_centre"].behave = Rejects(486)
    call, caller = await town.waits()
    await steered.switch.overflow(steered.channel(caller), way)
    await town.asterisk.wrote(caller, RoomEntered, 2)
    steps = town.asterisk.steps(caller)
    assert len({step.t0_ms for step in steps if isinstance(step, RoomEntered)}) == 1
    assert TrunkEnded("tax_centre", "BUSY") in steps
    assert "unreachable" in prompts(steps)
    await call.hang_up()


async def test_an_emergency_key_wins_over_an_overflow_that_crosses_it(town: Town, steered: Listener) -> None:
    call, caller = await town.waits()
    await call.press("*1")
    arrived = town.emergency_a.dialled
    await town.asterisk.until(lambda: caller in {dialled.caller for dialled in arrived}, "the call to 110")
    await steered.switch.overflow(steered.channel(caller), "duty")
    await town.asterisk.until(
        lambda: [dialled.caller for dialled in arrived].count(caller) == 2, "the call to 110 once more"
    )
    assert not [step for step in town.asterisk.steps(caller) if isinstance(step, Overflowed)]
    await call.hang_up()


# --- the survey --------------------------------------------------------------------------------


async def talked(town: Town) -> tuple[PlacedCall, str]:
    """A caller whose talk the seat has ended."""
    call, caller = await town.waits()
    async with town.telephone("8001", Answers(hangs_up_after_s=0.1)):
        await town.connect(caller, "8001")
        await town.asterisk.wrote(caller, TalkEnded, q850_cause=16)
    await town.asterisk.wrote(caller, Said, prompt="survey")
    return call, caller


async def test_a_mark_and_a_message_are_kept(town: Town, steered: Listener) -> None:
    call, caller = await talked(town)
    assert not [offered for offered in (await steered.switch.snapshot()).offered if offered[2] == "8001"]
    await call.press("4")
    await town.asterisk.until_at(caller, "Record")
    await call.say(voice("caller", "a"))
    await call.press("#")
    await call.ended()
    steps = after(town.asterisk.steps(caller), TalkEnded)
    [ref] = [step.ref for step in town.asterisk.steps(caller) if isinstance(step, Arrived)]
    assert steps == [
        Said("survey", "zh"),
        Rated(4),
        Said("survey_message", "zh"),
        MessageLeft(f"{ref}-message.wav"),
        Said("survey_thanks", "zh"),
    ]
    assert _length_s(town.asterisk.places.monitor / f"{ref}-message.wav") > 1.5


async def test_a_survey_may_be_left_at_any_time_and_what_was_said_is_kept(town: Town, steered: Listener) -> None:
    hung_up, speaker = await talked(town)
    silent, nothing = await talked(town)
    missed, nobody = await talked(town)
    await hung_up.press("5")
    await silent.press("1")
    await missed.press("9")
    await town.asterisk.until_at(speaker, "Record")
    await hung_up.say(voice("caller", "a"))
    await hung_up.hang_up()
    await town.asterisk.wrote(speaker, MessageLeft)
    await town.asterisk.wrote(nobody, Said, prompt="survey_again")
    # Pure silence is no message; without a second mark the call ends.
    for call, caller, last in ((silent, nothing, "survey_thanks"), (missed, nobody, "survey_again")):
        assert (await call.ended()).cause == 16
        assert town.asterisk.steps(caller)[-1] == Said(last, "zh")
        assert not [step for step in town.asterisk.steps(caller) if isinstance(step, MessageLeft)]


async def test_nobody_is_asked_after_a_lost_leg(town: Town, steered: Listener) -> None:
    call, caller = await town.waits()
    async with town.telephone("8001", Answers()) as seat:
        await town.connect(caller, "8001")
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        await seat.calls[-1].hang_up(44)
        await town.asterisk.wrote(caller, RoomEntered, 2)
    assert "survey" not in prompts(town.asterisk.steps(caller))
    await call.hang_up()


def _length_s(wav: Path) -> float:
    return (wav.stat().st_size - 44) / 16_000


# --- blocked callers, and nobody there ---------------------------------------------------------


async def test_a_caller_blocked_since_the_compilation_is_refused(town: Town, steered: Listener) -> None:
    caller = town.new_caller()
    assert await steered.switch.block(caller, "20991231") is Answer.DONE
    call, _ = await town.call("12333", caller)
    await town.asterisk.wrote(caller, Refused, why="blocked")
    await call.ended()
    await steered.switch.unblock(caller)
    call, _ = await town.waits(caller=caller)
    await call.hang_up()


async def test_a_seat_says_who_is_signed_on_there(town: Town, steered: Listener) -> None:
    assert await steered.switch.man(Seat("8009"), Agent("1001"), frozenset({"general"}), paused=False) is Answer.DONE
    try:
        call, caller = await town.waits()
        await town.connect(caller, "8009")
        await town.asterisk.wrote(caller, SeatOffered, seat="8009", agent="1001")
        await call.hang_up()
    finally:
        await steered.switch.man(Seat("8009"), None, frozenset(), paused=False)


async def test_with_nobody_on_duty_survivors_reach_the_duty_officer_and_keep_their_order_between_attempts(
    town: Town, steered: Listener
) -> None:
    """Who waited longest has the seat that comes; the controller takes the others back without that they look."""
    officer = town.trunks["tax_centre"]
    officer.behave = Rejects(486)
    callers = [await town.waits() for _ in range(4)]
    names = [caller for _, caller in callers]
    try:
        await town.asterisk.beat(alive=False)
        for caller in names:
            await town.asterisk.wrote(caller, Overflowed, to="duty")
            await town.asterisk.wrote(caller, SurvivalEntered, 2, queue="survival_social")
            await town.asterisk.until_at(caller, "Queue")
        assert {dialled.number for dialled in officer.dialled[-4:]} == {OFFICER}
        await callers[0][0].press("*1")
        await town.asterisk.wrote(names[0], EmergencyChosen, number="110", by="waiting")
        async with town.telephone("8003", Answers()) as seat:
            await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk with a seat that came")
            await seat.calls[0].hang_up()
            await town.asterisk.until(lambda: len(seat.calls) == 2 and seat.calls[1].up, "its next talk")
            assert [taken.caller for taken in seat.calls] == names[1:3]
            left = steered.channel(names[3])
            await town.asterisk.beat()
            assert await steered.switch.withdraw("survival_social", left) is Answer.DONE
            await town.asterisk.wrote(names[3], RoomEntered, 3)
            assert len([step for step in town.asterisk.steps(names[3]) if isinstance(step, Overflowed)]) == 1
    finally:
        await town.asterisk.beat()
        for call, _ in callers:
            await call.hang_up()


async def test_nothing_was_complained_about_in_all_these_calls(town: Town) -> None:
    assert not_harmless(town.asterisk) == []
