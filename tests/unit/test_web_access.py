"""One line of the log for each request, and nothing in it that is nobody's business."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.scripted_desk import ScriptedDesk
from tests.support.scripted_shelf import ScriptedShelf
from tests.unit.test_web_health import WELL, served
from web.desk import Role
from web.health import application
from web.tokens import Tokens


async def logged(tmp_path: Path, method: str, path: str, *, shown: bool = True) -> list[dict[str, Any]]:
    """What is logged of a request with, or without, a supervisor's token."""
    tokens = Tokens.of(tmp_path / "tokens.json")
    secret = tokens.add("anna", Role.SUPERVISOR, None, 1)
    headers = {"Authorization": f"Bearer {secret}"} if shown else {}
    app = application(lambda: WELL, ScriptedDesk(), ScriptedShelf(), tokens)
    with capture_logs() as logs:
        async with served(app) as (http, at), http.request(method, at + path, headers=headers):
            pass
    assert secret not in str(logs)
    return [dict(entry) for entry in logs if entry["event"] == "http_request"]


async def test_it_tells_who_asked_for_what_and_how_it_went(tmp_path: Path) -> None:
    (entry,) = await logged(tmp_path, "GET", "/api/v1/agents?x=13812345678")
    assert (entry["method"], entry["page"], entry["who"], entry["role"]) == (
        "GET",
        "/api/v1/agents",
        "anna",
        "supervisor",
    )
    assert entry["took_ms"] >= 0
    assert "13812345678" not in str(entry)


async def test_of_a_path_only_the_pattern_is_told(tmp_path: Path) -> None:
    (entry,) = await logged(tmp_path, "DELETE", "/api/v1/blocked/13812345678")
    assert entry["page"] == "/api/v1/blocked/{number}"
    assert "13812345678" not in str(entry)


async def test_who_is_refused_stands_there_without_a_name(tmp_path: Path) -> None:
    (entry,) = await logged(tmp_path, "GET", "/api/v1/agents", shown=False)
    assert (entry["status"], entry["who"], entry["role"]) == (401, None, None)


async def test_what_does_not_exist_is_told_without_its_path(tmp_path: Path) -> None:
    (entry,) = await logged(tmp_path, "GET", "/13812345678")
    assert entry["page"] is None
    assert "13812345678" not in str(entry)


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
async def test_what_programs_ask_all_the_time_is_not_told(path: str, tmp_path: Path) -> None:
    assert await logged(tmp_path, "GET", path, shown=False) == []
