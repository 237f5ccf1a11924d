"""The pages of the node, and the interface beside them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

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


async def test_the_interface_stands_beside_it_for_those_with_a_token(tmp_path: Path) -> None:
    tokens = Tokens.of(tmp_path / "tokens.json")
    headers = {"Authorization": f"Bearer {tokens.add('crm', Role.AUDITOR, None, 1)}"}
    async with served(application(lambda: WELL, ScriptedDesk(), ScriptedShelf(), tokens)) as (http, at):
        async with http.get(f"{at}/api/v1/me") as response:
            assert response.status == 401
        async with http.get(f"{at}/api/v1/me", headers=headers) as response:
            assert (await response.json())["name"] == "crm"
    async with served(application(lambda: WELL)) as (http, at), http.get(f"{at}/api/v1/me") as response:
        assert response.status == 404
