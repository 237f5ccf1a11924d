"""What the controller hands over, and what becomes of it."""

import asyncio
from collections.abc import Callable

from calls.live import CallRef, Device
from hotline.controller import Controller, now_ms
from hotline.meter import Gauges
from hotline.observer import Observer
from routing.leader import AloneLeader
from routing.room import Room
from tests.support.metrics_of import metrics
from tests.support.scripted_switch import ScriptedSwitch
from tests.unit.test_hotline_controller import ALICE, RULES, caller, seen
from tests.unit.test_web_metrics import values


async def measured(switch: ScriptedSwitch, gauges: Observer, ready: Callable[[], object]) -> None:
    """Steers until `ready` says so."""
    room = Room(RULES, new_ref=lambda: CallRef("new"), utc_ahead_ms=0)
    controller = Controller([switch], room, AloneLeader(), observer=gauges)
    running = asyncio.create_task(controller.run())
    try:
        await seen(ready)
    finally:
        controller.let_go()
        await running


async def test_a_controller_that_steers_hands_over_its_decisions_beats_and_snapshots() -> None:
    switch, gauges = ScriptedSwitch(), Gauges()
    gauges.metrics = made = metrics()
    switch.seat(ALICE, Device.FREE)
    switch.caller_waits(caller("c1"))
    await measured(switch, gauges, lambda: switch.connected_to)
    found = values(made.text().decode())
    assert found["hotline_snapshots_total"] >= 1
    assert found["hotline_heartbeat_seconds_count"] >= 1
    assert found["hotline_decision_seconds_count"] >= 1
    age_s = gauges.heartbeat_age_s(now_ms())
    assert age_s is not None
    assert age_s >= 0


async def test_a_heartbeat_that_is_not_acknowledged_is_counted_and_the_last_one_grows_old() -> None:
    switch, gauges = ScriptedSwitch(), Gauges()
    gauges.metrics = made = metrics()
    switch.acknowledges = False

    def missed() -> bool:
        return values(made.text().decode())["hotline_heartbeats_missed_total"] >= 1

    await measured(switch, gauges, missed)
    assert gauges.heartbeat_age_s(now_ms()) is None


def test_the_heartbeat_of_the_node_that_is_worst_off_counts() -> None:
    gauges = Gauges()
    gauges.beaten("node1", 1_000, 1_002)
    gauges.beaten("node2", 5_000, 5_001)
    gauges.beaten("node1", 6_000, None)
    assert gauges.heartbeat_age_s(7_000) == 6.0


def test_before_anybody_counts_nothing_is_missed() -> None:
    gauges = Gauges()
    gauges.decided(0.1)
    gauges.aged(0.1)
    gauges.resynchronised()
    gauges.beaten("node1", 1, None)
    assert gauges.heartbeat_age_s(5) is None


def test_a_clock_that_was_put_back_makes_no_negative_age() -> None:
    gauges = Gauges()
    gauges.metrics = made = metrics()
    gauges.aged(-5.0)
    assert values(made.text().decode())["hotline_event_age_seconds_sum"] == 0
