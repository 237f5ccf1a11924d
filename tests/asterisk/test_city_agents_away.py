"""Agents stay signed on while the controller or Asterisk is away, and callers are served by who can serve them."""

import wave
from array import array
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio

from asterisk.console import console
from calls.journal import RoomEntered, SurvivalEntered
from recordings.playback import plain_audio
from recordings.vault import ENDING
from settings.shapes import Settings
from tests.support.city_watch import (
    GENERAL,
    SOCIAL,
    City,
    hearing_on,
    next_call,
    no_controller,
    talking,
    unannounced,
    watched,
    with_seats,
)
from tests.support.desk_client import DeskClient, at_the_desk
from tests.support.manned_city import dials, here, kill_asterisk, nobody_signed_on, offered, sits, with_agents
from tests.support.quick_city import quick_city

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEATS: dict[str, tuple[str, ...]] = {"8001": ("general",), "8011": (), "8012": ()}
AGENTS = {"1001": {"general": 3}, "1002": {"social": 3}, "1003": {"social": 4}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    settings = with_seats(unannounced(quick_city()), SEATS, ring_s=3.0, rest_s=0.5)
    settings = encrypted(with_agents(settings, AGENTS, wrap_up_s=0.5, misses=2))
    async with watched(settings, tmp_path_factory.mktemp("city"), sounds=sounds) as city:
        yield city


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(running: City) -> AsyncIterator[DeskClient]:
    """A supervisor's."""
    async with at_the_desk(running.stage.instance) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def city(running: City, desk: DeskClient) -> City:
    """Nobody calls, nobody is signed on, and no telephone is there: a test lets those come that it needs."""
    await nobody_signed_on(desk)
    await running.clear()
    return running


async def test_who_is_signed_on_stays_so_while_the_controller_is_away_and_skills_hold(
    city: City, desk: DeskClient
) -> None:
    talks, first, second, third, social = city.citizens(5)
    phones = city.stage.seats
    await here(city, "8011", "8012")
    await sits(desk, "1001", "8011")
    await sits(desk, "1002", "8012")
    await desk.post("/agents/1002/pause", reason="meal")
    await desk.post("/agents/1003/sign-on", seat="8001")
    placed = await city.calls(GENERAL, talks)
    talk = await next_call(phones["8011"])
    await talking(talk)
    await city.calls(GENERAL, first)
    await city.calls(SOCIAL, social)
    await city.calls(GENERAL, second)
    async with no_controller(city):
        for caller, queue in ((first, "survival_general"), (social, "survival_social"), (second, "survival_general")):
            await city.wrote(caller, SurvivalEntered, queue=queue)
        await hearing_on(placed, talk)
        await talk.hang_up()
        talk = await next_call(phones["8011"])
        await talking(talk)
        assert talk.caller == first
        # Nobody is paused there: both seats could have had the second caller.
        assert await dials(city, "8012", "*14") == "desk_away"
        await phones["8001"].register()
        served = await next_call(phones["8001"])
        await talking(served)
        assert served.caller == social
    await city.wrote(second, RoomEntered, times=2)
    for who, seat, state in (("1001", "8011", "talking"), ("1003", "8001", "talking"), ("1002", "8012", "paused")):
        await desk.until_agent(who, state, seat=seat)
    await city.calls(GENERAL, third)
    await talk.hang_up()
    assert await city.agent("8011", 2) == [second, third]
    await served.hang_up()
    records = [await city.kept(caller) for caller in (talks, first, social, second, third)]
    assert [record.seats for record in records] == [("8011",), ("8011",), ("8001",), ("8011",), ("8011",)]
    assert [record.survived for record in records] == [False, True, True, True, False]
    assert offered(city, second) == [("8011", "1001")]


async def test_who_is_signed_on_stays_so_when_asterisk_dies(city: City, desk: DeskClient) -> None:
    caller, social = city.citizens(2)
    await here(city, "8001", "8012")
    await sits(desk, "1001", "8001")
    await sits(desk, "1002", "8012")
    await desk.post("/agents/1002/pause", reason="meal")
    await kill_asterisk(city)
    await city.until_steering()
    await here(city, "8001", "8012")
    await desk.until_agent("1001", "idle", seat="8001")
    await desk.until_agent("1002", "paused", seat="8012", reason="meal")
    serving = city.agent("8001", 1)
    await city.calls(GENERAL, caller)
    assert await serving == [caller]
    assert offered(city, caller) == [("8001", "1001")]
    assert await ring_in_survival(city, "survival_general") == {"8001"}
    assert await ring_in_survival(city, "survival_social") == set()
    await city.calls(SOCIAL, social)
    await desk.post("/agents/1002/ready")
    assert await city.agent("8012", 1) == [social]
    assert offered(city, social) == [("8012", "1002")]
    assert await ring_in_survival(city, "survival_social") == {"8012"}


async def test_what_was_said_is_kept_encrypted_and_nowhere_else(city: City) -> None:
    (caller,) = city.citizens(1)
    await here(city, "8001")
    serving = city.agent("8001", 1)
    await city.calls(GENERAL, caller)
    assert await serving == [caller]
    record = await city.kept(caller)
    instance = city.stage.instance
    assert record.recording_file is not None
    assert record.recording_file.endswith(f"{record.ref}.wav{ENDING}")
    kept = instance.folders.recordings / record.recording_file
    assert b"RIFF" not in kept.read_bytes()
    assert list(instance.folders.data.rglob(f"*{record.ref}*")) == [kept]
    plain = b"".join(plain_audio(instance.folders.recordings, record.recording_file, instance.vault().keys))
    assert sha256(plain).hexdigest() == record.recording_sha256
    with wave.open(BytesIO(plain)) as sound:
        assert sound.getnframes() * 1000 // sound.getframerate() == record.recording_ms
        assert max(abs(sample) for sample in array("h", sound.readframes(sound.getnframes()))) > 1000


def encrypted(settings: Settings) -> Settings:
    """The settings with recordings that are kept encrypted."""
    recording = settings.server.recording.model_copy(update={"encrypted": True})
    return settings.model_copy(update={"server": settings.server.model_copy(update={"recording": recording})})


async def ring_in_survival(city: City, queue: str) -> set[str]:
    """The seats that one of Asterisk's own queues would ring."""
    instance = city.stage.instance
    shown = await console(instance.asterisk, instance.folders.etc / "asterisk.conf", f"queue show {queue}", bound_s=30)
    members = [line.split()[0] for line in shown.splitlines() if "(PJSIP/" in line and "paused" not in line]
    return set(members)
