"""A way's server as a process of its own: how it is started and ended, and how it starts and ends itself."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self, TextIO

from bench.ivr.way import Sounds

PROJECT = Path(__file__).resolve().parent.parent.parent
READY_S = 30.0
END_S = 5.0
"""So long after SIGTERM a server is killed."""
_READY = b"ready\n"


class NotServing(Exception):
    """A way's server did not come up; its own log says why."""

    def __init__(self, module: str, why: str) -> None:
        self.module = module
        self.why = why
        super().__init__(f"bench.ivr.{module} {why}: look into the log of its round")


@dataclass(frozen=True, slots=True)
class Service:
    """What a server is told as it starts. `port`: where it listens, or where Asterisk does."""

    sounds: Sounds
    port: int
    secret: str = field(repr=False)

    def line(self) -> bytes:
        """As `read` takes it: on standard input, because everybody sees a command's words."""
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Self:
        told = json.loads(line)
        sounds = Sounds(**{name: Path(path) for name, path in told["sounds"].items()})
        return cls(sounds, told["port"], told["secret"])


@asynccontextmanager
async def served(module: str, service: Service, log: TextIO) -> AsyncIterator[int]:
    """Runs `bench.ivr.<module>`; its process id, once it serves. Raises NotServing."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"bench.ivr.{module}", cwd=PROJECT, stdin=PIPE, stdout=PIPE, stderr=log
    )
    try:
        await _until_ready(module, process, service)
        yield process.pid
    finally:
        await _end(process)


async def _until_ready(module: str, process: Process, service: Service) -> None:
    if process.stdin is None or process.stdout is None:
        raise AssertionError(module)
    process.stdin.write(service.line())
    try:
        async with asyncio.timeout(READY_S):
            said = await process.stdout.readline()
    except TimeoutError:
        raise NotServing(module, f"was not ready within {READY_S:g} s") from None
    if said != _READY:
        await _gone(process)
        raise NotServing(module, f"ended as it started (exit code {process.returncode})")


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    if not await _gone(process):
        process.kill()
        await process.wait()


async def _gone(process: Process) -> bool:
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        return False
    return True


def serve(serving: Callable[[Service], AbstractAsyncContextManager[None]]) -> None:
    """The life of the server's process: it serves as long as the block of `serving` lasts.

    That is until SIGTERM, or until whoever started it is gone, however that ended.
    """
    asyncio.run(_until_told(serving(Service.read(sys.stdin.buffer.readline()))))


async def _until_told(serving: AbstractAsyncContextManager[None]) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    loop.add_reader(sys.stdin, told.set)
    async with serving:
        sys.stdout.buffer.write(_READY)
        sys.stdout.buffer.flush()
        await told.wait()
