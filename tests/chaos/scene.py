"""A city that is served as `bin/hotline run` serves it, and what faults need to know of it."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from asterisk.console import console
from dialplan.names import AMI_USER
from hotline.stage import agent, until
from prompts.catalogue import Catalogue
from settings.shapes import Settings
from tests.chaos.archive import Archive
from tests.support.city_command import Command, Served, city_in_folders, process_of
from tests.support.city_watch import City, unannounced, with_seats
from tests.support.postgres_server import PostgresServer
from tests.support.quick_city import quick_city

SEATS = tuple(str(seat) for seat in range(7001, 7009))
RECOVERED_S = 120.0
"""Whatever has not recovered after so long is not going to."""


@dataclass(slots=True)
class Scene:
    """The processes and files of one city under fire."""

    served: Served
    city: City
    command: Command
    beside: list[Command] = field(default_factory=list)
    """Earlier commands of this city."""
    archive: Archive | None = None
    """Where its records are sent on to."""

    # --- its processes ----------------------------------------------------------------------------

    def pid(self, name: str) -> int | None:
        """The process of `asterisk.conf` or `hotline.node`."""
        return process_of(self.served.data, name)

    async def kill(self, *names: str) -> None:
        """Kills these processes at once, and waits until they are gone."""
        pids = [pid for name in names if (pid := self.pid(name)) is not None]
        assert len(pids) == len(names), f"{names} do not all run"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        await until(f"the end of {names}", lambda: not any(alive(pid) for pid in pids))

    async def kill_supervisor(self) -> None:
        with suppress(ProcessLookupError):
            self.command.process.kill()
        await self.command.ended()

    async def run_again(self) -> None:
        """Starts the command anew, as the system's service manager would."""
        self.beside.append(self.command)
        self.command = await self.served.start("run")
        await self.command.until_said("is served")

    def said(self, event: str) -> int:
        """How often the city's log has named an event."""
        return sum(one.said().count(event) for one in (*self.beside, self.command))

    async def cut_link(self) -> None:
        """Asterisk ends the controller's AMI session; returns once the controller knows."""
        lost = self.said("switch_lost")
        told = await self._console("manager show connected")
        handles = [words[4] for line in told.splitlines() if (words := line.split())[:1] == [AMI_USER]]
        assert len(handles) == 1, told
        await self._console(f"manager kick session {handles[0]}")
        await until("the controller without a link", lambda: self.said("switch_lost") > lost, seen=self.command.said)

    async def _console(self, command: str) -> str:
        asterisk = self.city.stage.instance.process()
        return await console(asterisk.found, asterisk.conf, command)

    # --- how it stands ----------------------------------------------------------------------------

    async def until_ready(self, what: str = "a city that is ready") -> None:
        await until(what, self._ready, within_s=RECOVERED_S, seen=lambda: self.command.said()[-3000:])

    async def _ready(self) -> bool:
        health = await self.city.stage.health()
        return bool(health) and health["steering"] and health["asterisk_connected"] and health["calls_kept"]

    async def until_manned(self) -> None:
        """Every seat's telephone is there, and free."""
        for seat in SEATS:
            phone = self.city.stage.seats[seat]
            phone.behave = agent(seat)
            await phone.register()
        await self.city.stage.until_healthy(
            f"{len(SEATS)} free seats", lambda health: bool(health["steering"]) and health["seats_free"] == len(SEATS)
        )

    async def until_empty(self) -> None:
        """Nobody calls any more."""
        await self.city.stage.until_healthy(
            "nobody calling", lambda health: bool(health["steering"]) and health["calls_known"] == 0
        )

    # --- what it keeps ----------------------------------------------------------------------------

    @property
    def journal(self) -> Path:
        return self.city.stage.instance.folders.journal

    def synced(self) -> int:
        """Up to where the journal file was on the disk when its keeper last kept something, in bytes."""
        status = self.journal.stat()
        rows = self.city.store.rows(
            "SELECT offset FROM places WHERE device = ? AND inode = ?", status.st_dev, status.st_ino
        )
        return int(rows[0]["offset"]) if rows else 0

    def locked(self) -> sqlite3.Connection:
        """The store's file, locked against every writer until it is closed."""
        path = self.city.stage.instance.folders.records
        connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        return connection


def alive(pid: int) -> bool:
    """Whether the process runs; one that waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def settings() -> Settings:
    """Eight seats that need nobody to sign on."""
    return with_seats(unannounced(quick_city()), dict.fromkeys(SEATS, ("general",)), ring_s=5.0, rest_s=0.5)


def small_settings(stop_below_mb: int) -> Settings:
    """The same city on a small disk."""
    server = settings().server
    recording = server.recording.model_copy(update={"stop_below_mb": stop_below_mb})
    return settings().model_copy(update={"server": server.model_copy(update={"recording": recording})})


@asynccontextmanager
async def scene(
    folder: Path, sounds: Path, city: Settings, *, postgres: PostgresServer | None = None
) -> AsyncIterator[Scene]:
    """Serves the city in an existing folder with a short path; every process of it is gone afterwards.

    postgres: the server that records are sent on to.
    """
    await asyncio.to_thread(Catalogue(city, sounds).build)
    async with city_in_folders(city, folder, sounds) as served:
        archive = None if postgres is None else await Archive.of(served, postgres)
        command = await served.start("run")
        await command.until_said("is served")
        found = Scene(served, await served.people(seats=SEATS), command, archive=archive)
        await found.until_ready()
        try:
            yield found
        finally:
            await asyncio.gather(
                *(call.hang_up() for call in found.city.stage.carrier.calls if not call.over), return_exceptions=True
            )
            await found.kill_supervisor()
