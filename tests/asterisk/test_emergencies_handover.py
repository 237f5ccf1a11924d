"""Agents hand callers over to an emergency number by a key, on a real Asterisk that nobody steers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import unquote

import pytest
import pytest_asyncio

from asterisk.notes import encoded
from calls.journal import (
    Arrived,
    EmergencyChosen,
    Held,
    Joined,
    NotePassed,
    RoomEntered,
    SurvivalEntered,
    Transferred,
    TrunkEnded,
)
from phones.behaviour import Answers, Rejects
from phones.call import Call
from phones.peer import Dialled
from phones.placed import PlacedCall
from phones.telephone import Telephone
from tests.support.hearing import hear_one_another
from tests.support.settings_maker import city
from tests.support.town import Town, in_town, not_harmless

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEAT = "8003"
NOTE = '12号楼3单元: 老人摔倒, "昏迷"\r\nX-Evil: 1'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with in_town(city(), tmp_path_factory.mktemp("city")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: Town) -> Town:
    await running.clear()
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def talk(town: Town, stack: AsyncExitStack, *, steered: bool) -> tuple[PlacedCall, str, Call]:
    """A caller and an agent who talk, by the controller or without one; nobody steers any more."""
    await town.asterisk.beat(alive=steered)
    seat: Telephone = await stack.enter_async_context(town.telephone(SEAT, Answers()))
    placed, caller = await town.waits()
    if steered:
        await town.connect(caller, SEAT)
    else:
        await town.asterisk.wrote(caller, SurvivalEntered)
    await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
    await town.asterisk.beat(alive=False)
    stack.push_async_callback(placed.hang_up)
    return placed, caller, seat.calls[-1]


def ref(town: Town, caller: str) -> str:
    return next(step.ref for step in town.asterisk.steps(caller) if isinstance(step, Arrived))


async def reached(town: Town, caller: str) -> tuple[Dialled, Call]:
    """The police, who has answered this caller's call."""
    police = town.emergency_a
    await town.asterisk.until(lambda: any(one.caller == caller for one in police.dialled), "the call to 110")
    await town.asterisk.until(lambda: police.calls[-1].up, "its answer")
    return police.dialled[-1], police.calls[-1]


@pytest.mark.parametrize("steered", [True, False], ids=["connected", "surviving"])
async def test_by_a_key_all_three_talk_and_the_centre_is_told_who_and_what(
    town: Town, stack: AsyncExitStack, steered: bool
) -> None:
    placed, caller, leg = await talk(town, stack, steered=steered)
    await town.asterisk.say(f"dialplan set chanvar {town.channel(caller)} HL_NOTE {encoded(NOTE)}")
    await leg.press("*1")
    dialled, police = await reached(town, caller)
    assert (dialled.number, dialled.headers.all("x-evil")) == ("110", ())
    assert dialled.headers.required("x-hotline-ref") == ref(town, caller)
    assert unquote(dialled.headers.required("x-hotline-note")) == NOTE
    await hear_one_another({"caller": placed, "agent": leg, "other": police})
    await leg.hang_up()
    await hear_one_another({"caller": placed, "other": police})
    await police.hang_up()
    await placed.ended()
    steps = town.asterisk.steps(caller)
    # Each of the two channels writes its own: they are in no order.
    wanted = {
        Held(SEAT),
        EmergencyChosen("110", "consult"),
        NotePassed("110", NOTE),
        Joined(),
        Transferred("110", "attended"),
    }
    told = [step for step in steps if isinstance(step, tuple({type(step) for step in wanted}))]
    assert (set(told), len(told)) == (wanted, len(wanted))
    assert len([step for step in steps if isinstance(step, RoomEntered)]) == 1


async def test_without_an_answer_agent_and_caller_talk_on_and_the_key_works_again(
    town: Town, stack: AsyncExitStack
) -> None:
    placed, caller, leg = await talk(town, stack, steered=True)
    for peer in (town.emergency_a, town.emergency_b):
        peer.behave = Rejects(503)
        stack.callback(setattr, peer, "behave", Answers())
    await leg.press("*1")
    await town.asterisk.wrote(caller, TrunkEnded, trunk="emergency_b")
    await town.asterisk.wrote(caller, Joined)
    await hear_one_another({"caller": placed, "agent": leg})


async def test_a_key_of_the_telephone_that_is_no_emergencys_is_heard_by_the_caller(
    town: Town, stack: AsyncExitStack
) -> None:
    placed, caller, leg = await talk(town, stack, steered=True)
    await leg.press("*9")
    await hear_one_another({"caller": placed, "agent": leg})
    assert not [step for step in town.asterisk.steps(caller) if isinstance(step, Held)]


async def test_a_blind_transfer_to_an_emergency_tells_the_centre_the_same(town: Town, stack: AsyncExitStack) -> None:
    placed, caller, leg = await talk(town, stack, steered=False)
    await town.asterisk.say(f"dialplan set chanvar {town.channel(caller)} HL_NOTE {encoded(NOTE)}")
    assert await leg.refer("110") == 202
    dialled, police = await reached(town, caller)
    assert dialled.headers.required("x-hotline-ref") == ref(town, caller)
    assert unquote(dialled.headers.required("x-hotline-note")) == NOTE
    await hear_one_another({"caller": placed, "other": police})
    assert NotePassed("110", NOTE) in town.asterisk.steps(caller)


async def test_nothing_was_complained_about_in_all_these_calls(town: Town) -> None:
    assert not_harmless(town.asterisk) == []
