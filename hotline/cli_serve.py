"""`hotline run` and `hotline demo`."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from asterisk.found import NoAsterisk, TooOld
from asterisk.process import StartFailed, WouldNotDie
from hotline import demo as demonstration
from hotline import logs
from hotline.failing import plain_errors
from hotline.instance import Instance
from hotline.only_one import OnlyOne
from hotline.options import CONFIG, DATA, ConfigFolder, DataFolder
from hotline.progress import build_prompts
from hotline.serve import Supervisor, until_told
from hotline.stage import NeverHappened
from prompts.catalogue import PromptFailed
from prompts.sound import SoundUnreadable
from settings.check import SettingsWrong
from settings.secrets import SecretsOpenToOthers, SecretsWrong

_EXPECTED: tuple[type[Exception], ...] = (
    SettingsWrong,
    SecretsOpenToOthers,
    SecretsWrong,
    PromptFailed,
    SoundUnreadable,
    NoAsterisk,
    TooOld,
    StartFailed,
    WouldNotDie,
    NeverHappened,
)


def run(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Show callers' numbers in the log.")] = False,
) -> None:
    """Serve the city in the foreground until Ctrl-C: Asterisk, the controller, the health page."""
    logs.configure(mask=not unmasked)
    console = Console(stderr=True)
    with plain_errors(*_EXPECTED):
        instance = Instance.of(config, data)
        with OnlyOne(instance.folders.supervisor_lock, "a hotline"):
            build_prompts(instance.catalogue(), console)
            instance.install()
            supervisor = Supervisor(instance.process(), instance.folders)

            def started() -> None:
                console.print(f"[bold]{instance.settings.city.name.zh}[/bold] is served; Ctrl-C ends it. Listening:")
                for what, where in instance.listens():
                    console.print(f"  {what:30} {where}")
                console.print(f"  seats' passwords are in {instance.folders.secrets}")

            asyncio.run(until_told(supervisor, started))


def demo(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
) -> None:
    """Place real calls through the city, listen to them, and show what became of them."""
    console = Console()
    with plain_errors(*_EXPECTED, demonstration.NotAsExpected):
        asyncio.run(demonstration.demonstrate(config, data.resolve(), console))


COMMANDS = (run, demo)
