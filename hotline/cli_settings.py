"""`hotline check` and `hotline compile`: the operators' settings, before they go live."""

import asyncio
import json
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from asterisk.found import NoAsterisk, TooOld
from hotline.failing import CannotGoOn, plain_errors
from hotline.folders import Folders
from hotline.instance import Instance
from hotline.only_one import OnlyOne
from hotline.options import CONFIG, DATA, AsJson, ConfigFolder, DataFolder
from hotline.progress import Steps, build_prompts
from hotline.rehearsal import rehearse
from prompts.catalogue import PromptFailed
from prompts.sound import SoundUnreadable
from settings import schema as schemas
from settings.check import Checked, SettingsWrong
from settings.check import check as check_folder
from settings.problems import Problem
from settings.secrets import SecretsOpenToOthers, SecretsWrong, load_or_create


def _checked(config: Path) -> Checked:
    if not config.is_dir():
        raise CannotGoOn(f"{config} is no folder", "give the settings' folder with --config")
    undated = check_folder(config)
    zone = ZoneInfo(undated.settings.city.timezone) if undated.settings is not None else ZoneInfo("Asia/Shanghai")
    return check_folder(config, datetime.now(zone).date())


def check(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    schema: Annotated[Path | None, typer.Option(help="Also write a JSON Schema of each file there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every problem of the settings at once.

    One a line: file, line, column, code, what is wrong, how to mend it. Exit code 1 if there is any but warnings.
    Passwords that the data folder holds are looked at too.
    """
    with plain_errors(SecretsOpenToOthers, SecretsWrong):
        checked = _checked(config)
        if schema is not None:
            schemas.write(schema)
        for problem in checked.problems:
            typer.echo(_as_json(problem) if as_json else _as_line(problem))
        if checked.errors or checked.settings is None:
            raise typer.Exit(1)
        secrets = Folders(data).secrets
        if secrets.exists():
            load_or_create(secrets, checked.settings)
        if not as_json:
            warnings = len(checked.problems)
            typer.echo(f"{config}: the settings can be used" + (f"; warnings: {warnings}" if warnings else ""))


def _as_line(problem: Problem) -> str:
    return str(problem) + (" (warning)" if problem.severity == "warning" else "")


def _as_json(problem: Problem) -> str:
    told = {"code": problem.code, "severity": problem.severity, "matter": problem.matter, "mend": problem.mend}
    return json.dumps({**asdict(problem.place), **told}, ensure_ascii=False)


def compile(  # noqa: A001 - it is the command's name
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    out: Annotated[
        Path | None, typer.Option(help="Write the files there instead of the instance's own folder.")
    ] = None,
    rehearsed: Annotated[
        bool, typer.Option("--rehearse", help="Try it in a second Asterisk; nothing goes live.")
    ] = False,
) -> None:
    """Write Asterisk's configuration from the settings."""
    with plain_errors(
        SettingsWrong, SecretsOpenToOthers, SecretsWrong, PromptFailed, SoundUnreadable, NoAsterisk, TooOld
    ):
        instance = Instance.of(config, data)
        build_prompts(instance.catalogue())
        console = Console()
        if rehearsed:
            asyncio.run(rehearse(instance, Steps(console)))
            return
        # The files of a running instance are its own: its Asterisk may read them again at any time.
        with nullcontext() if out is not None else OnlyOne(instance.folders.supervisor_lock, "a hotline"):
            folder = out or instance.folders.etc
            files = instance.compile_to(folder)
        console.print(f"{len(files)} files written to {folder}", soft_wrap=True)


COMMANDS = (check, compile)
