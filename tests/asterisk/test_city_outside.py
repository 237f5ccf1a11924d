"""Telephones that are none of ours: SIPp plays a citizen at the carrier's address, and a seat."""

import asyncio
import hashlib
from pathlib import Path

import numpy as np

from calls.record import Outcome, Side
from phones.g711 import alaw_encode
from phones.voices import read, voice
from tests.support.city_watch import GENERAL, watched
from tests.support.quick_city import quick_city
from tests.support.sip_load import SCENARIOS, complaints, sipp

CITIZEN = "13612345678"


async def test_a_citizen_from_outside_reaches_a_seat_from_outside(tmp_path: Path, sounds: Path) -> None:
    for name, wave in (("agent", voice("agent", "8004")), ("citizen", voice("caller", CITIZEN))):
        (tmp_path / f"{name}.alaw").write_bytes(alaw_encode(wave))
    async with watched(quick_city(), tmp_path, sounds=sounds, seats=[]) as city:
        instance = city.stage.instance
        server = (str(instance.settings.server.sip.address), instance.settings.server.sip.port)
        account = ("-s", "8004", "-au", "8004", "-ap", instance.secrets.seats["8004"])
        seat = ("-oocsf", str(SCENARIOS / "agent.xml"), "-i", "127.0.0.1", "-mi", "127.0.0.1", *account)
        async with sipp(tmp_path, "seat", server, "-m", "1", *seat) as agent:
            await city.until_free(1)
            line = ("-i", "127.0.0.2", "-mi", "127.0.0.2", "-s", GENERAL, "-key", "caller", CITIZEN)
            async with sipp(tmp_path, "citizen", server, "-m", "1", *line) as citizen:
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
