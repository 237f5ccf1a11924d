"""Settings → every file that one Asterisk reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dialplan.arrival import arrival_contexts
from dialplan.clock import day_table, first_day, hours_table
from dialplan.connect import connect_context, leg_context, talked_context
from dialplan.emergencies import emergency_context, key_globals
from dialplan.jumps import MissingJump, missing_jumps
from dialplan.menus import menu_contexts
from dialplan.names import CONNECT, LANGUAGES, ROOM, SURVIVAL
from dialplan.numbers import number_contexts
from dialplan.render import render
from dialplan.room import room_context
from dialplan.server import AsteriskPlaces, asterisk, bare, cel, cel_custom, logger, manager, modules, music
from dialplan.sip import pjsip, rtp
from dialplan.survival import survival_contexts, survival_queues
from dialplan.values import Address, Arg, At, ConfigFile, Context, Play, Section, Target
from settings.secrets import Secrets
from settings.shapes import Language, Settings

ENTRIES = (Target(ROOM), Target(CONNECT, "_X."), Target(SURVIVAL))
"""Where the controller sends calls."""

Sounds = Mapping[tuple[str, Language], Path]
"""(prompt, language) → sound file without its extension."""


class SoundMissing(LookupError):
    """A prompt that the dialplan plays has no sound in a language."""

    def __init__(self, prompt: str, language: str) -> None:
        self.prompt = prompt
        self.language = language
        super().__init__(f"the prompt {prompt!r} has no sound for {language!r}: run 'bin/hotline prompts --render'")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What was made: the files by their names, and the dialplan's values behind extensions.conf."""

    files: dict[str, str]
    contexts: tuple[Context, ...]


def compile_city(settings: Settings, secrets: Secrets, places: AsteriskPlaces, sounds: Sounds, today: date) -> Compiled:
    """Everything for one instance. The same arguments give the same text.

    `today` is the first day of the table of holidays. Raises SoundMissing, dialplan.render.Unsafe.
    """
    contexts = city_contexts(settings, today)
    general = Section(
        "general", (("static", "yes"), ("writeprotect", "yes"), ("autofallthrough", "yes"), ("clearglobalvars", "no"))
    )
    known = Section("globals", (*key_globals(settings), *_spoken(contexts, sounds)))
    files = {
        "asterisk.conf": asterisk(settings, places),
        "modules.conf": modules(places),
        "logger.conf": logger(),
        "extensions.conf": ConfigFile((general, known), contexts),
        "queues.conf": survival_queues(settings),
        "pjsip.conf": pjsip(settings, secrets),
        "rtp.conf": rtp(settings),
        "manager.conf": manager(settings, secrets),
        "cel.conf": cel(),
        "cel_custom.conf": cel_custom(),
        "musiconhold.conf": music(places),
        **bare(),
    }
    return Compiled({name: render(file) for name, file in sorted(files.items())}, contexts)


def city_contexts(settings: Settings, today: date) -> tuple[Context, ...]:
    """The whole dialplan as values, emergencies first."""
    used = {number.hours for number in settings.numbers.values()}
    return (
        emergency_context(settings),
        *arrival_contexts(settings),
        *number_contexts(settings),
        *menu_contexts(settings),
        room_context(settings),
        connect_context(settings),
        leg_context(),
        talked_context(),
        *survival_contexts(settings, today),
        day_table(settings, first_day(today)),
        *(hours_table(settings, ident, hours) for ident, hours in settings.hours.items() if ident in used),
    )


def check_jumps(compiled: Compiled) -> list[MissingJump]:
    """Jumps that lead nowhere: none, or the dialplan must not go live."""
    return missing_jumps(compiled.contexts, ENTRIES)


def _spoken(contexts: Iterable[Context], sounds: Sounds) -> tuple[tuple[str, Arg], ...]:
    """A global for each sound that is played: SAY_zh_welcome. Raises SoundMissing."""
    steps = (step for context in contexts for extension in context.extensions for step in extension.steps)
    moves = (step.step if isinstance(step, At) else step for step in steps)
    prompts = sorted({move.prompt for move in moves if isinstance(move, Play)})
    found: list[tuple[str, Arg]] = []
    for language in LANGUAGES:
        for prompt in prompts:
            path = sounds.get((prompt, language))
            if path is None:
                raise SoundMissing(prompt, language)
            found.append((f"SAY_{language}_{prompt}", Address(str(path))))
    return tuple(found)
