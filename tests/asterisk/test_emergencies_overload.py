"""Three times as many ordinary calls as are admitted, and two hundred emergencies among them; nobody steers.

SIPp plays everybody: its scenarios end well only for an emergency that is answered, and for an ordinary
caller who is let in, or refused with cause 42.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

import pytest_asyncio

from asterisk.found import find
from calls.cel import Row
from calls.journal import Arrived, EmergencyChosen, Refused, Said
from dialplan.arrival import full_listeners
from hotline.stage import until
from settings.shapes import Settings
from tests.support.city_asterisk import CityAsterisk, running
from tests.support.settings_maker import PLAIN, city
from tests.support.sip_load import complaints, sipp

ORDINARY, RESERVE = 20, 40
HOLD_MS = 5000
"""As ordinary.xml has it."""
OFFERED = 3
RATE = OFFERED * ORDINARY * 1000 // HOLD_MS
"""Ordinary calls a second."""
EMERGENCIES, EMERGENCY_RATE, EMERGENCY_HOLD_MS = 200, 12, 1500
WITHIN_S = 180.0


def settings() -> Settings:
    capacity = {"ordinary": ORDINARY, "reserve": RESERVE}
    return city(server={**PLAIN["server"], "capacity": capacity})


@pytest_asyncio.fixture
async def crowded(tmp_path: Path) -> AsyncIterator[CityAsterisk]:
    """Its emergency centres answer, and refused callers have five seconds to listen."""
    async with running(find(), settings(), tmp_path, datetime.now(UTC).date()) as asterisk, AsyncExitStack() as stack:
        for name in ("emergency_a", "emergency_b"):
            trunk = asterisk.settings.trunks[name]
            folder = tmp_path / name
            folder.mkdir()
            place = ("-i", trunk.host, "-mi", trunk.host, "-p", str(trunk.port))
            await stack.enter_async_context(sipp(folder, "centre", asterisk.server, *place))
        await asterisk.say(f"dialplan set global SAY_zh_full {asterisk.places.music / 'hold'}")

        async def lines() -> bool:
            return (await asterisk.say("pjsip show contacts")).count(" Avail ") == 2

        await until("both emergency lines", lines)
        yield asterisk


async def test_every_emergency_is_answered_while_ordinary_calls_are_refused_politely(
    crowded: CityAsterisk, tmp_path: Path
) -> None:
    line = ("-i", "127.0.0.2", "-mi", "127.0.0.2")
    folders = [tmp_path / name for name in ("crowd", "urgent")]
    for folder in folders:
        folder.mkdir()
    seconds = EMERGENCIES / EMERGENCY_RATE + 1
    many = ("-r", str(RATE), "-m", str(round(RATE * seconds)), "-s", "12333")
    urgent = ("-r", str(EMERGENCY_RATE), "-m", str(EMERGENCIES), "-s", "110", "-d", str(EMERGENCY_HOLD_MS))
    async with sipp(folders[0], "ordinary", crowded.server, *line, *many) as crowd:
        await crowded.until(lambda: full(crowded) or crowd.returncode is not None, "the first refusal")
        async with sipp(folders[1], "urgent", crowded.server, *line, *urgent) as emergencies:
            assert await asyncio.wait_for(emergencies.wait(), WITHIN_S) == 0, complaints(folders[1])
        assert await asyncio.wait_for(crowd.wait(), WITHIN_S) == 0, complaints(folders[0])
    await crowded.until(lambda: all(ended(rows) for rows in crowded.calls()), "the end of every call")
    calls = [rows for rows in crowded.calls() if any(isinstance(row.step, Arrived) for row in rows)]
    of_emergencies = [rows for rows in calls if EmergencyChosen("110", "dialled") in steps(rows)]
    assert len(of_emergencies) == EMERGENCIES
    assert len([rows for rows in of_emergencies if answered(rows)]) == EMERGENCIES
    refused = [rows for rows in calls if Refused("full") in steps(rows)]
    admitted = [rows for rows in calls if rows not in refused and rows not in of_emergencies]
    assert ORDINARY // 2 < most_at_once(admitted) <= ORDINARY
    told = [rows for rows in refused if Said("full", "zh") in steps(rows)]
    assert 0 < most_at_once(told) <= full_listeners(crowded.settings)
    assert len(told) < len(refused), "nobody was refused without a word"


def full(crowded: CityAsterisk) -> bool:
    return any(row.step == Refused("full") for row in crowded.rows())


def steps(rows: list[Row]) -> list[object]:
    return [row.step for row in rows if row.step is not None]


def ended(rows: list[Row]) -> bool:
    return any(row.kind == "LINKEDID_END" for row in rows)


def answered(rows: list[Row]) -> bool:
    """Whether the first line's leg was."""
    return any(row.kind == "ANSWER" and row.channel.startswith("PJSIP/emergency_a-") for row in rows)


def first(rows: list[Row], kind: str) -> list[Row]:
    """The caller's own, if there is one."""
    return [row for row in rows if row.kind == kind and row.channel == rows[0].channel][:1]


def most_at_once(calls: list[list[Row]]) -> int:
    """How many of the calls were answered at the same time at most, by the journal."""
    changes = [(row.at_us, +1) for rows in calls for row in first(rows, "ANSWER")]
    changes += [(row.at_us, -1) for rows in calls for row in first(rows, "HANGUP")]
    return max(accumulate(change for _, change in sorted(changes)), default=0)
