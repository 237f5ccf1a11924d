"""Who hears whom: everybody speaks at once, each at pitches of their own."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phones.call import Call, TooLate
from phones.correlate import Sound
from phones.ears import Ears
from phones.g711 import RATE_HZ, Wave
from phones.voices import chirps

Who = Literal["agent", "other", "supervisor", "caller"]

_PITCHES_HZ: dict[Who, tuple[int, int]] = {
    "agent": (400, 700),
    "other": (1000, 1300),
    "supervisor": (1600, 2000),
    "caller": (2300, 3000),
}
"""So far apart that each is recognised while all of them speak."""
VOICES: dict[str, Wave] = {who: chirps(who, pitches_hz, 8) for who, pitches_hz in _PITCHES_HZ.items()}
EARS = Ears(VOICES)
ENOUGH = 0.6
"""So much of what somebody says is enough: a busy machine drops packets."""
WITHIN_S = 30.0
LOUD = 2000.0
"""Root mean square of a piece in which somebody speaks, of 32768; a voice has 5600."""
PIECE = RATE_HZ // 10


async def hear(people: Mapping[Who, Call], hears: Mapping[Who, Collection[Who]]) -> None:
    """Everybody speaks, until each has heard exactly those who are said here.

    Each says at least all that there is to say, so that whoever hears nothing of it could have. Raises
    TooLate for somebody who is not heard, AssertionError for one who should not be.
    """
    begun = {who: len(call.heard) for who, call in people.items()}
    speaking = [asyncio.create_task(_speak(call, VOICES[who])) for who, call in people.items()]
    said = [call.say(VOICES[who]) for who, call in people.items()]
    try:
        await asyncio.gather(*(_listens(who, people[who], begun[who], heard) for who, heard in hears.items()))
        assert all(await asyncio.gather(*said)), f"of {', '.join(people)} somebody's call is over"
    finally:
        for task in speaking:
            task.cancel()
        for call in people.values():
            call.media.hush()
    for who, call in people.items():
        heard = {one.prompt for one in EARS.listen(call.heard[begun[who] :])}
        assert heard <= set(hears.get(who, ())), f"the {who} heard {heard}"


async def hear_one_another(people: Mapping[Who, Call], deaf: Mapping[Who, Call] | None = None) -> None:
    """All of these talk together; the deaf speak, too, and hear nobody, and nobody hears them."""
    await hear({**people, **(deaf or {})}, {who: [other for other in people if other != who] for who in people})


def voices_in(wave: Wave) -> set[str]:
    """Who speaks for half a second at least, told by pitch alone: a recorder leaves out frames here and there."""
    return {who for who, pitches_hz in _PITCHES_HZ.items() if _loud_pieces(Sound(wave, pitches_hz).samples) >= 5}


def _loud_pieces(samples: NDArray[np.float32]) -> int:
    whole = samples[: len(samples) // PIECE * PIECE].reshape(-1, PIECE)
    return int(np.count_nonzero(np.sqrt(np.mean(whole**2, axis=1)) > LOUD))


async def _speak(call: Call, voice: Wave) -> None:
    while await call.say(voice):
        pass


async def _listens(who: Who, call: Call, begun: int, voices: Collection[Who]) -> None:
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + WITHIN_S
    while True:
        heard = await asyncio.to_thread(EARS.listen, call.heard[begun:])
        if {one.prompt for one in heard if one.part >= ENOUGH} >= set(voices):
            return
        if loop.time() > give_up_s:
            instead = ", ".join(f"{one.prompt} {one.part:.0%}" for one in heard) or "nobody"
            raise TooLate(f"the {who}'s hearing {', '.join(voices)} (instead: {instead})", WITHIN_S)
        await asyncio.sleep(0.2)
