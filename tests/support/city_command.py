"""`bin/hotline run` as a user runs it: a process of its own, with settings and data folders of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hotline.instance import Instance
from hotline.serve import Supervisor
from hotline.stage import Stage, lines, on_stage, until
from settings.shapes import Settings
from tests.support.city_folder import write_city
from tests.support.city_watch import City
from tests.support.quick_city import EXAMPLE

HOTLINE = EXAMPLE.parent / "bin" / "hotline"


def processes(mark: Path) -> dict[int, str]:
    """Whatever runs on this machine with this path in its command line: process id → command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
            if str(mark) in words:
                found[int(entry.name)] = words
    return found


def process_of(mark: Path, name: str) -> int | None:
    """The one of them whose command line has this name in it."""
    return next((pid for pid, words in processes(mark).items() if name in words), None)


@dataclass(slots=True)
class Command:
    """A `hotline` that was started, and what it has said so far."""

    process: asyncio.subprocess.Process
    output: Path

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    async def until_said(self, words: str) -> None:
        await until(f"hotline says {words!r}", lambda: words in self.said() or self.process.returncode, seen=self.said)
        assert words in self.said(), self.said()

    async def ended(self) -> int:
        """Waits until it ends; its exit code."""
        found: int = await asyncio.wait_for(self.process.wait(), 60)
        return found


@dataclass(slots=True)
class Served:
    """A city in folders of its own, which `hotline run` is to serve."""

    settings: Settings
    folder: Path
    opened: AsyncExitStack

    @property
    def data(self) -> Path:
        return self.folder / "data"

    async def start(self, *words: str) -> Command:
        """Starts `hotline` with these words and this city's folders."""
        output = self.folder / f"output-{len(list(self.folder.glob('output-*')))}.log"
        where = ("--config", str(self.folder / "config"), "--data", str(self.data))
        with output.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                HOTLINE, *words, *where, stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file
            )
        return Command(process, output)

    async def people(self, *, seats: Iterable[str]) -> City:
        """Carriers and telephones at the city, once it is served; they stay until the end."""
        instance = Instance.installed(self.data)
        trunks, phones = await self.opened.enter_async_context(lines(instance, seats=seats))
        # Another process supervises: this one is only asked where things are.
        stage = Stage(instance, Supervisor(instance.process(), instance.folders), trunks, phones, instance.catalogue())
        store = self.opened.enter_context(stage.store())
        return City(stage, store, self.folder / "output-0.log")


@asynccontextmanager
async def city_in_folders(settings: Settings, folder: Path, sounds: Path) -> AsyncIterator[Served]:
    """Writes the city's folders; whatever runs there in the end is killed. `sounds`: rendered prompts to share."""
    moved = on_stage(settings)
    _prepare(moved, folder, sounds)
    try:
        async with AsyncExitStack() as opened:
            yield Served(moved, folder, opened)
    finally:
        _end(folder)


def _end(folder: Path) -> None:
    for output in sorted(folder.glob("output-*")):
        sys.stdout.write(f"--- {output.name}\n{output.read_text(encoding='utf-8')}")  # Shown when the test fails.
    for pid in processes(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _prepare(settings: Settings, folder: Path, sounds: Path) -> None:
    write_city(settings, folder / "config")
    sounds.mkdir(exist_ok=True)
    (folder / "data").mkdir()
    (folder / "data" / "prompts").symlink_to(sounds)
