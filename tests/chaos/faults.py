"""What may go wrong, as values: what it is called, how it is done, and who may be lost."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from hotline.stage import until
from tests.chaos.scene import Scene
from tests.chaos.tmpfs import fill

HUNG_S = 5.0
"""Longer than callers wait for a heartbeat."""
LOCKED_S = 5.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong while people call."""

    name: str
    strikes: Callable[[Scene], AbstractAsyncContextManager[None]]
    """It has gone wrong within the context; at its end the cause is removed, as far as that is done by hand."""
    ends_calls: bool = False
    """Whether the calls in progress end with it: nothing can hold them. Who calls meanwhile is served all the same."""
    resynchronises: bool = True
    """Whether the controller reads everything anew from Asterisk afterwards."""
    small_disk: bool = False
    """Whether the city must be on a disk of its own, which can be filled."""
    archived: bool = False
    """Whether the city must send its records on to a PostgreSQL."""


@asynccontextmanager
async def _controller_killed(scene: Scene) -> AsyncIterator[None]:
    await scene.kill("hotline.node")
    yield


@asynccontextmanager
async def _controller_stopped(scene: Scene) -> AsyncIterator[None]:
    pid = scene.pid("hotline.node")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(HUNG_S)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def _link_cut(scene: Scene) -> AsyncIterator[None]:
    """Before more people call, and again while they are on their way."""
    before = scene.said("resynchronised")
    await scene.cut_link()
    yield
    await until("everything read anew", lambda: scene.said("resynchronised") > before)
    await scene.cut_link()
    await until("everything read anew again", lambda: scene.said("resynchronised") > before + 1)


@asynccontextmanager
async def _asterisk_killed(scene: Scene) -> AsyncIterator[None]:
    await scene.kill("asterisk.conf")
    yield


@asynccontextmanager
async def _both_killed(scene: Scene) -> AsyncIterator[None]:
    await scene.kill("asterisk.conf", "hotline.node")
    yield


@asynccontextmanager
async def _supervisor_killed(scene: Scene) -> AsyncIterator[None]:
    controller = scene.pid("hotline.node")
    await scene.kill_supervisor()
    await until("the controller's end", lambda: scene.pid("hotline.node") != controller)
    yield
    await scene.run_again()


@asynccontextmanager
async def _machine_stopped(scene: Scene) -> AsyncIterator[None]:
    """All processes die at once, and what was not on the disk yet is gone; of the last line a part is left."""
    asterisk, controller = scene.pid("asterisk.conf"), scene.pid("hotline.node")
    assert asterisk is not None
    assert controller is not None
    for pid in (asterisk, controller):
        os.kill(pid, signal.SIGKILL)
    await scene.kill_supervisor()
    await until("the end of all", lambda: (scene.pid("asterisk.conf"), scene.pid("hotline.node")) == (None, None))
    os.truncate(scene.journal, scene.synced())
    with scene.journal.open("ab") as file:
        file.write(b'"CHAN_START","1790000000.0')
    await scene.run_again()
    yield


@asynccontextmanager
async def _journal_folder_gone(scene: Scene) -> AsyncIterator[None]:
    shutil.rmtree(scene.journal.parent)
    await until("a folder for the journal", scene.journal.parent.is_dir)
    yield


@asynccontextmanager
async def _store_locked(scene: Scene) -> AsyncIterator[None]:
    connection = await asyncio.to_thread(scene.locked)
    try:
        await asyncio.sleep(LOCKED_S)
        yield
    finally:
        connection.close()


@asynccontextmanager
async def _postgresql_killed(scene: Scene) -> AsyncIterator[None]:
    """It is back once records wait for it."""
    assert scene.archive is not None
    server = scene.archive.server

    async def some_behind() -> bool:
        return bool((await scene.city.stage.health()).get("records_behind"))

    await until("records in PostgreSQL", scene.archive.arrived)
    await asyncio.to_thread(server.kill)
    try:
        yield
        await until("records that wait for PostgreSQL", some_behind)
    finally:
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def _disk_filled(scene: Scene) -> AsyncIterator[None]:
    filler = await asyncio.to_thread(fill, scene.served.folder.parent, 0)
    await until("the alarm", lambda: scene.said("disk_full"), seen=scene.command.said)
    yield
    filler.unlink()


CONTROLLER_KILLED = Fault("controller killed", _controller_killed)
CONTROLLER_STOPPED = Fault(f"controller stopped for {HUNG_S:g} s", _controller_stopped)
LINK_CUT = Fault("AMI link cut", _link_cut)
ASTERISK_KILLED = Fault("Asterisk killed", _asterisk_killed, ends_calls=True)
BOTH_KILLED = Fault("Asterisk and controller killed", _both_killed, ends_calls=True)
MACHINE_STOPPED = Fault("machine stopped, unsynced tail lost", _machine_stopped, ends_calls=True)
SUPERVISOR_KILLED = Fault("supervisor killed", _supervisor_killed)
JOURNAL_GONE = Fault("journal folder removed", _journal_folder_gone, resynchronises=False)
DISK_FILLED = Fault("disk filled", _disk_filled, resynchronises=False, small_disk=True)
STORE_LOCKED = Fault(f"store locked for {LOCKED_S:g} s", _store_locked, resynchronises=False)
POSTGRESQL_KILLED = Fault("PostgreSQL killed", _postgresql_killed, resynchronises=False, archived=True)

SHORT = (CONTROLLER_KILLED, ASTERISK_KILLED, BOTH_KILLED, MACHINE_STOPPED)
"""Those that `make test` tries."""
EVERY = (
    CONTROLLER_KILLED,
    CONTROLLER_STOPPED,
    LINK_CUT,
    ASTERISK_KILLED,
    BOTH_KILLED,
    MACHINE_STOPPED,
    SUPERVISOR_KILLED,
    JOURNAL_GONE,
    STORE_LOCKED,
    POSTGRESQL_KILLED,
    DISK_FILLED,
)
