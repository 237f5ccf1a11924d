"""What is refused, as problem+json (RFC 9457): what is wrong, and what to do."""

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web

from web.desk import Refusal
from web.limits import TooMuch

PROBLEM_TYPE = "application/problem+json"
AGAIN_S = 2
"""When a 503 is worth another try: the controller takes over again within about so long."""

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of a request that cannot be used."""

    field: str
    """Where: `body.seat`, `query.day`, `path.agent`; `body` for all of it."""
    why: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not done."""

    type: str
    """A name for the kind of problem; nothing is found at it."""
    title: str
    """The kind in words; the same for each problem of the kind."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong this time."""
    instance: str
    """The path that was asked for."""
    kind: str
    """One word for programs, such as `no_such_agent`."""
    mend: str
    """What to do."""
    errors: tuple[FieldError, ...] | None = None
    """With status 422: each field that cannot be used."""
    id: str | None = None
    """With status 500: what the log calls it."""


class NotUsable(Refusal):
    """The request cannot be read as it must be; `errors` has every field that is wrong."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        self.errors = errors
        told = "; ".join(f"{error.field}: {error.why}" for error in errors)
        super().__init__(422, "not_usable", told, "send what the description of the interface says: openapi.json")


@dataclass(frozen=True, slots=True)
class _Extra:
    headers: Mapping[str, str] = field(default_factory=dict)
    id: str | None = None


def problem(request: web.BaseRequest, refusal: Refusal, extra: _Extra | None = None) -> web.Response:
    """The answer that tells of a refusal."""
    extra = extra or _Extra()
    told: dict[str, Any] = {
        "type": f"urn:hotline:problem:{refusal.kind}",
        "title": refusal.kind.replace("_", " "),
        "status": refusal.status,
        "detail": refusal.why,
        "instance": request.path,
        "kind": refusal.kind,
        "mend": refusal.mend,
    }
    if isinstance(refusal, NotUsable):
        told["errors"] = [{"field": error.field, "why": error.why} for error in refusal.errors]
    if extra.id is not None:
        told["id"] = extra.id
    headers = dict(extra.headers)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="hotline"'
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(AGAIN_S)
    if isinstance(refusal, TooMuch):
        headers["Retry-After"] = str(refusal.again_s)
    text = json.dumps(told, ensure_ascii=False)
    return web.Response(text=text, status=refusal.status, content_type=PROBLEM_TYPE, headers=headers)


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns everything that goes wrong in a handler into a problem. Nothing internal is told."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return problem(request, refusal)
    except web.HTTPNotFound:
        missing = Refusal(404, "no_such_page", f"nothing is at {request.path}", "look into openapi.json")
        return problem(request, missing)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        wrong = Refusal(405, "not_this_method", f"{request.method} does nothing there", f"use {allowed}")
        return problem(request, wrong, _Extra({"Allow": allowed}))
    except Exception as error:  # noqa: BLE001 - Whatever it is, the others must be served on.
        return _unexpected(request, error)


def _unexpected(request: web.Request, error: Exception) -> web.Response:
    resource = request.match_info.route.resource
    ident = str(uuid.uuid4())
    log.error(
        "request_failed",
        id=ident,
        method=request.method,
        # Not the path itself: a telephone number may stand in it.
        page=resource.canonical if resource is not None else None,
        error=type(error).__name__,
        exc_info=error,
    )
    mend = f"look for {ident} in the log; if it happens again, report it with what the log says"
    return problem(request, Refusal(500, "failed", "something went wrong in the hotline", mend), _Extra(id=ident))
