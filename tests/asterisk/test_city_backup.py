"""A city is backed up while people call, and goes on elsewhere with the same calls."""

import asyncio
import signal
from pathlib import Path

import pytest
from aiohttp import ClientSession

from calls.record import CallRecord, Outcome
from calls.timeline import Entry
from hotline.asking import Running
from hotline.folders import Folders
from prompts.catalogue import Catalogue
from recordings.queries import Wanted, find, timeline
from recordings.store import Store
from settings.check import load
from tests.support.city_command import Command, Served, city_in_folders
from tests.support.city_watch import GENERAL, City, hearing_on, next_call, talking, unannounced, with_seats
from tests.support.keeping import CITY
from tests.support.quick_city import EXAMPLE, quick_city
from web.api import PREFIX


def told(data: Path) -> dict[str, tuple[CallRecord, tuple[Entry, ...]]]:
    """Caller → record and timeline."""
    with Store(Folders(data).records) as store:
        return {record.caller: (record, timeline(store, record.ref)) for record in find(store, Wanted(), CITY)}


async def done(command: Command) -> str:
    """What a command says that ends well."""
    assert await command.ended() == 0, command.said()
    return command.said()


async def stop(command: Command) -> None:
    command.process.send_signal(signal.SIGINT)
    assert await command.ended() == 0, command.said()


async def talk(city: City, caller: str) -> None:
    """A whole call, until its recording is kept."""
    serving = city.agent("7001", 1)
    await city.calls(GENERAL, caller)
    assert await serving == [caller]
    await city.kept(caller)


async def heard(data: Path, ref: str) -> bytes:
    """The recording, over the interface."""
    running = Running.of(data)
    async with (
        ClientSession(headers={"Authorization": f"Bearer {running.secret}"}) as http,
        http.get(f"{running.url}{PREFIX}/calls/{ref}/recording") as answer,
    ):
        assert answer.status == 200
        return await answer.read()


@pytest.mark.timeout(400)  # Two cities begin, one after the other.
async def test_a_city_is_backed_up_while_people_call_and_goes_on_elsewhere(tmp_path: Path, sounds: Path) -> None:
    skills = tuple(load(EXAMPLE).skills)
    settings = with_seats(unannounced(quick_city()), {"7001": skills}, ring_s=3.0, rest_s=1.0)
    async with city_in_folders(settings, tmp_path, sounds) as served:
        # On a busy machine that takes longer than a city may take to begin.
        await asyncio.to_thread(Catalogue(served.settings, sounds).build)
        first = await served.start("run")
        await first.until_said("is served")
        city = await served.people(seats=["7001"])
        await city.stage.until_ready()
        before, meanwhile, after = city.citizens(3)
        await talk(city, before)
        placed = await city.calls(GENERAL, meanwhile)
        taken = await next_call(city.stage.seats["7001"])
        await talking(taken)
        assert "2 calls, 1 recordings" in await done(await served.start("backup", str(tmp_path / "backup")))
        await hearing_on(placed, taken)
        await taken.hang_up()
        await city.kept(meanwhile)
        await talk(city, after)
        await stop(first)
        await served.opened.aclose()  # The same carriers and telephones are to call the new one.

        new = Served(served.settings, tmp_path / "new", served.opened)
        new.folder.mkdir()
        await done(await new.start("restore", str(tmp_path / "backup")))
        (new.data / "prompts").symlink_to(sounds)
        second = await new.start("run")
        await second.until_said("is served")
        await new_city_serves(new, await new.people(seats=["7001"]))
        one, other = told(served.data), told(new.data)
        assert (before in other, after in other) == (True, False)
        assert other[before] == one[before]
        assert other[meanwhile][0].outcome is Outcome.INTERRUPTED
        assert one[meanwhile][0].outcome is Outcome.ANSWERED
        ref, file = one[before][0].ref, one[before][0].recording_file
        assert file is not None
        assert await heard(new.data, ref) == (Folders(served.data).recordings / file).read_bytes()
        await stop(second)
        assert (await done(await new.start("audit", "--audio"))).rstrip()


async def new_city_serves(new: Served, city: City) -> None:
    """Telephones know it by the same passwords, its settings are the same, and a call is kept."""
    assert load(new.folder / "config").model_copy(update={"folder": ""}) == load(
        new.folder.parent / "config"
    ).model_copy(update={"folder": ""})
    await city.stage.until_ready()
    (caller,) = city.citizens(4)[3:]
    await talk(city, caller)
