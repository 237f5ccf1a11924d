"""What every `Switch` must do: the same tests for the scripted one, for AMI, and for a real Asterisk."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import pytest

from asterisk.port import Answer, DialBack, DrillCall, Listening, Switch, SwitchLost
from calls.live import (
    Agent,
    AsksPlace,
    CallBackEnded,
    CallRef,
    CameBack,
    Channel,
    DeskCode,
    Device,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    LeftRoom,
    LiveEvent,
    Seat,
    SeatChanged,
    SeatDialled,
    SentToSeat,
    Waiting,
    WantsCallBack,
)

BOUND_S = 20.0
REF = CallRef("0b6f6a4e-6a1a-4d3e-9c53-4a3d7b1f0001")
OTHER_REF = CallRef("0b6f6a4e-6a1a-4d3e-9c53-4a3d7b1f0002")
SEAT = Seat("8001")
ABSENT_SEAT = Seat("8009")
QUEUE = "survival_english_labour"
DEMANDS = (frozenset({"english", "labour"}), frozenset({"labour"}))
"""What the survival queues of every stage stand for."""
NOBODY = Channel("node1", "PJSIP/nobody-00000001")
CALLER = "13800000001"
"""Every caller's number."""


def event(name: str, who: Waiting) -> LiveEvent:
    """What is heard when a caller, or a seat's telephone, writes an event of this name."""
    match name:
        case "Ask":
            return AsksPlace(who.ref, who.channel)
        case "CallBack":
            return WantsCallBack(who, CALLER)
        case "Sent":
            return SentToSeat(who.ref, who.channel, SEAT)
        case "Reached":
            return CallBackEnded(who.ref, who.channel, "")
        case "Desk":
            return SeatDialled(who.channel, SEAT, DeskCode.SIGN_ON, "1001", "4711")
        case _:
            raise AssertionError(name)


EVENTS = ("Ask", "CallBack", "Sent", "Reached", "Desk")


def caller(ref: CallRef = REF, channel: str = "") -> Waiting:
    """Someone who waits; a stage that makes real channels replaces `channel`."""
    return Waiting(
        channel=Channel("node1", channel or f"PJSIP/carrier_a-{ref[-4:]}"),
        ref=ref,
        t0_ms=1_750_000_000_123,
        skills=frozenset({"labour", "english"}),
        priority=3,
        number="12333",
        language="zh",
        caller=CALLER,
    )


class Stage(Protocol):
    """Makes things happen in a switch's world."""

    @property
    def switch(self) -> Switch: ...

    async def waits(self, who: Waiting) -> Waiting:
        """A caller enters the waiting room: it, with its true channel."""
        ...

    async def survives(self, who: Waiting, queue: str) -> Waiting: ...
    async def leaves(self, who: Waiting, to: str) -> None: ...
    async def hangs_up(self, who: Waiting) -> None: ...
    async def does_not_answer(self, who: Waiting, seat: Seat) -> None:
        """The seat that the caller was just connected to does not take it."""
        ...

    async def registers(self, seat: Seat) -> None: ...
    async def unregisters(self, seat: Seat) -> None: ...
    async def lose(self) -> None:
        """The connection breaks."""
        ...

    async def writes(self, who: Waiting, name: str) -> None:
        """A caller's channel writes one of EVENTS."""
        ...

    async def is_not_reached(self, ref: CallRef) -> None:
        """Whoever was just called back does not answer."""
        ...

    async def manned(self, seat: Seat) -> tuple[str, frozenset[str]]:
        """Who Asterisk thinks is at a seat, and the survival queues that may ring it now."""
        ...

    async def blocked_until(self, number: str) -> str: ...


class Ear:
    """Reads a switch's batches and waits for what is expected."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.heard: list[LiveEvent | None] = []
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async with aclosing(self.switch.batches()) as reading:
            async for batch in reading:
                assert batch is None or batch, "an empty batch"
                async with self._news:
                    self.heard += [None] if batch is None else list(batch)
                    self._news.notify_all()

    async def until(self, wanted: Callable[[list[LiveEvent | None]], bool]) -> None:
        async with self._news, asyncio.timeout(BOUND_S):
            await self._news.wait_for(lambda: wanted(self.heard) or self._task.done())
        if self._task.done():
            self._task.result()

    async def hears(self, *events: LiveEvent) -> None:
        """Waits until all of these were heard; then in this order."""
        try:
            await self.until(lambda heard: all(event in heard for event in events))
        except TimeoutError:
            raise AssertionError(f"expected {events}, heard {self.heard}") from None
        places = [self.heard.index(event) for event in events]
        assert places == sorted(places), self.heard

    async def connected(self, times: int = 1) -> None:
        await self.until(lambda heard: heard.count(None) >= times)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})


@pytest.fixture
async def ear(stage: Stage) -> AsyncIterator[Ear]:
    listening = Ear(stage.switch)
    await listening.connected()
    yield listening
    await listening.close()


class SwitchContract:
    """Subclasses give the fixture `stage`."""

    async def test_the_first_thing_heard_is_that_everything_known_is_stale(self, stage: Stage, ear: Ear) -> None:
        assert ear.heard[0] is None

    async def test_a_caller_who_enters_the_room_is_heard_with_all_that_is_known(self, stage: Stage, ear: Ear) -> None:
        who = await stage.waits(caller())
        await ear.hears(EnteredRoom(who))

    async def test_a_caller_whose_number_the_carrier_does_not_tell_has_an_empty_one(
        self, stage: Stage, ear: Ear
    ) -> None:
        who = await stage.waits(replace(caller(), caller=""))
        await ear.hears(EnteredRoom(who))
        assert (await stage.switch.snapshot()).waiting == (who,)

    async def test_a_snapshot_tells_who_waits_and_who_survives(self, stage: Stage, ear: Ear) -> None:
        waiting = await stage.waits(caller())
        surviving = await stage.survives(caller(OTHER_REF), QUEUE)
        await ear.hears(EnteredRoom(waiting))
        await ear.hears(EnteredSurvival(surviving, QUEUE))
        found = await stage.switch.snapshot()
        assert found.waiting == (waiting,)
        assert found.surviving == ((QUEUE, surviving),)
        assert found.offered == ()

    async def test_a_connected_caller_is_at_the_seat_and_waits_no_more(self, stage: Stage, ear: Ear) -> None:
        await stage.registers(SEAT)
        who = await stage.waits(caller())
        await ear.hears(EnteredRoom(who))
        assert await stage.switch.connect(who.channel, SEAT) is Answer.DONE
        found = await stage.switch.snapshot()
        assert found.offered == ((who.ref, who.channel, SEAT),)
        assert found.waiting == ()

    async def test_a_caller_whom_the_seat_does_not_take_comes_back_with_its_place_kept(
        self, stage: Stage, ear: Ear
    ) -> None:
        who = await stage.waits(caller())
        await ear.hears(EnteredRoom(who))
        await stage.switch.connect(who.channel, ABSENT_SEAT)
        await stage.does_not_answer(who, ABSENT_SEAT)
        await ear.until(lambda heard: heard.count(EnteredRoom(who)) == 2)
        back = [event for event in ear.heard if isinstance(event, CameBack)]
        assert [(event.ref, event.seat) for event in back] == [(who.ref, ABSENT_SEAT)]
        assert ear.heard.index(back[0]) < len(ear.heard) - 1

    async def test_a_caller_who_left_on_its_own_is_heard(self, stage: Stage, ear: Ear) -> None:
        who = await stage.waits(caller())
        await stage.leaves(who, "emergency")
        await ear.hears(EnteredRoom(who), LeftRoom(who.ref, "emergency"))

    async def test_a_caller_who_hung_up_is_heard_and_can_be_connected_no_more(self, stage: Stage, ear: Ear) -> None:
        who = await stage.waits(caller())
        await stage.hangs_up(who)
        await ear.until(
            lambda heard: any(isinstance(event, HungUp) and event.channel == who.channel for event in heard)
        )
        assert await stage.switch.connect(who.channel, SEAT) is Answer.NO_CHANNEL
        assert (await stage.switch.snapshot()).waiting == ()

    async def test_a_seat_that_comes_and_goes_is_heard_and_stands_in_the_snapshot(self, stage: Stage, ear: Ear) -> None:
        await stage.registers(SEAT)
        await ear.hears(SeatChanged(SEAT, Device.FREE))
        assert (SEAT, Device.FREE) in (await stage.switch.snapshot()).seats
        await stage.unregisters(SEAT)
        await ear.until(lambda heard: _last(heard, SEAT) is Device.GONE)
        assert (SEAT, Device.GONE) in (await stage.switch.snapshot()).seats

    async def test_a_heartbeat_is_acknowledged(self, stage: Stage, ear: Ear) -> None:
        assert await stage.switch.beat(1_750_000_000)

    async def test_a_caller_withdrawn_from_survival_is_back_in_the_room(self, stage: Stage, ear: Ear) -> None:
        who = await stage.survives(caller(), QUEUE)
        await ear.hears(EnteredSurvival(who, QUEUE))
        answers = [await stage.switch.withdraw(QUEUE, who.channel) for _ in range(2)]
        assert answers[0] is Answer.DONE
        assert answers[1] in (Answer.DONE, Answer.NO_CHANNEL)
        await ear.hears(EnteredRoom(who))

    async def test_after_a_lost_connection_a_snapshot_tells_what_was_missed(self, stage: Stage, ear: Ear) -> None:
        await stage.lose()
        who = await stage.waits(caller())
        await ear.connected(times=2)
        assert (await stage.switch.snapshot()).waiting == (who,)

    async def test_without_a_connection_commands_fail_and_there_is_no_snapshot(self, stage: Stage) -> None:
        assert not await stage.switch.beat(1_750_000_000)
        assert {await command for command in _commands(stage.switch, NOBODY)} == {Answer.FAILED}
        assert await stage.switch.man(SEAT, None, frozenset(), paused=False) is Answer.FAILED
        assert await stage.switch.block(CALLER, "20991231") is Answer.FAILED
        assert await stage.switch.unblock(CALLER) is Answer.FAILED
        assert await stage.switch.dial_back(_call_back()) is Answer.FAILED
        assert await stage.switch.drill(DrillCall(OTHER_REF, "110_emergency_a")) is Answer.FAILED
        assert await stage.switch.watch(SEAT, ABSENT_SEAT, Listening.LISTEN) is Answer.FAILED
        with pytest.raises(SwitchLost):
            await stage.switch.snapshot()
        with pytest.raises(SwitchLost):
            await stage.switch.parties(REF)

    async def test_a_command_to_a_channel_that_is_gone_says_so(self, stage: Stage, ear: Ear) -> None:
        answers = [await command for command in _commands(stage.switch, NOBODY)]
        assert set(answers) == {Answer.NO_CHANNEL}

    @pytest.mark.parametrize("name", EVENTS)
    async def test_what_a_channel_writes_is_heard_with_all_that_is_known(
        self, stage: Stage, ear: Ear, name: str
    ) -> None:
        who = await stage.waits(caller())
        await stage.writes(who, name)
        await ear.hears(EnteredRoom(who), event(name, who))

    async def test_a_waiting_caller_can_be_told_its_place_and_a_telephone_its_answer(
        self, stage: Stage, ear: Ear
    ) -> None:
        who = await stage.waits(caller())
        assert await stage.switch.tell_place(who.channel, 3, -1) is Answer.DONE
        assert await stage.switch.reply(who.channel, "desk_on") is Answer.DONE

    async def test_a_caller_who_was_moved_up_keeps_that_place_over_a_restart_of_the_controller(
        self, stage: Stage, ear: Ear
    ) -> None:
        who = await stage.waits(caller())
        assert await stage.switch.move_up(who.channel, 1_600_000_000_000, 1) is Answer.DONE
        (found,) = (await stage.switch.snapshot()).waiting
        assert (found.t0_ms, found.priority) == (1_600_000_000_000, 1)

    async def test_a_caller_who_overflows_waits_no_more(self, stage: Stage, ear: Ear) -> None:
        who = await stage.waits(caller())
        assert await stage.switch.overflow(who.channel, "duty") is Answer.DONE
        assert (await stage.switch.snapshot()).waiting == ()

    async def test_a_call_back_that_reaches_nobody_is_heard_with_its_own_ref(self, stage: Stage, ear: Ear) -> None:
        assert await stage.switch.dial_back(_call_back()) is Answer.DONE
        await stage.is_not_reached(OTHER_REF)
        await ear.until(lambda heard: any(isinstance(event, CallBackEnded) for event in heard))
        (ended,) = [event for event in ear.heard if isinstance(event, CallBackEnded)]
        assert (ended.ref, ended.channel) == (OTHER_REF, None)
        assert ended.why in ("busy", "no answer", "unreachable", "failed")

    async def test_the_parties_of_a_call_are_its_channels_the_caller_first(self, stage: Stage, ear: Ear) -> None:
        who = await stage.waits(caller())
        await stage.waits(caller(OTHER_REF))
        party, *_ = await stage.switch.parties(REF)
        assert (party.channel, party.context, party.caller, party.seat) == (who.channel, "room", True, False)
        assert await stage.switch.parties(CallRef("0b6f6a4e-6a1a-4d3e-9c53-4a3d7b1f0099")) == ()

    async def test_a_leg_that_is_hung_up_ends(self, stage: Stage, ear: Ear) -> None:
        who = await stage.waits(caller())
        assert await stage.switch.hang_up(who.channel) is Answer.DONE
        await ear.until(
            lambda heard: any(isinstance(event, HungUp) and event.channel == who.channel for event in heard)
        )

    async def test_a_seat_is_manned_and_left_again_and_asking_twice_changes_nothing(
        self, stage: Stage, ear: Ear
    ) -> None:
        agent, labour = Agent("1001"), frozenset({"labour"})
        for _ in range(2):
            assert await stage.switch.man(SEAT, agent, labour, paused=False) is Answer.DONE
            assert await stage.manned(SEAT) == ("1001", frozenset({"survival_labour"}))
        for _ in range(2):
            assert await stage.switch.man(SEAT, agent, labour, paused=True) is Answer.DONE
            assert await stage.manned(SEAT) == ("1001", frozenset())
        assert await stage.switch.man(SEAT, agent, labour | {"english"}, paused=False) is Answer.DONE
        assert await stage.manned(SEAT) == ("1001", frozenset({"survival_labour", QUEUE}))
        for _ in range(2):
            assert await stage.switch.man(SEAT, None, frozenset(), paused=False) is Answer.DONE
            assert await stage.manned(SEAT) == ("", frozenset())

    async def test_a_number_is_blocked_until_a_day_and_let_in_again(self, stage: Stage, ear: Ear) -> None:
        for _ in range(2):
            assert await stage.switch.block(CALLER, "20991231") is Answer.DONE
            assert await stage.blocked_until(CALLER) == "20991231"
        for _ in range(2):
            assert await stage.switch.unblock(CALLER) is Answer.DONE
            assert await stage.blocked_until(CALLER) == ""


def _commands(switch: Switch, channel: Channel) -> tuple[Coroutine[None, None, Answer], ...]:
    """Everything that can be asked of a channel."""
    return (
        switch.connect(channel, SEAT),
        switch.withdraw(QUEUE, channel),
        switch.tell_place(channel, 1, 2),
        switch.move_up(channel, 1, 1),
        switch.overflow(channel, "duty"),
        switch.transfer(channel, "8001"),
        switch.consult(channel, channel, "8001", join=False),
        switch.note(channel, "he fell"),
        switch.join((channel, channel)),
        switch.hang_up(channel),
        switch.reply(channel, "desk_on"),
    )


def _call_back() -> DialBack:
    """To a telephone that is not there."""
    return DialBack(
        ref=OTHER_REF,
        first=REF,
        attempt=1,
        to=CALLER,
        trunk=ABSENT_SEAT,
        ring_s=5,
        seat=SEAT,
        number="12333",
        skills=frozenset({"labour", "english"}),
        priority=3,
        language="zh",
        t0_ms=1_750_000_000_123,
    )


def _last(heard: list[LiveEvent | None], seat: Seat) -> Device | None:
    found = [event.device for event in heard if isinstance(event, SeatChanged) and event.seat == seat]
    return found[-1] if found else None
