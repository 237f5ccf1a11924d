"""The sockets of what is served over HTTP: TLS, and bounds that hold before anything is understood.

A connection that sends no whole head within HEAD_S is closed, whatever it sends; so is one more than may be
open, at once. What cannot be read as HTTP is answered without repeating or logging any of it.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from settings.listening import Http, HttpLimits, Tls
from settings.tls import load_into, server_context
from web.desk import Refusal
from web.door import HEADERS
from web.limits import AtOnce
from web.problems import problem

HEAD_S = 30.0
"""How long the head of a request may take, from the connection's begin or the answer before."""
HANDSHAKE_S = 5.0
"""The same for speaking TLS, before that."""
LINE_BYTES = 4096
"""The longest address, with all its parameters; the same for each header."""
HEADERS_AT_MOST = 64
LOOK_S = 5.0
"""How often the files of the certificate are looked at, and a port that was taken is tried again."""
BACKLOG = 128

log = structlog.get_logger()


class _Connection(RequestHandler):
    """One connection, if it may be there."""

    def __init__(self, manager: "_Server", **more: Any) -> None:
        super().__init__(manager, **more)
        self._open = manager.open
        self._from: str | None = None
        """The address it is counted for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._open.enter(address):
            self._force_close = True
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
            return
        self._from = address
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._from is not None:
            self._open.leave(self._from)
            self._from = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Instead of aiohttp's own, which shows and logs what was sent: a token may be in it."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was under way")
        if isinstance(exc, LineTooLong):
            refusal = Refusal(431, "head_too_long", f"a line of the head has over {LINE_BYTES} bytes", "send less")
        elif status == 400:
            refusal = Refusal(400, "not_http", "this cannot be read as HTTP", "look at how the request was made")
        else:
            log.error("connection_failed", error=type(exc).__name__)
            refusal = Refusal(500, "failed", "something went wrong in the hotline", "see its log")
        response = problem(request, refusal)
        response.headers.update(HEADERS)
        response.force_close()
        return response


class _Server(web.Server):
    """Makes the connections of one application."""

    def __init__(self, like: web.Server, opened: AtOnce, bounds: dict[str, Any], loop: asyncio.AbstractEventLoop):
        super().__init__(like.request_handler, request_factory=like.request_factory, loop=loop)
        self.open = opened
        self._bounds = bounds

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._bounds)


class Runner(web.AppRunner):
    """Runs an application within the bounds of its connections."""

    def __init__(self, app: web.Application, limits: HttpLimits, *, head_s: float = HEAD_S) -> None:
        super().__init__(app, access_log=None)
        self.opened = AtOnce(limits.connections_per_address, limits.connections)
        self._head_s = head_s

    async def _make_server(self) -> web.Server:
        bounds = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": self._head_s,
            "max_line_size": LINE_BYTES,
            "max_field_size": LINE_BYTES,
            "max_headers": HEADERS_AT_MOST,
        }
        return _Server(await super()._make_server(), self.opened, bounds, asyncio.get_running_loop())


class _Site(web.TCPSite):
    """One whose TLS has to be spoken soon: connections are counted from then on."""

    async def start(self) -> None:
        serve = self._runner.server
        if serve is None:
            raise RuntimeError("the runner is not set up")
        tls = self._ssl_context
        self._server = await asyncio.get_running_loop().create_server(
            serve,
            self._host,
            self._port,
            ssl=tls,
            backlog=self._backlog,
            ssl_handshake_timeout=None if tls is None else HANDSHAKE_S,
            ssl_shutdown_timeout=None if tls is None else HANDSHAKE_S,
        )
        await web.BaseSite.start(self)  # It ends with the runner from now on.


class Door:
    """Where an application is served; opened again for as long as it is not."""

    def __init__(self, runner: Runner, http: Http, look_s: float = LOOK_S) -> None:
        self._runner = runner
        self._http = http
        self._look_s = look_s
        self._context: ssl.SSLContext | None = None
        self._seen: tuple[int, ...] = ()
        self._site: web.TCPSite | None = None

    async def open(self) -> bool:
        """Whether it is served now. What keeps it from that is in the log."""
        try:
            if self._http.tls is not None:
                self._seen = _stamps(self._http.tls)
                self._context = server_context(self._http.tls)
            site = _Site(
                self._runner, str(self._http.address), self._http.port, ssl_context=self._context, backlog=BACKLOG
            )
            await site.start()
        except OSError as error:  # Of TLS, too.
            log.error("http_not_served", url=self._http.url, error=str(error))
            return False
        self._site = site
        return True

    async def watch(self) -> None:
        """Opens it if it is not, and shows a new certificate as soon as one is there, until cancelled."""
        while True:
            await asyncio.sleep(self._look_s)
            if self._site is None:
                await self.open()
            elif self._http.tls is not None and self._context is not None:
                self._look(self._http.tls, self._context)

    def _look(self, tls: Tls, context: ssl.SSLContext) -> None:
        """One that cannot be used is left alone: the old one goes on being shown."""
        seen = _stamps(tls)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            server_context(tls)
            load_into(context, tls)
        except OSError as error:
            log.error("certificate_not_used", file=tls.certificate, error=str(error))
        else:
            log.info("certificate_renewed", file=tls.certificate)


@asynccontextmanager
async def served(app: web.Application, http: Http) -> AsyncGenerator[Runner, None]:
    """Serves an application while in the block. That its port is taken or its certificate wrong ends nothing:
    it is in the log, and tried again."""
    runner = Runner(app, http.limits)
    await runner.setup()
    door = Door(runner, http)
    watching: asyncio.Task[None] | None = None
    try:
        await door.open()
        watching = asyncio.create_task(door.watch(), name="http door")
        yield runner
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await runner.cleanup()


def _stamps(tls: Tls) -> tuple[int, ...]:
    """What changes when one of the files does; empty while one is missing."""
    try:
        found = [Path(path).stat() for path in (tls.certificate, tls.key)]
    except OSError:
        return ()
    return tuple(part for one in found for part in (one.st_ino, one.st_size, one.st_mtime_ns))
