"""The health pages: whether this node is alive, whether it steers, and what Prometheus reads of it."""

import html
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256

from aiohttp import web

from settings.listening import HttpLimits
from web.access import told
from web.api import PREFIX, api
from web.desk import Desk, Refusal, Role
from web.door import HEADERS, PUBLIC, WHO, guarded
from web.metrics import CONTENT_TYPE, Metrics
from web.problems import Handler
from web.shelf import Shelf
from web.tokens import Tokens

METRICS = "/metrics"
_STYLE = (
    "body{font:16px system-ui;margin:2rem auto;max-width:40rem}"
    "th{text-align:left;padding:.2rem 2rem .2rem 0;font-weight:normal;color:#555}"
)
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"{HEADERS['Content-Security-Policy']}; style-src 'sha256-{_HASH}'"
"""This style and no other, and no script at all."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the node stands, as its controller sees it."""

    node: str
    city: str
    asterisk_connected: bool
    steering: bool
    """True while the lease holds: the last acknowledged heartbeat is young."""
    calls_kept: bool
    """False while records cannot be written, such as on a full disk."""
    waiting: int
    """Callers in the waiting room."""
    seats_free: int
    seats_known: int
    calls_known: int
    """Callers who wait, ring or talk."""
    disk: str = "enough"
    """`low`: nothing more is recorded; `full`: only records are written; `unknown`: a folder is missing."""
    records_behind: int = 0
    """Records that wait on this machine to be sent on to the copy or to PostgreSQL."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not ready; none: it is."""
        return tuple(_reasons(self))

    @property
    def ready(self) -> bool:
        return not self.reasons


def application(
    health: Callable[[], Health],
    desk: Desk | None = None,
    shelf: Shelf | None = None,
    tokens: Tokens | None = None,
    *,
    metrics: Metrics | None = None,
    metrics_open: bool = False,
    limits: HttpLimits | None = None,
) -> web.Application:
    """`/` for people, `/healthz` (the process answers), `/readyz` (503 with its reasons unless it steers and keeps)
    and `/metrics` for programs; with a desk, a shelf and tokens the interface under `/api/v1`, too.

    metrics_open: whether they are shown without a token.
    """

    async def alive(_request: web.Request) -> web.Response:
        now = health()
        return web.json_response({"alive": True, "node": now.node, "city": now.city})

    async def ready(_request: web.Request) -> web.Response:
        now = health()
        status = 200 if now.ready else 503
        return web.json_response({**asdict(now), "ready": now.ready, "reasons": now.reasons}, status=status)

    async def page(_request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": _POLICY}
        return web.Response(text=_page(health()), content_type="text/html", headers=headers)

    app = guarded(tokens, limits, PUBLIC | {METRICS} if metrics_open else PUBLIC)
    app.middlewares.insert(0, told)
    app.router.add_get("/", page)
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    if metrics is not None:
        app.router.add_get(METRICS, _shown(metrics, metrics_open=metrics_open))
    if desk is not None and shelf is not None and tokens is not None:
        app.add_subapp(PREFIX, api(desk, shelf, tokens))
    return app


def _shown(metrics: Metrics, *, metrics_open: bool) -> Handler:
    async def shown(request: web.Request) -> web.Response:
        if not metrics_open and request[WHO].role is not Role.AUDITOR:
            raise Refusal(403, "not_your_role", "metrics are for auditors", "use a token with the role auditor")
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    return shown


def _reasons(now: Health) -> Iterator[str]:
    if not now.asterisk_connected:
        yield "Asterisk does not answer: it is being started again, or see asterisk/log/console.log"
    if not now.steering:
        yield "not steering: callers are served by Asterisk alone"
    if not now.calls_kept:
        yield "records cannot be written: free the disk"


def _page(now: Health) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(name.replace('_', ' '))}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in asdict(now).items()
    )
    state = "; ".join(now.reasons) or "all is well"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5>"
        f"<title>12345 {html.escape(now.city)}</title><style>{_STYLE}</style>"
        f"<h1>{html.escape(now.city)}</h1><p>{html.escape(state)}</p><table>{rows}</table></html>"
    )
