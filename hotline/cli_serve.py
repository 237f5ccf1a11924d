"""`hotline run` and `hotline demo`."""

import asyncio
import errno
import signal
import socket
import time
from collections.abc import Coroutine

import typer
from rich.console import Console

from asterisk.found import NoAsterisk, TooOld
from asterisk.process import StartFailed, WouldNotDie
from hotline import demo as demonstration
from hotline import logs
from hotline.failing import CannotGoOn, plain_errors
from hotline.instance import Instance
from hotline.only_one import OnlyOne
from hotline.options import CONFIG, DATA, AsJson, ConfigFolder, DataFolder
from hotline.progress import build_prompts
from hotline.serve import Supervisor, until_told
from hotline.stage import NeverHappened
from prompts.catalogue import PromptFailed
from prompts.sound import SoundUnreadable
from recordings.keys import KeysOpenToOthers, KeysWrong
from settings.check import SettingsWrong
from settings.secrets import SecretsOpenToOthers, SecretsWrong
from settings.shapes import Server

_EXPECTED: tuple[type[Exception], ...] = (
    SettingsWrong,
    SecretsOpenToOthers,
    SecretsWrong,
    KeysOpenToOthers,
    KeysWrong,
    PromptFailed,
    SoundUnreadable,
    NoAsterisk,
    TooOld,
    StartFailed,
    WouldNotDie,
    NeverHappened,
)

LAST_MOMENT_S = 5.0
"""How long a port may still be in use by a controller that is about to end."""


def run(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    as_json: AsJson = False,
) -> None:
    """Serve the city in the foreground until Ctrl-C.

    Runs Asterisk, the controller and the health page, and tells what listens where.
    """
    logs.configure(as_json=as_json)
    console = Console(stderr=True)
    with plain_errors(*_EXPECTED):
        instance = Instance.of(config, data)
        with OnlyOne(instance.folders.supervisor_lock, "a hotline"):
            adopted = _left_behind(instance)
            if adopted is not None:
                if adopted.settings != instance.settings:
                    console.print("Asterisk still runs with the former settings: stop and start to use the new ones")
                instance = adopted
            else:
                build_prompts(instance.catalogue(), console)
                instance.install()
                require_ports(instance.settings.server)
            supervisor = Supervisor(
                instance.process(),
                instance.folders,
                as_json=as_json,
                stop_below_mb=instance.settings.server.recording.stop_below_mb,
            )

            def started() -> None:
                console.print(f"[bold]{instance.settings.city.name.zh}[/bold] is served; Ctrl-C ends it. Listening:")
                for what, where in instance.listens():
                    console.print(f"  {what:30} {where}")
                console.print(f"  seats' passwords and agents' PINs are in {instance.folders.secrets}", soft_wrap=True)

            asyncio.run(_stoppable(until_told(supervisor, started), signal.SIGHUP))


def _left_behind(instance: Instance) -> Instance | None:
    """The instance whose Asterisk outlived its supervisor: it goes on with what it was started with."""
    runs = (instance.folders.etc / "asterisk.conf").exists() and asyncio.run(instance.process().adopt()) is not None
    return Instance.installed(instance.folders.data) if runs else None


def require_ports(server: Server) -> None:
    """Raises CannotGoOn for one that is taken: Asterisk would start all the same, and serve nobody."""
    for key, place, kind in (
        ("sip", server.sip, socket.SOCK_DGRAM),
        ("ami", server.ami, socket.SOCK_STREAM),
        ("http", server.http, socket.SOCK_STREAM),
    ):
        error = _cannot_listen(str(place.address), place.port, kind)
        if error is not None:
            show = "ss -lnup" if kind is socket.SOCK_DGRAM else "ss -lntp"
            end = f"end what is there ('{show}' shows it), or " if error.errno == errno.EADDRINUSE else ""
            raise CannotGoOn(
                f"nothing can listen at {place.address}:{place.port} ({error.strerror})",
                f"{end}write another address or port under '{key}' in server.yaml",
            )


def _cannot_listen(address: str, port: int, kind: socket.SocketKind) -> OSError | None:
    """Why not; None: it can. A controller that lost its supervisor may need a moment to end."""
    deadline_s = time.monotonic() + LAST_MOMENT_S
    while True:
        with socket.socket(socket.AF_INET, kind) as trial:
            if kind is socket.SOCK_STREAM:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # Connections that ended are in no way.
            try:
                trial.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline_s:
                    return error
            else:
                return None
        time.sleep(0.2)


async def _stoppable(work: Coroutine[object, object, None], *numbers: signal.Signals) -> None:
    """Lets each of these signals end the work as Ctrl-C does, so that nothing is left running."""
    task = asyncio.ensure_future(work)
    told: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        told.append(number)
        task.cancel()

    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:  # As under nohup.
            asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise
        raise typer.Exit(128 + told[0]) from None


def demo(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
) -> None:
    """Place real calls and show what became of them.

    Runs the city on free ports, with telephones of its own that call, listen, press keys and talk.
    """
    console = Console()
    with plain_errors(*_EXPECTED, demonstration.NotAsExpected):
        work = demonstration.demonstrate(config, data.resolve(), console)
        asyncio.run(_stoppable(work, signal.SIGTERM, signal.SIGHUP))


COMMANDS = (run, demo)
