"""The door of all that is served over HTTP: nothing is open unless it is declared so."""

import asyncio

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from settings.listening import HttpLimits
from web.desk import Refusal, Who
from web.limits import Guard
from web.problems import Handler, refusals
from web.tokens import COMMAND_LINE, Tokens, TokensWrong

PUBLIC = frozenset({"/", "/healthz", "/readyz"})
"""Pages for everybody who reaches this machine's address. They show nobody's data."""

WHO = web.RequestKey("who", Who)
"""Who asks; there on every page that is not public."""
GUARD = web.AppKey("guard", Guard)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "hotline",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer. A page that needs more sets a Content-Security-Policy of its own."""

SLOW_S = 20.0
"""An answer that is not taken within so long is given up."""

log = structlog.get_logger()


def guarded(
    tokens: Tokens | None, limits: HttpLimits | None = None, public: frozenset[str] = PUBLIC
) -> web.Application:
    """An application in which every page wants a token, but for those whose path is in `public`.

    tokens: None lets nobody in beyond these. Whatever is mounted below it is guarded, too, and finds the
    one who asks under WHO. Its Guard is in GUARD.
    """
    guard = Guard(limits or HttpLimits())
    app = web.Application(middlewares=[refusals, _door(tokens, guard, public)])
    app[GUARD] = guard
    app.on_response_prepare.append(protect)
    return app


async def protect(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Adds what every answer carries."""
    for name, value in HEADERS.items():
        if name == "Server":
            response.headers[name] = value
        else:
            response.headers.setdefault(name, value)


def secret_of(request: web.Request) -> str:
    """The token that is shown. Raises Refusal."""
    scheme, _, secret = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Refusal(401, "no_token", "a token is needed", "send it in the header 'Authorization: Bearer TOKEN'")
    return secret.strip()


def who_has(tokens: Tokens, secret: str) -> Who | None:
    """Whose token it is. Raises Refusal when the tokens cannot be read."""
    try:
        return tokens.who(secret)
    except (TokensWrong, OSError, ValueError) as error:
        log.error("tokens_not_usable", error=str(error))
        raise Refusal(
            503, "tokens_not_usable", "the hotline cannot read its tokens, and lets nobody in", "see the log there"
        ) from error


def _door(tokens: Tokens | None, guard: Guard, public: frozenset[str]) -> Middleware:
    """Lets in only who shows a token, and only so often."""

    @web.middleware
    async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
        address, now_s = request.remote or "", asyncio.get_running_loop().time()
        is_public = _resource(request) in public
        guard.require_address(address, now_s, public=is_public)
        if not is_public:
            request[WHO] = _let_in(request, tokens, guard, now_s)
        return await _sent(request, await handler(request))

    return door


async def _sent(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Sends it here, so that nobody who does not read holds it for longer than SLOW_S."""
    try:
        await response.prepare(request)
        async with asyncio.timeout(SLOW_S):
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:  # It was closed at the other end.
        pass
    return response


def _let_in(request: web.Request, tokens: Tokens | None, guard: Guard, now_s: float) -> Who:
    """Who shows a token here. Raises Refusal."""
    secret, address = secret_of(request), request.remote or ""
    who = None if tokens is None else who_has(tokens, secret)
    if who != COMMAND_LINE:  # It changes at each start; whoever has it is at home here.
        locked = guard.require_known(address, None if who is None else who.name, now_s)
        if locked:
            log.warning("tokens_guessed", address=address)
    if who is None:
        raise Refusal(401, "no_token", "nobody has this token", "ask for one: 'hotline token add' makes it")
    guard.require_token(who.name, now_s)
    return who


def _resource(request: web.Request) -> str | None:
    """The path as the route was declared with; None: nothing is there."""
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical
