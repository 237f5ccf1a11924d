"""Agents' codes from a real telephone on a real Asterisk; the tests decide in the controller's place."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from asterisk.port import Answer
from calls.cel import Row
from calls.journal import Refused, RoomEntered
from calls.live import DeskCode, SeatDialled
from phones.behaviour import Answers
from phones.call import NotAnswered
from phones.placed import PlacedCall
from tests.support.settings_maker import PLAIN, city
from tests.support.town import Listener, Town, in_town, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    seats = {**PLAIN["answering"]["seats"], "8009": {}}
    async with in_town(city(answering={"seats": seats}), tmp_path_factory.mktemp("city")) as found:
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


def rows_of(town: Town, seat: str) -> list[Row]:
    return [row for row in town.asterisk.rows() if row.channel.startswith(f"PJSIP/{seat}-")]


def endings(town: Town, seat: str) -> list[str]:
    """Where each call of a seat's telephone ended in the dialplan, the oldest first."""
    return [row.exten for row in rows_of(town, seat) if row.kind == "HANGUP"]


async def says(town: Town, call: PlacedCall, seat: str, prompt: str) -> None:
    """Waits until the seat's latest call has ended, which it does after its prompt."""
    await call.ended()
    calls = len([row for row in rows_of(town, seat) if row.kind == "CHAN_START"])
    await town.asterisk.until(lambda: len(endings(town, seat)) == calls, f"the end of call {calls} of {seat}")
    assert endings(town, seat)[-1] == prompt


async def test_signing_on_asks_for_number_and_pin_and_says_what_the_controller_answers(
    town: Town, steered: Listener
) -> None:
    async with town.telephone("8009", Answers()) as telephone:
        call = await telephone.call("*11")
        await call.answered()
        await call.press("1001#")
        await call.press("0471#")
        told = await steered.heard(SeatDialled, seat="8009", code=DeskCode.SIGN_ON)
        assert (told.keyed, told.pin) == ("1001", "0471")
        assert await steered.switch.reply(told.channel, "desk_on") is Answer.DONE
        await says(town, call, "8009", "desk_on")


async def test_keys_that_are_pressed_while_a_prompt_plays_count(town: Town, steered: Listener) -> None:
    async with town.telephone("8009", Answers()) as telephone:
        call = await telephone.call("*11")
        await call.answered()
        await call.press("10021112#98765432#")
        told = await steered.heard(SeatDialled, keyed="10021112")
        assert told.pin == "98765432"
        await steered.switch.reply(told.channel, "desk_wrong")
        await says(town, call, "8009", "desk_wrong")


async def test_a_number_that_is_too_long_is_told_as_it_was_keyed_in(town: Town, steered: Listener) -> None:
    async with town.telephone("8009", Answers()) as telephone:
        call = await telephone.call("*11")
        await call.answered()
        await call.press("123456789123#")  # The rest is the PIN.
        told = await steered.heard(SeatDialled, keyed="123456789")
        assert told.pin == "123"
        await steered.switch.reply(told.channel, "desk_wrong")
        await says(town, call, "8009", "desk_wrong")


async def test_a_pause_tells_the_reason_by_its_place(town: Town, steered: Listener) -> None:
    async with town.telephone("8002", Answers()) as telephone:
        call = await telephone.call("*13")
        await call.answered()
        await call.press("2")
        told = await steered.heard(SeatDialled, seat="8002", code=DeskCode.PAUSE)
        assert (told.keyed, told.pin) == ("2", "")
        await steered.switch.reply(told.channel, "desk_paused")
        await says(town, call, "8002", "desk_paused")


@pytest.mark.parametrize(("code", "reply"), [(DeskCode.SIGN_OFF, "desk_off"), (DeskCode.READY, "desk_ready")])
async def test_signing_off_and_being_ready_ask_nothing(
    town: Town, steered: Listener, code: DeskCode, reply: str
) -> None:
    async with town.telephone("8002", Answers()) as telephone:
        call = await telephone.call(code.value)
        told = await steered.heard(SeatDialled, seat="8002", code=code)
        await steered.switch.reply(told.channel, reply)
        await says(town, call, "8002", reply)


@pytest.mark.parametrize("reply", [None, "hello", "desk_agent"])
async def test_without_an_answer_that_is_known_the_seat_hears_that_nobody_decides(
    town: Town, steered: Listener, reply: str | None
) -> None:
    before = len(steered.of(SeatDialled))
    async with town.telephone("8001", Answers()) as telephone:
        call = await telephone.call("*12")
        told = await steered.heard(SeatDialled, seat="8001", times=1 + before_at("8001", steered))
        if reply is not None:
            await steered.switch.reply(told.channel, reply)
        await says(town, call, "8001", "desk_away")
    assert len(steered.of(SeatDialled)) == before + 1


def before_at(seat: str, steered: Listener) -> int:
    return len([one for one in steered.of(SeatDialled) if one.seat == seat])


@pytest.mark.parametrize("number", ["8001", "12345", "*15", "*1", "13812345678", "desk_on"])
async def test_a_seat_dials_nothing_else(town: Town, steered: Listener, number: str) -> None:
    async with town.telephone("8003", Answers()) as telephone:
        call = await telephone.call(number)
        with pytest.raises(NotAnswered):
            await call.answered()


async def test_no_pin_is_left_anywhere(town: Town, steered: Listener) -> None:
    async with town.telephone("8009", Answers()) as telephone:
        call = await telephone.call("*11")
        await call.answered()
        await call.press("1001#55550471#")
        told = await steered.heard(SeatDialled, pin="55550471")
        assert "55550471" not in await town.asterisk.say(f"core show channel {told.channel.name}")
        await call.hang_up()
    logs = [path for path in town.asterisk.places.log.rglob("*") if path.is_file()]
    assert logs
    assert not [path for path in logs if b"55550471" in path.read_bytes()]


async def test_a_caller_who_was_blocked_at_the_desk_is_refused_until_it_is_taken_back(
    town: Town, steered: Listener
) -> None:
    caller = town.new_caller()
    assert await steered.switch.block(caller, "20991231") is Answer.DONE
    call, _ = await town.call("12333", caller)
    await town.asterisk.wrote(caller, Refused, why="blocked")
    await call.hang_up()
    assert await steered.switch.block(caller, "20200101") is Answer.DONE
    call, _ = await town.waits(caller=caller)
    await call.hang_up()
    assert await steered.switch.block(caller, "20991231") is Answer.DONE
    assert await steered.switch.unblock(caller) is Answer.DONE
    call, _ = await town.waits(caller=caller, times=1)
    await town.asterisk.wrote(caller, RoomEntered)
    await call.hang_up()


async def test_an_emergency_call_of_a_blocked_caller_goes_through(town: Town, steered: Listener) -> None:
    caller = town.new_caller()
    assert await steered.switch.block(caller, "20991231") is Answer.DONE
    call, _ = await town.call("110", caller)
    await call.answered()
    await call.hang_up()
