"""The HTTP interface under `/api/v1`: who asks, what is asked, and the answer."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiohttp import hdrs, web
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from web import agents, blocked, drills, events, kept, line, oversight, seats, talks
from web.desk import Desk, Refusal, Who
from web.door import GUARD, WHO, secret_of, who_has
from web.live import Live, Reader
from web.openapi import described
from web.problems import FieldError, Handler, NotUsable
from web.requests import BODY_BYTES, Body, Params
from web.roles import EVERYBODY
from web.routes import Ask, Route, route
from web.shelf import Shelf, Sound
from web.tokens import Tokens

PREFIX = "/api/v1"
BODY_S = 10.0
"""How long a body may take to arrive."""


async def openapi(ask: Ask[Params, Body]) -> dict[str, Any]:
    """This description, for programs (OpenAPI 3.1)."""
    return description()


ROUTES = (
    *oversight.ROUTES,
    *agents.ROUTES,
    *seats.ROUTES,
    *line.ROUTES,
    *talks.ROUTES,
    *kept.ROUTES,
    *blocked.ROUTES,
    *drills.ROUTES,
    *events.ROUTES,
    route("GET", "/openapi.json", EVERYBODY, openapi),
)


@cache
def description() -> dict[str, Any]:
    """The description of the interface."""
    return described(ROUTES, PREFIX)


def api(desk: Desk, shelf: Shelf, tokens: Tokens, *, beat_s: float = events.BEAT_S) -> web.Application:
    """The application that answers below PREFIX, behind the door of `web.door.guarded`; alone it lets nobody in.

    beat_s: how often a silent stream of events says that it lives.
    """
    live = Live(desk)
    inside = _Inside(desk, shelf, live, tokens, beat_s)
    app = web.Application(middlewares=[_through_the_door])
    for entry in ROUTES:
        app.router.add_route(entry.method, _apart(entry.path), _served(entry, inside))

    async def run_live(_app: web.Application) -> AsyncGenerator[None, None]:
        running = asyncio.create_task(live.run(), name="live state")
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def end_live(_app: web.Application) -> None:
        live.close()

    app.cleanup_ctx.append(run_live)
    app.on_shutdown.append(end_live)
    return app


def _apart(path: str) -> str:
    """The path without the words that stand where its last parameter does, such as `calls` in `/blocked/{number}`."""
    before, _, last = path.rpartition("/")
    words = {entry.path.rpartition("/")[2] for entry in ROUTES if entry.path.rpartition("/")[0] == before}
    words = {word for word in words if "{" not in word}
    if not last.endswith("}") or not words:
        return path
    return f"{before}/{last[:-1]}:(?!(?:{'|'.join(sorted(words))})$)[^{{}}/]+}}"


@web.middleware
async def _through_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets in only whom the door let in."""
    if request.get(WHO) is None:
        raise Refusal(401, "no_token", "a token is needed", "send it in the header 'Authorization: Bearer TOKEN'")
    return await handler(request)


@dataclass(frozen=True, slots=True)
class _Inside:
    """What a request is answered with."""

    desk: Desk
    shelf: Shelf
    live: Live
    tokens: Tokens
    beat_s: float


def _served(entry: Route, inside: _Inside) -> Handler:
    gives: Any = entry.gives
    answer: TypeAdapter[Any] | None = None
    if gives is not None and not entry.streams and not entry.sounds:
        answer = TypeAdapter(tuple[gives, ...] if entry.many else gives)

    async def serve(request: web.Request) -> web.StreamResponse:
        who = request[WHO]
        if who.role not in entry.roles:
            may = ", ".join(sorted(role.value for role in entry.roles))
            raise Refusal(403, "not_your_role", f"the role {who.role.value} may not do this", f"it is for: {may}")
        params = _params(request, entry)
        body = await _body(request, entry)
        ask = Ask(inside.desk, inside.shelf, inside.live, who, params, body)
        if entry.streams:
            with request.config_dict[GUARD].streaming(who.name):
                return await _streamed(request, entry, ask, inside)
        given = await entry.handle(ask)
        if isinstance(given, Sound):
            return await kept.send(request, given)
        if answer is None:
            return web.Response(status=entry.status)
        told = answer.dump_json(given)
        told = b'{"items":' + told + b"}" if entry.many else told
        return web.Response(body=told, status=entry.status, content_type="application/json")

    return serve


async def _streamed(request: web.Request, entry: Route, ask: Ask[Any, Any], inside: _Inside) -> web.StreamResponse:
    reader = await entry.handle(ask)
    if not isinstance(reader, Reader):
        raise TypeError(f"{entry.name} streams, and gave {type(reader).__name__}")
    try:
        return await events.stream(request, reader, lambda: _still(inside.tokens, request, ask.who), inside.beat_s)
    finally:
        inside.live.leave(reader)


def _still(tokens: Tokens, request: web.Request, who: Who) -> bool:
    """Whether the token is still known as the same."""
    try:
        return who_has(tokens, secret_of(request)) == who
    except Refusal:
        return False


def _params(request: web.Request, entry: Route) -> Params:
    given = {**request.query, **request.match_info}
    twice = sorted(name for name in set(request.query) if len(request.query.getall(name)) > 1)
    shadowing = sorted(set(request.query) & set(entry.in_path))
    if wrong := (*twice, *shadowing):
        raise NotUsable(tuple(FieldError(f"query.{name}", "this is given twice") for name in wrong))
    try:
        return entry.params.model_validate_strings(given)
    except ValidationError as error:
        raise _not_usable(error, lambda name: "path" if name in entry.in_path else "query") from None


async def _body(request: web.Request, entry: Route) -> Body:
    raw = await _read(request)
    if raw and request.content_type != "application/json":
        raise Refusal(415, "not_json", f"a body of type {request.content_type} is not read here", "send JSON")
    try:
        return entry.body.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise _not_usable(error, lambda _name: "body") from None


async def _read(request: web.Request) -> bytes:
    if hdrs.CONTENT_ENCODING in request.headers:
        raise Refusal(415, "not_json", "a body that is packed is not read here", "send plain JSON")
    too_long = Refusal(413, "too_long", f"the body has more than {BODY_BYTES} bytes", "send less")
    if (request.content_length or 0) > BODY_BYTES:
        raise too_long
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.content.iter_chunked(8192):
                raw += part
                if len(raw) > BODY_BYTES:
                    raise too_long
    except TimeoutError:
        raise Refusal(408, "too_slow", f"the body did not arrive within {BODY_S:.0f} s", "send it again") from None
    except (web.RequestPayloadError, ConnectionError):
        raise NotUsable((FieldError("body", "it did not arrive as its head says"),)) from None
    return bytes(raw)


def _not_usable(error: ValidationError, part: Callable[[str], str]) -> NotUsable:
    """What is wrong, without what was sent: a PIN may be in it."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return NotUsable(tuple(_field(detail, part) for detail in found))


def _field(detail: ErrorDetails, part: Callable[[str], str]) -> FieldError:
    place = [str(step) for step in detail["loc"]]
    first = part(place[0] if place else "")
    return FieldError(".".join((first, *place)), detail["msg"].removeprefix("Value error, "))
