"""Every prompt of a city: where its sound comes from, which file it is, and how it is built."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import assert_never, get_args

from prompts import music, sound
from prompts.pinyin import Speller, Spoken
from prompts.speak import Manner, speak
from settings.emergencies import routes
from settings.shape import Language
from settings.shapes import Prompt, Settings, SubCentre
from settings.system_prompts import SYSTEM_PROMPTS, spoken_prompts

LANGUAGES: tuple[Language, ...] = get_args(Language)
_RENDERER = f"1+{sound.VERSION}"
"""Part of every file's name: counting it up builds every prompt anew."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text for the synthesised voice."""

    text: str
    spoken: Spoken
    manner: Manner


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file that a person made; it wins over a text."""

    path: Path


Source = Text | Recording


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt in one language that it has a source for."""

    prompt: str
    language: Language
    source: Source
    base: Path
    """Its sound files' path without extension; it changes whenever the sound would."""

    @property
    def built(self) -> bool:
        return sound.exists(self.base)


@dataclass(frozen=True, slots=True)
class Progress:
    """One more prompt was built: `done` of `total`."""

    done: int
    total: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    made: tuple[Entry, ...]
    kept: int
    """So many were there already."""


class PromptSilent(LookupError):
    """A prompt that no caller can hear yet."""

    def __init__(self, prompt: str, language: str, matter: str, mend: str) -> None:
        self.prompt = prompt
        self.language = language
        self.matter = matter
        self.mend = mend
        super().__init__(f"prompt {prompt!r} in {language!r} {matter}: {mend}")


class PromptFailed(Exception):
    """One prompt could not be built; the others were. The cause is the exception's `__cause__`."""

    def __init__(self, entry: Entry, matter: str) -> None:
        self.entry = entry
        super().__init__(f"prompt {entry.prompt!r} in {entry.language!r}: {matter}")


class Catalogue:
    """The prompts of `settings`, kept in `folder` as sound files named by their content.

    Reads the recordings that the settings name: raises sound.SoundUnreadable for one that is missing.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._city_language: Language = settings.city.language
        self._settings = settings
        self._folder = folder.resolve()
        self._speller = Speller(settings.prompts.pronunciations, telephone_numbers(settings))
        self._prompts = spoken_prompts(settings.prompts.prompts)
        found = (
            self._entry(ident, prompt, language) for ident, prompt in self._prompts.items() for language in LANGUAGES
        )
        self.entries: Mapping[tuple[str, Language], Entry] = MappingProxyType(
            {(entry.prompt, entry.language): entry for entry in found if entry}
        )

    def missing(self) -> tuple[Entry, ...]:
        """What a build would make."""
        return tuple(entry for entry in self.entries.values() if not entry.built)

    def wordless(self) -> tuple[str, ...]:
        """Prompts that have neither text nor recording in any language, system prompts included."""
        unwritten = [prompt for prompt in SYSTEM_PROMPTS if prompt not in self._settings.prompts.prompts]
        wanted = dict.fromkeys([*self._prompts, *unwritten])
        return tuple(prompt for prompt in wanted if self._heard(prompt, self._city_language) is None)

    def build(self, on_progress: Callable[[Progress], None] = lambda _: None) -> Built:
        """Makes every sound that is missing, several at once, and the music.

        Safe to repeat and to interrupt: a file is there whole or not at all. `on_progress` is
        called in this thread. Raises PromptFailed for the first prompt that could not be made,
        after all others were.
        """
        music.write(self._folder / "music")
        missing = self.missing()
        failed: list[PromptFailed] = []
        with (
            tempfile.TemporaryDirectory(prefix=".build-", dir=self._folder) as work,
            ThreadPoolExecutor(min(len(missing), os.cpu_count() or 1) or 1) as workers,
        ):
            tasks = {workers.submit(_make, entry, Path(work)): entry for entry in missing}
            try:
                for done, task in enumerate(as_completed(tasks), start=1):
                    error = task.exception()
                    if error is not None:
                        failed.append(_failed(tasks[task], error))
                    on_progress(Progress(done, len(missing), tasks[task]))
            finally:
                workers.shutdown(cancel_futures=True)
        if failed:
            raise failed[0]
        return Built(missing, len(self.entries) - len(missing))

    def sounds(self) -> Mapping[tuple[str, Language], Path]:
        """(prompt, language) → the path that Asterisk plays, absolute and without extension.

        A prompt without a source in a language is heard in the city's, or in the other one. The
        files exist after `build`.
        """
        heard = (
            (prompt, language, self._heard(prompt, language)) for prompt in self._prompts for language in LANGUAGES
        )
        return {(prompt, language): entry.base for prompt, language, entry in heard if entry}

    def samples(self, prompt: str, language: Language) -> sound.Samples:
        """What a caller hears, 8 kHz. Raises PromptSilent when there is nothing, or not yet."""
        entry = self._heard(prompt, language)
        if entry is None:
            raise PromptSilent(prompt, language, "has neither text nor recording", "add it to prompts.yaml")
        try:
            return sound.samples(entry.base)
        except FileNotFoundError as error:
            raise PromptSilent(prompt, language, "is not built yet", "run `bin/hotline prompts --render`") from error

    def music_folder(self) -> Path:
        """The folder of music for callers who wait; it holds nothing else."""
        return self._folder / "music"

    def prune(self) -> tuple[Path, ...]:
        """Removes sounds of earlier texts; returns what was removed.

        Only when no running Asterisk still has a dialplan that names them.
        """
        current = {entry.base.name for entry in self.entries.values()}
        stale = [
            path
            for path in sorted(self._folder.glob("*"))
            if path.suffix in sound.SUFFIXES and path.is_file() and path.stem not in current
        ]
        for path in stale:
            path.unlink(missing_ok=True)
        return tuple(stale)

    def _heard(self, prompt: str, language: Language) -> Entry | None:
        order = dict.fromkeys([language, self._city_language, *LANGUAGES])
        return next((self.entries[prompt, tried] for tried in order if (prompt, tried) in self.entries), None)

    def _entry(self, ident: str, prompt: Prompt, language: Language) -> Entry | None:
        source = self._source(prompt, language)
        if source is None:
            return None
        return Entry(ident, language, source, self._folder / f"{ident}-{language}-{_digest(source)}")

    def _source(self, written: Prompt, language: Language) -> Source | None:
        recording = written.recordings.get(language)
        if recording is not None:
            return Recording(Path(self._settings.folder) / recording)
        text = written.zh if language == "zh" else written.en
        if text is None or not text.strip():
            return None
        manner = Manner(language, self._settings.prompts.voice.words_per_minute)
        return Text(text, self._speller.spoken(text, language), manner)


def telephone_numbers(settings: Settings) -> frozenset[str]:
    """Every number that a prompt may name, to be read digit by digit."""
    emergencies = routes(settings.emergencies)
    modes = [mode for number in settings.numbers.values() for mode in number.modes]
    transfers = [mode.dial for mode in modes if isinstance(mode, SubCentre)]
    return frozenset([*settings.numbers, *transfers, *(route.number for route in emergencies)])


def _digest(source: Source) -> str:
    """Of all that the sound depends on: what the voice is fed (with it text and pronunciations) and how."""
    match source:
        case Text(_, spoken, manner):
            parts = ["text", manner.voice, str(manner.words_per_minute), spoken.text]
            content = "\0".join(parts).encode()
        case Recording(path):
            try:
                content = b"recording\0" + path.read_bytes()
            except OSError as error:
                raise sound.SoundUnreadable(path, f"cannot be read ({error.strerror})") from error
        case _:
            assert_never(source)
    return hashlib.sha256(_RENDERER.encode() + b"\0" + content).hexdigest()[:16]


def _make(entry: Entry, work: Path) -> None:
    match entry.source:
        case Text(_, spoken, manner):
            spoken_file = work / f"{entry.base.name}.wav"
            speak(spoken.text, manner, spoken_file)
            sound.write(sound.load(spoken_file), entry.base)
            spoken_file.unlink()
        case Recording(path):
            sound.write(sound.load(path), entry.base)
        case _:
            assert_never(entry.source)


def _failed(entry: Entry, error: BaseException) -> PromptFailed:
    failed = PromptFailed(entry, str(error))
    failed.__cause__ = error
    return failed
