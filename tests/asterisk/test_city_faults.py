"""Asterisk or the controller dies or hangs while people call: nobody is lost, and nothing of what happened."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from calls.journal import RoomEntered, SeatOffered, SurvivalEntered
from calls.record import CallRecord, Outcome, Side
from calls.sight import Sight
from hotline.citizens import call as follow
from hotline.citizens import ears_for
from hotline.demo import acts, kept
from hotline.stage import until
from settings.check import load
from tests.support.city_command import Command, Served, city_in_folders, process_of, processes
from tests.support.city_watch import (
    GENERAL,
    SOCIAL,
    City,
    controller,
    hearing_on,
    next_call,
    no_controller,
    talking,
    unannounced,
    watched,
    with_seats,
)
from tests.support.no_disk import no_disk
from tests.support.quick_city import EXAMPLE, quick_city

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEATS = {"7001": ("general",), "7002": ("general",), "7003": ("general",), "7004": ("social",)}

HEARD = {
    "greeting_12345": "您好，政务服务便民热线。",
    "greeting_12333": "人力资源和社会保障。",
    "recorded": "本次通话将被录音。",
    "menu_main": "社保和就业请按1，消费投诉请按2。",
    "emergency": "正在转接，请不要挂机。",
}
"""What the demo's citizens recognise by ear, in fewer words than the example city's."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    settings = with_seats(unannounced(quick_city()), SEATS, ring_s=3.0, rest_s=1.0)
    async with watched(settings, tmp_path_factory.mktemp("city"), sounds=sounds) as city:
        yield city


@pytest_asyncio.fixture(loop_scope="module")
async def city(running: City) -> City:
    """Nobody calls, and no seat is there: a test lets those come that it needs."""
    await running.clear()
    return running


async def all_kept(city: City, callers: list[str]) -> list[CallRecord]:
    """Waits until every call is over and kept; each of them once."""
    records = [await city.kept(caller) for caller in callers]
    everything = [record.caller for record in city.records()]
    assert [caller for caller in callers if everything.count(caller) != 1] == []
    return records


async def test_nobody_is_lost_while_the_controller_is_away_and_skills_hold(city: City) -> None:
    talkers, (general, social, late) = city.citizens(3), city.citizens(3)
    phones = city.stage.seats
    talks = []
    for caller, seat in zip(talkers, ("7001", "7002", "7003"), strict=True):
        placed = await city.calls(GENERAL, caller)
        await phones[seat].register()
        taken = await next_call(phones[seat])
        await talking(taken)
        talks.append((placed, taken))
    for number, caller in ((GENERAL, general), (SOCIAL, social), (GENERAL, late)):
        await city.calls(number, caller)
    await city.until_waiting(3)
    old = await controller(city)
    async with no_controller(city):
        for caller, queue in ((general, "survival_general"), (social, "survival_social"), (late, "survival_general")):
            await city.wrote(caller, SurvivalEntered, queue=queue)
        serving = city.agent("7004", 1)
        await phones["7004"].register()
        assert await serving == [social]
        for placed, taken in talks:
            await hearing_on(placed, taken)
        serving = city.agent("7001", 1)
        await talks[0][1].hang_up()
        assert await serving == [general]
        await phones["7001"].unregister()
    await city.wrote(late, RoomEntered, times=2)
    await city.until_waiting(1)
    assert await controller(city) != old
    serving = city.agent("7002", 1)
    await talks[1][1].hang_up()
    assert await serving == [late]
    assert city.steps(late, SeatOffered)
    assert len({step.t0_ms for step in city.steps(late, RoomEntered)}) == 1
    await talks[2][1].hang_up()
    records = await all_kept(city, [*talkers, general, social, late])
    assert {(record.outcome, record.hung_up_by) for record in records} == {(Outcome.ANSWERED, Side.SEAT)}
    served_by = ["7001", "7002", "7003", "7001", "7004", "7002"]
    assert [record.seats for record in records] == [(seat,) for seat in served_by]
    assert [record.survived for record in records] == [False] * 3 + [True] * 3


async def test_a_controller_that_hung_for_a_while_connects_nobody_twice(city: City) -> None:
    callers = city.citizens(6)
    seats = ("7001", "7002", "7003")
    await asyncio.gather(*(city.calls(GENERAL, caller) for caller in callers))
    pid = await controller(city)
    await city.until_waiting(len(callers))
    os.kill(pid, signal.SIGSTOP)
    try:
        for caller in callers:
            await city.wrote(caller, SurvivalEntered)
        served: list[str] = []
        for seat in seats:
            city.agent(seat, len(callers), served)
        # Survival and the controller, which is about to take its callers back, both see free seats.
        await city.stage.seats[seats[0]].register()
        await until("survival serves", lambda: served)
    finally:
        os.kill(pid, signal.SIGCONT)
    await asyncio.gather(*(city.stage.seats[seat].register() for seat in seats[1:]))
    await until("everybody is served", lambda: len(served) == len(callers) or any(one.done() for one in city.agents))
    for one in city.agents:
        if one.done():
            await one  # It tells what went wrong at its seat.
    assert sorted(served) == sorted(callers)
    records = await all_kept(city, callers)
    assert {record.outcome for record in records} == {Outcome.ANSWERED}
    assert {len(record.seats) for record in records} == {1}
    assert await controller(city) == pid


async def test_callers_keep_their_order_while_a_controller_takes_them_back(city: City) -> None:
    """A seat is free again when some are back in the waiting room and older ones are still in the survival queue."""
    first, *others = city.citizens(9)
    phone = city.stage.seats["7001"]
    for caller in (first, *others):
        await city.calls(GENERAL, caller)
    await city.until_waiting(9)
    pid = await controller(city)
    os.kill(pid, signal.SIGSTOP)
    try:
        for caller in (first, *others):
            await city.wrote(caller, SurvivalEntered)
        await phone.register()
        taken = await next_call(phone)
        await talking(taken)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert taken.caller == first
    await until("one is back", lambda: any(city.times_us(caller, RoomEntered)[1:] for caller in others))
    serving = city.agent("7001", len(others))
    await taken.hang_up()
    assert sorted(await serving) == sorted(others)
    # Whom the survival queue served meanwhile, the controller has offered no seat.
    offered = list(dict.fromkeys(city.offers(others)))
    assert len(offered) >= len(others) - 2
    assert offered == sorted(offered, key=others.index)


async def test_calls_of_an_asterisk_that_is_killed_are_kept_as_interrupted(city: City) -> None:
    talks, waits, later = city.citizens(3)
    phone = city.stage.seats["7001"]
    placed = await city.calls(GENERAL, talks)
    await phone.register()
    taken = await next_call(phone)
    await talking(taken)
    await city.calls(GENERAL, waits)
    asterisk = city.stage.supervisor.asterisk
    boot = asterisk.boot
    assert boot is not None
    os.kill(boot.pid, signal.SIGKILL)
    await until("another Asterisk", lambda: asterisk.boot not in (None, boot))
    booted_ms = city.stage.instance.booted_utc_ms()
    assert booted_ms is not None
    for caller in (talks, waits):
        record = await city.over(caller)
        assert (record.outcome, record.hung_up_by, record.q850_cause) == (Outcome.INTERRUPTED, None, None)
        assert record.ended_utc_ms is not None
        assert record.arrived_utc_ms < record.ended_utc_ms < booted_ms
    talked, waited = city.of(talks), city.of(waits)
    assert talked is not None
    assert waited is not None
    assert (talked.seats, waited.seats) == (("7001",), ())
    assert talked.ended_utc_ms is not None
    assert talked.talk_began_utc_ms is not None
    assert talked.talk_ms <= talked.ended_utc_ms - talked.talk_began_utc_ms
    # Nobody tells the two that they talk no more.
    await asyncio.gather(placed.hang_up(), taken.hang_up())
    await city.until_steering()
    serving = city.agent("7001", 1)
    await phone.register()
    await city.calls(GENERAL, later)
    assert await serving == [later]
    assert (await city.kept(later)).outcome is Outcome.ANSWERED


async def test_an_asterisk_that_hangs_is_started_again(city: City) -> None:
    before, after = city.citizens(2)
    supervisor = city.stage.supervisor
    boot = supervisor.asterisk.boot
    assert boot is not None
    await city.calls(GENERAL, before)
    look_s, hung_s = supervisor.look_s, supervisor.hung_s
    supervisor.look_s, supervisor.hung_s = 0.2, 2.0
    try:
        os.kill(boot.pid, signal.SIGSTOP)
        await until("another Asterisk", lambda: supervisor.asterisk.boot not in (None, boot))
    finally:
        supervisor.look_s, supervisor.hung_s = look_s, hung_s
    with pytest.raises(ProcessLookupError):
        os.kill(boot.pid, 0)
    assert (await city.over(before)).outcome is Outcome.INTERRUPTED
    await city.until_steering()
    serving = city.agent("7001", 1)
    await city.stage.seats["7001"].register()
    await city.calls(GENERAL, after)
    assert await serving == [after]


async def test_calls_of_which_lines_were_never_written_end_and_say_what_was_seen(city: City) -> None:
    unseen, ends, waits, talks = city.citizens(4)
    phone = city.stage.seats["7001"]
    await phone.register()  # Long before the disk is full: that it is there is written, too.
    async with no_controller(city):
        placed = await city.stage.carrier.call(SOCIAL, caller=unseen)
        await city.wrote(unseen, SurvivalEntered)
        await placed.hang_up()
    await city.until_steering()
    calls = [await city.calls(SOCIAL, ends)]
    boot = city.stage.supervisor.asterisk.boot
    assert boot is not None
    with no_disk(boot.pid):
        calls.append(await city.stage.carrier.call(SOCIAL, caller=waits))
        await until("the wait is noted", lambda: seen_of(city, waits))
        talk = await city.stage.carrier.call(GENERAL, caller=talks)
        taken = await next_call(phone)
        await talking(taken)
        await until("the talk is noted", lambda: any(sight.talks for sight in seen_of(city, talks)))
        for call in (*calls, taken):
            await call.hang_up()
        await talk.ended()
        await city.until_waiting(0)
    told = []
    for caller in (ends, waits, talks):
        # Asterisk is asked after 15 s, and again; what was seen is added 10 s after that.
        record = await until(
            "it is settled", partial(settled, city, caller), within_s=180, seen=partial(seen_of, city, caller)
        )
        told.append((record.outcome, record.seats, record.lines_missing, record.seen_live))
    given_up = (Outcome.ABANDONED, (), True, True)
    assert told == [given_up, given_up, (Outcome.ANSWERED, ("7001",), True, True)]
    alone = await until("it is settled", partial(settled, city, unseen), within_s=180)
    assert (alone.outcome, alone.lines_missing, alone.seen_live) == (Outcome.ABANDONED, False, False)


def seen_of(city: City, caller: str) -> list[Sight]:
    """What the controller has noted of a caller."""
    sights = [Sight.of_json(row["sight"]) for row in city.store.rows("SELECT sight FROM seen")]
    return [sight for sight in sights if sight.caller == caller]


def settled(city: City, caller: str) -> CallRecord | None:
    """The record of a caller once it is known whether a controller knew of the call."""
    record = city.of(caller)
    return None if record is None or record.running or record.seen_live is None or seen_of(city, caller) else record


async def test_the_demos_calls_survive_the_death_of_the_controller(tmp_path: Path, sounds: Path) -> None:
    demo = acts(load(EXAMPLE))
    plans = tuple(act.plan for act in demo)
    async with watched(quick_city(heard=HEARD), tmp_path, sounds=sounds) as city:
        ears = ears_for(city.stage, plans)
        calling = asyncio.gather(*(follow(city.stage, plan, ears) for plan in plans))
        await until("a seat is offered", lambda: any(city.steps(plan.caller, SeatOffered) for plan in plans))
        # The others are still in a menu, or on their way to somebody.
        old = await controller(city)
        os.kill(old, signal.SIGKILL)
        told = await calling
        records = await kept(city.stage, len(plans))
        assert await controller(city) != old
    assert [one.fault for one in told] == [None] * len(plans)
    ended = {record.caller: (record.outcome, record.number) for record in records}
    assert ended == {act.plan.caller: (act.outcome, act.number) for act in demo}
    assert len(records) == len(plans)


async def test_calls_outlive_the_command_and_its_successor_takes_them_over(tmp_path: Path, sounds: Path) -> None:
    skills = tuple(load(EXAMPLE).skills)
    settings = with_seats(unannounced(quick_city()), {"7001": skills}, ring_s=3.0, rest_s=1.0)
    async with city_in_folders(settings, tmp_path, sounds) as served:
        first = await served.start("run")
        await first.until_said("is served")
        city = await served.people(seats=["7001"])
        await city.stage.until_ready()
        await others_are_refused(served, first)
        talks, waits = city.citizens(2)
        phone = city.stage.seats["7001"]
        placed = await city.calls(GENERAL, talks)
        taken = await next_call(phone)
        await talking(taken)
        await city.calls(GENERAL, waits)
        asterisk, controls = (process_of(served.data, name) for name in ("asterisk.conf", "hotline.node"))
        assert asterisk is not None
        assert controls is not None

        first.process.kill()
        await first.ended()
        await city.wrote(waits, SurvivalEntered)
        await until("the controller's end", lambda: controls not in processes(served.data))
        assert set(processes(served.data)) == {asterisk}
        await hearing_on(placed, taken)

        second = await served.start("run")
        await second.until_said("is served")
        assert "asterisk_adopted" in second.said()
        await city.wrote(waits, RoomEntered, times=2)
        await city.until_waiting(1)
        assert process_of(served.data, "asterisk.conf") == asterisk
        await hearing_on(placed, taken)
        await taken.hang_up()
        taken = await next_call(phone)
        await talking(taken)
        assert taken.caller == waits
        assert (await city.kept(talks)).seats == ("7001",)

        second.process.send_signal(signal.SIGINT)
        assert await second.ended() == 0, second.said()
        assert processes(served.data) == {}
        assert "Traceback" not in first.said() + second.said()
        record = await city.kept(waits)
        assert (record.outcome, record.seats, record.survived) == (Outcome.ANSWERED, ("7001",), True)


async def others_are_refused(served: Served, first: Command) -> None:
    """A second supervisor and a second controller on the same data say one clear line each, and end."""
    second = await served.start("run")
    assert await second.ended() == 1
    (line,) = second.said().splitlines()
    assert f"a hotline runs already in {served.data} (process {first.process.pid})" in line
    node = (sys.executable, "-m", "hotline.node", served.data)
    third = await asyncio.create_subprocess_exec(
        *node,
        cwd=EXAMPLE.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await third.communicate()
    assert third.returncode == 1
    (line,) = said.decode().splitlines()
    assert f"a controller runs already in {served.data}" in line
