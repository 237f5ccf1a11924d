"""Calls that are kept: finding them, what happened in one, listening, legal hold."""

import asyncio
from dataclasses import replace

import structlog
from aiohttp import web

from web.desk import Role
from web.requests import Body, FindCalls, OneCall, Why
from web.rights import require_own_record, shown_kept, shown_record
from web.roles import AT_THE_DESK, EVERYBODY, SUPERVISORS
from web.routes import Ask, route
from web.shelf import CallsPage, KeptCall, Search, Sound, Voice

SLOW_S = 20.0
"""A listener that takes nothing for so long is dropped."""

log = structlog.get_logger()


async def find_calls(ask: Ask[FindCalls, Body]) -> CallsPage:
    """Kept calls, the newest first. An agent finds those in which it was on duty."""
    who, search = ask.who, Search(**ask.params.model_dump())
    if who.role is Role.AGENT:
        search = replace(search, agent=who.agent)
    page = await ask.shelf.search(search)
    return replace(page, items=tuple(shown_record(record, who) for record in page.items))


async def get_call(ask: Ask[OneCall, Body]) -> KeptCall:
    """One call: its record and what happened, step by step."""
    found = await ask.shelf.call(ask.params.call)
    require_own_record(ask.who, found.record)
    return shown_kept(found, ask.who)


async def get_recording(ask: Ask[OneCall, Body]) -> Sound:
    """The talk as a WAV file. Whoever asks for it stands in the audit."""
    return await _sound(ask, Voice.RECORDING)


async def get_message(ask: Ask[OneCall, Body]) -> Sound:
    """The message that the caller left after the talk, as a WAV file. Whoever asks for it stands in the audit."""
    return await _sound(ask, Voice.MESSAGE)


async def hold_record(ask: Ask[OneCall, Why]) -> None:
    """Keeps the call until it is released, whatever its time (legal hold)."""
    await ask.shelf.hold(ask.who, ask.params.call, ask.body.reason)


async def release_record(ask: Ask[OneCall, Body]) -> None:
    """Ends a legal hold: the call is kept as others are."""
    await ask.shelf.release(ask.who, ask.params.call)


async def mark_confidential(ask: Ask[OneCall, Why]) -> None:
    """Marks the call as confidential: only supervisors hear it from now on."""
    await ask.shelf.make_confidential(ask.who, ask.params.call, ask.body.reason)


async def unmark_confidential(ask: Ask[OneCall, Body]) -> None:
    """Takes that mark back. A call to a confidential number stays confidential."""
    await ask.shelf.end_confidential(ask.who, ask.params.call)


async def _sound(ask: Ask[OneCall, Body], voice: Voice) -> Sound:
    found = await ask.shelf.call(ask.params.call)
    require_own_record(ask.who, found.record, confidential=found.confidential)
    return await ask.shelf.sound(ask.who, ask.params.call, voice)


async def send(request: web.Request, sound: Sound) -> web.StreamResponse:
    """Sends a sound; one that proves to be broken ends in a broken connection, so that nobody takes it for whole."""
    response = web.StreamResponse(
        headers={"Content-Type": "audio/wav", "Content-Disposition": f'inline; filename="{sound.name}"'}
    )
    response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async for part in sound.parts:
            async with asyncio.timeout(SLOW_S):
                await response.write(part)
        await response.write_eof()
    except ConnectionError:  # It was closed at the other end.
        pass
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    except (ValueError, LookupError, OSError) as error:
        log.error("audio_broken", file=sound.name, error=str(error))
        if request.transport is not None:
            request.transport.abort()
    return response


ROUTES = (
    route("GET", "/calls", EVERYBODY, find_calls),
    route("GET", "/calls/{call}", EVERYBODY, get_call),
    route("GET", "/calls/{call}/recording", AT_THE_DESK, get_recording),
    route("GET", "/calls/{call}/message", AT_THE_DESK, get_message),
    route("POST", "/calls/{call}/legal-hold", SUPERVISORS, hold_record),
    route("DELETE", "/calls/{call}/legal-hold", SUPERVISORS, release_record),
    route("POST", "/calls/{call}/confidential", SUPERVISORS, mark_confidential),
    route("DELETE", "/calls/{call}/confidential", SUPERVISORS, unmark_confidential),
)
