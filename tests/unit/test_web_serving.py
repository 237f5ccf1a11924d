"""The sockets under the interface: TLS, and connections that mean no good."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest
import structlog
from aiohttp import web

from hotline.asking import Running
from hotline.failing import CannotGoOn
from hotline.stage import until
from settings.listening import Http, HttpLimits, Tls
from settings.tls import KeyOpenToOthers, fingerprint, server_context
from tests.support.certificates import certificate
from web.door import guarded
from web.serving import LINE_BYTES, Door, Runner, served
from web.tokens import Tokens

SECRET = "a-token-that-nobody-may-see"


@asynccontextmanager
async def running(limits: HttpLimits | None = None, head_s: float = 30.0) -> AsyncGenerator[tuple[Runner, int], None]:
    """A public page, and where it is."""
    runner = Runner(page(), limits or HttpLimits(), head_s=head_s)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner, runner.addresses[0][1]
    finally:
        await runner.cleanup()


def page() -> web.Application:
    async def well(_request: web.Request) -> web.Response:
        return web.Response(text="well")

    app = guarded(None)
    app.router.add_get("/healthz", well)
    return app


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def answered(port: int, sent: bytes) -> bytes:
    """All that comes back until the other end closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (b"this is no request\r\n\r\n", 400, "not_http"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + SECRET.encode() + b"\r\n\r\n", 400, "not_http"),
        (f"GET /healthz HTTP/1.1\r\nHost: x\r\nAuthor ization: {SECRET}\r\n\r\n".encode(), 400, "not_http"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "not_http"),
        (
            b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "not_http",
        ),
        (b"GET /healthz?" + b"a" * (2 * LINE_BYTES) + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431, "head_too_long"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * (2 * LINE_BYTES) + b"\r\n\r\n", 431, "head_too_long"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Y: z\r\n" * 200 + b"\r\n", 400, "not_http"),
    ],
    ids=["words", "TLS", "header", "length", "smuggling", "address", "cookie", "headers"],
)
async def test_what_cannot_be_read_is_refused_without_repeating_or_logging_it(
    sent: bytes, status: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as (_, port):
        with structlog.testing.capture_logs() as logged:
            head, _, body = (await answered(port, sent)).partition(b"\r\n\r\n")
    assert int(head.split(b" ")[1]) == status, head
    assert b"Server: hotline\r\n" in head + b"\r\n"
    assert b"nosniff" in head
    assert json.loads(body)["kind"] == kind
    assert SECRET.encode() not in head + body
    assert ([record for record in caplog.records if record.exc_info or SECRET in record.getMessage()], logged) == (
        [],
        [],
    )


@pytest.mark.parametrize("begin", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "], ids=["silent", "slow"])
async def test_a_connection_that_sends_no_whole_head_is_closed(begin: bytes) -> None:
    async with running(head_s=0.2) as (runner, port):
        assert await answered(port, begin) == b""
        await until("the connection is forgotten", lambda: not len(runner.opened), seen=lambda: len(runner.opened))


async def test_only_so_many_connections_are_open_and_one_more_is_closed_at_once() -> None:
    limits = HttpLimits(connections_per_address=3)
    async with running(limits) as (runner, port):
        open_ones = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await until("all are there", lambda: len(runner.opened) == 3, seen=lambda: len(runner.opened))
        assert await turned_away(port)
        open_ones[0][1].close()
        await until("one is gone", lambda: len(runner.opened) == 2, seen=lambda: len(runner.opened))
        assert not await turned_away(port)
        for _, writer in open_ones:
            writer.close()


async def turned_away(port: int) -> bool:
    """Whether a connection is closed without an answer."""
    try:
        return await answered(port, b"GET /healthz HTTP/1.0\r\n\r\n") == b""
    except ConnectionError:
        return True


def spoil(tls: Tls) -> None:
    Path(tls.certificate).write_text("no certificate")


async def peer_certificate(port: int) -> bytes:
    """The fingerprint of what is shown there now."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return sha256(shown).digest()


async def test_over_tls_it_is_known_by_its_certificate_and_speaks_nothing_older_than_1_2(tmp_path: Path) -> None:
    tls, other = certificate(tmp_path), certificate(tmp_path, stem="other")
    http = Http(port=free_port(), tls=tls)
    assert http.url == f"https://127.0.0.1:{http.port}"
    async with served(page(), http), aiohttp.ClientSession() as client:
        async with client.get(f"{http.url}/healthz", ssl=aiohttp.Fingerprint(fingerprint(tls))) as answer:
            assert await answer.text() == "well"
        with pytest.raises(aiohttp.ServerFingerprintMismatch):
            await client.get(f"{http.url}/healthz", ssl=aiohttp.Fingerprint(fingerprint(other)))
        with pytest.raises(CannotGoOn, match="no hotline of this version"):
            await Running(http.url, "token", other).get("/me")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.get(f"{http.url}/healthz")
        with pytest.raises(aiohttp.ClientError):
            await client.get(f"http://127.0.0.1:{http.port}/healthz")
    context = server_context(tls)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert {name for name in names if not name.startswith(("TLS_", "ECDHE-"))} == set()


async def test_whoever_connects_and_speaks_no_tls_is_closed_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.serving.HANDSHAKE_S", 0.2)
    http = Http(port=free_port(), tls=certificate(tmp_path))
    async with served(page(), http):
        for sent in (b"", b"\x16\x03\x01\x02\x00"):
            assert await answered(http.port, sent) == b""


async def test_a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_is_not(tmp_path: Path) -> None:
    tls = certificate(tmp_path)
    first = fingerprint(tls)
    http = Http(port=free_port(), tls=tls)
    runner = Runner(page(), HttpLimits())
    await runner.setup()
    door = Door(runner, http, look_s=0.05)
    assert await door.open()
    watching = asyncio.create_task(door.watch())

    async def shows(wanted: bytes) -> bool:
        return await peer_certificate(http.port) == wanted

    try:
        with structlog.testing.capture_logs() as logged:
            spoil(tls)
            await until("it is told", lambda: any(entry["event"] == "certificate_not_used" for entry in logged))
            assert await shows(first)
            second = fingerprint(certificate(tmp_path))
            assert second != first
            await until("the new one is shown", lambda: shows(second))
        assert [entry["event"] for entry in logged][-1] == "certificate_renewed"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await runner.cleanup()


async def test_a_port_that_is_taken_ends_nothing_and_is_tried_again(tmp_path: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    http = Http(port=taken.getsockname()[1])
    runner = Runner(page(), HttpLimits())
    await runner.setup()
    door = Door(runner, http, look_s=0.05)
    with structlog.testing.capture_logs() as logged:
        assert not await door.open()
    assert [entry["event"] for entry in logged] == ["http_not_served"]
    watching = asyncio.create_task(door.watch())
    taken.close()

    async def answers() -> bool:
        try:
            return (await answered(http.port, b"GET /healthz HTTP/1.0\r\n\r\n")).endswith(b"well")
        except ConnectionError:
            return False

    try:
        await until("it answers", answers)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await runner.cleanup()


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    tls = certificate(tmp_path)
    Path(tls.key).chmod(0o644)
    with pytest.raises(KeyOpenToOthers, match=f"chmod 600 {tls.key}"):
        server_context(tls)
    Path(tls.key).chmod(0o640)  # As Debian's group ssl-cert.
    server_context(tls)


def test_what_is_no_certificate_has_no_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("-----BEGIN nothing")
    with pytest.raises(ValueError, match="holds no certificate"):
        fingerprint(Tls(certificate=str(tmp_path / "x"), key="/x"))


async def test_nobody_is_let_in_where_there_are_no_tokens(tmp_path: Path) -> None:
    tokens = Tokens.of(tmp_path / "tokens.json")
    app = guarded(tokens)
    runner = Runner(app, HttpLimits())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        answer = await answered(port, b"GET /x HTTP/1.0\r\nAuthorization: Bearer x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 401") or answer.startswith(b"HTTP/1.0 401")
    finally:
        await runner.cleanup()
