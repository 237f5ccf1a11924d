"""The controller process: steers Asterisk, keeps the records, serves the health page.

It is a child of the supervisor (`hotline.serve`) and knows by its standard input that the
supervisor lives. SIGTERM means: stop steering, go on keeping records. The end of standard input
means: write down what is left, and end.
"""

import asyncio
import gc
import signal
import sqlite3
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog
import typer

from asterisk.presence import absent
from asterisk.switch import AmiSwitch
from calls.live import CallRef
from dialplan.survival import combinations
from hotline import logs
from hotline.archives import archive_of
from hotline.attendance import Attendance
from hotline.bans import Guard
from hotline.controller import Controller, now_ms, utc_ms
from hotline.desk import LiveDesk
from hotline.failing import plain_errors
from hotline.instance import Instance
from hotline.lookout import Lookout
from hotline.meter import Gauges, Meter
from hotline.office import Office
from hotline.only_one import OnlyOne
from hotline.shelf import LiveShelf
from hotline.space import space_at, watched
from recordings.archive import Archive
from recordings.forward import Forwarder
from recordings.keeper import Keeper
from recordings.keys import KeysOpenToOthers, KeysWrong
from recordings.removal import Remover, tell_days
from recordings.retention import Terms
from recordings.store import Store
from routing.leader import AloneLeader
from routing.room import CallerState, Room
from routing.rules import Rules
from routing.seats import SeatState
from web.health import Health, application
from web.serving import served
from web.tokens import Tokens, local_token

log = structlog.get_logger()


def main(data: Path, *, as_json: bool) -> None:
    """Runs until the supervisor is gone. as_json: the log is for programs."""
    logs.configure(as_json=as_json, for_good=True)
    with plain_errors(KeysOpenToOthers, KeysWrong):
        instance = Instance.installed(data)
        with OnlyOne(instance.folders.controller_lock, "a controller"):
            asyncio.run(_serve(instance))


async def _serve(instance: Instance) -> None:
    settings = instance.settings
    node = settings.city.node
    dial = settings.answering.dial
    gauges = Gauges()
    switch = AmiSwitch(node, instance.ami_access(), demands=combinations(settings), dial=dial, aged=gauges.aged)
    archive = archive_of(settings, instance.secrets)
    forwarder = None if archive is None else Forwarder(instance.folders.records, archive)
    office = Office(instance.folders.records, forwards=archive is not None)
    attendance = Attendance(
        instance.folders.asterisk_seen, instance.booted_utc_ms, round(settings.agents.keep_signed_on * 1000)
    )
    desk = LiveDesk(settings, instance.secrets.agents, office, attendance.back)
    room = Room(Rules.of(settings), new_ref=lambda: CallRef(str(uuid4())), utc_ahead_ms=utc_ms() - now_ms())
    controller = Controller([switch], room, AloneLeader(), listener=desk, observer=gauges)
    desk.steer(controller)
    tokens = Tokens.of(instance.folders.tokens)
    local_token(instance.folders.data)
    with Store(instance.folders.records, forwards=archive is not None) as store:
        keeper = Keeper(
            store,
            instance.folders.journal,
            instance.folders.spool,
            instance.folders.recordings,
            node=node,
            timezone=ZoneInfo(settings.city.timezone),
            vault=instance.vault(),
        )
        shelf = LiveShelf(settings, instance.folders, instance.vault().keys, office)
        http = settings.server.http
        health = partial(_health, instance, controller, keeper, forwarder)
        meter = Meter(instance, controller, desk, switch, gauges, health=health)
        app = application(
            health,
            desk,
            shelf,
            tokens,
            metrics=meter.metrics,
            metrics_open=http.address.is_loopback,
            limits=http.limits,
        )
        async with office, shelf:
            await desk.restore()
            async with served(app, http):
                _spare_what_stays()
                log.info("controller_started", node=node)
                beside = Beside(desk, office, archive, forwarder, meter, attendance)
                await _until_orphaned(controller, keeper, instance, beside)
    log.info("controller_ended", node=node)


def _spare_what_stays() -> None:
    """What is there once everything has begun (code, settings, the web's routes) is there until the end. To look
    through it for garbage while calls go on took 103 ms each time; what is left takes 2."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True, slots=True)
class Beside:
    """What runs beside steering and keeping."""

    desk: LiveDesk
    office: Office
    archive: Archive | None
    """What gets a copy of each record."""
    forwarder: Forwarder | None
    """What sends them there."""
    meter: Meter
    attendance: Attendance


async def _until_orphaned(controller: Controller, keeper: Keeper, instance: Instance, beside: Beside) -> None:
    """Steers and keeps until standard input ends; what a part cannot mend ends the process."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, controller.let_go)
    keeping = asyncio.create_task(keeper.run(instance.booted_utc_ms), name="keep")
    steering = asyncio.create_task(controller.run(), name="steer")
    supervised = asyncio.create_task(_input_ended(), name="supervised")
    deciding = asyncio.create_task(beside.desk.run(), name="desk")
    noting = asyncio.create_task(beside.office.run(), name="office")
    guarding = asyncio.create_task(Guard(instance, beside.office).run(), name="guard")
    metering = asyncio.create_task(beside.meter.run(), name="meter")
    parts = {keeping, steering, supervised, deciding, noting, metering, guarding, *_upkeep(instance, keeper)}
    parts.add(asyncio.create_task(beside.attendance.run(lambda: controller.connected), name="attend"))
    if beside.forwarder is not None:
        parts.add(asyncio.create_task(beside.forwarder.run(), name="forward"))
    try:
        waiting = set(parts)
        while supervised in waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        controller.let_go()
        for task in parts - {steering, noting}:
            task.cancel()
        await asyncio.gather(*(parts - {noting}), return_exceptions=True)
        if beside.archive is not None:
            await beside.archive.close()
        beside.desk.close()
        beside.office.stop()
        await asyncio.gather(noting, return_exceptions=True)
        try:
            await keeper.catch_up()
        except (OSError, sqlite3.Error) as error:
            log.error("calls_not_kept", node=instance.settings.city.node, error=str(error))


def _upkeep(instance: Instance, keeper: Keeper) -> set[asyncio.Task[None]]:
    """What removes calls that are kept no longer, tells each day's end of the chain, and ends calls of whose end
    nothing was written."""
    settings, folders = instance.settings, instance.folders
    remover = Remover(
        folders.records,
        folders.recordings,
        Terms.of(settings),
        journal=folders.journal,
        forwards=settings.server.records.copy_to is not None or settings.server.records.postgresql is not None,
    )
    telling = tell_days(folders.records, ZoneInfo(settings.city.timezone))
    looking = Lookout(keeper, instance.booted_utc_ms, partial(absent, instance.ami_access())).run()
    return {
        asyncio.create_task(remover.run(), name="remove"),
        asyncio.create_task(telling, name="days"),
        asyncio.create_task(looking, name="look for calls"),
    }


async def _input_ended() -> None:
    """Waits until whoever holds the other end of standard input is gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while await reader.read(1024):
            pass
    finally:
        transport.close()


def _health(instance: Instance, controller: Controller, keeper: Keeper, forwarder: Forwarder | None) -> Health:
    counts = controller.counts()
    return Health(
        node=instance.settings.city.node,
        city=instance.settings.city.name.zh,
        asterisk_connected=controller.connected,
        steering=controller.steering,
        calls_kept=not keeper.trouble,
        waiting=counts.callers.get(CallerState.WAITING, 0),
        seats_free=counts.seats.get(SeatState.FREE, 0),
        seats_known=sum(counts.seats.values()),
        calls_known=sum(counts.callers.values()),
        disk=_disk(instance),
        records_behind=0 if forwarder is None else forwarder.behind,
    )


def _disk(instance: Instance) -> str:
    try:
        return space_at(watched(instance.folders), instance.settings.server.recording.stop_below_mb * 1_000_000).value
    except OSError:
        return "unknown"


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), as_json="--json" in sys.argv[2:])
    except typer.Exit as refused:  # The clear line has been written.
        sys.exit(refused.exit_code)
