"""Live state over server-sent events: one long answer, for as long as somebody reads it."""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web

from web.live import Reader, wanted_kinds
from web.requests import Body, Kinds
from web.roles import EVERYBODY
from web.routes import Ask, route

BEAT_S = 15.0
"""After so long without an event a comment is sent, so that nobody takes the connection for dead."""
SLOW_S = 20.0
"""A reader that takes nothing for so long is dropped."""

_BEAT = b": nothing new\n\n"

log = structlog.get_logger()


async def events(ask: Ask[Kinds, Body]) -> Reader:
    """What happens now (server-sent events): first all of each kind, as event `state`; then what changes, as event
    `change`. A reader that does not keep up is dropped; it asks again, and is told all anew."""
    return await ask.live.join(ask.who, wanted_kinds(ask.who, ask.params.kinds))


async def stream(
    request: web.Request, reader: Reader, still_known: Callable[[], bool], beat_s: float = BEAT_S
) -> web.StreamResponse:
    """Sends what the reader is told, until either end has had enough, or the token is known no more."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        while (event := await _next(reader, beat_s)) is not None and still_known():
            async with asyncio.timeout(SLOW_S):
                await response.write(event)
        await response.write_eof()
    except TimeoutError:
        reader.slow = True
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:  # It was closed at the other end.
        pass
    if reader.slow:
        log.info("reader_dropped", who=reader.who.name)
    return response


async def _next(reader: Reader, beat_s: float) -> bytes | None:
    try:
        async with asyncio.timeout(beat_s):
            return await reader.next()
    except TimeoutError:
        return _BEAT


ROUTES = (route("GET", "/events", EVERYBODY, events),)
