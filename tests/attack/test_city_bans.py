"""A whole city that runs: who guesses is banned by its controller, and a command forgives."""

import asyncio
from pathlib import Path

from typer.testing import CliRunner

from hotline.cli import app
from hotline.stage import until
from tests.support.city_watch import GENERAL, watched
from tests.support.quick_city import quick_city, without_recording
from tests.support.raw_sip import stranger

GUESSER = "127.0.0.60"


def command(data: Path, *words: str) -> str:
    """What `bin/hotline bans` says."""
    result = CliRunner().invoke(app, ["bans", "--data", str(data), *words])
    assert result.exit_code == 0, result.output
    return result.output


async def test_a_guesser_is_banned_until_a_command_lifts_it_and_citizens_notice_nothing(
    tmp_path: Path, sounds: Path
) -> None:
    async with watched(without_recording(quick_city()), tmp_path, sounds=sounds, seats=["8001"]) as city:
        instance = city.stage.instance
        sip = instance.settings.server.sip
        with stranger((str(sip.address), sip.port), GUESSER) as guesser:

            async def answered(status: int) -> bool:
                return (await guesser.guess("8001", "wrong")).startswith(f"SIP/2.0 {status} ")

            await until("the ban", lambda: answered(403))
            assert GUESSER in await asyncio.to_thread(command, instance.folders.data)
            await asyncio.to_thread(command, instance.folders.data, "--lift", GUESSER)
            await until("the end of the ban", lambda: answered(401))
        call = await city.stage.carrier.call(GENERAL, caller="13812345678")
        await call.answered()
        await call.hang_up()
