"""The compiled dialplan on a real Asterisk, with real telephones and nobody steering."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
import pytest_asyncio

from asterisk.found import find
from calls.journal import (
    EmergencyChosen,
    Refused,
    RoomEntered,
    Said,
    SeatMissed,
    Step,
    SurvivalEntered,
    TalkEnded,
    TrunkEnded,
)
from ivr.walk import SILENCE, Press, blank, walk
from phones.behaviour import Answers, Rejects, Rings
from phones.peer import Peer
from phones.placed import PlacedCall
from phones.telephone import Telephone
from routing.hours import moment
from tests.support.city_asterisk import PASSWORD, CityAsterisk, running
from tests.support.settings_maker import city

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = frozenset({"hello", "hint", "closed_office", "to_tax"})


@dataclass
class Town:
    """The city, its carrier, its emergency centres."""

    asterisk: CityAsterisk
    carrier: Peer
    emergency_a: Peer
    emergency_b: Peer
    callers: int = 0

    def new_caller(self) -> str:
        self.callers += 1
        return f"138{self.callers:08}"

    async def call(self, number: str) -> tuple[PlacedCall, str]:
        caller = self.new_caller()
        return await self.carrier.call(number, caller=caller), caller

    def telephone(self, seat: str, behave: Answers | Rings | Rejects) -> Telephone:
        return Telephone(seat, self.asterisk.server, password=PASSWORD, behave=behave)

    async def waits(self, number: str = "12333", times: int = 1) -> tuple[PlacedCall, str]:
        """A caller in the waiting room."""
        call, caller = await self.call(number)
        await self.asterisk.wrote(caller, RoomEntered, times)
        return call, caller

    async def connect(self, caller: str, seat: str) -> None:
        """What the controller does."""
        rows = next(rows for rows in self.asterisk.calls() if rows[0].linkedid == self.asterisk.linked(caller))
        await self.asterisk.say(f"channel redirect {rows[0].channel} connect,{seat},1")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("city")
    today = datetime.now(UTC).date()
    async with running(find(), city(), folder, today, long=LONG) as asterisk, AsyncExitStack() as stack:

        async def far_end(trunk: str) -> Peer:
            place = asterisk.settings.trunks[trunk]
            peer = Peer(asterisk.server, address=place.host, port=place.port, name=trunk)
            return await stack.enter_async_context(peer)

        yield Town(asterisk, await far_end("carrier"), await far_end("emergency_a"), await far_end("emergency_b"))


async def test_it_boots_without_a_word_of_complaint(town: Town) -> None:
    assert town.asterisk.process.complaints() == ()
    assert "8001" in await town.asterisk.say("queue show survival_english_social")


WALKS: dict[str, tuple[str, list[Press]]] = {
    "a number of old without a menu": ("12333", []),
    "a key": ("12345", [Press("1")]),
    "a key during the greeting is the menu's first": ("12345", [Press("2", during="hello")]),
    "a submenu, and back": ("12345", [Press("3"), Press("#"), Press("#"), Press("0")]),
    "three wrong keys": ("12345", [Press("7"), Press("5"), Press("*9")]),
    "three silences": ("12345", [Press("3"), SILENCE, SILENCE, SILENCE]),
    "another language": ("12345", [Press("8"), Press("3"), Press("1")]),
    "a prompt, broken off": ("12345", [Press("4"), Press("9", during="hint"), Press("1")]),
    "a star that nothing follows": ("12345", [Press("*"), Press("2")]),
    "no emergency while waiting": ("12333", [Press("5"), Press("*7"), Press("*")]),
    "taken over by another number": ("12318", [Press("1")]),
    "cancelled": ("12301", []),
    "another centre that is not there": ("12366", []),
    "a number that nobody serves": ("40088", []),
}


async def test_what_callers_meet_is_what_the_walk_in_python_says(town: Town) -> None:
    """All at once: each of them takes its time."""
    await town.asterisk.beat()
    await asyncio.gather(*(_walked(town, number, presses) for number, presses in WALKS.values()))


async def _walked(town: Town, number: str, presses: list[Press]) -> None:
    now = moment(town.asterisk.settings, datetime.now(UTC))
    trunks = {"tax_centre": "CHANUNAVAIL"}
    call, caller = await town.call(number)

    def expected(count: int) -> list[Step]:
        return walk(town.asterisk.settings, number, presses[:count], now, caller=caller, trunks=trunks)

    async def has_written(count: int) -> None:
        await town.asterisk.until(lambda: len(town.asterisk.steps(caller)) >= count, f"step {count} of {number}")

    for place, press in enumerate(presses):
        # What the walks without and with this press have in common comes before it; it ends with the
        # prompt during which, or after which, the key is pressed.
        pairs = zip(expected(place), expected(place + 1), strict=False)
        common = [pair[0] for pair in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        await has_written(max(at for at, step in enumerate(common, 1) if isinstance(step, Said)))
        if press.key:
            await call.press(press.key)
    whole = expected(len(presses))
    await has_written(len(whole))
    assert [blank(step) for step in town.asterisk.steps(caller)] == whole
    await call.hang_up()


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


async def test_a_seat_that_answers_talks_until_one_hangs_up(town: Town) -> None:
    await town.asterisk.beat()
    call, caller = await town.waits()
    async with town.telephone("8001", Answers()) as seat:
        await town.connect(caller, "8001")
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        await seat.calls[-1].hang_up()
        assert (await call.ended()).side == "far"
    await town.asterisk.wrote(caller, TalkEnded, seat="8001", q850_cause=16)


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


async def test_a_caller_whose_seat_falls_silent_waits_again(town: Town) -> None:
    await town.asterisk.beat()
    call, caller = await town.waits()
    async with town.telephone("8001", Answers()) as seat:
        await town.connect(caller, "8001")
        await town.asterisk.until(lambda: any(taken.up for taken in seat.calls), "the talk")
        seat.calls[-1].vanish()
        await town.asterisk.wrote(caller, TalkEnded, seat="8001", q850_cause=44)
        await town.asterisk.wrote(caller, RoomEntered, 2)
        assert call.up
    await call.hang_up()


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


async def test_the_city_day_and_hour_decide_when_the_call_comes(town: Town) -> None:
    """Open and closed, working day and holiday, before and after a number's first day."""
    zone = moment(town.asterisk.settings, datetime.now(UTC)).at.tzinfo
    for at, closed in (
        (datetime(2026, 11, 23, 10, 0, tzinfo=zone), False),
        (datetime(2026, 11, 23, 12, 30, tzinfo=zone), True),
        (datetime(2026, 11, 22, 10, 0, tzinfo=zone), True),
    ):
        await town.asterisk.shift(int((at - datetime.now(UTC)) / timedelta(seconds=1)))
        call, caller = await town.call("12329")
        await town.asterisk.wrote(caller, Said)
        expected = walk(town.asterisk.settings, "12329", [], moment(town.asterisk.settings, at), caller=caller)
        assert ("closed_office" in {getattr(step, "prompt", "") for step in expected}) == closed
        real = [blank(step) for step in town.asterisk.steps(caller)]
        assert real == expected[: len(real)]
        await call.hang_up()
    before = datetime(2019, 12, 31, 23, 0, tzinfo=zone)
    await town.asterisk.shift(int((before - datetime.now(UTC)) / timedelta(seconds=1)))
    call, caller = await town.call("12345")
    await town.asterisk.wrote(caller, Refused, why="unknown")
    await call.hang_up()
    await town.asterisk.shift(0)


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
    before = len(town.asterisk.rows())
    for number in ("12345;x", "1234\r\nEvent: x", "123${SHELL(id)}", "*1", "1" * 21):
        call = await town.carrier.call(number, caller="13812345678")
        assert (await call.ended()).status == 404
    assert len(town.asterisk.rows()) == before


async def test_nothing_was_complained_about_in_all_these_calls(town: Town) -> None:
    expected = ("Could not create dialog to invalid URI", "Failed to create outgoing session")
    assert [str(told) for told in town.asterisk.process.complaints() if not told.text.endswith(expected)] == []
