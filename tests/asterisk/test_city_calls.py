"""Callers and seats on a real Asterisk: who is served when, and what is kept of it."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from stat import S_IMODE

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from calls.journal import RoomEntered, SeatMissed, SeatOffered, TalkEnded
from calls.record import Outcome, Side
from hotline.stage import agent, until
from phones.behaviour import Behaviour, Rejects, Rings
from phones.call import Ended
from phones.ears import Ears, until_heard
from phones.telephone import Telephone
from phones.voices import read, voice
from tests.support.city_watch import (
    GENERAL,
    HOUSING,
    MARKET,
    SOCIAL,
    City,
    next_call,
    talking,
    unannounced,
    watched,
    with_capacity,
    with_priority,
    with_seats,
)
from tests.support.hostile_callers import hostile, overheard
from tests.support.quick_city import quick_city
from tests.support.tools import says

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL_ROUND = ("general", "social", "housing")
SEATS = {"7001": ALL_ROUND, "7002": ALL_ROUND, "7003": ("market",), "7004": ("general",)}
REST_S = 1.0
FULL = 9
"""So many ordinary calls are let in at once."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    settings = with_seats(with_capacity(unannounced(quick_city()), FULL), SEATS, ring_s=3.0, rest_s=REST_S)
    folder = tmp_path_factory.mktemp("city")
    phones = [seat for seat in SEATS if seat != "7004"]
    async with watched(with_priority(settings, HOUSING, 2), folder, sounds=sounds, seats=phones) as city:
        yield city


@pytest_asyncio.fixture(loop_scope="module")
async def city(running: City) -> City:
    """Nobody calls, and no seat is there: a test lets those come that it needs."""
    await running.clear()
    return running


async def test_the_longest_wait_is_served_first_whatever_number_was_dialled(city: City) -> None:
    callers = city.citizens(8)
    placed = dict(zip(callers, [GENERAL, SOCIAL] * 4, strict=True))
    await asyncio.gather(*(city.calls(number, caller) for caller, number in placed.items()))
    came = sorted(callers, key=lambda caller: city.steps(caller, RoomEntered)[0].t0_ms)
    serving = [city.agent(seat, 4) for seat in ("7001", "7002")]
    await asyncio.gather(*(city.stage.seats[seat].register() for seat in ("7001", "7002")))
    served = [caller for one in await asyncio.gather(*serving) for caller in one]
    assert sorted(served) == sorted(callers)
    records = [await city.kept(caller) for caller in callers]
    assert {record.outcome for record in records} == {Outcome.ANSWERED}
    # Two seats may become free at once: then their two callers are sent there side by side.
    offered = list(dict.fromkeys(city.offers(callers)))
    assert all(abs(offered.index(caller) - place) <= 1 for place, caller in enumerate(came))


async def test_who_is_more_urgent_is_served_before_those_who_wait_longer(city: City) -> None:
    first, second, urgent = city.citizens(3)
    for number, caller in ((GENERAL, first), (SOCIAL, second), (HOUSING, urgent)):
        await city.calls(number, caller)
    serving = city.agent("7001", 3)
    await city.stage.seats["7001"].register()
    assert await serving == [urgent, first, second]
    assert (await city.kept(urgent)).priority == 2


async def test_a_specialist_serves_its_own_and_nobody_else(city: City) -> None:
    ordinary, special, late = city.citizens(3)
    await city.calls(GENERAL, ordinary)
    await city.calls(MARKET, special)
    serving = city.agent("7003", 2)
    await city.stage.seats["7003"].register()
    await city.kept(special)
    await city.until_free(1)
    assert city.offers([ordinary]) == []
    await city.calls(MARKET, late)
    assert await serving == [special, late]
    await city.until_waiting(1)
    serving = city.agent("7001", 1)
    await city.stage.seats["7001"].register()
    assert await serving == [ordinary]


@pytest.mark.parametrize(("behaviour", "why", "times"), [(Rejects(486), "BUSY", 2), (Rings(), "NOANSWER", 1)])
async def test_whom_a_seat_does_not_take_keeps_the_place_and_is_served_by_another(
    city: City, behaviour: Behaviour, why: str, times: int
) -> None:
    first, second = city.citizens(2)
    for caller in (first, second):
        await city.calls(GENERAL, caller)
    city.stage.seats["7001"].behave = behaviour
    await city.stage.seats["7001"].register()
    await city.wrote(first, SeatMissed, seat="7001", why=why, times=times)
    serving = city.agent("7002", 2)
    await city.stage.seats["7002"].register()
    assert await serving == [first, second]
    record = await city.kept(first)
    assert (record.outcome, record.seats) == (Outcome.ANSWERED, ("7002",))
    entered = city.steps(first, RoomEntered)
    assert len(entered) > times
    assert {step.t0_ms for step in entered} == {record.waiting_since_utc_ms}
    missed_us = [at_us for caller in (first, second) for at_us in city.times_us(caller, SeatMissed)]
    again_us = [at_us for caller in (first, second) for at_us in city.times_us(caller, SeatOffered, seat="7001")]
    pauses_us = [again - missed for again in again_us for missed in missed_us if again > missed]
    assert all(pause_us >= REST_S * 1e6 for pause_us in pauses_us), "the seat was not left alone"


async def test_whose_seat_is_lost_keeps_the_place_and_is_served_by_another(city: City) -> None:
    lost, waiting = city.citizens(2)
    server = city.stage.seats["7001"].server
    password = city.stage.instance.secrets.seats["7004"]
    async with Telephone("7004", server, password=password, behave=agent("7004")) as phone:
        placed = await city.calls(GENERAL, lost)
        await talking(await next_call(phone))
        await city.calls(GENERAL, waiting)
        await phone.die()
    await city.wrote(lost, TalkEnded, seat="7004", q850_cause=44)
    await city.wrote(lost, RoomEntered, 2)
    assert placed.up
    serving = city.agent("7002", 2)
    await city.stage.seats["7002"].register()
    assert await serving == [lost, waiting]
    record = await city.kept(lost)
    assert (record.outcome, record.seats, record.hung_up_by) == (Outcome.ANSWERED, ("7004", "7002"), Side.SEAT)
    assert len({step.t0_ms for step in city.steps(lost, RoomEntered)}) == 1


async def test_who_hangs_up_while_waiting_or_ringing_leaves_nothing_behind(city: City) -> None:
    waits, rings, next_one = city.citizens(3)
    waiting = await city.calls(GENERAL, waits)
    await waiting.hang_up()
    await city.until_waiting(0)
    record = await city.kept(waits)
    assert (record.outcome, record.hung_up_by, record.seats) == (Outcome.ABANDONED, Side.CALLER, ())
    phone = city.stage.seats["7001"]
    phone.behave = Rings()
    ringing = await city.calls(GENERAL, rings)
    await phone.register()
    seat_call = await next_call(phone)
    await seat_call.rang()
    await ringing.hang_up()
    assert (await seat_call.ended()).side == "far", "the seat rings on"
    await city.until_free(1)
    record = await city.kept(rings)
    assert (record.outcome, record.hung_up_by, record.seats) == (Outcome.ABANDONED, Side.CALLER, ())
    assert record.seat_rang_utc_ms is not None
    phone.behave = agent("7001")
    serving = city.agent("7001", 1)
    await city.calls(GENERAL, next_one)
    assert await serving == [next_one]


async def test_either_side_may_end_a_talk_and_the_record_tells_who_did(city: City) -> None:
    by_seat, by_caller = city.citizens(2)
    phone = city.stage.seats["7001"]
    await phone.register()
    placed = await city.calls(GENERAL, by_seat)
    taken = await next_call(phone)
    await talking(taken)
    await taken.hang_up()
    assert await placed.ended() == Ended("far", 16)
    placed = await city.calls(GENERAL, by_caller)
    taken = await next_call(phone)
    await talking(taken)
    await placed.hang_up()
    assert (await taken.ended()).side == "far"
    await city.until_free(1)
    for caller, side in ((by_seat, Side.SEAT), (by_caller, Side.CALLER)):
        record = await city.kept(caller)
        assert (record.hung_up_by, record.q850_cause, record.seats) == (side, 16, ("7001",))


async def test_a_call_is_kept_with_its_times_and_its_sound(city: City) -> None:
    (caller,) = city.citizens(1)
    agents_voice, callers_voice = voice("agent", "7002"), voice("caller", caller)
    ears = Ears({"agent": agents_voice, "caller": callers_voice})
    placed = await city.calls(SOCIAL, caller)
    await city.stage.seats["7002"].register()
    taken = await next_call(city.stage.seats["7002"])
    await taken.answered()
    placed.say(callers_voice)
    # A busy machine drops a few packets of the two seconds that each says.
    await until_heard(ears, lambda: taken.heard, "caller", least_part=0.8)
    await until_heard(ears, lambda: placed.heard, "agent", least_part=0.8)
    await taken.hang_up()
    record = await city.kept(caller)
    assert (record.dialled, record.number, record.trunk_in, record.skills) == (SOCIAL, SOCIAL, "carrier", ("social",))
    times = (
        record.arrived_utc_ms,
        record.answered_utc_ms,
        record.waiting_since_utc_ms,
        record.seat_rang_utc_ms,
        record.talk_began_utc_ms,
        record.ended_utc_ms,
    )
    known = [time for time in times if time is not None]
    assert len(known) == len(times)
    assert known == sorted(known)
    assert record.wait_ms == known[4] - known[2]
    assert 1500 <= record.talk_ms <= known[5] - known[4]
    assert (record.survived, record.running, record.emergency_number) == (False, False, None)
    assert record.recording_file is not None
    sound = city.stage.instance.folders.recordings / record.recording_file
    assert record.recording_sha256 == hashlib.sha256(sound.read_bytes()).hexdigest()
    assert S_IMODE(sound.stat().st_mode) == 0o600
    assert {S_IMODE(folder.stat().st_mode) for folder in sound.parents[:3]} == {0o700}
    assert ears.speakers(read(sound)) == {"agent", "caller"}


async def test_one_search_for_a_calls_id_tells_its_story(city: City) -> None:
    (caller,) = city.citizens(1)
    serving = city.agent("7001", 1)
    await city.calls(SOCIAL, caller)
    await city.stage.seats["7001"].register()
    assert await serving == [caller]
    record = await city.kept(caller)

    def story() -> list[str]:
        return [line for line in city.log.read_text("utf-8").splitlines() if record.ref in line]

    await until("the end of the story", lambda: "call_ended" in "".join(story()), seen=story)
    told = story()
    assert all(f"call={record.ref}" in line for line in told)
    chapters = ("caller_waits", "caller_offered", "state=ringing", "state=talking", "outcome=answered")
    places = [next(place for place, line in enumerate(told) if chapter in line) for chapter in chapters]
    assert places == sorted(places)
    # Asterisk's own log has the id once, beside its own name of the call.
    theirs = city.stage.instance.folders.asterisk / "log" / "messages.log"
    (named,) = [line for line in theirs.read_text("utf-8").splitlines() if record.ref in line]
    assert re.search(r"\[C-[0-9a-f]{8}\].*call=", named)
    # And nobody learns from either who called.
    for log in (city.log, theirs):
        assert caller not in log.read_text("utf-8")


async def test_what_prometheus_reads_of_a_city_that_serves(city: City) -> None:
    (caller,) = city.citizens(1)
    serving = city.agent("7002", 1)
    await city.stage.seats["7002"].register()
    await city.calls(HOUSING, caller)
    await serving
    await city.kept(caller)
    http = city.stage.instance.settings.server.http
    text = ""

    async def counted() -> bool:
        nonlocal text
        async with ClientSession() as session, session.get(f"{http.url}/metrics") as response:
            text = await response.text()
        answered = re.search(r'^hotline_calls_total\{number="12329",outcome="answered"\} ([0-9.]+)', text, re.MULTILINE)
        return answered is not None and float(answered[1]) >= 1 and 'hotline_trunk_reachable{trunk="carrier"}' in text

    await until("the call is counted", counted, seen=lambda: text)
    assert says("promtool", "check", "metrics", given=text.encode()) == (0, "")
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert found["hotline_steering"] == found["hotline_asterisk_answers"] == found["hotline_records_kept"] == "1.0"
    for counter in ("heartbeat_seconds_count", "event_age_seconds_count", "decision_seconds_count", "snapshots_total"):
        assert float(found[f"hotline_{counter}"]) >= 1, counter
    assert float(found["hotline_heartbeat_age_seconds"]) < 3
    assert {found[f'hotline_trunk_reachable{{trunk="{trunk}"}}'] for trunk in city.stage.trunks} == {"1.0"}
    assert float(found['hotline_wait_seconds_count{number="12329"}']) >= 1
    assert caller not in text


async def test_hostile_numbers_and_names_are_only_numbers(city: City, tmp_path: Path) -> None:
    shell_file = tmp_path / "written-by-a-caller"
    callers = hostile(shell_file)
    serving = city.agent("7001", len(callers))
    await city.stage.seats["7001"].register()
    async with overheard(city.stage.instance.ami_access()) as lines:
        for number, name, _ in callers:
            await city.stage.carrier.call(GENERAL, caller=number, name=name)
        shown = await serving
        records = [await city.kept(kept) for *_, kept in callers]
    assert sorted(shown) == sorted(kept for *_, kept in callers)
    assert {(record.outcome, record.seats) for record in records} == {(Outcome.ANSWERED, ("7001",))}
    assert "Event: UserEvent" in lines
    assert not [line for line in lines if "forged" in line]
    assert {line for line in lines if line.startswith(("CallerIDName:", "ConnectedLineName:"))} <= {
        f"{header}: {name}" for header in ("CallerIDName", "ConnectedLineName") for name in ("<unknown>", "", GENERAL)
    }
    assert not shell_file.exists()
    assert city.store.rows("SELECT * FROM unreadable") == []
    assert "unreadable" not in city.log.read_text()


async def test_when_the_city_is_full_ordinary_callers_are_told_and_emergencies_get_through(city: City) -> None:
    waiting, refused, urgent = city.citizens(FULL), *city.citizens(2)
    await asyncio.gather(*(city.calls(GENERAL, caller) for caller in waiting))
    placed = await city.stage.carrier.call(GENERAL, caller=refused)
    assert (await placed.ended()).cause == 42
    record = await city.kept(refused)
    assert (record.outcome, record.hung_up_by, record.q850_cause) == (Outcome.REFUSED_FULL, Side.SYSTEM, 42)
    emergency = await city.stage.carrier.call("110", caller=urgent)
    await emergency.answered()
    await emergency.hang_up()
    record = await city.kept(urgent)
    assert (record.outcome, record.trunk_out) == (Outcome.EMERGENCY, "emergency_a")
    await city.until_waiting(FULL)
