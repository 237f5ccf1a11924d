"""Prompts: everything that is said has a text or a recording."""

from collections.abc import Iterator
from pathlib import Path

import soundfile

from settings.actions import Speak
from settings.problems import Problem
from settings.read import Draft
from settings.shape import Language
from settings.shapes import Prompt
from settings.system_prompts import COUNT, COUNTED_PROMPTS, SYSTEM_PROMPTS

_FILE = "prompts.yaml"
_LANGUAGES: tuple[Language, ...] = ("zh", "en")


def system_prompts(draft: Draft) -> Iterator[Problem]:
    if _FILE in draft.unread:
        return
    for ident, when in SYSTEM_PROMPTS.items():
        if ident not in draft.names["prompt"]:
            matter = f"the prompt '{ident}' ({when}) is missing"
            yield Problem(draft.places.key(_FILE, "prompts"), "S070", matter, "write its text")


def texts(draft: Draft) -> Iterator[Problem]:
    own = draft.settings.city.language
    chosen = {
        action.language
        for menu in draft.settings.menus.values()
        for action in menu.keys.values()
        if isinstance(action, Speak)
    }
    for ident, prompt in draft.settings.prompts.prompts.items():
        for language in _LANGUAGES:
            if _has(draft, ident, prompt, language):
                continue
            place = draft.places.key(_FILE, "prompts", ident)
            if language == own:
                matter = f"the prompt '{ident}' has neither text nor recording in the city's language, '{own}'"
                yield Problem(place, "S070", matter, f"add a line '{language}: …'")
            elif language in chosen:
                matter = f"the prompt '{ident}' is not there in '{language}': callers who chose it hear '{own}'"
                yield Problem(place, "S071", matter, f"add a line '{language}: …'")


def _has(draft: Draft, ident: str, prompt: Prompt, language: Language) -> bool:
    text = prompt.zh if language == "zh" else prompt.en
    misread = text is None and draft.places.written(_FILE, "prompts", ident, language) and not draft.sound(_FILE)
    return bool(text and text.strip()) or language in prompt.recordings or misread


def counted(draft: Draft) -> Iterator[Problem]:
    """Where a number is spoken it stands in the text, and nowhere else."""
    for ident, prompt in draft.settings.prompts.prompts.items():
        is_counted = ident in COUNTED_PROMPTS
        texts = {"zh": prompt.zh, "en": prompt.en}
        for language, text in texts.items():
            place = draft.places.value(_FILE, "prompts", ident, language)
            if is_counted and text and text.strip() and COUNT not in text:
                mend = f"write {COUNT} where the number is said"
                yield Problem(place, "S073", f"the prompt '{ident}' does not say its number", mend)
            elif not is_counted and text and COUNT in text:
                mend = f"take it out; only {' and '.join(COUNTED_PROMPTS)} have it"
                yield Problem(place, "S073", f"{COUNT} stands for no number in the prompt '{ident}'", mend)
        if is_counted and prompt.recordings:
            place = draft.places.key(_FILE, "prompts", ident, "recordings")
            mend = f"add a prompt '{ident}_1' with the recording of one number, and so on"
            yield Problem(place, "S073", f"one recording cannot say all numbers of '{ident}'", mend)


def recordings(draft: Draft) -> Iterator[Problem]:
    folder = Path(draft.settings.folder)
    for ident, prompt in draft.settings.prompts.prompts.items():
        for language, written in prompt.recordings.items():
            wrong = _unusable(folder, written)
            if wrong:
                place = draft.places.value(_FILE, "prompts", ident, "recordings", language)
                yield Problem(place, "S072", f"the recording '{written}' {wrong[0]}", wrong[1])


def _unusable(folder: Path, written: str) -> tuple[str, str] | None:
    """What is wrong with a recording, and the mend."""
    if "\0" in written or not (folder / written).resolve().is_relative_to(folder.resolve()):
        return "is not inside the settings' folder", "put the file there and write its name relative to that folder"
    if not (folder / written).is_file():
        return "does not exist", "put the file there, or take the line out"
    try:
        about = soundfile.info(folder / written)
    except (soundfile.SoundFileError, OSError):
        return "cannot be read as sound", "record it again as WAV, FLAC or Ogg"
    return ("is empty", "record it again") if about.frames == 0 else None
