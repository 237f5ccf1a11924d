"""A client of the interface that believes no answer before it has been compared with the description."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web
from openapi_schema_validator import OAS31Validator

from settings.listening import HttpLimits
from tests.support.scripted_desk import ScriptedDesk
from tests.support.scripted_shelf import ScriptedShelf
from web.api import PREFIX, api, description
from web.desk import Role
from web.door import guarded
from web.tokens import Tokens

NOWHERE = (404, 405)
"""Answers of paths and methods that are not described."""


def as_described(data: Any, schema: dict[str, Any]) -> None:
    """Raises when data are not as the description of the interface has them."""
    OAS31Validator({**schema, "components": description()["components"]}).validate(data)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    told: Any
    """The body as data; None without one."""


class CheckedClient:
    """Asks as one of the roles; tokens: role → secret."""

    def __init__(
        self,
        http: ClientSession,
        runner: web.AppRunner,
        desk: ScriptedDesk,
        shelf: ScriptedShelf,
        *,
        known: Tokens,
        tokens: dict[Role, str],
    ) -> None:
        self.http = http
        self.port: int = runner.addresses[0][1]
        self.at = f"http://127.0.0.1:{self.port}{PREFIX}"
        self.stop = runner.cleanup
        self.desk = desk
        self.shelf = shelf
        self.known = known
        self.tokens = tokens

    def headers(self, role: Role | None) -> dict[str, str]:
        return {} if role is None else {"Authorization": f"Bearer {self.tokens[role]}"}

    async def ask(
        self, role: Role | None, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **more: str
    ) -> Answer:
        """more: headers, with _ for -. raw: sent as it is."""
        headers = {**self.headers(role), **{name.replace("_", "-"): text for name, text in more.items()}}
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        async with self.http.request(method, self.at + path, data=data, headers=headers) as response:
            raw_answer = await response.read()
            told = _told(raw_answer, response.content_type)
            answer = Answer(response.status, dict(response.headers), told)
        check_answer(method, path, answer)
        return answer


def _told(raw: bytes, media: str) -> Any:
    if media == "audio/wav":
        return raw.decode("latin-1")  # As the description has it: a string of bytes.
    return json.loads(raw) if raw else None


def check_answer(method: str, path: str, answer: Answer) -> None:
    """Raises when an answer is not as the description of the interface has it."""
    headers = {name.lower(): text for name, text in answer.headers.items()}
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    media = headers.get("content-type", "").partition(";")[0]
    if answer.status >= 400:
        assert media == "application/problem+json"
        as_described(answer.told, {"$ref": "#/components/schemas/Problem"})
        assert answer.told["status"] == answer.status
        assert answer.told["mend"]
    operation = _operation(method, path)
    if operation is None:
        assert answer.status in (401, *NOWHERE)
        return
    described = operation["responses"][str(answer.status)]
    if answer.status < 400 and "content" in described:
        as_described(answer.told, described["content"][media]["schema"])
    elif answer.status < 400:
        assert answer.told is None


def _operation(method: str, path: str) -> dict[str, Any] | None:
    plain = path.partition("?")[0]
    for template, methods in description()["paths"].items():
        if re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", template), plain) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    return None


@asynccontextmanager
async def checked_client(
    folder: Path, *, beat_s: float = 15.0, limits: HttpLimits | None = None
) -> AsyncGenerator[CheckedClient, None]:
    """A client of a server of its own, with a token for each role; the agent's is that of agent 1001."""
    known = Tokens.of(folder / "tokens.json")
    tokens = {role: known.add(role.value, role, "1001" if role is Role.AGENT else None, 0) for role in Role}
    desk, shelf = ScriptedDesk(), ScriptedShelf()
    app = guarded(known, limits)
    app.add_subapp(PREFIX, api(desk, shelf, known, beat_s=beat_s))
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession(timeout=ClientTimeout(total=30)) as http:
            yield CheckedClient(http, runner, desk, shelf, known=known, tokens=tokens)
    finally:
        await runner.cleanup()
