"""The guard's decisions without an Asterisk, and the command."""

import asyncio
import json
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from typer.testing import CliRunner

from asterisk.found import Asterisk
from asterisk.guarding import Failed, SignedIn
from hotline.bans import Exempt, Guard
from hotline.cli import app
from hotline.folders import Folders
from hotline.instance import Instance
from hotline.office import Office
from recordings.audit import Audit, By
from recordings.bans import Ban, Bans
from recordings.store import Store
from tests.support.city_asterisk import secrets_of
from tests.support.settings_maker import PLAIN, city

GUESSER = IPv4Address("192.0.2.9")
RULES = {"failures": 3, "within": "1m", "for": "2m", "never": ["10.0.0.0/8"]}
NOW_MS = 1_800_000_000_000


def instance(folder: Path) -> Instance:
    settings = city(server={**PLAIN["server"], "bans": RULES})
    return Instance(settings, Folders(folder), secrets_of(settings), Asterisk("22", (), folder, folder), folder)


async def heard(folder: Path, *signs: Failed | SignedIn) -> tuple[Ban, ...]:
    """What is banned after these."""
    one = instance(folder)
    async with Office(one.folders.records) as office:
        working = asyncio.create_task(office.run())
        Guard(one, office).heard(signs, 0, NOW_MS)
        kept = await office.in_turn(lambda books: books.bans.all())
        office.stop()
        await working
    return kept


async def test_who_fails_too_often_is_banned_for_as_long_as_the_settings_say(tmp_path: Path) -> None:
    assert await heard(tmp_path, *[Failed(GUESSER, "8001")] * 2) == ()
    assert await heard(tmp_path, *[Failed(GUESSER, "8001")] * 2, Failed(GUESSER, "8002")) == (
        Ban("192.0.2.9", 3, "8002", NOW_MS, NOW_MS + 120_000),
    )


async def test_a_right_sign_in_between_takes_failures_away(tmp_path: Path) -> None:
    two = [Failed(GUESSER, "8001")] * 2
    assert await heard(tmp_path, *two, SignedIn(GUESSER, "8002"), *two) == ()


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"])
async def test_what_is_spared_is_never_banned(tmp_path: Path, address: str) -> None:
    assert await heard(tmp_path, *[Failed(IPv4Address(address), "<unknown>")] * 100) == ()


async def test_a_trunk_that_is_written_as_a_name_is_spared_by_its_address() -> None:
    trunks = {**PLAIN["trunks"], "named": {"host": "localhost"}}
    exempt = Exempt(city(trunks=trunks))
    running = asyncio.create_task(exempt.run())
    async with asyncio.timeout(30):
        while IPv4Address("127.0.0.1") not in exempt:  # noqa: ASYNC110 - only asking tells.
            await asyncio.sleep(0.01)
    assert GUESSER not in exempt
    running.cancel()
    await asyncio.wait([running])


def command(data: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["bans", "--data", str(data), *words])
    return result.exit_code, result.output


def test_the_command_lists_and_lifts_bans(tmp_path: Path) -> None:
    with Store(tmp_path / "records.db") as store:
        Bans(store).add(Ban("192.0.2.9", 10, "8001", NOW_MS, NOW_MS + 1000), By("hotline", "guard"))
    assert "192.0.2.9" in command(tmp_path)[1]
    assert json.loads(command(tmp_path, "--json")[1])["failures"] == 10
    assert command(tmp_path, "--lift", "192.0.2.9") == (0, "192.0.2.9 is not banned any more\n")
    with Store(tmp_path / "records.db") as store:
        [entry] = Audit(store).newest(1)
    assert (entry.did, entry.role, entry.what) == ("unban", "command", {"address": "192.0.2.9", "why": "lifted"})
    assert command(tmp_path, "--lift", "192.0.2.9")[0] == 1
    assert command(tmp_path, "--lift", "somebody")[0] == 1
