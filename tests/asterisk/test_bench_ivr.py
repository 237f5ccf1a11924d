"""Every way to answer that is measured beside this project: the same call, on a real Asterisk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.ivr.way import NUMBER, Ivr, IvrPlaces, Sounds
from bench.ivr.ways import IVRS
from bench.traced import WAITS
from hotline.instance import Instance
from hotline.stage import lines, on_stage, until
from phones.ears import Ears, until_heard
from phones.peer import Peer
from phones.placed import PlacedCall
from phones.voices import voice
from tests.support.quick_city import quick_city, without_recording

SEAT = "8001"
AGENT = "agent"
SPOKEN = {
    "greeting_12345": "您好，政务服务热线。",
    "menu_main": "社会保障请按一。",
    "to_person": "正在为您转接人工。",
}
HUNG_UP = ("Playback failed for", "ast_streamfile failed on")
"""Parts of what Asterisk complains of when a caller leaves in the midst of a prompt."""


@dataclass
class Answered:
    """An Asterisk that answers in one way, and who calls it."""

    instance: Instance
    carrier: Peer
    ears: Ears

    async def hears(self, call: PlacedCall, prompt: str, *, since_s: float = 0.0) -> float:
        """Waits until a caller has heard most of it; when it was over, in seconds of the call."""
        found = await until_heard(self.ears, lambda: call.heard, prompt, least_part=0.8, since_s=since_s)
        return found.until_s

    def journal(self) -> str:
        return self.instance.folders.journal.read_text("utf-8")


@asynccontextmanager
async def answering(way: Ivr, folder: Path, prompts: Path) -> AsyncIterator[Answered]:
    settings = without_recording(quick_city(heard=SPOKEN))
    instance = Instance.made(on_stage(settings), folder / "d", prompts=prompts)
    catalogue = instance.catalogue()
    catalogue.build()
    instance.install()
    sounds, places = Sounds.of(catalogue), IvrPlaces.beside(instance.folders.etc)
    for name, text in way.files(sounds, [SEAT], places).items():
        (instance.folders.etc / name).write_text(text, encoding="utf-8")
    asterisk = instance.process()
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as output:
        await asterisk.start()
        try:
            async with (
                way.server(sounds, places, output),
                lines(instance, seats=[SEAT]) as (trunks, phones),
            ):
                await until("the seat to register", lambda: phones[SEAT].registered)
                bank = {prompt: catalogue.samples(prompt, "zh") for prompt in SPOKEN}
                yield Answered(instance, trunks["carrier"], Ears({**bank, AGENT: voice("agent", SEAT)}))
        finally:
            await asterisk.stop()
    assert log.read_text("utf-8") == ""
    told = [one.text for one in asterisk.complaints()]
    assert [text for text in told if not any(part in text for part in HUNG_UP)] == []


@pytest.mark.parametrize("way", IVRS, ids=lambda way: way.name)
async def test_a_caller_hears_the_steps_and_reaches_a_seat_by_a_key(way: Ivr, tmp_path: Path, sounds: Path) -> None:
    async with answering(way, tmp_path, sounds) as answered:
        leaves = await answered.carrier.call(NUMBER, caller="13800000001")
        await leaves.answered()
        await leaves.hang_up()  # In the midst of a prompt, which must do no harm to whoever comes next.
        stays = await answered.carrier.call(NUMBER, caller="13800000002")
        await answered.hears(stays, "greeting_12345")
        offered_s = await answered.hears(stays, "menu_main")
        stays.press("7")  # Means nothing.
        await answered.hears(stays, "menu_main", since_s=offered_s)
        stays.press("0")
        await answered.hears(stays, "to_person")
        await answered.hears(stays, AGENT)
        await stays.hang_up()
        waits = [line for line in answered.journal().splitlines() if line.startswith(f'"{WAITS}"')]
        assert len(waits) == 1
        assert f"number={NUMBER}" in waits[0]
