"""What callers meet in Asterisk's own queues while nobody steers, and what is told of it, on a real Asterisk."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from calls.fold import fold
from calls.journal import CallBackWanted, EmergencyChosen, KeyPressed, RoomEntered, Said, SurvivalEntered
from calls.record import CallRecord, Outcome
from phones.behaviour import Answers, Rings
from phones.placed import PlacedCall
from phones.taken import TakenCall
from tests.support.full_service import FULL_SERVICE
from tests.support.settings_maker import PLAIN, city
from tests.support.town import Town, in_town, not_harmless

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEAT = "8003"
"""One that has the skill of 12333."""
GENERALIST = "8001"
"""One that has every skill."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    officer = {"trunk": "tax_centre", "dial": "13800000001", "after": "10m"}
    settings = city(
        service=FULL_SERVICE["service"],
        shifts={"duty_officer": officer},
        answering={**PLAIN["answering"], "ring": "2s"},
    )
    async with in_town(settings, tmp_path_factory.mktemp("city")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: Town) -> Town:
    """Nobody calls there, and nobody steers."""
    await running.clear()
    return running


@asynccontextmanager
async def surviving(town: Town, *, manned: bool) -> AsyncIterator[tuple[PlacedCall, str]]:
    """A caller in a queue whose only seat rings in vain, or who waits there although there is none."""
    async with AsyncExitStack() as stack:
        if manned:
            await stack.enter_async_context(town.telephone(SEAT, Rings()))
        call, caller = await town.waits()
        await town.asterisk.wrote(caller, SurvivalEntered, queue="survival_social")
        await town.asterisk.until_at(caller, "Queue")
        yield call, caller
        await call.hang_up()


async def kept(town: Town, caller: str) -> CallRecord:
    """The record of a caller's last call, once it is over."""
    record = fold("node1", await town.asterisk.ended(caller))
    assert record is not None
    return record


@pytest.mark.parametrize("manned", [True, False])
async def test_a_caller_may_hang_up_and_be_called_back_at_the_place_since_the_first_moment(
    town: Town, manned: bool
) -> None:
    async with surviving(town, manned=manned) as (call, caller):
        await call.press("1")
        assert (await call.ended()).cause == 16
    steps = town.asterisk.steps(caller)
    pressed = steps.index(KeyPressed("waiting", "1"))
    assert steps[pressed + 1 :] == [CallBackWanted(caller), Said("call_back_kept", "zh")]
    [entered] = [step for step in steps if isinstance(step, RoomEntered)]
    record = await kept(town, caller)
    assert (record.outcome, record.call_back_to, record.survived) == (Outcome.CALL_BACK, caller, True)
    assert (record.waiting_since_utc_ms, record.skills) == (entered.t0_ms, ("social",))


async def test_nobody_is_called_back_from_a_queue_at_no_number(town: Town) -> None:
    call = await town.carrier.call("12333", caller="anonymous")
    await town.asterisk.wrote("", SurvivalEntered)
    await town.asterisk.until_at("", "Queue")
    await call.press("1")
    await town.asterisk.wrote("", Said, prompt="call_back_no_number")
    await town.asterisk.until_at("", "Queue")
    assert call.up
    await call.hang_up()


async def test_a_prompt_key_says_it_and_the_place_in_the_queue_is_kept(town: Town) -> None:
    async with town.telephone(SEAT, Answers()) as seat:
        talking, _ = await town.waits()
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        (first, caller), (later, other) = await town.waits(), await town.waits()
        for one in (caller, other):
            await town.asterisk.wrote(one, SurvivalEntered)
            await town.asterisk.until_at(one, "Queue")
        await first.press("92")  # Nobody can tell a position.
        await town.asterisk.wrote(caller, Said, prompt="hint")
        await town.asterisk.until_at(caller, "Queue")
        assert KeyPressed("waiting", "9") not in town.asterisk.steps(caller)
        await talking.hang_up()
        await town.asterisk.until(lambda: len(seat.calls) > 1, "the next call")
        assert seat.calls[1].caller == caller
        for call in (first, later):
            await call.hang_up()


async def test_a_prompt_key_says_it_where_there_is_no_seat(town: Town) -> None:
    async with surviving(town, manned=False) as (call, caller):
        await call.press("2")
        await town.asterisk.wrote(caller, Said, prompt="hint")
        await town.asterisk.until_at(caller, "Queue")
        assert call.up


async def test_a_key_waits_in_the_queue_of_another_skill_since_the_same_moment(town: Town) -> None:
    async with surviving(town, manned=True) as (call, caller):
        await call.press("4")
        await town.asterisk.wrote(caller, SurvivalEntered, queue="survival_general")
        entered = [step for step in town.asterisk.steps(caller) if isinstance(step, RoomEntered)]
        assert [(step.skills, step.priority) for step in entered] == [("social", 4), ("general", 2)]
        assert len({step.t0_ms for step in entered}) == 1
        await call.press("*1")
        await town.asterisk.wrote(caller, EmergencyChosen, number="110", by="waiting")


async def test_the_record_of_a_talk_names_the_queues_seat_and_who_was_signed_on_there_once(town: Town) -> None:
    await town.asterisk.say(f"dialplan set global AGENT_{SEAT} 1001")
    async with town.telephone(SEAT, Answers()) as seat:
        call, caller = await town.waits()
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        await seat.calls[-1].hang_up()
        await town.asterisk.wrote(caller, Said, prompt="survey")
        await call.hang_up()
    record = await kept(town, caller)
    assert (record.seats, record.agents, record.survived) == ((SEAT,), ("1001",), True)
    assert record.outcome is Outcome.ANSWERED


async def test_two_queues_never_ring_a_seat_at_once(tmp_path: Path) -> None:
    settings = city(service=FULL_SERVICE["service"], answering={**PLAIN["answering"], "ring": "40s"})
    async with in_town(settings, tmp_path) as town, town.telephone(GENERALIST, Rings(after_s=60)) as seat:
        first, _ = await town.waits()
        await town.asterisk.until(lambda: bool(seat.calls), "the seat is called")
        second, other = await town.waits()
        await town.asterisk.wrote(other, SurvivalEntered, queue="survival_social")
        await town.asterisk.until_at(other, "Queue")
        await second.press("4")
        await town.asterisk.wrote(other, SurvivalEntered, queue="survival_general")
        await town.asterisk.until_at(other, "Queue")
        # For Asterisk's queues the seat is free again afterwards, because its telephone does not ring yet.
        own = await seat.call("*11")
        await own.answered()
        await town.asterisk.until_said("queue show survival_general", "(In use)")
        await own.hang_up()
        linkedid = town.asterisk.linked(other)
        await town.asterisk.until(
            lambda: any(row.linkedid == linkedid and GENERALIST in row.channel for row in town.asterisk.rows()),
            "the other queue tries the seat",
        )
        await seat.unregister()
        for call in (first, second):
            await call.hang_up()
        assert len([call for call in seat.calls if isinstance(call, TakenCall)]) == 1
        assert not_harmless(town.asterisk) == []


async def test_nothing_was_complained_about_in_all_these_calls(town: Town) -> None:
    assert not_harmless(town.asterisk) == []
