"""`hotline prompts`: what is said to callers, and how."""

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import soundfile
import typer
from rich.console import Console

from hotline.failing import CannotGoOn, plain_errors
from hotline.folders import Folders
from hotline.options import CONFIG, DATA, AsJson, ConfigFolder, DataFolder
from hotline.progress import build_prompts
from prompts import listing
from prompts.catalogue import LANGUAGES, Catalogue, PromptFailed
from prompts.sound import SoundUnreadable
from settings.check import SettingsWrong, load
from settings.problems import choose


def prompts(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    render: Annotated[bool, typer.Option("--render", help="Make what is not built yet.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove sounds that no prompt uses any more.")] = False,
    play: Annotated[str | None, typer.Option("--play", metavar="PROMPT", help="Play one prompt, and show it.")] = None,
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
        sounds = written_to_play(catalogue, play, data / "play") if play is not None else []
        if play is not None:
            shown = [row for row in listing.rows(catalogue) if row.prompt == play]
        if as_json:
            for row in shown:
                typer.echo(json.dumps(asdict(row), ensure_ascii=False))
            return
        console = Console()
        console.print(listing.table(shown))
        for sound in sounds:
            console.print(player(sound), soft_wrap=True)
        if removed:
            console.print(f"{len(removed)} unused sounds removed")


def written_to_play(catalogue: Catalogue, prompt: str, folder: Path) -> list[Path]:
    """The prompt as WAV files, as callers hear it: one for each language that has a source.

    What is not built yet is made. Raises CannotGoOn, PromptFailed.
    """
    languages = [language for language in LANGUAGES if (prompt, language) in catalogue.entries]
    if not languages:
        mend = choose(prompt, {name for name, _ in catalogue.entries}, "see the list with 'bin/hotline prompts'")
        raise CannotGoOn(f"no prompt is called {prompt!r}", mend)
    build_prompts(catalogue)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for language in languages:
        written.append(folder / f"{prompt}-{language}.wav")
        soundfile.write(written[-1], catalogue.samples(prompt, language), 8000)
    return written


def player(sound: Path) -> str:
    """Plays a sound with whatever this machine has; says what was done."""
    for program in (("aplay", "-q"), ("paplay",), ("pw-play",), ("play", "-q")):
        if shutil.which(program[0]) is not None:
            played = subprocess.run([*program, str(sound)], capture_output=True, check=False)
            if played.returncode == 0:
                return f"played {sound}"
    return f"nothing here can play it: listen to {sound}"


COMMANDS = (prompts,)
