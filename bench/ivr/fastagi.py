"""Answers calls with panoramisk's FastAGI server: `python -m bench.ivr.fastagi`.

Its reader never notices that a connection ended before its headers were whole, and reads on at full speed for
ever; one that ends later makes it write a traceback. `Ending` stands in front of it and says so in words that
it understands. Everything else is as panoramisk does it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from panoramisk.fast_agi import Application, Request

from bench.ivr.agi import HungUp, Script, script
from bench.ivr.files import APP
from bench.ivr.serving import Service, serve
from bench.ivr.way import HOST

_BACKLOG = 1024
"""Calls that arrive together are connections that do; asyncio's own default is 100."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A connection as panoramisk reads it, which has an end."""

    reader: asyncio.StreamReader

    async def read(self, most: int) -> bytes:
        """A part of the headers. Raises EOFError."""
        if part := await self.reader.read(most):
            return part
        raise EOFError

    async def readline(self) -> bytes:
        """An answer; at the end, what Asterisk says when the caller has hung up."""
        return await self.reader.readline() or b"HANGUP\n"


class Answering(Application):  # type: ignore[misc]  # panoramisk ships no types
    """Every call is answered by one script."""

    def __init__(self, steps: Script) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.steps = steps
        self.add_route(APP, self.answer)

    async def answer(self, request: Request) -> None:
        """Asterisk goes on in the dialplan when this returns."""
        with suppress(HungUp, ConnectionError):
            await self.steps.run(request.send_command)

    async def handler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await super().handler(Ending(reader), writer)
        except (EOFError, ConnectionError):
            writer.close()


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[None]:
    answering = Answering(script(service.sounds))
    async with await asyncio.start_server(answering.handler, HOST, service.port, backlog=_BACKLOG):
        yield


if __name__ == "__main__":
    serve(serving)
