"""Prompts rendered to audio: how much speech a second of processor time gives, and how that grows with the text."""

import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import getloadavg
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.comparison import Comparison, Figure, Run
from prompts import sound
from prompts.pinyin import Speller
from prompts.speak import Manner, SpeechUnavailable, speak
from settings.shape import Language

COMPARISON: Final = Comparison(
    "speech",
    "Prompts to audio",
    (
        Figure("audio_a_cpu_s", "seconds of audio a second of CPU", 1, more_is_better=True),
        Figure("cpu_ms", "CPU, ms a text", 0),
        Figure("wall_ms", "time, ms a text", 0),
        Figure("audio_s", "audio, s a text", 1),
    ),
    size="times the text",
)
SIZES: Final = (1, 4, 16)
TEXTS: Final[Mapping[Language, str]] = {
    "zh": "您好，这里是政务服务热线，请按零转人工。",
    "en": "Welcome to the hotline, press zero for an agent. ",
}
"""The sizes are so many times these."""
WORDS_PER_MINUTE: Final = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    texts: int
    """Rendered one after the other in each round, of each language and size."""
    rounds: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """What rendering one text took."""

    cpu_s: float
    """Of this process, and of that which speaks."""
    wall_s: float
    audio_s: float


def measure(plan: Plan, folder: Path, told: Callable[[str], None]) -> list[Run]:
    """Every round; sounds are made in `folder`. Without espeak-ng nothing is measured. Raises SpeechFailed."""
    speller = Speller({})
    runs: list[Run] = []
    for round_ in range(plan.rounds):
        languages = list(TEXTS)[:: 1 if round_ % 2 == 0 else -1]
        for size in SIZES:
            for language in languages:
                others_load = getloadavg()[0]
                try:
                    found = [rendered(speller, language, size, folder) for _ in range(plan.texts)]
                except SpeechUnavailable as missing:
                    told(str(missing))
                    found = []
                runs.append(Run(language, round_, figures(found), size, others_load))
                told(f"{language}, {size} times the text: {runs[-1].figures['audio_a_cpu_s'] or 0:.1f} s a second")
    return runs


def rendered(speller: Speller, language: Language, times: int, folder: Path) -> Rendered:
    """All that the catalogue does for a text: spelt, spoken in a process of its own, levelled, 8 kHz, written.

    Raises SpeechUnavailable, SpeechFailed, SoundUnreadable.
    """
    began, began_cpu = perf_counter(), _cpu_s()
    spoken = folder / "spoken.wav"
    speak(speller.spoken(TEXTS[language] * times, language).text, Manner(language, WORDS_PER_MINUTE), spoken)
    wave = sound.load(spoken)
    sound.write(wave, folder / "sound")
    return Rendered(_cpu_s() - began_cpu, perf_counter() - began, len(wave) / sound.RATE_HZ)


def figures(found: Sequence[Rendered]) -> dict[str, float | None]:
    """The figures of one round; of none: nothing was measured."""
    if not found:
        return {one.id: None for one in COMPARISON.figures}
    many = len(found)
    cpu_s, wall_s, audio_s = (sum(getattr(one, name) for one in found) for name in ("cpu_s", "wall_s", "audio_s"))
    return {
        "audio_a_cpu_s": audio_s / cpu_s,
        "cpu_ms": 1000 * cpu_s / many,
        "wall_ms": 1000 * wall_s / many,
        "audio_s": audio_s / many,
    }


def _cpu_s() -> float:
    """Of this process, and of those that it started and that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
