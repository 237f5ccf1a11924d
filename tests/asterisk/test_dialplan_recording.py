"""Whose voices are in a recording, on a real Asterisk: whatever each line speaks, and from wherever its RTP counts."""

import itertools
import secrets
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
import pytest_asyncio

from calls.journal import Arrived, RoomEntered, TrunkEnded
from phones import media, sdp
from phones.behaviour import Answers, Rejects
from phones.call import Call
from phones.telephone import Telephone
from phones.voices import read
from tests.support.city_asterisk import PASSWORD
from tests.support.full_service import FULL_SERVICE
from tests.support.hearing import VOICES, Who, hear, hear_one_another, voices_in
from tests.support.settings_maker import PLAIN, city
from tests.support.town import Town, in_town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    seats = {seat: {"skills": ["general", "social"]} for seat in ("8001", "8002", "8003")}
    service = {"centres": FULL_SERVICE["service"]["centres"]}
    settings = city(service=service, answering={**PLAIN["answering"], "seats": seats})
    async with in_town(settings, tmp_path_factory.mktemp("city")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: Town) -> Town:
    """Nobody calls there, and callers wait for whoever steers."""
    await running.clear()
    await running.asterisk.beat()
    return running


@pytest.fixture(autouse=True)
def ever_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    """The RTP of each leg counts from a lower number than that of the leg before."""
    firsts = itertools.count(30_000, -2_000)

    def randbits(count: int) -> int:
        return next(firsts) if count == 15 else secrets.randbits(count)

    monkeypatch.setattr(media, "secrets", SimpleNamespace(randbits=randbits, randbelow=secrets.randbelow))


async def taken(town: Town, phone: Telephone) -> Call:
    await town.asterisk.until(lambda: bool(phone.calls) and phone.calls[-1].up, "the talk")
    return phone.calls[-1]


def kept(town: Town, caller: str) -> set[str]:
    """Whose voices are in the recording of a caller's last call, which is over."""
    [ref] = [step.ref for step in town.asterisk.steps(caller) if isinstance(step, Arrived)]
    return voices_in(read(town.asterisk.places.monitor / f"{ref}.wav"))


async def test_a_line_that_speaks_and_does_not_answer_costs_nobody_the_voice(town: Town) -> None:
    town.trunks["tax_centre"].behave = Rejects(486, says=VOICES["supervisor"])
    call, caller = await town.waits()
    await town.asterisk.say(f"channel redirect {town.channel(caller)} overflow,centre_tax,1")
    await town.asterisk.wrote(caller, TrunkEnded, status="BUSY")
    assert "supervisor" in voices_in(call.heard)
    await town.asterisk.wrote(caller, RoomEntered, 2)
    async with town.telephone("8001", Answers()) as seat:
        await town.connect(caller, "8001")
        await hear_one_another({"caller": call, "agent": await taken(town, seat)})
        await call.hang_up()
    await town.asterisk.ended(caller)
    assert kept(town, caller) == {"caller", "agent"}


async def test_an_emergency_line_that_speaks_and_fails_costs_nobody_the_voice_on_the_next(town: Town) -> None:
    town.emergency_b.behave = Rejects(503, says=VOICES["supervisor"])
    call, caller = await town.waits()
    await call.press("*2")
    await town.asterisk.until(
        lambda: any(taken.up for taken in town.emergency_a.calls), "the answer on the second line"
    )
    await hear_one_another({"caller": call, "other": town.emergency_a.calls[-1]})
    await call.hang_up()
    await town.asterisk.ended(caller)
    assert kept(town, caller) == {"caller", "other"}


async def test_seats_with_other_codecs_are_all_in_the_recording(town: Town) -> None:
    speakers: tuple[tuple[Who, str, int], ...] = (
        ("agent", "8001", sdp.PCMA), ("other", "8002", sdp.PCMU), ("supervisor", "8003", sdp.PCMA)
    )  # fmt: skip
    call, caller = await town.waits()
    for who, seat, codec in speakers:
        phone = Telephone(seat, town.asterisk.server, password=PASSWORD, behave=Answers(), codecs=(codec,))
        async with phone:
            way = "connect" if who == "agent" else "transfer"
            await town.asterisk.say(f"channel redirect {town.channel(caller)} {way},{seat},1")
            leg = await taken(town, phone)
            await hear({"caller": call, who: leg}, {"caller": [who], who: ["caller"]})
            if who != "supervisor":
                await town.asterisk.say(f"channel redirect {town.channel(caller)} transfer,skill_general,1")
                await town.asterisk.wrote(caller, RoomEntered, 2 if who == "agent" else 3)
    await call.hang_up()
    await town.asterisk.ended(caller)
    assert kept(town, caller) == {"caller", "agent", "other", "supervisor"}
