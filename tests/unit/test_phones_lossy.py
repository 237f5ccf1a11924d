"""Calls and sound over a line that loses, doubles and reorders packets."""

import asyncio

import numpy as np
import pytest

from phones import sdp, voices
from phones.behaviour import Answers, Rejects, Rings
from phones.call import NotAnswered
from phones.ears import Ears
from phones.media import Media
from phones.peer import Peer
from phones.telephone import Telephone
from tests.support.lossy_relay import LossyRelay, Weather
from tests.support.scripted_end import QUICK, until

BAD = Weather(lost=0.3, doubled=0.3, late=0.5, late_s=0.08)


async def test_calls_come_and_go_as_on_a_good_line() -> None:
    await asyncio.gather(*(come_and_go(seed) for seed in range(6)))


async def come_and_go(seed: int) -> None:
    async with (
        Peer(("127.0.0.1", 9), address="127.0.0.1", behave=Answers(), timers=QUICK) as peer,
        LossyRelay(peer.where, BAD, seed) as relay,
        Telephone("8001", relay.left, timers=QUICK) as phone,
    ):
        call = await phone.call("12345")
        await call.answered()
        other = peer.calls[0]
        await call.hold()
        await other.resume()
        await (call if seed % 2 else other).hang_up()
        assert (await call.ended()).side == ("near" if seed % 2 else "far")
        assert (await other.ended()).side == ("far" if seed % 2 else "near")

        peer.behave = Rejects(486, 17)
        refused = await phone.call("12345")
        with pytest.raises(NotAnswered) as raised:
            await refused.answered()
        assert raised.value.ended.cause == 17

        peer.behave = Rings()
        given_up = await phone.call("12345")
        await until(lambda: len(peer.calls) == 3)
        # It is not awaited that it rings: a lost 180 is not repeated.
        await given_up.hang_up()
        assert (await given_up.ended()).side == "near"
        assert (await peer.calls[-1].ended()).side == "far"
        assert [one.number for one in peer.dialled] == ["12345"] * 3, "no repeated INVITE became a call of its own"
        assert relay.lost
        assert relay.doubled
        assert relay.late


async def test_speech_is_recognised_and_keys_count_once_over_a_bad_line() -> None:
    weather = Weather(lost=0.05, doubled=0.2, late=0.3, late_s=0.06)
    spoken = voices.voice("caller", "13800001111")
    here, there = [await Media.open("127.0.0.1", (sdp.PCMA,)) for _ in range(2)]
    async with LossyRelay(there.where, weather, seed=3) as relay:
        there.answer(sdp.build(sdp.Description(relay.right), session=1, version=1))
        here.agree(sdp.build(sdp.Description(relay.left), session=1, version=1))
        here.start()
        await here.press("159")
        await here.say(spoken)
        await until(lambda: len(there.timeline) >= len(spoken) + 3 * 1600)
    for media in (here, there):
        media.close()
        await media.gone()
    assert there.digits.pressed == "159"
    assert relay.lost
    heard = Ears({"caller": spoken, "agent": voices.voice("agent", "8001")}).listen(there.timeline.samples)
    assert [one.prompt for one in heard] == ["caller"]
    assert np.count_nonzero(there.timeline.samples) > len(spoken) * 0.8
