"""The HTTP interface of a city that runs: asked with a token of its own, every answer held against the description."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from hotline.instance import Instance
from hotline.stage import until
from tests.support.checked_client import Answer, check_answer
from web.api import PREFIX
from web.desk import Role
from web.tokens import Tokens


class NotDone(AssertionError):
    """The interface refused what was asked; `kind` is its word for why."""

    def __init__(self, method: str, path: str, answer: Answer) -> None:
        self.kind = str(answer.told["kind"])
        self.status = answer.status
        super().__init__(f"{method} {path}: {answer.status} {self.kind}, {answer.told['detail']}")


@dataclass(frozen=True, slots=True)
class DeskClient:
    """Asks with one token. Every method raises NotDone, and aiohttp's errors while no controller is there."""

    http: ClientSession
    url: str

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """path: below `/api/v1`, such as `/seats`."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        async with self.http.request(method, self.url + path, data=data, headers=headers) as response:
            text = await response.text()
            answer = Answer(response.status, dict(response.headers), json.loads(text) if text else None)
        check_answer(method, path, answer)
        return answer

    async def get(self, path: str) -> Any:
        """One thing as a dict, or several as a list of them."""
        told = await self._done("GET", path)
        return told["items"] if set(told) == {"items"} else told

    async def post(self, path: str, **body: Any) -> Any:
        """`post("/agents/1001/pause", reason="break")`"""
        return await self._done("POST", path, body or None)

    async def delete(self, path: str) -> Any:
        return await self._done("DELETE", path)

    async def refused(self, path: str, **body: Any) -> str:
        """The word for why a POST is refused. Raises AssertionError when it is done."""
        answer = await self.ask("POST", path, body or None)
        assert answer.status >= 400, f"POST {path} was done: {answer.told}"
        return str(answer.told["kind"])

    async def until(self, path: str, *, within_s: float = 60.0, **wanted: Any) -> dict[str, Any]:
        """Waits until what is at a path has these fields, and returns all of it; there may be no controller yet."""
        last: dict[str, Any] = {}

        async def look() -> bool:
            last.clear()
            try:
                last.update(await self.get(path))
            except ClientError as error:
                last["away"] = str(error)
            return wanted.items() <= last.items()

        await until(f"{path} with {wanted}", look, within_s=within_s, seen=lambda: last)
        return dict(last)

    async def until_agent(self, agent: str, state: str, **wanted: Any) -> dict[str, Any]:
        """Waits until an agent is in a state."""
        return await self.until(f"/agents/{agent}", state=state, **wanted)

    async def until_seat(self, seat: str, state: str, **wanted: Any) -> dict[str, Any]:
        """Waits until a seat is in a state."""
        return await self.until(f"/seats/{seat}", state=state, **wanted)

    async def _done(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.ask(method, path, body)
        if answer.status >= 400:
            raise NotDone(method, path, answer)
        return answer.told


@asynccontextmanager
async def at_the_desk(
    instance: Instance, role: Role = Role.SUPERVISOR, agent: str | None = None
) -> AsyncIterator[DeskClient]:
    """A client with a new token of this role; agent: whose token it is. The token is removed in the end."""
    tokens = Tokens.of(instance.folders.tokens)
    name = f"{role.value} {agent or ''} {len(tokens.every())}"
    secret = tokens.add(name, role, agent, 0)
    http = instance.settings.server.http
    headers = {"Authorization": f"Bearer {secret}"}
    try:
        async with ClientSession(timeout=ClientTimeout(total=30), headers=headers) as session:
            yield DeskClient(session, f"http://{http.address}:{http.port}{PREFIX}")
    finally:
        tokens.remove(name)
