"""Passing calls on, holding, consulting and talking together, on a real Asterisk with real telephones."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from asterisk.port import Answer, Listening
from calls.journal import EmergencyChosen, Held, Joined, RoomEntered, SeatMissed, TalkEnded, Transferred
from calls.live import CameBack, LeftRoom, Seat, SentToSeat
from phones.behaviour import Answers, Behaviour, Rejects, Rings
from phones.voices import read
from routing.goals import HOLD
from tests.support import passing_on
from tests.support.passing_on import EARS, OUTSIDE, VOICES, Town, deaf_to, is_heard, talk_together
from tests.support.town import not_harmless

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with passing_on.running(tmp_path_factory.mktemp("city")) as town:
        yield town


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
