"""Callers and seats that cost little: SIPp sends and answers the calls, one socket takes their media."""

import asyncio
import re
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import Planned
from hotline.ports import free_ports

SCENARIOS = Path(__file__).resolve().parent / "sipp"
TALK_S = 1.5
"""As written in answer.xml: so long after it has answered a seat hangs up."""
STARTED_A_SECOND = 200
"""SIPp takes calls from its list at this pace, before each waits for its own time."""
AHEAD_MS = 1000
"""Between the last call taken from the list and the load's beginning."""


_SIGN_OF_LIFE = re.compile(r"[^\n']*: Received out-of-call OPTIONS message, using the out-of-call scenario")


class LoadFailed(Exception):
    """SIPp did not get through its calls; `said` is what it complained about."""

    def __init__(self, what: str, said: str) -> None:
        self.what = what
        self.said = said
        super().__init__(f"{what}: {said or 'it said nothing'}")


@dataclass(frozen=True, slots=True)
class Telephones:
    """Where they call, and where they keep their files. `folder` exists."""

    server: tuple[str, int]
    folder: Path
    sink: int
    """The UDP port on 127.0.0.1 that takes everybody's media."""

    @asynccontextmanager
    async def seats(self, passwords: Mapping[str, str]) -> AsyncIterator[int]:
        """Registers them; they answer at once and talk for TALK_S. Seat → password. SIPp's process id."""
        # In digits: one that begins with 0x SIPp would take for such digits.
        lines = [
            f"{seat};[authentication username={seat} password=0x{password.encode().hex()}]"
            for seat, password in passwords.items()
        ]
        words = ["-m", str(len(lines)), "-r", str(len(lines)), "-oocsf", str(SCENARIOS / "answer.xml")]
        process = await self._run("seats", "127.0.0.1", lines, words)
        try:
            yield process.pid
        finally:
            await _end(process)

    async def call(self, calls: Sequence[Planned], address: str, *, bound_s: float) -> int:
        """Places the calls from `address` and waits until all are over. SIPp's exit code: 0 if none failed.

        Raises LoadFailed when they are not over within `bound_s`.
        """
        taken_ms = [1000 * place // STARTED_A_SECOND for place in range(len(calls))]
        begin_ms = taken_ms[-1] + AHEAD_MS
        lines = [
            f"{one.number};{one.caller};{begin_ms + one.at_ms - at_ms}"
            for one, at_ms in zip(calls, taken_ms, strict=True)
        ]
        words = ["-m", str(len(calls)), "-l", str(len(calls)), "-r", str(STARTED_A_SECOND)]
        process = await self._run("caller", address, lines, words)
        try:
            async with asyncio.timeout(bound_s):
                return await process.wait()
        except TimeoutError:
            raise LoadFailed(f"{len(calls)} calls were not over within {bound_s:g} s", self.complaints()) from None
        finally:
            await _end(process)

    def complaints(self) -> str:
        """What SIPp wrote about messages that it did not expect."""
        files = sorted(self.folder.glob("*_errors.log"))
        said = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
        return _SIGN_OF_LIFE.sub("", said)[:2000]

    async def _run(self, scenario: str, address: str, lines: Sequence[str], words: Sequence[str]) -> Process:
        injected = self.folder / f"{scenario}.csv"
        injected.touch(mode=0o600)
        injected.write_text("\n".join(["SEQUENTIAL", *lines, ""]), encoding="utf-8")
        port, media = free_ports(address, 2)
        with (self.folder / f"{scenario}.out").open("wb") as output:
            return await asyncio.create_subprocess_exec(
                "sipp", "-sf", SCENARIOS / f"{scenario}.xml", "-inf", injected, "-key", "sink", str(self.sink),
                "-i", address, "-p", str(port), "-mi", address, "-mp", str(media),
                "-nostdin", "-trace_err", *words, "{}:{}".format(*self.server),
                cwd=self.folder, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip


@contextmanager
def media_sink() -> Iterator[int]:
    """A port whose socket is never read: what it cannot hold is dropped, and nobody is told so."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        port: int = sink.getsockname()[1]
        yield port


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
