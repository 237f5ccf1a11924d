"""Settings → every file that one Asterisk reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dialplan.arrival import arrival_contexts
from dialplan.callback import callback_context
from dialplan.clock import day_table, first_day, hours_table
from dialplan.codes import seat_contexts
from dialplan.connect import connect_context, leg_context, talked_context
from dialplan.drills import drill_contexts, drill_entries
from dialplan.emergencies import emergency_context, key_globals
from dialplan.handover import features, handover_contexts, handover_entries
from dialplan.jumps import MissingJump, missing_jumps
from dialplan.kept import kept_context
from dialplan.menus import menu_contexts
from dialplan.names import CALLBACK, CONNECT, LANGUAGES, OVERFLOW, ROOM, SURVIVAL
from dialplan.numbers import number_contexts
from dialplan.overflow import overflow_context, ways
from dialplan.render import render
from dialplan.room import room_context
from dialplan.server import AsteriskPlaces, asterisk, bare, cel, cel_custom, logger, manager, modules, music
from dialplan.sip import pjsip, rtp
from dialplan.survey import survey_contexts
from dialplan.survival import survival_contexts, survival_queues
from dialplan.talking import talking_contexts, talking_entries
from dialplan.values import Address, Arg, Ask, At, ConfigFile, Context, Play, Section, Target
from settings.secrets import Secrets
from settings.shape import Language
from settings.shapes import Settings

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
    entries: tuple[Target, ...]
    """Where the controller sends calls, or lets them begin."""


def compile_city(settings: Settings, secrets: Secrets, places: AsteriskPlaces, sounds: Sounds, today: date) -> Compiled:
    """Everything for one instance. The same arguments give the same text.

    `today` is the first day of the table of holidays. Raises SoundMissing, dialplan.render.Unsafe.
    """
    contexts = city_contexts(settings, today)
    general = Section(
        "general",
        # Without autofallthrough whoever a redirect catches between two steps goes on at `t`: see `dialplan.guard`.
        (("static", "yes"), ("writeprotect", "yes"), ("autofallthrough", "no"), ("clearglobalvars", "no")),
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
        "features.conf": features(settings),
        "cel_custom.conf": cel_custom(),
        "musiconhold.conf": music(places),
        **bare(),
    }
    return Compiled({name: render(file) for name, file in sorted(files.items())}, contexts, entries(settings))


def city_contexts(settings: Settings, today: date) -> tuple[Context, ...]:
    """The whole dialplan as values, emergencies first."""
    used = {number.hours for number in settings.numbers.values()}
    return (
        emergency_context(settings),
        *arrival_contexts(settings),
        *seat_contexts(settings),
        *number_contexts(settings),
        *menu_contexts(settings),
        room_context(settings),
        kept_context(settings),
        callback_context(settings),
        overflow_context(settings),
        connect_context(settings),
        leg_context(settings),
        talked_context(settings),
        *survey_contexts(settings),
        *talking_contexts(settings),
        *handover_contexts(settings),
        *drill_contexts(settings),
        *survival_contexts(settings, today),
        day_table(settings, first_day(today)),
        *(hours_table(settings, ident, hours) for ident, hours in settings.hours.items() if ident in used),
    )


def entries(settings: Settings) -> tuple[Target, ...]:
    """Where others than the dialplan send calls."""
    fixed = (Target(ROOM), Target(SURVIVAL), Target(CONNECT, "_X."), Target(CALLBACK, "_X."))
    by_key = (*handover_entries(settings), *drill_entries(settings))
    return (*fixed, *talking_entries(), *by_key, *(Target(OVERFLOW, way) for way in ways(settings)))


def check_jumps(compiled: Compiled) -> list[MissingJump]:
    """Jumps that lead nowhere: none, or the dialplan must not go live."""
    return missing_jumps(compiled.contexts, compiled.entries)


def _spoken(contexts: Iterable[Context], sounds: Sounds) -> tuple[tuple[str, Arg], ...]:
    """A global for each sound that is played: SAY_zh_welcome. Raises SoundMissing."""
    steps = (step for context in contexts for extension in context.extensions for step in extension.steps)
    moves = (step.step if isinstance(step, At) else step for step in steps)
    prompts = sorted({move.prompt for move in moves if isinstance(move, Play | Ask)})
    found: list[tuple[str, Arg]] = []
    for language in LANGUAGES:
        for prompt in prompts:
            path = sounds.get((prompt, language))
            if path is None:
                raise SoundMissing(prompt, language)
            found.append((f"SAY_{language}_{prompt}", Address(str(path))))
    return tuple(found)
