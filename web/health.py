"""The health page: whether this node is alive, and whether it steers."""

import html
from collections.abc import Callable
from dataclasses import asdict, dataclass

from aiohttp import web

from web.api import PREFIX, api
from web.desk import Desk
from web.shelf import Shelf
from web.tokens import Tokens


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
    def ready(self) -> bool:
        return self.asterisk_connected and self.steering and self.calls_kept


def application(
    health: Callable[[], Health],
    desk: Desk | None = None,
    shelf: Shelf | None = None,
    tokens: Tokens | None = None,
) -> web.Application:
    """`/` for people, `/healthz` (alive), `/readyz` (503 unless it steers) for programs; with a desk, a shelf
    and tokens the interface under `/api/v1`, too.
    """

    async def alive(_request: web.Request) -> web.Response:
        return web.json_response(asdict(health()))

    async def ready(_request: web.Request) -> web.Response:
        now = health()
        return web.json_response(asdict(now), status=200 if now.ready else 503)

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=_page(health()), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    if desk is not None and shelf is not None and tokens is not None:
        app.add_subapp(PREFIX, api(desk, shelf, tokens))
    return app


def _page(now: Health) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(name.replace('_', ' '))}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in asdict(now).items()
    )
    state = "all is well" if now.ready else "records cannot be written: free the disk"
    if not now.steering:
        state = "not steering: callers are served by Asterisk alone"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5>"
        f"<title>12345 {html.escape(now.city)}</title>"
        "<style>body{font:16px system-ui;margin:2rem auto;max-width:40rem}"
        "th{text-align:left;padding:.2rem 2rem .2rem 0;font-weight:normal;color:#555}</style>"
        f"<h1>{html.escape(now.city)}</h1><p>{state}</p><table>{rows}</table></html>"
    )
