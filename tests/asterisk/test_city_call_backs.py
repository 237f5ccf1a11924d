"""Calling back on a real Asterisk: who keeps a place, who is tried again, and who was missed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from calls.journal import CallBackWanted, CalledBack, KeyPressed, SurvivalEntered
from calls.record import CallRecord, Outcome
from hotline.stage import until
from phones.behaviour import Answers, Rejects
from phones.voices import voice
from tests.support.city_watch import GENERAL, City, controller, no_controller, watched
from tests.support.desk_client import DeskClient, at_the_desk
from tests.support.line_city import FULL, TRIES, hang_up_all, heard, line_city, printed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    async with watched(line_city(), tmp_path_factory.mktemp("city"), sounds=sounds) as city:
        yield city


@pytest_asyncio.fixture(loop_scope="module")
async def city(running: City) -> City:
    """Nobody calls, and no seat is there: a test lets those come that it needs."""
    await running.clear()
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def desk(city: City) -> AsyncIterator[DeskClient]:
    """A supervisor's desk."""
    async with at_the_desk(city.stage.instance) as client:
        yield client


async def listed(desk: DeskClient, caller: str, *, every: bool = False) -> list[dict[str, Any]]:
    """A caller's entries on the call-back list."""
    found = await desk.get("/call-backs?every=true" if every else "/call-backs")
    return [entry for entry in found if entry["caller"] == caller]


async def until_listed(desk: DeskClient, caller: str, **fields: object) -> dict[str, Any]:
    """Waits until the only entry of a caller is like this."""

    last: list[dict[str, Any]] = []

    async def look() -> bool:
        last[:] = await listed(desk, caller, every=True)
        return any(fields.items() <= entry.items() for entry in last)

    await until(f"{caller} on the list with {fields}", look, seen=lambda: last)
    [entry] = last
    return entry


async def until_in_line(desk: DeskClient, *callers: str) -> None:
    """Waits until these wait, in this order, and nobody else; the desk may know a call-back before the line does."""
    last: list[str] = []

    async def look() -> bool:
        last[:] = [one["caller"] for one in await desk.get("/waiting")]
        return last == list(callers)

    await until(f"{callers} in the line", look, seen=lambda: last)


def calls_to(city: City, citizen: str) -> int:
    """How often a citizen was called back."""
    return [dialled.number for dialled in city.stage.carrier.dialled].count(citizen)


async def called_back(city: City, first: str) -> CallRecord:
    """Waits for the complete record of the call that was made for another one."""

    def complete() -> CallRecord | None:
        found = [one for one in city.records() if one.call_back_of == first and not one.running]
        return found[0] if found and found[0].recording_sha256 else None

    record: CallRecord = await until(f"the record of the call back for {first}", complete)
    return record


# --- calling back -------------------------------------------------------------------------------


async def test_who_asks_to_be_called_back_keeps_the_place_even_when_the_controller_dies(
    city: City, desk: DeskClient
) -> None:
    first, later = city.citizens(2)
    placed = await city.calls(GENERAL, first)
    waiting = await city.calls(GENERAL, later)
    placed.press("1")
    hidden = await city.calls(GENERAL, "anonymous", kept="")
    hidden.press("1")
    await asyncio.gather(
        heard(city, hidden, "call_back_no_number", "call_back_kept"),
        heard(city, placed, "call_back_kept", "call_back_no_number"),
    )
    assert (await placed.ended()).cause == 16
    record = await city.over(first)
    assert (record.outcome, record.call_back_to) == (Outcome.CALL_BACK, first)
    assert city.steps(first, KeyPressed) == [KeyPressed("waiting", "1")]
    entry = await until_listed(desk, first, state="waiting")
    assert (entry["reasons"], entry["calls"]) == (["wanted"], [record.ref])
    await until_in_line(desk, first, later, "")
    assert [one["state"] for one in await desk.get("/waiting")] == ["call_back", "waiting", "waiting"]
    # Asked for once more, it is one call back, at the earlier place.
    again = await city.calls(GENERAL, first, times=2)
    again.press("1")
    await city.wrote(first, CallBackWanted, 2)
    assert (await again.ended()).cause == 16
    twice = await until_listed(desk, first, id=entry["id"], state="waiting")
    assert len(twice["calls"]) == 2
    old = await controller(city)
    os.kill(old, signal.SIGKILL)
    await until("another controller", lambda: city.stage.supervisor.controller_pid not in (old, None))
    await city.until_waiting(2)
    await until_in_line(desk, first, later, "")
    city.stage.carrier.behave = Answers(after_s=0.2, says=voice("caller", first), again=True)
    serving = city.agent("7001", 3)
    await city.stage.seats["7001"].register()
    assert await serving == [first, later, ""]
    [to_citizen] = [call for call in city.stage.carrier.calls if call.number == first]
    await heard(city, to_citizen, "call_back_hello")
    assert waiting.up
    await hang_up_all(city)
    assert calls_to(city, first) == 1
    back = await called_back(city, record.ref)
    assert (back.outcome, back.seats, back.caller) == (Outcome.ANSWERED, ("7001",), first)
    assert city.steps(first, CalledBack) == [CalledBack(record.ref, 1)]
    reached = await until_listed(desk, first, state="reached")
    assert reached["reached_by"] == back.ref
    assert await listed(desk, first) == []


async def test_who_asks_to_be_called_back_while_no_controller_runs_keeps_the_place_too(
    city: City, desk: DeskClient
) -> None:
    first, later = city.citizens(2)
    async with no_controller(city):
        placed = await city.calls(GENERAL, first)
        await city.calls(GENERAL, later)
        for caller in (first, later):
            await city.wrote(caller, SurvivalEntered)
        placed.press("1")
        await heard(city, placed, "call_back_kept", "call_back_no_number")
        assert (await placed.ended()).cause == 16
    await city.until_waiting(1)
    entry = await until_listed(desk, first, state="waiting")
    record = await city.over(first)
    assert (entry["reasons"], entry["calls"]) == (["wanted"], [record.ref])
    await until_in_line(desk, first, later)
    city.stage.carrier.behave = Answers(after_s=0.2, says=voice("caller", first), again=True)
    serving = city.agent("7001", 2)
    await city.stage.seats["7001"].register()
    assert await serving == [first, later]
    await hang_up_all(city)
    assert (await called_back(city, record.ref)).seats == ("7001",)


async def test_who_does_not_answer_is_tried_again_and_in_the_end_given_up(city: City, desk: DeskClient) -> None:
    late, never, patient = city.citizens(3)
    city.stage.carrier.behave = Rejects(486)
    served: list[str] = []
    city.agent("7001", 3, served)
    await _hangs_up_to_be_called(city, late)
    await until_listed(desk, late, state="waiting")
    await city.stage.seats["7001"].register()
    await until(f"{late} is dialled", lambda: calls_to(city, late))
    city.stage.carrier.behave = Answers(after_s=0.2, says=voice("caller", late), again=True)
    await until_listed(desk, late, state="reached")
    await until(f"{late} is served", lambda: late in served)
    assert city.steps(late, CalledBack)[0].attempt == calls_to(city, late) > 1
    city.stage.carrier.behave = Rejects(486)
    await hang_up_all(city)
    await city.stage.seats["7001"].unregister()
    await city.until_free(0)
    await _hangs_up_to_be_called(city, never)
    # The seat is not kept for somebody who does not answer.
    await city.calls(GENERAL, patient)
    await city.stage.seats["7001"].register()
    await until_listed(desk, never, state="given_up", attempts=TRIES)
    assert calls_to(city, never) == TRIES
    assert not [one for one in city.records() if one.caller == never and one.call_back_of is not None]
    await until(f"{patient} is served", lambda: patient in served)


async def _hangs_up_to_be_called(city: City, caller: str) -> None:
    placed = await city.calls(GENERAL, caller)
    placed.press("1")
    await placed.ended()


# --- those who were missed ----------------------------------------------------------------------


async def test_who_was_missed_is_listed_once_until_reached_or_dismissed(city: City, desk: DeskClient) -> None:
    returns, wanted, dismissed, *others = city.citizens(FULL)
    (refused,) = city.citizens(1)
    calls = await asyncio.gather(*(city.calls(GENERAL, caller) for caller in (returns, wanted, dismissed, *others)))
    full = await city.stage.carrier.call(GENERAL, caller=refused)
    assert (await full.ended()).cause == 42
    for call in calls:
        await call.hang_up()
    again = await city.calls(GENERAL, returns, times=2)
    await again.hang_up()
    for caller in (returns, wanted, dismissed, *others):
        await until_listed(desk, caller, state="listed", reasons=["abandoned"])
    await until_listed(desk, refused, state="listed", reasons=["refused_full"])
    twice = [record.ref for record in city.records() if record.caller == returns]
    assert (await until_listed(desk, returns, calls=twice))["reasons"] == ["abandoned"]
    told = await desk.get("/call-backs")
    assert await printed(city, "callbacks") == told
    # By the desk.
    await desk.post(f"/call-backs/{(await until_listed(desk, dismissed))['id']}/dismiss", note="called by itself")
    entry = await until_listed(desk, dismissed, state="dismissed")
    assert entry["note"] == "called by itself"
    assert await desk.refused(f"/call-backs/{entry['id']}/dismiss", note="twice") == "not_open"
    city.stage.carrier.behave = Answers(after_s=0.2, says=voice("caller", wanted), again=True)
    serving = city.agent("7001", 2)
    await city.stage.seats["7001"].register()
    await city.until_free(1)
    entry = await until_listed(desk, wanted)
    await desk.post(f"/call-backs/{entry['id']}/call", seat="7001")
    # By itself: the caller calls again, and is answered.
    await until_listed(desk, wanted, state="reached")
    await city.calls(GENERAL, returns, times=3)
    assert await serving == [wanted, returns]
    await hang_up_all(city)
    back = await called_back(city, entry["calls"][0])
    assert (back.caller, back.seats, back.outcome) == (wanted, ("7001",), Outcome.ANSWERED)
    assert (await until_listed(desk, wanted))["reached_by"] == back.ref
    answered = await until_listed(desk, returns, state="reached")
    assert answered["reached_by"] not in twice
    assert {entry["caller"] for entry in await desk.get("/call-backs")} >= {refused, *others}
    assert [await listed(desk, caller) for caller in (returns, wanted, dismissed)] == [[], [], []]
