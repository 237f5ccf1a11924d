"""Who hears whom: everybody speaks at once, each at pitches of their own."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Literal

from phones.call import Call, TooLate
from phones.ears import Ears
from phones.g711 import Wave
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
ENOUGH = 0.8
"""So much of what somebody says is enough: a busy machine drops packets."""
WITHIN_S = 30.0


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
