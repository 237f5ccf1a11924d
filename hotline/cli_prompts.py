"""`hotline prompts`: what is said to callers, and how."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from hotline.failing import plain_errors
from hotline.folders import Folders
from hotline.options import CONFIG, DATA, AsJson, ConfigFolder, DataFolder
from hotline.progress import build_prompts
from prompts import listing
from prompts.catalogue import Catalogue, PromptFailed
from prompts.sound import SoundUnreadable
from settings.check import SettingsWrong, load


def prompts(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    render: Annotated[bool, typer.Option("--render", help="Make what is not built yet.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove sounds that no prompt uses any more.")] = False,
    doubtful: Annotated[bool, typer.Option("--doubtful", help="Only what is missing or may be misread.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what callers hear, and how it is spoken.

    Each prompt with its text, its pronunciation, and what is missing or may be misread.
    """
    with plain_errors(SettingsWrong, PromptFailed, SoundUnreadable):
        catalogue = Catalogue(load(config), Folders(data).prompts)
        if render:
            build_prompts(catalogue)
        removed = catalogue.prune() if prune else ()
        shown = [row for row in listing.rows(catalogue) if not doubtful or row.doubts or row.state == listing.MISSING]
        if as_json:
            for row in shown:
                typer.echo(json.dumps(asdict(row), ensure_ascii=False))
            return
        console = Console()
        console.print(listing.table(shown))
        if removed:
            console.print(f"{len(removed)} unused sounds removed")


COMMANDS = (prompts,)
