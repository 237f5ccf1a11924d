"""The pages of the node, what programs read there, and the interface beside them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from tests.support.metrics_of import metrics
from tests.support.scripted_desk import ScriptedDesk
from tests.support.scripted_shelf import ScriptedShelf
from web.desk import Role
from web.health import Health, application
from web.tokens import Tokens

WELL = Health(
    "node1", "测试市", asterisk_connected=True, steering=True, calls_kept=True,
    waiting=0, seats_free=1, seats_known=2, calls_known=0,
)  # fmt: skip


@asynccontextmanager
async def served(app: web.Application) -> AsyncGenerator[tuple[ClientSession, str], None]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession() as http:
            yield http, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
async def test_the_health_of_the_node_is_shown_to_whoever_asks(path: str, tmp_path: Path) -> None:
    both = application(lambda: WELL, ScriptedDesk(), ScriptedShelf(), Tokens.of(tmp_path / "tokens.json"))
    for app in (application(lambda: WELL), both):
        async with served(app) as (http, at), http.get(at + path) as response:
            assert response.status == 200
            assert "测试市" in await response.text() or "node1" in await response.text()


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"asterisk_connected": False}, "Asterisk does not answer"),
        ({"steering": False}, "not steering"),
        ({"calls_kept": False}, "records cannot be written"),
    ],
)
async def test_who_is_not_ready_says_why_and_is_alive(trouble: dict[str, Any], reason: str) -> None:
    ill = replace(WELL, **trouble)
    async with served(application(lambda: ill)) as (http, at):
        async with http.get(f"{at}/readyz") as response:
            told = await response.json()
            assert (response.status, told["ready"], len(told["reasons"])) == (503, False, 1)
            assert told["reasons"][0].startswith(reason)
        async with http.get(f"{at}/healthz") as response:
            assert (response.status, (await response.json())["alive"]) == (200, True)
        async with http.get(at) as response:
            assert reason in await response.text()


async def test_who_is_ready_has_no_reasons() -> None:
    async with served(application(lambda: WELL)) as (http, at), http.get(f"{at}/readyz") as response:
        told = await response.json()
        assert (response.status, told["ready"], told["reasons"]) == (200, True, [])


async def test_metrics_are_open_where_nobody_from_elsewhere_comes() -> None:
    app = application(lambda: WELL, metrics=metrics(), metrics_open=True)
    async with served(app) as (http, at), http.get(f"{at}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "hotline_steering 1.0" in await response.text()


async def test_elsewhere_metrics_are_for_auditors_alone(tmp_path: Path) -> None:
    tokens = Tokens.of(tmp_path / "tokens.json")
    auditor, agent = tokens.add("prometheus", Role.AUDITOR, None, 1), tokens.add("anna", Role.AGENT, "1001", 1)
    async with served(application(lambda: WELL, tokens=tokens, metrics=metrics())) as (http, at):
        for secret, status in ((None, 401), ("nobody's", 401), (agent, 403), (auditor, 200)):
            headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
            async with http.get(f"{at}/metrics", headers=headers) as response:
                assert response.status == status
                assert ("hotline_" in await response.text()) == (status == 200)


async def test_the_interface_stands_beside_it_for_those_with_a_token(tmp_path: Path) -> None:
    tokens = Tokens.of(tmp_path / "tokens.json")
    headers = {"Authorization": f"Bearer {tokens.add('crm', Role.AUDITOR, None, 1)}"}
    async with served(application(lambda: WELL, ScriptedDesk(), ScriptedShelf(), tokens)) as (http, at):
        async with http.get(f"{at}/api/v1/me") as response:
            assert response.status == 401
        async with http.get(f"{at}/api/v1/me", headers=headers) as response:
            assert (await response.json())["name"] == "crm"
    alone = application(lambda: WELL, tokens=tokens)
    async with served(alone) as (http, at), http.get(f"{at}/api/v1/me", headers=headers) as response:
        assert response.status == 404
