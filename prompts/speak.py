"""Has one text spoken by espeak-ng, in a process of its own, and looks at what came out."""

import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

from prompts.speaker import NO_ESPEAK
from settings.shape import Language

VOICES: dict[Language, str] = {"zh": "cmn-latn-pinyin", "en": "gmw/en"}
"""espeak-ng's voices as its library knows them. Chinese is fed with pinyin: `cmn` misreads most hanzi."""

_PROJECT = Path(__file__).resolve().parent.parent
_TRIES = 4
_PATIENCE_S = 30.0
"""One text takes about 0.1 s of a core; the rest is for a machine with other things to do."""
_RATE_HZ = 22_050
_LEAST_S = 0.1


class SpeechUnavailable(Exception):
    """espeak-ng's library is not on this machine."""

    def __init__(self, matter: str) -> None:
        self.matter = matter
        super().__init__(f"prompts cannot be spoken, espeak-ng is missing ({matter}): run `make setup`")


class SpeechFailed(Exception):
    """espeak-ng did not give a whole file after several tries."""

    def __init__(self, text: str, matter: str) -> None:
        self.text = text
        self.matter = matter
        super().__init__(
            f"{text[:60]!r} could not be spoken ({matter}): "
            "look at the text and at the free space on the disk; `make setup` mends a broken espeak-ng"
        )


@dataclass(frozen=True, slots=True)
class Manner:
    """How a text is spoken."""

    language: Language
    words_per_minute: int

    @property
    def voice(self) -> str:
        return VOICES[self.language]


def speak(text: str, manner: Manner, target: Path) -> None:
    """Writes `target`, a WAV of 22050 Hz, mono, 16 bits; the same text gives the same bytes.

    `text` is what `pinyin.Speller` made. Raises SpeechUnavailable or SpeechFailed.
    """
    if not text.strip():
        raise SpeechFailed(text, "there is nothing to say")
    matter = ""
    for _ in range(_TRIES):
        target.unlink(missing_ok=True)
        matter = _try(text, manner, target) or _incomplete(target)
        if not matter:
            return
    raise SpeechFailed(text, matter)


def _try(text: str, manner: Manner, target: Path) -> str:
    """What went wrong; empty when the process ended well."""
    command = [
        sys.executable,
        "-m",
        "prompts.speaker",
        manner.voice,
        str(manner.words_per_minute),
        str(target.resolve()),
    ]
    try:
        ended = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=_PATIENCE_S, cwd=_PROJECT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end within {_PATIENCE_S:g} s"
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    if ended.returncode == NO_ESPEAK:
        raise SpeechUnavailable(said[-1] if said else "its library was not found")
    return "" if ended.returncode == 0 else f"exit status {ended.returncode}: {said[-1] if said else 'no message'}"


def _incomplete(path: Path) -> str:
    """What is wrong with a WAV file; empty when it is whole and of the expected form."""
    try:
        with wave.open(str(path), "rb") as sound:
            form = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
            promised = sound.getnframes()
            frames = len(sound.readframes(promised)) // 2
    except (OSError, EOFError, wave.Error) as error:
        return f"no readable WAV: {error}"
    if form != (1, 2, _RATE_HZ):
        return f"a WAV of an unexpected form {form}"
    if frames < promised or frames < _LEAST_S * _RATE_HZ:
        return f"a WAV of {frames} frames where {promised} were promised"
    return ""
