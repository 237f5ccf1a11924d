"""Telephones that are none of ours: SIPp plays a citizen at the carrier's address, and a seat."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from calls.record import Outcome, Side
from phones.g711 import alaw_encode
from phones.voices import read, voice
from tests.support.city_watch import GENERAL, watched
from tests.support.quick_city import quick_city

SCENARIOS = Path(__file__).resolve().parent.parent / "support" / "sipp"
CITIZEN = "13612345678"


@asynccontextmanager
async def sipp(
    folder: Path, scenario: str, server: tuple[str, int], *words: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs a scenario once; it is ended with the block."""
    with (folder / f"{scenario}.out").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            "sipp", "-sf", SCENARIOS / f"{scenario}.xml", "-m", "1", "-nostdin", "-trace_err", *words,
            "{}:{}".format(*server),
            cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def complaints(folder: Path) -> str:
    """What SIPp wrote about messages that it did not expect."""
    return "\n".join(file.read_text(errors="replace") for file in folder.glob("*_errors.log"))


async def test_a_citizen_from_outside_reaches_a_seat_from_outside(tmp_path: Path, sounds: Path) -> None:
    for name, wave in (("agent", voice("agent", "8004")), ("citizen", voice("caller", CITIZEN))):
        (tmp_path / f"{name}.alaw").write_bytes(alaw_encode(wave))
    async with watched(quick_city(), tmp_path, sounds=sounds, seats=[]) as city:
        instance = city.stage.instance
        server = (str(instance.settings.server.sip.address), instance.settings.server.sip.port)
        account = ("-s", "8004", "-au", "8004", "-ap", instance.secrets.seats["8004"])
        seat = ("-oocsf", str(SCENARIOS / "agent.xml"), "-i", "127.0.0.1", "-mi", "127.0.0.1", *account)
        async with sipp(tmp_path, "seat", server, *seat) as agent:
            await city.until_free(1)
            line = ("-i", "127.0.0.2", "-mi", "127.0.0.2", "-s", GENERAL, "-key", "caller", CITIZEN)
            async with sipp(tmp_path, "citizen", server, *line) as citizen:
                assert await asyncio.wait_for(citizen.wait(), 90) == 0, complaints(tmp_path)
            assert agent.returncode is None
        record = await city.kept(CITIZEN)
        assert (record.outcome, record.seats, record.hung_up_by) == (Outcome.ANSWERED, ("8004",), Side.SEAT)
        assert (record.dialled, record.trunk_in, record.q850_cause) == (GENERAL, "carrier", 16)
        assert record.recording_file is not None
        sound = instance.folders.recordings / record.recording_file
        assert record.recording_sha256 == hashlib.sha256(sound.read_bytes()).hexdigest()
        # SIPp leaves gaps on a busy machine, so that the voices cannot always be told apart.
        assert np.abs(read(sound)).max() > 1000, "the recording is silent"
