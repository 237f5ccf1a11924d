"""What every `Switch` must do: the same tests for the scripted one, for AMI, and for a real Asterisk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Protocol

import pytest

from asterisk.port import Answer, Switch, SwitchLost
from calls.live import (
    CallRef,
    CameBack,
    Channel,
    Device,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    LeftRoom,
    LiveEvent,
    Seat,
    SeatChanged,
    Waiting,
)

BOUND_S = 20.0
REF = CallRef("0b6f6a4e-6a1a-4d3e-9c53-4a3d7b1f0001")
OTHER_REF = CallRef("0b6f6a4e-6a1a-4d3e-9c53-4a3d7b1f0002")
SEAT = Seat("8001")
ABSENT_SEAT = Seat("8009")
QUEUE = "survival_english_labour"


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

    async def test_whoever_is_in_no_queue_cannot_be_withdrawn(self, stage: Stage, ear: Ear) -> None:
        assert await stage.switch.withdraw(QUEUE, Channel("node1", "PJSIP/nobody-00000001")) is Answer.NO_CHANNEL

    async def test_after_a_lost_connection_a_snapshot_tells_what_was_missed(self, stage: Stage, ear: Ear) -> None:
        await stage.lose()
        who = await stage.waits(caller())
        await ear.connected(times=2)
        assert (await stage.switch.snapshot()).waiting == (who,)

    async def test_without_a_connection_commands_fail_and_there_is_no_snapshot(self, stage: Stage) -> None:
        assert not await stage.switch.beat(1_750_000_000)
        assert await stage.switch.connect(Channel("node1", "PJSIP/carrier_a-00000001"), SEAT) is Answer.FAILED
        assert await stage.switch.withdraw(QUEUE, Channel("node1", "PJSIP/carrier_a-00000001")) is Answer.FAILED
        with pytest.raises(SwitchLost):
            await stage.switch.snapshot()


def _last(heard: list[LiveEvent | None], seat: Seat) -> Device | None:
    found = [event.device for event in heard if isinstance(event, SeatChanged) and event.seat == seat]
    return found[-1] if found else None
