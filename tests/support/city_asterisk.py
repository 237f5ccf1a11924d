"""A real Asterisk with a city's compiled configuration, short tones for prompts, and nobody steering."""

import asyncio
import math
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from asterisk.console import console
from asterisk.found import Asterisk
from asterisk.process import AsteriskProcess
from calls.cel import Row, parse
from calls.journal import Arrived, Step
from dialplan.compile import Compiled, compile_city
from dialplan.names import LANGUAGES
from dialplan.server import AsteriskPlaces
from hotline.ports import free_ports, on_free_ports
from settings.edit import with_trunk_ports
from settings.secrets import Secrets
from settings.shape import Language
from settings.shapes import Settings
from settings.system_prompts import spoken_prompts

PASSWORD = "a seat's password"
PIN = "471163"
BOUND_S = 30.0
SHORT_S = 0.2
UNSET = "-"
"""A global variable's value after `clear` that had none: no number, and no prompt."""


def tone(hertz: float, seconds: float) -> bytes:
    """Signed linear, 8 kHz."""
    count = int(8000 * seconds)
    return struct.pack(f"<{count}h", *(int(8000 * math.sin(math.tau * hertz * at / 8000)) for at in range(count)))


def write_sounds(settings: Settings, folder: Path) -> dict[tuple[str, Language], Path]:
    """A short tone for each prompt in each language."""
    folder.mkdir(parents=True, exist_ok=True)
    sounds: dict[tuple[str, Language], Path] = {}
    for place, prompt in enumerate(spoken_prompts(settings.prompts.prompts)):
        sound = tone(300 + 20 * place, SHORT_S)
        for language in LANGUAGES:
            sounds[prompt, language] = folder / f"{prompt}-{language}"
            (folder / f"{prompt}-{language}.sln").write_bytes(sound)
    return sounds


def secrets_of(settings: Settings) -> Secrets:
    named = [ident for ident, trunk in settings.trunks.items() if trunk.username is not None]
    return Secrets(
        "the manager's password",
        dict.fromkeys(settings.answering.seats, PASSWORD),
        dict.fromkeys(named, PASSWORD),
        dict.fromkeys(settings.agents.agents, PIN),
    )


def moved(settings: Settings) -> Settings:
    """The settings on free ports; each trunk's far end on a free port of its own address."""
    far_ends = {ident: (trunk.host, free_ports(trunk.host, 1)[0]) for ident, trunk in settings.trunks.items()}
    return with_trunk_ports(on_free_ports(settings), far_ends)


@dataclass
class CityAsterisk:
    """One that runs."""

    found: Asterisk
    settings: Settings
    places: AsteriskPlaces
    process: AsteriskProcess
    compiled: Compiled
    _globals_at_first: dict[str, str] = field(default_factory=dict)
    """The dialplan's global variables as they were at first."""
    _rows: list[Row] = field(default_factory=list)
    _read: int = 0
    """So many bytes of the journal are in the rows, or are the past."""

    @property
    def server(self) -> tuple[str, int]:
        return str(self.settings.server.sip.address), self.settings.server.sip.port

    async def say(self, command: str) -> str:
        """A console command."""
        return await console(self.found, self.places.etc / "asterisk.conf", command, bound_s=BOUND_S)

    async def beat(self, *, alive: bool = True) -> None:
        """As if a controller steered for the next hour, or none."""
        await self.say(f"dialplan set global HL_BEAT {int(time.time()) + 3600 if alive else 0}")

    def rows(self) -> list[Row]:
        """Everything in the journal since it was cleared."""
        if self.places.journal.exists():
            with self.places.journal.open("rb") as file:
                file.seek(self._read)
                whole, newline, _ = file.read().rpartition(b"\n")
            self._read += len(whole) + len(newline)
            self._rows += [parse(line) for line in whole.decode().split("\n")] if newline else []
        return self._rows

    async def clear(self) -> None:
        """As it was at first, whatever went on until now: no calls, nobody steers, is signed on or blocked,
        and what the journal holds is the past."""
        deadline = time.monotonic() + BOUND_S
        while not (told := await self.say("core show channels count")).startswith("0 active channels"):
            if time.monotonic() > deadline:
                raise AssertionError(f"there are calls that do not end: {told}")
            await self.say("channel request hangup all")
            await asyncio.sleep(0.05)
        for name, value in (await self._globals()).items():
            first = self._globals_at_first.get(name) or UNSET
            if value != first:
                await self.say(f"dialplan set global {name} {first}")
        await self.say("database deltree blocked")
        self.rows()
        self._rows = []

    async def remember(self) -> None:
        """From now on `clear` leads back to this."""
        await self.beat(alive=False)
        self._globals_at_first = await self._globals()

    async def _globals(self) -> dict[str, str]:
        told = await self.say("dialplan show globals")
        return dict(line.strip().partition("=")[::2] for line in told.splitlines() if "=" in line)

    def calls(self) -> list[list[Row]]:
        """The rows of each call, by its linkedid, in the order in which the calls came."""
        found: dict[str, list[Row]] = {}
        for row in self.rows():
            found.setdefault(row.linkedid, []).append(row)
        return list(found.values())

    def linked(self, caller: str) -> str:
        """The linkedid of the last call of this caller."""
        return next(
            row.linkedid for row in reversed(self.rows()) if isinstance(row.step, Arrived) and row.step.caller == caller
        )

    def steps(self, caller: str) -> list[Step]:
        """What the dialplan wrote about the last call of this caller."""
        for rows in reversed(self.calls()):
            steps = [row.step for row in rows if row.step is not None]
            if any(isinstance(step, Arrived) and step.caller == caller for step in steps):
                return steps
        return []

    async def until(self, wanted: Callable[[], bool], what: str) -> None:
        """Polls; raises AssertionError with the journal when it does not come true in time."""
        deadline = time.monotonic() + BOUND_S
        while not wanted():
            if time.monotonic() > deadline:
                told = "\n".join(f"{row.kind} {row.context},{row.exten} {row.extra}" for row in self.rows()[-40:])
                raise AssertionError(f"{what} did not happen; the journal ends with\n{told}")
            await asyncio.sleep(0.02)

    async def until_said(self, command: str, part: str) -> None:
        """Waits until a console command's answer has this in it."""
        deadline = time.monotonic() + BOUND_S
        while part not in (said := await self.say(command)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{command!r} did not say {part!r}: {said}")

    async def until_at(self, caller: str, application: str) -> None:
        """Waits until a caller's channel is in an application."""
        linkedid = self.linked(caller)
        deadline = time.monotonic() + BOUND_S
        while True:
            lines = (await self.say("core show channels concise")).splitlines()
            if any(line.endswith(linkedid) and f"!{application}!" in line for line in lines):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"{caller} did not come to {application}")

    async def wrote(self, caller: str, kind: type, times: int = 1, **fields: object) -> None:
        """Waits for a step of a caller's call."""

        def there() -> bool:
            found = [step for step in self.steps(caller) if isinstance(step, kind)]
            return len([step for step in found if all(getattr(step, k) == v for k, v in fields.items())]) >= times

        await self.until(there, f"{kind.__name__} {fields} of {caller}")

    async def ended(self, caller: str) -> list[Row]:
        """Waits until all has been written of a caller's last call; what it is."""
        linkedid = self.linked(caller)

        def rows() -> list[Row]:
            return [row for row in self.rows() if row.linkedid == linkedid]

        await self.until(lambda: any(row.kind == "LINKEDID_END" for row in rows()), f"the end of {caller}")
        return rows()


def write(compiled: Compiled, places: AsteriskPlaces, extra: Iterable[tuple[str, str]] = ()) -> None:
    for folder in places.folders():
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in (*compiled.files.items(), *extra):
        (places.etc / name).write_text(text, encoding="utf-8")


@asynccontextmanager
async def running(found: Asterisk, settings: Settings, folder: Path, today: date) -> AsyncIterator[CityAsterisk]:
    """Starts it, and stops it in the end. The settings are moved to free ports first."""
    settings = moved(settings)
    places = AsteriskPlaces.under(
        folder, modules=found.modules_dir, data=found.data_dir, music=folder / "prompts" / "music"
    )
    sounds = write_sounds(settings, folder / "prompts")
    places.music.mkdir(parents=True, exist_ok=True)
    (places.music / "hold.sln").write_bytes(tone(200, 5))
    compiled = compile_city(settings, secrets_of(settings), places, sounds, today)
    write(compiled, places)
    process = AsteriskProcess(found, places.etc / "asterisk.conf")
    await process.start()
    try:
        city = CityAsterisk(found, settings, places, process, compiled)
        await city.say("module load res_clioriginate.so")  # For `channel redirect`, in the controller's place.
        await city.remember()
        yield city
    finally:
        await process.stop()
