"""Emergencies by every way, while something else does not work: the controller, the store, the disk, a prompt."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from asterisk.console import console
from calls.journal import Arrived, RoomEntered, TrunkEnded
from calls.record import Outcome
from hotline.stage import until
from phones.behaviour import Answers, Silent
from phones.call import Call
from phones.placed import PlacedCall
from tests.support.city_watch import GENERAL, City, no_controller, unannounced, watched, with_seats
from tests.support.desk_client import at_the_desk
from tests.support.hearing import Who, hear_one_another
from tests.support.no_disk import no_disk
from tests.support.quick_city import quick_city

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEAT = "7001"
WITH_MENU = "12345"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    async with manned(tmp_path_factory.mktemp("city"), sounds) as city:
        yield city


@asynccontextmanager
async def manned(folder: Path, sounds: Path) -> AsyncIterator[City]:
    """Whoever is called answers, and says nothing unasked."""
    settings = with_seats(unannounced(quick_city()), {SEAT: ("general",)}, ring_s=3.0, rest_s=1.0)
    async with watched(settings, folder, sounds=sounds) as city:
        for line in (*city.stage.trunks.values(), *city.stage.seats.values()):
            line.behave = Answers()
        yield city


@pytest_asyncio.fixture(loop_scope="module")
async def city(running: City) -> City:
    await running.clear()
    running.stage.seats[SEAT].behave = Answers()
    return running


# --- what does not work ------------------------------------------------------------------------


@contextmanager
def store_locked(city: City) -> Iterator[None]:
    """Nothing can be written into the store."""
    with closing(sqlite3.connect(city.stage.instance.folders.records, timeout=30, isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            held.execute("ROLLBACK")


def registered(city: City) -> bool:
    """Whether the seat's registration is on the disk: Asterisk forgets one that it cannot write down a second later."""
    database = city.stage.instance.folders.asterisk / "lib" / "astdb.sqlite3"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as kept:
        return bool(kept.execute("SELECT 1 FROM astdb WHERE key LIKE ?", (f"/registrar/contact/{SEAT};%",)).fetchall())


@asynccontextmanager
async def nothing_to_write_to(city: City) -> AsyncIterator[None]:
    """Neither Asterisk nor the store can write anything."""
    boot = city.stage.supervisor.asterisk.boot
    assert boot is not None
    await until("the registration on the disk", lambda: registered(city))
    with no_disk(boot.pid), store_locked(city):
        yield


@asynccontextmanager
async def no_prompts(city: City) -> AsyncIterator[None]:
    """What emergencies hear before they are connected is not there."""
    told = await said(city, "dialplan show globals")
    before = next(line.split("=", 1)[1].strip() for line in told.splitlines() if "SAY_zh_emergency=" in line)
    await said(city, "dialplan set global SAY_zh_emergency /nowhere/emergency")
    try:
        yield
    finally:
        await said(city, f"dialplan set global SAY_zh_emergency {before}")


# --- where callers are, as Asterisk itself says: the journal may not work --------------------------


async def said(city: City, command: str) -> str:
    instance = city.stage.instance
    return await console(instance.asterisk, instance.folders.etc / "asterisk.conf", command, bound_s=30.0)


async def until_in(city: City, caller: str, *contexts: str, doing: str = "") -> None:
    """Waits until a caller is in one of these contexts, and in an application if one is named."""

    async def there() -> bool:
        for line in (await said(city, "core show channels concise")).splitlines():
            words = line.split("!")
            if caller in words[7:8] and words[1].startswith(contexts) and doing in (words[5], ""):
                return True
        return False

    await until(f"{caller} in {contexts}", there)


async def reached(city: City, placed: PlacedCall, caller: str) -> Call:
    """An emergency centre that has answered this caller."""

    def answered() -> Call | None:
        lines = [city.stage.trunks[name] for name in ("emergency_a", "emergency_b")]
        return next((call for line in lines for call in line.calls if call.caller == caller and call.up), None)

    found: Call = await until(f"an emergency centre's answer to {caller}", answered, seen=lambda: placed.over)
    return found


# --- the ways -----------------------------------------------------------------------------------


async def talks(city: City, caller: str) -> tuple[PlacedCall, Call]:
    seat = city.stage.seats[SEAT]
    placed = await city.stage.carrier.call(GENERAL, caller=caller)
    await until("the talk", lambda: any(taken.up and taken.caller == caller for taken in seat.calls))
    return placed, seat.calls[-1]


async def every_way(city: City, fault: AbstractAsyncContextManager[None]) -> list[str]:
    """Somebody dials 110, presses a key in a menu, presses it while waiting, and is handed over by an agent's key,
    all of it during the fault; everybody hears everybody. Who they were, in this order."""
    dialling, in_menu, waiting, at_seat = callers = city.citizens(4)
    placed: dict[str, PlacedCall] = {}
    await city.stage.seats[SEAT].register()
    await city.until_free(1)
    async with fault:
        placed[at_seat], leg = await talks(city, at_seat)
        placed[waiting] = await city.stage.carrier.call(GENERAL, caller=waiting)
        placed[in_menu] = await city.stage.carrier.call(WITH_MENU, caller=in_menu)
        await until_in(city, in_menu, "menu_")
        await placed[in_menu].press("*1")
        await until_in(city, waiting, "room", "survival")
        await placed[waiting].press("*1")
        await leg.press("*1")
        placed[dialling] = await city.stage.carrier.call("110", caller=dialling)
        talking: list[dict[Who, Call]] = [
            {"caller": placed[caller], "other": await reached(city, placed[caller], caller)} for caller in callers
        ]
        talking[-1]["agent"] = leg
        await asyncio.gather(*(hear_one_another(people) for people in talking))
        for caller in callers:
            await placed[caller].hang_up()
    return callers


@pytest.mark.parametrize("fault", [no_controller, no_prompts])
async def test_every_way_leads_to_an_emergency_whatever_else_does_not_work(
    city: City, fault: Callable[[City], AbstractAsyncContextManager[None]]
) -> None:
    callers = await every_way(city, fault(city))
    records = [await city.over(caller) for caller in callers]
    assert [record.outcome for record in records] == [Outcome.EMERGENCY] * 3 + [Outcome.ANSWERED]
    assert [record.emergency_number for record in records] == ["110"] * 4


async def test_every_way_leads_to_an_emergency_when_nothing_can_be_written(tmp_path: Path, sounds: Path) -> None:
    async with manned(tmp_path, sounds) as city:
        callers = await every_way(city, nothing_to_write_to(city))
        assert not set(callers) & {step.caller for row in city.journal() if isinstance(step := row.step, Arrived)}


async def test_a_hand_over_by_a_click_does_not_wait_for_the_store(city: City) -> None:
    (caller,) = city.citizens(1)
    await city.stage.seats[SEAT].register()
    await city.until_free(1)
    async with at_the_desk(city.stage.instance) as desk:
        placed, leg = await talks(city, caller)
        await desk.until_seat(SEAT, "talking")
        with store_locked(city):
            handed = await desk.post(f"/seats/{SEAT}/emergency", number="110", note="老人摔倒, 3单元")
            assert (handed["number"], handed["note"]) == ("110", "老人摔倒, 3单元")
            centre = await reached(city, placed, caller)
            await hear_one_another({"caller": placed, "agent": leg, "other": centre})
    dialled = city.stage.trunks["emergency_a"].dialled[-1]
    assert (dialled.caller, dialled.headers.required("x-hotline-ref")) == (caller, handed["call"])
    assert dialled.headers.required("x-hotline-note").startswith("%E8%80%81")
    await placed.hang_up()
    assert (await city.over(caller)).emergency_number == "110"
    async with at_the_desk(city.stage.instance) as desk:
        assert await desk.refused(f"/seats/{SEAT}/emergency", number="110") == "not_talking"


@pytest.mark.parametrize("steered", [True, False], ids=["steered", "alone"])
async def test_with_both_lines_dead_our_own_operators_answer_before_everybody_else(city: City, steered: bool) -> None:
    ordinary, urgent = city.citizens(2)
    lines = [city.stage.trunks[name] for name in ("emergency_a", "emergency_b")]

    async def known(words: str) -> bool:
        told = [line for line in (await said(city, "pjsip show contacts")).splitlines() if "emergency_" in line]
        return [words in line for line in told] == [True, True]

    async def serves() -> None:
        await city.calls(GENERAL, ordinary)
        await city.stage.carrier.call("110", caller=urgent)
        await city.wrote(urgent, RoomEntered, skills="general", priority=0)
        for caller in (ordinary, urgent):
            if steered:
                await until_in(city, caller, "room", doing="WaitExten")
            else:
                await until_in(city, caller, "survival", doing="Queue")
        ends = [(step.trunk, step.status) for step in city.steps(urgent, TrunkEnded)]
        assert ends == [("emergency_a", "CHANUNAVAIL"), ("emergency_b", "CHANUNAVAIL")]
        serving = city.agent(SEAT, 2)
        await city.stage.seats[SEAT].register()
        assert await serving == [urgent, ordinary]

    try:
        for line in lines:
            line.behave = Silent()
        await until("both lines known as dead", lambda: known(" Unavail "))
        if steered:
            await serves()
        else:
            async with no_controller(city):
                await serves()
    finally:
        for line in lines:
            line.behave = Answers()
    await until("both lines back", lambda: known(" Avail "))
    assert (await city.over(urgent)).outcome is Outcome.EMERGENCY
