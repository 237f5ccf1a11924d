"""A disk that fills up under calls: recording stops first, calls go on, and every record is whole."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.journal import RoomEntered
from calls.record import Outcome
from hotline.stage import until
from tests.chaos.people import asked, calls, connected, gone
from tests.chaos.scene import Scene, scene, small_settings
from tests.chaos.tmpfs import DISK_MB, MARK_MB, fill, small_disk
from tests.support.city_watch import GENERAL

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[Scene]:
    with small_disk(tmp_path_factory.mktemp("disk"), DISK_MB) as disk:
        folder = disk / "city"
        folder.mkdir()
        async with scene(folder, sounds, small_settings(MARK_MB)) as running:
            yield running


async def test_on_a_full_disk_calls_go_on_unrecorded_and_every_record_is_whole(served: Scene) -> None:
    city, disk = served.city, served.served.folder.parent
    await served.until_manned()
    (first,) = city.citizens(1)
    placed = await city.calls(GENERAL, first)
    await until("a talk", lambda: any(call.up for phone in city.stage.seats.values() for call in phone.calls))
    before_s = placed.heard_s
    await until("some of it", lambda: placed.heard_s > before_s + 1.0)

    low = fill(disk, MARK_MB * 500_000)
    await until("the alarm", lambda: served.said("disk_low"), seen=served.command.said)
    assert (await city.stage.health())["disk"] == "low"
    before_s = placed.heard_s
    await until("the talk going on", lambda: placed.heard_s > before_s + 4.0)
    low.unlink()
    await until("the end of the alarm", lambda: served.said("disk_well"))

    full = fill(disk, 0)
    await until("the alarm", lambda: served.said("disk_full"), seen=served.command.said)
    citizens = await calls(served, 6, 2)
    await connected(citizens)
    await asked(citizens)
    assert [one.caller for one in citizens if one.lost] == []
    for one in citizens:
        if not one.emergency:
            await city.wrote(one.caller, RoomEntered)
    await gone(citizens)
    before_s = placed.heard_s
    await until("sound after all of that", lambda: placed.heard_s > before_s)
    await placed.hang_up()
    full.unlink()
    await served.until_ready()

    record = await city.kept(first)
    assert record.outcome is Outcome.ANSWERED
    assert record.recording_ms is not None
    assert record.recording_ms < record.talk_ms - 2_000
    for one in citizens:
        kept = [found for found in city.records() if found.caller == one.caller]
        assert one.wrong(kept, 0) is None
