"""Voices that no two speakers share, made of chirps, and sound files read as telephones hear them."""

import hashlib
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr

from phones import g711
from phones.g711 import RATE_HZ, Wave

Part = Literal["agent", "caller"]

BANDS_HZ: dict[Part, tuple[int, int]] = {"agent": (500, 1200), "caller": (1700, 2800)}
"""Agents and callers speak in bands of their own, so that both are found in a mixed recording."""

_CHIRPS = 10
_CHIRP_S = 0.2
_LEVEL = 8000.0


def voice(part: Part, who: str) -> Wave:
    """Two seconds of a speaker, the same whenever it is asked for: `voice("agent", "8001")`."""
    return chirps(f"{part} {who}", BANDS_HZ[part])


def chirps(name: str, band_hz: tuple[int, int], count: int = _CHIRPS) -> Wave:
    """So many chirps of a fifth of a second, 16 at most, whose pitches are drawn from a name."""
    low_hz, high_hz = band_hz
    drawn = np.frombuffer(hashlib.sha256(name.encode()).digest(), np.uint8)[: 2 * count]
    pitches_hz = low_hz + drawn.astype(np.float64) / 255 * (high_hz - low_hz)
    length = round(_CHIRP_S * RATE_HZ)
    steps = np.concatenate(
        [np.linspace(pitches_hz[2 * n], pitches_hz[2 * n + 1], length, endpoint=False) for n in range(count)]
    )
    phase = 2 * np.pi * np.cumsum(steps) / RATE_HZ
    fade = np.minimum(1.0, np.minimum(np.arange(len(phase)), np.arange(len(phase))[::-1]) / 80)
    return (np.sin(phase) * fade * _LEVEL).astype(np.int16)


class UnknownSound(ValueError):
    """The file's name tells no sound format that is read here."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: cannot tell the format from the name: use .wav, .flac, .sln, .sln16, .alaw or .ulaw")
        self.path = path


def read(path: Path) -> Wave:
    """A sound file as 8 kHz mono: what a telephone would hear of it. Raises UnknownSound, OSError."""
    match path.suffix:
        case ".alaw" | ".al":
            return g711.alaw_decode(path.read_bytes())
        case ".ulaw" | ".ul" | ".pcm":
            return g711.ulaw_decode(path.read_bytes())
        case ".sln":
            return np.frombuffer(path.read_bytes(), "<i2").astype(np.int16)
        case ".sln16":
            return _at_8_khz(np.frombuffer(path.read_bytes(), "<i2").astype(np.float64), 16_000)
        case ".wav" | ".flac":
            with soundfile.SoundFile(str(path)) as file:
                sound = file.read(dtype="float64", always_2d=True).mean(axis=1) * 32768
                return _at_8_khz(sound, file.samplerate)
        case _:
            raise UnknownSound(path)


def _at_8_khz(sound: np.ndarray[tuple[int, ...], np.dtype[np.float64]], rate_hz: int) -> Wave:
    there = sound if rate_hz == RATE_HZ else np.asarray(soxr.resample(sound, rate_hz, RATE_HZ), np.float64)
    return np.clip(np.round(there), -32768, 32767).astype(np.int16)
