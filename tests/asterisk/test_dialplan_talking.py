"""Passing calls on, holding, consulting and talking together, on a real Asterisk with real telephones."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from asterisk.ami import AmiAccess
from asterisk.found import find
from asterisk.port import Answer, Listening, Party
from asterisk.switch import AmiSwitch
from calls.journal import Arrived, EmergencyChosen, Held, Joined, RoomEntered, SeatMissed, Step, TalkEnded, Transferred
from calls.live import CallRef, CameBack, Channel, LeftRoom, LiveEvent, Seat, SentToSeat
from dialplan.names import AMI_USER
from phones.behaviour import Answers, Behaviour, Rejects, Rings
from phones.call import Call
from phones.ears import Ears, until_heard
from phones.g711 import RATE_HZ
from phones.line import Line
from phones.peer import Peer
from phones.placed import PlacedCall
from phones.telephone import Telephone
from phones.voices import read, voice
from routing.goals import HOLD
from tests.support.city_asterisk import BOUND_S, PASSWORD, CityAsterisk, secrets_of
from tests.support.city_asterisk import running as city_runs
from tests.support.settings_maker import city
from tests.support.town import not_harmless

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICE: dict[str, Any] = {
    "centres": {"tax": {"name": {"zh": "税务", "en": "Tax"}, "trunk": "tax_centre", "dial": "12366"}},
    "outside": {"trunk": "tax_centre", "allowed": ["1XXXXXXXXXX"]},
}
ANSWERING: dict[str, Any] = {
    "ring": "4s",
    # Ten in a row, which are one pattern in the dialplan, and one that is written out.
    "seats": {seat: {"skills": ["general", "social"]} for seat in (*map(str, range(8000, 8010)), "80011")},
}
OUTSIDE = "13912345678"
VOICE = "caller before"
VOICES = {
    VOICE: voice("caller", "before"),
    "caller after": voice("caller", "after"),
    "8001": voice("agent", "8001"),
    "8002": voice("agent", "8002"),
}
EARS = Ears(VOICES)
HEARING_S = 4.0
"""Twice what a voice takes."""


@dataclass
class Talk:
    """A citizen and a seat who talk."""

    town: "Town"
    caller: str
    placed: PlacedCall
    seat: Telephone

    @property
    def ref(self) -> CallRef:
        return CallRef(next(step.ref for step in self.steps if isinstance(step, Arrived)))

    @property
    def steps(self) -> list[Step]:
        return self.town.asterisk.steps(self.caller)

    @property
    def t0_ms(self) -> int:
        return next(step.t0_ms for step in self.steps if isinstance(step, RoomEntered))

    @property
    def leg(self) -> Call:
        return self.seat.calls[-1]

    async def parties(self, *contexts: str) -> tuple[Party, ...]:
        """Everybody, as soon as they are where they should be."""
        async with asyncio.timeout(BOUND_S):
            while True:
                found = await self.town.switch.parties(self.ref)
                if not contexts or sorted(party.context for party in found) == sorted(contexts):
                    return found
                await asyncio.sleep(0.02)

    async def transfer(self, goal: str) -> None:
        caller = (await self.parties())[0]
        assert await self.town.switch.transfer(caller.channel, goal) is Answer.DONE

    async def join(self) -> None:
        """Everybody into one conversation."""
        parties = await self.parties()
        assert await self.town.switch.join([party.channel for party in parties]) is Answer.DONE
        await self.parties(*["party"] * len(parties))

    async def consult(self, goal: str, *, join: bool = False) -> None:
        caller, leg = await self.parties("connect", "")
        assert await self.town.switch.consult(caller.channel, leg.channel, goal, join=join) is Answer.DONE

    async def wrote(self, kind: type, times: int = 1, **fields: object) -> None:
        await self.town.asterisk.wrote(self.caller, kind, times, **fields)


@dataclass
class Town:
    """The city, everybody outside, and the controller's hand on it."""

    asterisk: CityAsterisk
    switch: AmiSwitch
    carrier: Peer
    police: Peer
    tax: Peer
    heard: list[LiveEvent] = field(default_factory=list)
    callers: int = 0

    async def clear(self) -> None:
        """Nobody calls, and every far end answers, whatever the test before has left."""
        lines = (self.carrier, self.police, self.tax)
        await asyncio.gather(*(call.hang_up() for line in lines for call in line.calls))
        for line in lines:
            line.behave = Answers()
        await self.asterisk.clear()
        self.heard.clear()

    @asynccontextmanager
    async def telephone(self, seat: str, behave: Behaviour | None = None) -> AsyncIterator[Telephone]:
        phone = Telephone(seat, self.asterisk.server, password=PASSWORD, behave=behave or Answers())
        async with phone as telephone:
            yield telephone

    @asynccontextmanager
    async def talk(self, seat: Telephone) -> AsyncIterator[Talk]:
        """A citizen is connected with a seat."""
        self.callers += 1
        caller = f"137{self.callers:08}"
        await self.asterisk.beat()
        placed = await self.carrier.call("12333", caller=caller)
        try:
            await self.asterisk.wrote(caller, RoomEntered)
            linkedid = self.asterisk.linked(caller)
            channel = next(row.channel for row in self.asterisk.rows() if row.linkedid == linkedid)
            assert await self.switch.connect(Channel("node1", channel), Seat(seat.user)) is Answer.DONE
            await self.taken(seat)
            yield Talk(self, caller, placed, seat)
        finally:
            await placed.hang_up()

    async def until(self, wanted: Callable[[], bool], what: str) -> None:
        await self.asterisk.until(wanted, what)

    @property
    def complaints(self) -> str:
        return "\n".join(map(str, self.asterisk.process.complaints()))

    async def hears(self, event: LiveEvent) -> None:
        await self.until(lambda: event in self.heard, str(event))

    async def taken(self, line: Line) -> Call:
        """The call that a line has answered."""
        await self.until(lambda: bool(line.calls) and line.calls[-1].up, "an answer")
        return line.calls[-1]


async def _speak(call: Call, who: str) -> None:
    while await call.say(VOICES[who]):
        pass


async def _listen(town: Town) -> None:
    async with aclosing(town.switch.batches()) as batches:
        async for batch in batches:
            town.heard += batch or ()


async def is_heard(speaker: Call, hearing: Sequence[Call], deaf: Sequence[Call] = (), *, who: str = VOICE) -> None:
    """Somebody speaks until all of these have heard it; the others hear nothing of it."""
    begun = {call: call.heard_s for call in (*hearing, *deaf)}
    speaking = asyncio.create_task(_speak(speaker, who))
    try:
        for call in hearing:
            await until_heard(EARS, lambda: call.heard, who, since_s=begun[call], least_part=0.6)  # noqa: B023
        for call in deaf:
            assert not EARS.listen(call.heard[round(begun[call] * RATE_HZ) :])
    finally:
        speaking.cancel()
        speaker.media.hush()


async def deaf_to(speaker: Call, *deaf: Call) -> None:
    """Whoever speaks is not heard, in as much time as others need to hear it."""
    begun = {call: call.heard_s for call in deaf}
    await speaker.say(VOICES[VOICE])
    async with asyncio.timeout(BOUND_S):
        while any(call.heard_s < begun[call] + HEARING_S for call in deaf):  # noqa: ASYNC110 - sound comes by itself
            await asyncio.sleep(0.05)
    for call in deaf:
        assert not EARS.listen(call.heard[round(begun[call] * RATE_HZ) :])


async def talk_together(*calls: Call, deaf: Sequence[Call] = ()) -> None:
    """Each of them hears each other one, and nobody else does."""
    for speaker in calls:
        await is_heard(speaker, [call for call in calls if call is not speaker], deaf)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("city")
    today = datetime.now(UTC).date()
    settings = city(service=SERVICE, answering=ANSWERING)
    async with city_runs(find(), settings, folder, today) as asterisk, AsyncExitStack() as stack:

        async def far_end(trunk: str) -> Peer:
            place = asterisk.settings.trunks[trunk]
            peer = Peer(asterisk.server, address=place.host, port=place.port, name=trunk)
            return await stack.enter_async_context(peer)

        server = asterisk.settings.server.ami
        access = AmiAccess(str(server.address), server.port, AMI_USER, secrets_of(asterisk.settings).ami)
        switch = AmiSwitch("node1", access)
        town = Town(
            asterisk, switch, await far_end("carrier"), await far_end("emergency_a"), await far_end("tax_centre")
        )
        listening = asyncio.create_task(_listen(town))
        yield town
        listening.cancel()
        await asyncio.wait({listening})
        await switch.close()


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: Town) -> Town:
    """Nobody calls there."""
    await running.clear()
    return running


async def test_a_blind_transfer_rings_the_other_seat_and_frees_the_first(town: Town) -> None:
    async with town.telephone("8001") as one, town.telephone("8002") as two, town.talk(one) as talk:
        caller, _ = await talk.parties("connect", "")
        await talk.transfer("8002")
        await talk_together(talk.placed, await town.taken(two))
        assert talk.leg.over
        assert Transferred("8002", "blind") in talk.steps
        await town.hears(SentToSeat(talk.ref, caller.channel, Seat("8002")))


async def test_a_caller_sent_to_a_seat_that_is_busy_waits_again_and_is_ahead_of_later_ones(town: Town) -> None:
    async with town.telephone("8001") as one, town.telephone("8002", Rejects(486)), town.talk(one) as talk:
        await talk.transfer("8002")
        await talk.wrote(SeatMissed, seat="8002", why="BUSY")
        await talk.wrote(RoomEntered, 2, t0_ms=talk.t0_ms)


async def test_a_caller_sent_to_a_skill_waits_for_any_seat_that_has_it_since_the_first_moment(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.transfer("skill_general")
        await talk.wrote(RoomEntered, skills="general", t0_ms=talk.t0_ms)
        assert Transferred("skill_general", "blind") in talk.steps
        await talk.leg.ended()


@pytest.mark.parametrize(("goal", "number"), [("centre_tax", "12366"), (OUTSIDE, OUTSIDE), ("110", "110")])
async def test_a_caller_is_passed_on_outwards_with_its_own_number(town: Town, goal: str, number: str) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.transfer(goal)
        line = town.police if goal == "110" else town.tax
        await talk_together(talk.placed, await town.taken(line))
        assert (line.dialled[-1].number, line.dialled[-1].caller) == (number, talk.caller)
        assert talk.leg.over
        await town.hears(LeftRoom(talk.ref, "transfer"))
        await line.calls[-1].hang_up()
        await talk.placed.ended()


async def test_a_caller_whom_nobody_outside_takes_waits_again(town: Town) -> None:
    town.tax.behave = Rejects(486)
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.transfer(OUTSIDE)
        await talk.wrote(RoomEntered, 2, t0_ms=talk.t0_ms)
    town.tax.behave = Answers()


async def test_consulted_and_completed_the_caller_talks_with_the_other_seat_and_all_is_recorded(town: Town) -> None:
    async with town.telephone("8001") as one, town.telephone("8002") as two, town.talk(one) as talk:
        await is_heard(talk.placed, [talk.leg], who="caller before")
        await is_heard(talk.leg, [talk.placed], who="8001")
        # Whole, for the recording: whoever listens has heard enough before its end.
        await talk.leg.say(VOICES["8001"])
        await talk.consult("8002")
        other = await town.taken(two)
        await talk_together(talk.leg, other, deaf=[talk.placed])
        caller, *_ = await talk.parties("held", "consult_seat", "")
        await talk.join()
        await talk_together(talk.placed, talk.leg, other)
        await talk.leg.hang_up()
        await town.hears(SentToSeat(talk.ref, caller.channel, Seat("8002"), talking=True))
        await talk.wrote(Transferred, to="8002", how="attended")
        await is_heard(other, [talk.placed], who="8002")
        await other.say(VOICES["8002"])
        await is_heard(talk.placed, [other], who="caller after")
        await other.hang_up()
        await talk.placed.ended()
    recording = town.asterisk.places.monitor / f"{talk.ref}.wav"
    assert EARS.speakers(read(recording)) == set(VOICES)


async def test_whoever_stays_after_a_completed_transfer_is_the_seat_that_a_restarted_controller_finds(
    town: Town,
) -> None:
    async with town.telephone("8001") as one, town.telephone("8002") as two, town.talk(one) as talk:
        await talk.consult("8002", join=True)
        other = await town.taken(two)
        caller, *_ = await talk.parties("party", "party", "party")
        assert (await town.switch.snapshot()).offered == ((talk.ref, caller.channel, Seat("8001")),)
        await talk.leg.hang_up()
        await talk.wrote(Transferred, to="8002", how="attended")
        assert (await town.switch.snapshot()).offered == ((talk.ref, caller.channel, Seat("8002")),)
        await other.hang_up()
        await talk.wrote(TalkEnded, seat="8002", q850_cause=16)


async def test_three_talk_with_the_police_who_see_the_callers_number(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.consult("110", join=True)
        police = await town.taken(town.police)
        await talk_together(talk.placed, talk.leg, police)
        assert (town.police.dialled[-1].number, town.police.dialled[-1].caller) == ("110", talk.caller)
        await talk.wrote(EmergencyChosen, number="110", by="consult")
        await talk.leg.hang_up()
        await town.hears(LeftRoom(talk.ref, "transfer"))
        await talk_together(talk.placed, police)
        await talk.placed.hang_up()
        await police.ended()


async def test_when_whoever_was_consulted_hangs_up_the_seat_talks_with_its_caller_again(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.consult("centre_tax")
        tax = await town.taken(town.tax)
        await talk_together(talk.leg, tax, deaf=[talk.placed])
        await tax.hang_up()
        await talk_together(talk.placed, talk.leg)
        await talk.leg.hang_up()
        await talk.wrote(TalkEnded, seat="8001", q850_cause=16)
        await talk.placed.ended()


async def test_a_held_caller_hears_nothing_of_the_seat_until_it_is_retrieved(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.consult(HOLD)
        await talk.parties("held", "consult")
        await talk.wrote(Held, seat="8001")
        await deaf_to(talk.leg, talk.placed)
        await talk.join()
        await talk_together(talk.placed, talk.leg)
        await talk.wrote(Joined)
        await talk.placed.hang_up()
        await talk.leg.ended()


@pytest.mark.parametrize(("behave", "why"), [(Rejects(486), "BUSY"), (Rings(), "NOANSWER")])
async def test_when_the_consulted_seat_does_not_take_it_the_seat_talks_with_its_caller_again(
    town: Town, behave: Behaviour, why: str
) -> None:
    async with town.telephone("8001") as one, town.telephone("8002", behave), town.talk(one) as talk:
        await talk.consult("8002")
        await talk.wrote(SeatMissed, seat="8002", why=why)
        await talk_together(talk.placed, talk.leg)


async def test_a_seat_that_talks_is_not_rung_by_a_consultation(town: Town) -> None:
    async with (
        town.telephone("8001") as one,
        town.telephone("8002") as two,
        town.talk(one) as talk,
        town.talk(two) as other,
    ):
        await talk.consult("8002")
        await talk.wrote(SeatMissed, seat="8002", why="TAKEN")
        await talk_together(talk.placed, talk.leg, deaf=[other.leg])
        await talk_together(other.placed, other.leg)
        assert len(two.calls) == 1


async def test_a_seat_that_is_being_consulted_is_not_rung_for_a_waiting_caller(town: Town) -> None:
    async with (
        town.telephone("8001") as one,
        town.telephone("8002", Rings()) as two,
        town.telephone("8003") as three,
        town.talk(one) as talk,
        town.talk(three) as other,
    ):
        await talk.consult("8002")
        await town.until(lambda: len(two.calls) == 1, "the ringing")
        await other.transfer("8002")
        await other.wrote(SeatMissed, seat="8002", why="TAKEN")
        assert len(two.calls) == 1


async def test_a_caller_who_hangs_up_while_held_leaves_the_others_to_finish(town: Town) -> None:
    async with town.telephone("8001") as one, town.telephone("8002") as two, town.talk(one) as talk:
        await talk.consult("8002")
        other = await town.taken(two)
        await talk.placed.hang_up()
        await talk_together(talk.leg, other)
        await other.hang_up()
        await talk.leg.ended()


async def test_a_held_caller_whose_seat_hangs_up_waits_again_and_is_ahead_of_later_ones(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.consult(HOLD)
        await talk.parties("held", "consult")
        await talk.leg.hang_up()
        await talk.wrote(RoomEntered, 2, t0_ms=talk.t0_ms)
        await town.hears(CameBack(talk.ref, Seat("8001"), "LOST"))


async def test_a_caller_whose_seats_telephone_dies_while_it_consults_waits_again(town: Town) -> None:
    async with town.telephone("8001") as one, town.telephone("8002") as two, town.talk(one) as talk:
        await talk.consult("8002")
        other = await town.taken(two)
        await one.die()
        await other.ended()
        await talk.wrote(RoomEntered, 2, t0_ms=talk.t0_ms)
        await town.hears(CameBack(talk.ref, Seat("8001"), "LOST"))


async def test_the_last_leg_of_a_conversation_that_dies_gives_the_caller_back_to_the_room(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.consult(HOLD)
        await talk.parties("held", "consult")
        await talk.join()
        await one.die()
        await talk.wrote(TalkEnded, seat="8001", q850_cause=44)
        await talk.wrote(RoomEntered, 2, t0_ms=talk.t0_ms)


async def test_the_emergency_key_is_obeyed_while_held(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.consult(HOLD)
        await talk.wrote(Held)
        await talk.placed.press("*1")
        await talk_together(talk.placed, await town.taken(town.police))
        await town.hears(LeftRoom(talk.ref, "emergency"))
        await talk.leg.ended()


@pytest.mark.parametrize("held", [True, False])
async def test_a_caller_who_is_passed_on_from_hold_or_a_conversation_leaves_nobody_behind(
    town: Town, held: bool
) -> None:
    async with town.telephone("8001") as one, town.telephone("8002") as two, town.talk(one) as talk:
        await talk.consult(HOLD)
        await talk.parties("held", "consult")
        if not held:
            await talk.join()
        await talk.transfer("8002")
        await talk_together(talk.placed, await town.taken(two))
        await talk.leg.ended()


async def test_a_goal_that_is_not_there_any_more_leaves_the_seat_with_its_caller(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        await talk.consult("centre_gone")
        await talk_together(talk.placed, talk.leg)


# --- transfers by the telephones themselves ---


async def test_a_telephones_own_transfer_reaches_what_the_desk_may_reach(town: Town) -> None:
    async with town.telephone("8001") as one, town.telephone("8002") as two, town.talk(one) as talk:
        await talk_together(talk.placed, talk.leg)
        assert await talk.leg.refer("8002") == 202
        await talk_together(talk.placed, await town.taken(two))
        await talk.wrote(Transferred, to="8002", how="blind")
        await talk.leg.hang_up()


async def test_a_telephone_cannot_transfer_to_anything_else(town: Town) -> None:
    """Asterisk takes the wish, and answers afterwards that there is no such place."""
    async with town.telephone("8001") as one, town.talk(one) as talk:
        before = [len(line.dialled) for line in (town.tax, town.carrier, town.police)]
        for number in ("0085212345678", "12345", "8099", "seat", "s", "skill_none", "139123456789", "911"):
            await talk.leg.refer(number)
            await town.until(lambda: f"'{number}@transfer' but target" in town.complaints, "the refusal")  # noqa: B023
        await talk_together(talk.placed, talk.leg)
        assert [len(line.dialled) for line in (town.tax, town.carrier, town.police)] == before


async def test_a_citizens_telephone_or_its_carrier_transfers_nobody(town: Town) -> None:
    async with town.telephone("8001") as one, town.talk(one) as talk:
        assert await talk.placed.refer("8002") >= 400
        await talk_together(talk.placed, talk.leg)


# --- supervisors, and what else the controller asks of Asterisk ---


@pytest.mark.parametrize("how", Listening)
async def test_a_supervisor_listens_whispers_or_takes_part(town: Town, how: Listening) -> None:
    async with town.telephone("8001") as one, town.telephone("8003") as boss, town.talk(one) as talk:
        assert await town.switch.watch(Seat("8001"), Seat("8003"), how) is Answer.DONE
        watching = await town.taken(boss)
        await is_heard(talk.placed, [watching, talk.leg])
        await is_heard(talk.leg, [watching, talk.placed])
        match how:
            case Listening.LISTEN:
                await deaf_to(watching, talk.placed, talk.leg)
            case Listening.WHISPER:
                await is_heard(watching, [talk.leg], deaf=[talk.placed])
            case Listening.BARGE:
                await is_heard(watching, [talk.leg, talk.placed])
        await talk.placed.hang_up()
        await watching.ended()


async def test_a_supervisor_of_a_seat_hears_no_other_whose_number_begins_alike(town: Town) -> None:
    async with town.telephone("80011") as other, town.telephone("8003") as boss, town.talk(other):
        assert await town.switch.watch(Seat("8001"), Seat("8003"), Listening.LISTEN) is Answer.DONE
        await (await boss.next_call()).ended()


async def test_a_number_that_is_blocked_while_the_hotline_runs_stands_in_asterisks_own_list(town: Town) -> None:
    assert await town.switch.block("13700009999", "20991231") is Answer.DONE
    assert "20991231" in await town.asterisk.say("database get blocked 13700009999")
    assert await town.switch.unblock("13700009999") is Answer.DONE
    assert "not found" in await town.asterisk.say("database get blocked 13700009999")


async def test_nothing_was_complained_about_but_what_was_refused(town: Town) -> None:
    refused = ("but target does not exist", "transfer attempt blocked due to configuration")
    assert not_harmless(town.asterisk, *refused) == []
