"""The supervisor's socket in the data folder: how a command asks for a restart.

One request and one answer, each a line of JSON. The socket is its owner's alone, as the data folder's files are.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hotline.failing import CannotGoOn
from recordings.restarts import Part

ASKED_S = 60.0
"""No restart takes longer; whoever asked gives up then."""
_READ_S = 5.0
_LINE_BYTES = 10_000


class Wish(BaseModel):
    """A restart that somebody wants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: Part
    why: str = Field(max_length=500)
    who: str = Field(max_length=100)
    now: bool
    """Whether calls in progress are not waited for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How that went."""

    done: bool
    matter: str
    """What went wrong; empty when it is done."""
    entry: int | None
    """Of `recordings.restarts`; None: it could not be written down yet."""


Serve = Callable[[Wish], Awaitable[Answered]]


@asynccontextmanager
async def listening(socket: Path, serve: Serve) -> AsyncIterator[None]:
    """Serves whoever asks, within the context. A socket that an earlier supervisor left is replaced."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await _served(reader, serve)
            writer.write(json.dumps(asdict(answer)).encode() + b"\n")
            await writer.drain()
        except (OSError, TimeoutError):
            pass  # Whoever asked is gone.
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    _removed(socket)
    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(one, socket, limit=_LINE_BYTES)
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        _removed(socket)


def _removed(socket: Path) -> None:
    socket.unlink(missing_ok=True)


async def _served(reader: asyncio.StreamReader, serve: Serve) -> Answered:
    async with asyncio.timeout(_READ_S):
        try:
            line = await reader.readline()
        except ValueError:  # Longer than any wish.
            line = b""
    try:
        wish = Wish.model_validate_json(line)
    except ValidationError as error:
        return Answered(done=False, matter=f"that is no request: {error.errors()[0]['msg']}", entry=None)
    return await serve(wish)


async def ask(socket: Path, wish: Wish) -> Answered:
    """Asks the supervisor, and waits until it is done. Raises CannotGoOn."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except (FileNotFoundError, ConnectionRefusedError):
        raise CannotGoOn(f"no hotline runs in {socket.parent}", "run 'hotline run' first, or give --data") from None
    try:
        writer.write(wish.model_dump_json().encode() + b"\n")
        async with asyncio.timeout(ASKED_S):
            await writer.drain()
            line = await reader.readline()
    except (OSError, TimeoutError) as error:
        raise CannotGoOn("the hotline did not answer", "look into its log") from error
    finally:
        writer.close()
    if not line:
        raise CannotGoOn("the hotline ended meanwhile", "look into its log")
    return Answered(**json.loads(line))
