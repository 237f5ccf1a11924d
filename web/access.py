"""One line of the log for each request over HTTP: what was asked, by whom, and how it went. No token, no query,
and of the path only its pattern: a telephone number may stand in it."""

import time

import structlog
from aiohttp import web
from structlog.contextvars import bound_contextvars

from web.door import GUARD, WHO
from web.problems import Handler

QUIET = frozenset({"/", "/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by programs: told only when they are refused."""
_CALL = "call"

log = structlog.get_logger()


@web.middleware
async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost of all: it sees refusals, too. Whatever is logged meanwhile bears the id of the path's call."""
    began_s = time.perf_counter()
    resource = request.match_info.route.resource
    page = resource.canonical if resource is not None else None
    call = request.match_info.get(_CALL)
    status = 500
    with bound_contextvars(**({} if call is None else {_CALL: call[:_LONGEST]})):
        try:
            answer = await handler(request)
            status = answer.status
            return answer
        finally:
            who = request.get(WHO)
            if _is_told(request, page, status):
                log.info(
                    "http_request",
                    method=request.method if request.method in _METHODS else "other",
                    page=page,
                    status=status,
                    took_ms=round((time.perf_counter() - began_s) * 1000, 1),
                    who=None if who is None else who.name,
                    role=None if who is None else who.role.value,
                )


def _is_told(request: web.Request, page: str | None, status: int) -> bool:
    if page in QUIET:
        return status >= 500
    guard = request.app[GUARD]
    return request.get(WHO) is not None or guard.tells_refusal(request.remote or "", time.monotonic())


_LONGEST = 64
"""Characters of what stands in the place of a call's id; it may be anything."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
