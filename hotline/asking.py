"""Asking the running hotline over its own HTTP interface, as the command line does."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ContentTypeError,
    Fingerprint,
    ServerFingerprintMismatch,
)
from pydantic import ValidationError

from hotline.failing import CannotGoOn
from hotline.folders import Folders
from settings.listening import Tls
from settings.shapes import Settings
from settings.tls import fingerprint
from web.api import PREFIX
from web.tokens import command_secret, command_token

ANSWER_S = 10.0
SILENT_S = 40.0
"""A stream of events from which nothing comes for so long is dead: it says that it lives more often."""
EVENT_BYTES = 64 * 1024 * 1024
"""The state of a whole city comes as one event."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where the hotline of a data folder answers, and what lets the command line in."""

    url: str
    secret: str = field(repr=False)
    tls: Tls | None = None
    """The certificate by which it is known."""

    @classmethod
    def of(cls, data: Path) -> "Running":
        """Raises CannotGoOn when none was started with this folder; whether it still runs shows when it is asked."""
        folders = Folders(data.resolve())
        try:
            settings = Settings.model_validate_json(folders.installed.read_bytes())
            secret = command_secret(command_token(folders.data))
        except FileNotFoundError:
            raise CannotGoOn(
                f"no hotline runs with the folder {data}", "start it with 'hotline run', or give its folder with --data"
            ) from None
        except ValidationError as error:
            raise CannotGoOn(
                f"the hotline in {data} was started by another version of it", "stop it and start it again"
            ) from error
        http = settings.server.http
        return cls(http.url, secret, http.tls)

    async def get(self, path: str) -> Any:
        """What the interface answers. Raises CannotGoOn, with the mend that the hotline names if it refuses."""
        async with self._asked(path, ClientTimeout(total=ANSWER_S)) as response:
            return await response.json()

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What the interface answers to a wish. Raises CannotGoOn, as `get` does."""
        async with self._asked(path, ClientTimeout(total=ANSWER_S), body) as response:
            return await response.json()

    async def events(self, kinds: str) -> AsyncGenerator[tuple[str, Any], None]:
        """Each event's name and data, until the hotline ends the stream. Raises CannotGoOn."""
        within = ClientTimeout(total=None, connect=ANSWER_S, sock_read=SILENT_S)
        async with self._asked(f"/events?kinds={kinds}", within) as response:
            name = ""
            async for raw in response.content:
                line = raw.decode("utf-8").rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))

    @asynccontextmanager
    async def _asked(
        self, path: str, within: ClientTimeout, body: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[ClientResponse, None]:
        """body: it is posted; otherwise the answer is only read."""
        headers = {"Authorization": f"Bearer {self.secret}"}
        method, url = "GET" if body is None else "POST", f"{self.url}{PREFIX}{path}"
        known = self._known()
        try:
            async with (
                ClientSession(timeout=within, headers=headers, read_bufsize=EVENT_BYTES) as session,
                session.request(method, url, json=body, ssl=known) as response,
            ):
                if not response.ok:
                    raise await self._refused(response)
                yield response
        except ServerFingerprintMismatch as error:
            raise self._stranger() from error
        except (ClientConnectionError, asyncio.IncompleteReadError) as error:
            raise CannotGoOn(
                f"no hotline answers at {self.url}", "start it with 'hotline run', or look into its log"
            ) from error
        except TimeoutError as error:
            raise CannotGoOn(f"the hotline at {self.url} does not answer", "look into its log") from error
        except (ClientError, ValueError) as error:
            raise self._stranger() from error

    def _known(self) -> bool | Fingerprint:
        """How the hotline is known: not by a name, for it is this machine's."""
        if self.tls is None:
            return True
        try:
            return Fingerprint(fingerprint(self.tls))
        except (OSError, ValueError) as error:
            raise CannotGoOn(f"the certificate cannot be read: {error}", "look at server.yaml: http") from error

    async def _refused(self, response: ClientResponse) -> CannotGoOn:
        if response.status == 401:
            return CannotGoOn(
                f"the hotline at {self.url} is not the one of this data folder", "give its folder with --data"
            )
        try:
            problem = await response.json(content_type="application/problem+json")
            return CannotGoOn(str(problem["detail"]), str(problem["mend"]))
        except (ContentTypeError, ValueError, KeyError, TypeError):
            return self._stranger()

    def _stranger(self) -> CannotGoOn:
        return CannotGoOn(
            f"what answers at {self.url} is no hotline of this version", "end it, or stop and start the hotline"
        )
