"""The controller's loop over a scripted switch."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from asterisk.port import Answer, always
from calls.live import Agent, CallRef, Channel, Device, Seat, Waiting
from hotline.controller import Controller, now_ms
from routing.leader import AloneLeader
from routing.room import Room
from routing.rules import Rules
from tests.support.scripted_switch import ScriptedSwitch
from tests.support.settings_maker import city

ALICE, BOB = Seat("8001"), Seat("8002")
RULES = Rules.of(
    city(
        answering={
            "ring": "15s",
            "rest": "500ms",
            "seats": {ALICE: {"skills": ["general"]}, BOB: {"skills": ["general", "social"]}},
        }
    )
)


def caller(name: str, t0_ms: int = 1, node: str = "node1") -> Waiting:
    skills = frozenset({"general"})
    return Waiting(Channel(node, f"PJSIP/carrier-{name}"), CallRef(name), t0_ms, skills, 5, "12345", "zh")


async def seen(condition: Callable[[], object]) -> None:
    """Polls until the condition holds; the test fails if it never does."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")


@asynccontextmanager
async def steering(
    *switches: ScriptedSwitch, leader: AloneLeader | None = None, clock: Callable[[], int] = now_ms
) -> AsyncIterator[Controller]:
    room = Room(RULES, new_ref=lambda: CallRef("new"), utc_ahead_ms=0)
    controller = Controller(switches, room, leader or AloneLeader(), clock)
    running = asyncio.create_task(controller.run())
    try:
        yield controller
    finally:
        controller.let_go()
        await running


async def test_a_caller_who_waits_is_sent_to_a_free_seat() -> None:
    switch = ScriptedSwitch()
    switch.seat(ALICE, Device.FREE)
    async with steering(switch):
        await seen(lambda: switch.snapshots)
        switch.caller_waits(caller("c1"))
        await seen(lambda: switch.connected_to)
    assert switch.connected_to == [(Channel("node1", "PJSIP/carrier-c1"), ALICE)]


async def test_callers_who_waited_before_the_controller_came_are_found_in_the_snapshot() -> None:
    switch = ScriptedSwitch()
    switch.seats[BOB] = Device.FREE
    for name, t0_ms in (("late", 9), ("early", 3)):
        switch.waiting[Channel("node1", f"PJSIP/carrier-{name}")] = caller(name, t0_ms)
    async with steering(switch):
        await seen(lambda: switch.connected_to)
    assert switch.connected_to == [(Channel("node1", "PJSIP/carrier-early"), BOB)]


async def test_nothing_is_sent_while_heartbeats_are_not_acknowledged() -> None:
    switch = ScriptedSwitch()
    switch.acknowledges = False
    switch.seat(ALICE, Device.FREE)
    switch.caller_waits(caller("c1"))
    async with steering(switch) as controller:
        await seen(lambda: switch.beats)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not controller.steering
        assert not controller.connected
        assert switch.connected_to == []
        switch.acknowledges = True
        await seen(lambda: switch.connected_to)
        assert controller.steering


async def test_nothing_is_sent_by_a_process_that_was_stopped_between_its_decision_and_the_command() -> None:
    class Stopping(ScriptedSwitch):
        """The process is stopped for five seconds when it is about to send its first command."""

        stopped_ms = 0

        async def connect(
            self, channel: Channel, seat: Seat, agent: Agent | None = None, *, only_if: Callable[[], bool] = always
        ) -> Answer:
            stopped_now, self.stopped_ms = not self.stopped_ms, 5000
            if stopped_now:
                # Meanwhile the caller has left for a survival queue, and talks.
                self.waiting.pop(channel)
            return await super().connect(channel, seat, agent, only_if=only_if)

    switch = Stopping()
    switch.seat(ALICE, Device.FREE)
    async with steering(switch, clock=lambda: now_ms() + switch.stopped_ms):
        await seen(lambda: switch.snapshots)
        switch.caller_waits(caller("c1"))
        await seen(lambda: switch.snapshots > 1)
        switch.caller_waits(caller("c2"))
        await seen(lambda: switch.connected_to)
    assert switch.connected_to == [(Channel("node1", "PJSIP/carrier-c2"), ALICE)]


async def test_a_seat_is_free_at_once_when_its_caller_has_hung_up() -> None:
    switch = ScriptedSwitch()
    switch.answers.append(Answer.NO_CHANNEL)
    async with steering(switch):
        await seen(lambda: switch.snapshots)
        switch.caller_waits(caller("gone", 1))
        switch.caller_waits(caller("here", 2))
        switch.seat(ALICE, Device.FREE)
        await seen(lambda: len(switch.connected_to) == 2)
    assert [channel.name for channel, _ in switch.connected_to] == ["PJSIP/carrier-gone", "PJSIP/carrier-here"]


async def test_an_unclear_answer_leads_to_a_snapshot_and_the_caller_is_tried_again() -> None:
    switch = ScriptedSwitch()
    switch.answers.append(Answer.FAILED)
    async with steering(switch):
        await seen(lambda: switch.snapshots == 1)
        switch.caller_waits(caller("c1"))
        switch.seat(ALICE, Device.FREE)
        await seen(lambda: len(switch.connected_to) == 2)
    assert switch.snapshots == 2


async def test_a_lost_connection_is_taken_up_again_with_a_snapshot() -> None:
    switch = ScriptedSwitch()
    async with steering(switch):
        await seen(lambda: switch.snapshots == 1)
        switch.lose()
        await seen(lambda: switch.snapshots == 2)
        switch.caller_waits(caller("c1"))
        switch.seat(ALICE, Device.FREE)
        await seen(lambda: switch.connected_to)


async def test_callers_in_survival_are_taken_back_and_then_served() -> None:
    switch = ScriptedSwitch()
    switch.surviving[Channel("node1", "PJSIP/carrier-s1")] = ("survival_general", caller("s1"))
    switch.seats[ALICE] = Device.FREE
    async with steering(switch):
        await seen(lambda: switch.connected_to)
    assert switch.withdrawn[0] == ("survival_general", Channel("node1", "PJSIP/carrier-s1"))


async def test_a_seat_that_rests_is_tried_again_without_any_further_event() -> None:
    switch = ScriptedSwitch()
    switch.seats[ALICE] = Device.FREE
    async with steering(switch):
        await seen(lambda: switch.snapshots)
        switch.caller_waits(caller("c1"))
        await seen(lambda: len(switch.connected_to) == 1)
        switch.comes_back(Channel("node1", "PJSIP/carrier-c1"), "BUSY")
        await seen(lambda: len(switch.connected_to) == 2)


async def test_letting_go_tells_asterisk_at_once_that_nobody_steers() -> None:
    switch = ScriptedSwitch()
    async with steering(switch):
        await seen(lambda: switch.snapshots)
    assert switch.beats[-1] == 0


async def test_another_leader_leaves_this_controller_quiet() -> None:
    class Led(AloneLeader):
        def leads(self) -> bool:
            return False

    switch = ScriptedSwitch()
    switch.seats[ALICE] = Device.FREE
    switch.caller_waits(caller("c1"))
    async with steering(switch, leader=Led()) as controller:
        await seen(lambda: controller.connected)
        for _ in range(20):
            await asyncio.sleep(0)
    assert switch.connected_to == []


async def test_callers_of_two_nodes_wait_in_one_line() -> None:
    one, two = ScriptedSwitch("node1"), ScriptedSwitch("node2")
    for switch in (one, two):
        switch.seats[ALICE] = Device.BUSY
    one.waiting[Channel("node1", "PJSIP/carrier-later")] = caller("later", 9)
    two.waiting[Channel("node2", "PJSIP/carrier-sooner")] = caller("sooner", 3, "node2")
    async with steering(one, two):
        await seen(lambda: one.snapshots and two.snapshots)
        one.seat(ALICE, Device.FREE)
        await seen(lambda: two.connected_to)
        assert one.connected_to == []


async def test_a_node_that_is_lost_does_not_stop_the_others() -> None:
    one, two = ScriptedSwitch("node1"), ScriptedSwitch("node2")
    two.acknowledges = False
    two.waiting[Channel("node2", "PJSIP/carrier-lost")] = caller("lost", 3, "node2")
    one.waiting[Channel("node1", "PJSIP/carrier-here")] = caller("here", 9)
    one.seats[ALICE] = Device.FREE
    async with steering(one, two):
        await seen(lambda: one.connected_to)
    assert two.connected_to == []
