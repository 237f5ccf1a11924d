"""Answers calls by ARI, with aiohttp: `python -m bench.ivr.ari`.

Events come over one websocket, only those that are used; commands go by HTTP over connections that are kept.
"""

import asyncio
import json
from asyncio import Queue, Task, create_task
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from bench.ivr.files import ACCOUNT, APP
from bench.ivr.serving import Service, serve
from bench.ivr.way import HOST, KEY_S, PERSON, TRIES, Sounds

_HEARD = ("StasisStart", "StasisEnd", "ChannelDtmfReceived", "PlaybackFinished")
_GONE = (404, 409, 412)
"""Asterisk knows the channel or the playback no more, or has given the channel away."""

Event = Mapping[str, Any]


class HungUp(Exception):
    """The caller has gone."""


@dataclass(slots=True)
class _Call:
    channel: str
    events: "Queue[Event]" = field(default_factory=Queue)
    """Keys, and playbacks that are over, in their order."""
    task: "Task[None] | None" = None


class Calls:
    """A task for each call in the application."""

    def __init__(self, session: aiohttp.ClientSession, base: str, sounds: Sounds) -> None:
        self._session = session
        self._base = base
        self._menu = _media(sounds.menu)
        self._first = _media(sounds.greeting, sounds.menu)
        self._to_person = _media(sounds.to_person)
        self._calls: dict[str, _Call] = {}
        self._numbers = count()

    def told(self, event: Event) -> None:
        """Takes an event of the websocket."""
        match event["type"]:
            case "StasisStart":
                call = _Call(event["channel"]["id"])
                self._calls[call.channel] = call
                call.task = create_task(self._answer(call))
            case "StasisEnd":
                call_over = self._calls.pop(event["channel"]["id"], None)
                if call_over and call_over.task:
                    call_over.task.cancel()
            case "ChannelDtmfReceived":
                self._passed_on(event["channel"]["id"], event)
            case "PlaybackFinished":
                self._passed_on(event["playback"]["target_uri"].removeprefix("channel:"), event)

    def _passed_on(self, channel: str, event: Event) -> None:
        if call := self._calls.get(channel):
            call.events.put_nowait(event)

    async def _answer(self, call: _Call) -> None:
        with suppress(HungUp):
            for media in (self._first, *[self._menu] * (TRIES - 1)):
                if await self._key(call, media) == PERSON:
                    break
            await self._over(call, await self._play(call, self._to_person))
            await self._do("POST", f"channels/{call.channel}/continue")

    async def _key(self, call: _Call, media: str) -> str:
        """The key that was pressed in a prompt or after it; nothing: none was."""
        playback = await self._play(call, media)
        if key := await self._pressed(call, playback):
            with suppress(HungUp):  # The prompt may have ended meanwhile.
                await self._do("DELETE", f"playbacks/{playback}")
            return key
        try:
            async with asyncio.timeout(KEY_S):
                return await self._pressed(call, None)
        except TimeoutError:
            return ""

    async def _play(self, call: _Call, media: str) -> str:
        """The playback's id."""
        playback = f"p{next(self._numbers)}"
        await self._do("POST", f"channels/{call.channel}/play/{playback}?{media}")
        return playback

    async def _pressed(self, call: _Call, playback: str | None) -> str:
        """The next key; nothing if the playback is over before."""
        while True:
            event = await call.events.get()
            if event["type"] == "ChannelDtmfReceived":
                return str(event["digit"])
            if event["playback"]["id"] == playback:
                return ""

    async def _over(self, call: _Call, playback: str) -> None:
        while await self._pressed(call, playback):
            pass

    async def _do(self, method: str, command: str) -> None:
        """Raises HungUp, aiohttp.ClientError."""
        async with self._session.request(method, URL(self._base + command, encoded=True)) as answer:
            await answer.read()  # Else the connection is not kept.
            if answer.status in _GONE:
                raise HungUp(command)
            answer.raise_for_status()


def _media(*sounds: Path) -> str:
    """A query that has them played one after the other."""
    return "media=" + ",".join(quote(f"sound:{sound}") for sound in sounds)


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[None]:
    base = f"http://{HOST}:{service.port}/ari/"
    account = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, service.secret)}
    async with (
        aiohttp.ClientSession(headers=account, cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.ws_connect(f"{base}events?app={APP}") as events,
    ):
        wanted = {"allowed": [{"type": kind} for kind in _HEARD]}
        async with session.put(f"{base}applications/{APP}/eventFilter", json=wanted) as answer:
            answer.raise_for_status()
        listening = create_task(_listen(events, Calls(session, base, service.sounds)))
        try:
            yield
        finally:
            listening.cancel()


async def _listen(events: aiohttp.ClientWebSocketResponse, calls: Calls) -> None:
    async for message in events:
        calls.told(json.loads(message.data))


if __name__ == "__main__":
    serve(serving)
