"""The line on a real Asterisk: what callers are told, who is next, who is blocked, and who rates."""

import asyncio
import csv
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from stat import S_IMODE
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from asterisk.console import console
from calls.journal import Arrived, MessageLeft, Overflowed, PlaceTold, Rated, Refused, RoomEntered, Said, SeatOffered
from calls.record import CallRecord, Outcome
from hotline.stage import until
from phones.ears import Ears
from phones.voices import read, voice
from tests.support.city_watch import GENERAL, HOUSING, MARKET, SOCIAL, City, next_call, talking, watched
from tests.support.desk_client import DeskClient, at_the_desk
from tests.support.line_city import CENTRE, SEATS, STEP_S, hang_up_all, heard, line_city, printed, said_by
from tests.support.quick_city import EXAMPLE
from web.desk import Role

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


# --- the wait is told --------------------------------------------------------------------------


def since(city: City, caller: str) -> tuple[int, str]:
    """What the line is sorted by, in one class: since when a caller waits, then the call's id."""
    return city.steps(caller, RoomEntered)[0].t0_ms, city.steps(caller, Arrived)[0].ref


async def test_callers_of_all_numbers_are_told_their_place_in_one_line_and_the_wait_as_far_as_it_is_known(
    city: City, desk: DeskClient
) -> None:
    callers = city.citizens(5)
    numbers = dict(zip(callers, (GENERAL, SOCIAL, MARKET, GENERAL, SOCIAL), strict=True))
    calls = dict(
        zip(callers, await asyncio.gather(*(city.calls(number, one) for one, number in numbers.items())), strict=True)
    )
    came = sorted(callers, key=lambda caller: since(city, caller))
    for place, caller in enumerate(came, 1):
        await city.wrote(caller, PlaceTold, position=place, minutes=-1)
    shown, seats, *_ = await asyncio.gather(
        printed(city, "waiting"),
        printed(city, "seats"),
        heard(city, calls[came[0]], "position_1", "position_3"),
        heard(city, calls[came[1]], "estimate_unknown", "estimate_1"),
        heard(city, calls[came[2]], "position_3", "position_1"),
    )
    told = len(city.steps(came[2], PlaceTold))
    await calls[came[2]].press("3")
    await city.wrote(came[2], PlaceTold, told + 1)
    waiting = await desk.get("/waiting")
    assert [(one["caller"], one["number"], one["position"]) for one in waiting] == [
        (caller, numbers[caller], place) for place, caller in enumerate(came, 1)
    ]
    assert {(one["estimate_ms"], one["state"]) for one in waiting} == {(None, "waiting")}
    assert [one["caller"] for one in shown] == came
    assert {(one["seat"], one["state"]) for one in seats} == {(seat, "unreachable") for seat in SEATS}
    # Five talks are enough to tell the sixth how long it will take.
    serving = city.agent("7001", 5)
    await city.stage.seats["7001"].register()
    assert sorted(await serving) == sorted(callers)
    await hang_up_all(city)
    talker, late = city.citizens(2)
    await city.calls(GENERAL, talker)
    taken = await next_call(city.stage.seats["7001"])
    await talking(taken)
    placed = await city.calls(GENERAL, late)
    assert (await city.wrote(late, PlaceTold)).minutes == 1
    await heard(city, placed, "estimate_1", "estimate_unknown")
    [waiter] = await desk.get("/waiting")
    assert 0 < waiter["estimate_ms"] <= 60_000


# --- the longer the wait, the more is good enough -----------------------------------------------


async def test_with_the_wait_lower_levels_other_skills_and_other_centres_become_good_enough(city: City) -> None:
    relaxed, other, elsewhere = city.citizens(3)
    for seat in ("7002", "7004"):
        await city.stage.seats[seat].register()
    await city.until_free(2)
    serving = [city.agent(seat, 1) for seat in ("7002", "7004")]
    await asyncio.gather(city.calls(SOCIAL, relaxed), city.calls(MARKET, other), city.calls(HOUSING, elsewhere))
    assert [await one for one in serving] == [[relaxed], [other]]
    await city.wrote(elsewhere, Overflowed, to=f"centre_{CENTRE}")
    centre = city.stage.trunks[CENTRE]
    await until("the centre talks", lambda: any(call.up and call.heard_s > 0 for call in centre.calls))
    await hang_up_all(city)
    kinds = {relaxed: SeatOffered, other: SeatOffered, elsewhere: Overflowed}
    for caller, kind in kinds.items():
        [entered] = city.steps(caller, RoomEntered)
        assert city.times_us(caller, kind)[0] / 1000 - entered.t0_ms >= 1000 * STEP_S, caller
    record = await city.over(elsewhere)
    assert (record.outcome, record.overflowed_to) == (Outcome.TRANSFERRED, f"centre_{CENTRE}")
    assert (record.trunk_out, record.seats) == (CENTRE, ())


async def test_an_expert_is_found_at_once_and_whoever_knows_too_little_is_left_alone(city: City) -> None:
    (caller,) = city.citizens(1)
    for seat in ("7002", "7003"):
        await city.stage.seats[seat].register()
    await city.until_free(2)
    serving = city.agent("7003", 1)
    await city.calls(SOCIAL, caller)
    assert await serving == [caller]
    await hang_up_all(city)
    assert [step.seat for step in city.steps(caller, SeatOffered)] == ["7003"]


# --- a supervisor decides -----------------------------------------------------------------------


async def test_a_supervisor_moves_a_caller_up_and_that_is_noted(city: City, desk: DeskClient) -> None:
    first, second, chosen = city.citizens(3)
    for caller, number in ((first, GENERAL), (second, MARKET), (chosen, SOCIAL)):
        await city.calls(number, caller)
    await city.until_waiting(3)
    call = next(one["call"] for one in await desk.get("/waiting") if one["caller"] == chosen)
    moved = await desk.post(f"/waiting/{call}/move-up")
    assert (moved["caller"], moved["position"]) == (chosen, 1)
    serving = city.agent("7001", 3)
    await city.stage.seats["7001"].register()
    assert await serving == [chosen, first, second]
    await hang_up_all(city)
    assert await desk.refused(f"/waiting/{call}/move-up") == "not_waiting"
    async with at_the_desk(city.stage.instance, Role.AUDITOR) as auditor:
        entries = await auditor.get("/audit")
    [entry] = [one for one in entries if one["did"] == "move_up"]
    assert (entry["role"], entry["what"]) == ("supervisor", {"call": call})


# --- the mark after the talk --------------------------------------------------------------------


async def test_a_mark_and_a_message_are_kept_with_the_record(city: City) -> None:
    (caller,) = city.citizens(1)
    placed = await city.calls(GENERAL, caller)
    serving = city.agent("7001", 1)
    await city.stage.seats["7001"].register()
    await serving
    await heard(city, placed, "survey", "call_back_kept")
    # The seat is free for others meanwhile.
    await city.until_free(1)
    await placed.press("4")
    await city.wrote(caller, Rated, mark=4)
    ref = (await until("the record", lambda: city.of(caller))).ref
    spoken = city.stage.instance.folders.spool / "monitor" / f"{ref}-message.wav"
    await until("the message is recorded", spoken.exists)
    words = voice("caller", caller)
    await placed.say(words)
    await placed.press("#")
    assert (await placed.ended()).cause == 16
    await city.wrote(caller, MessageLeft)
    await city.wrote(caller, Said, prompt="survey_thanks")
    record = await until(
        "the record with its message",
        lambda: next((one for one in city.records() if one.ref == ref and one.message_sha256), None),
    )
    assert (record.outcome, record.rating, record.message_left) == (Outcome.ANSWERED, 4, True)
    message = city.stage.instance.folders.recordings / record.message_file
    assert record.message_sha256 == hashlib.sha256(message.read_bytes()).hexdigest()
    assert S_IMODE(message.stat().st_mode) == 0o600
    assert [one.prompt for one in Ears({"caller": words}).listen(read(message))] == ["caller"]
    assert 1500 <= (record.message_ms or 0) <= 6000


# --- blocked callers ----------------------------------------------------------------------------


async def blocked_there(city: City, caller: str) -> bool:
    """Whether Asterisk itself knows of the block."""
    instance = city.stage.instance
    return caller in await console(instance.asterisk, instance.folders.etc / "asterisk.conf", "database show blocked")


def ended(city: City, caller: str) -> list[CallRecord]:
    """The records of a caller's calls that are over, the oldest first."""
    return [one for one in city.records() if one.caller == caller and not one.running]


async def let_in(city: City, caller: str) -> bool:
    return not await blocked_there(city, caller)


async def test_whom_the_desk_blocks_is_refused_but_in_an_emergency_until_let_in_again(
    city: City, desk: DeskClient
) -> None:
    (caller,) = city.citizens(1)
    instance = city.stage.instance
    zone = ZoneInfo(instance.settings.city.timezone)
    until_day = (datetime.now(zone).date() + timedelta(days=30)).isoformat()
    entry = await desk.post("/blocked", number=caller, reason="骚扰", until=until_day)
    assert (entry["number"], entry["until"], entry["source"]) == (caller, until_day, "desk")
    await until("Asterisk knows of it", lambda: blocked_there(city, caller))
    refused = await city.stage.carrier.call(GENERAL, caller=caller)
    await heard(city, refused, "blocked", "survey")
    assert (await refused.ended()).side == "far"
    emergency = await city.stage.carrier.call("110", caller=caller)
    await emergency.answered()
    await emergency.hang_up()
    await until("the end of the emergency call is kept", lambda: len(ended(city, caller)) == 2)
    asterisk = city.stage.supervisor.asterisk
    old = asterisk.boot
    assert old is not None
    os.kill(old.pid, signal.SIGKILL)
    await until("another Asterisk", lambda: asterisk.boot not in (old, None))
    await city.until_steering()
    again = await city.stage.carrier.call(SOCIAL, caller=caller)
    await city.wrote(caller, Refused, 2, why="blocked")
    assert (await again.ended()).side == "far"

    await until("the records of all three calls", lambda: len(ended(city, caller)) == 3, seen=lambda: city.told(caller))
    records = ended(city, caller)
    assert [(one.dialled, one.outcome) for one in records] == [
        (GENERAL, Outcome.REFUSED_BLOCKED),
        ("110", Outcome.EMERGENCY),
        (SOCIAL, Outcome.REFUSED_BLOCKED),
    ]
    blocked = [one for one in records if one.outcome is Outcome.REFUSED_BLOCKED]
    told = await desk.get(f"/blocked/calls?number={caller}")
    folders = ("--config", str(EXAMPLE), "--data", str(instance.folders.data), "--number", caller)
    as_json, as_csv = await asyncio.gather(
        said_by("blocked", "--json", *folders), said_by("blocked", "--csv", *folders)
    )
    lines = [json.loads(line) for line in as_json.splitlines()]
    rows = list(csv.DictReader(as_csv.splitlines()))
    newest_first = [(one.ref, caller, one.dialled, "骚扰", entry["author"], until_day) for one in reversed(blocked)]
    for found in (told, lines[1:], rows):
        fields = ("call", "caller", "dialled", "reason", "author", "until")
        assert [tuple(one[field] for field in fields) for one in found] == newest_first
    assert (lines[0]["kind"], lines[0]["number"], lines[0]["source"]) == ("blocked", caller, "desk")
    assert [datetime.fromisoformat(row["at"]).timestamp() for row in rows] == [one["at_utc_ms"] // 1000 for one in told]
    await desk.delete(f"/blocked/{caller}")
    await until("Asterisk lets the caller in", lambda: let_in(city, caller))
    await city.calls(GENERAL, caller)
    assert await desk.get(f"/blocked/calls?number={caller}") == told
