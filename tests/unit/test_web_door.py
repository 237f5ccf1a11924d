"""The door: nothing is open that is not declared so, and nobody asks for more than is good for the others."""

import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from aiohttp import ClientSession, web

from settings.listening import HttpLimits
from tests.support.checked_client import checked_client
from tests.support.scripted_desk import ScriptedDesk
from tests.support.scripted_shelf import ScriptedShelf
from tests.support.served_interface import WELL
from web.api import PREFIX, api
from web.desk import Role
from web.door import HEADERS, PUBLIC
from web.health import application
from web.limits import TOLD_A_SECOND
from web.serving import Runner
from web.tokens import COMMAND_LINE, Tokens, local_token

SUPERVISOR, AUDITOR = Role.SUPERVISOR, Role.AUDITOR


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncGenerator[tuple[web.Application, str, ClientSession, Tokens], None]:
    """The whole application, where it answers, a client without a token, and the tokens."""
    tokens = Tokens.of(tmp_path / "tokens.json")
    app = application(lambda: WELL, ScriptedDesk(), ScriptedShelf(), tokens)
    runner = Runner(app, HttpLimits())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession() as http:
            yield app, f"http://127.0.0.1:{runner.addresses[0][1]}", http, tokens
    finally:
        await runner.cleanup()


def every_page(app: web.Application) -> set[tuple[str, str]]:
    """Method and path of all that can be asked for, with its parameters filled in."""
    found = set()
    for route in app.router.routes():
        assert route.resource is not None
        found.add((route.method, route.resource.canonical.replace("{", "1").replace("}", "1")))
    for resource in app.router.resources():
        if isinstance(resource, web.PrefixedSubAppResource):
            found |= {
                (route.method, route.resource.canonical.replace("{", "1").replace("}", "1"))
                for route in resource._app.router.routes()
                if route.resource is not None
            }
    return found


async def test_no_page_opens_without_a_token_but_those_that_are_declared_public(
    site: tuple[web.Application, str, ClientSession, Tokens],
) -> None:
    app, at, http, _ = site
    pages = every_page(app)
    assert len(pages) > 45
    for method, path in sorted(pages):
        async with http.request(method, at + path) as response:
            if path in PUBLIC:
                assert response.status == 200, path
                continue
            assert response.status == 401, (method, path)
            if method != "HEAD":
                assert response.content_type == "application/problem+json"
                assert (await response.json(content_type=None))["kind"] == "no_token"
            assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api", "/api/v1", "/api/v1/", "//", "/healthz/", "/.git/config", "/%2e%2e%2fapi"]
)
async def test_nobody_learns_what_is_there_without_a_token(
    site: tuple[web.Application, str, ClientSession, Tokens], path: str
) -> None:
    _, at, http, _ = site
    for method in ("GET", "POST", "OPTIONS", "TRACE", "PROPFIND"):
        async with http.request(method, at + path) as response:
            assert response.status == 401, (method, path)


async def test_a_page_that_is_added_later_is_closed_too(tmp_path: Path) -> None:
    app = application(lambda: WELL, None, None, Tokens.of(tmp_path / "tokens.json"))

    async def new(_request: web.Request) -> web.Response:
        return web.Response(text="numbers")

    app.router.add_get("/numbers", new)
    inner = web.Application()
    inner.router.add_get("/more", new)
    app.add_subapp("/inner", inner)
    runner = Runner(app, HttpLimits())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession() as http:
            for path in ("/numbers", "/inner/more"):
                async with http.get(f"http://127.0.0.1:{runner.addresses[0][1]}{path}") as response:
                    assert response.status == 401
    finally:
        await runner.cleanup()


async def test_the_interface_without_its_door_lets_nobody_in(tmp_path: Path) -> None:
    tokens = Tokens.of(tmp_path / "tokens.json")
    headers = {"Authorization": f"Bearer {tokens.add('crm', SUPERVISOR, None, 0)}"}
    outer = web.Application()
    outer.add_subapp(PREFIX, api(ScriptedDesk(), ScriptedShelf(), tokens))
    runner = web.AppRunner(outer, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession() as http:
            at = f"http://127.0.0.1:{runner.addresses[0][1]}{PREFIX}/seats"
            with structlog.testing.capture_logs():
                async with http.get(at, headers=headers) as response:
                    assert response.status != 200
    finally:
        await runner.cleanup()


async def test_every_answer_forbids_browsers_what_no_page_of_ours_needs(
    site: tuple[web.Application, str, ClientSession, Tokens],
) -> None:
    _, at, http, tokens = site
    headers = {
        "Authorization": f"Bearer {tokens.add('crm', SUPERVISOR, None, 0)}",
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "GET",
    }
    for method, path in (("GET", "/"), ("GET", "/healthz"), ("GET", "/api/v1/seats"), ("OPTIONS", "/api/v1/seats")):
        async with http.request(method, at + path, headers=headers) as response:
            for name, value in HEADERS.items():
                if name != "Content-Security-Policy":
                    assert response.headers[name] == value, (path, name)
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert not [name for name in response.headers if name.lower().startswith("access-control")]


async def test_too_much_from_one_token_waits_and_is_told_how_long(tmp_path: Path) -> None:
    async with checked_client(tmp_path, limits=HttpLimits(requests=1)) as client:
        answers = [await client.ask(SUPERVISOR, "GET", "/seats") for _ in range(20)]
        assert {answer.status for answer in answers[:2]} == {200}
        refused = [answer for answer in answers if answer.status == 429]
        assert {answer.told["kind"] for answer in refused} == {"too_many_requests"}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
        assert (await client.ask(AUDITOR, "GET", "/seats")).status == 200


async def test_guessing_tokens_locks_the_address_out_but_for_those_who_work_there(tmp_path: Path) -> None:
    async with checked_client(tmp_path, limits=HttpLimits(wrong_tokens=3)) as client:
        assert (await client.ask(SUPERVISOR, "GET", "/me")).status == 200
        with structlog.testing.capture_logs() as logged:
            for _ in range(3):
                assert (await client.ask(None, "GET", "/me", Authorization="Bearer guess")).status == 401
        assert [(entry["event"], entry["address"]) for entry in logged] == [("tokens_guessed", "127.0.0.1")]
        for shown in ("Bearer guess", client.headers(AUDITOR)["Authorization"]):
            locked = await client.ask(None, "GET", "/me", Authorization=shown)
            assert (locked.status, locked.told["kind"]) == (429, "too_many_wrong_tokens")
            assert 0 < int(locked.headers["Retry-After"]) <= 300
        assert (await client.ask(None, "GET", "/me")).status == 401
        assert (await client.ask(SUPERVISOR, "GET", "/me")).status == 200


async def test_a_flood_without_a_token_does_not_fill_the_log(tmp_path: Path) -> None:
    app = application(lambda: WELL, ScriptedDesk(), ScriptedShelf(), Tokens.of(tmp_path / "tokens.json"))
    runner = Runner(app, HttpLimits())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        began_s = time.monotonic()
        with structlog.testing.capture_logs() as logged:
            async with ClientSession() as http:
                for _ in range(100):
                    async with http.get(f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/seats") as response:
                        assert response.status in (401, 429)
    finally:
        await runner.cleanup()
    assert 1 <= len(logged) <= 2 + (time.monotonic() - began_s) * TOLD_A_SECOND


async def test_the_command_line_is_never_locked_out_of_its_own_machine(tmp_path: Path) -> None:
    async with checked_client(tmp_path, limits=HttpLimits(wrong_tokens=3)) as client:
        secret = local_token(tmp_path)
        for _ in range(5):
            await client.ask(None, "GET", "/me", Authorization="Bearer guess")
        answer = await client.ask(None, "GET", "/me", Authorization=f"Bearer {secret}")
        assert (answer.status, answer.told["name"]) == (200, COMMAND_LINE.name)


async def test_one_token_reads_only_so_many_streams(tmp_path: Path) -> None:
    async with checked_client(tmp_path, limits=HttpLimits(streams=1), beat_s=0.05) as client:
        at, headers = f"{client.at}/events?kinds=seats", client.headers(SUPERVISOR)
        async with client.http.get(at, headers=headers) as first:
            await first.content.readline()
            refused = await client.ask(SUPERVISOR, "GET", "/events")
            assert (refused.status, refused.told["kind"]) == (429, "too_many_streams")
            async with client.http.get(at, headers=client.headers(AUDITOR)) as other:
                assert other.status == 200
