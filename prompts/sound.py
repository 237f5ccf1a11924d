"""Telephone sound: 8 kHz, one channel, not too loud, with a little silence around it.

Each sound is written as `.alaw` and as `.ulaw`, the two codecs of telephone lines: Asterisk picks
the file of the call's codec and sends its bytes as they are, without transcoding a single sample.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

RATE_HZ = 8_000
VERSION = 1
"""Counts changes here that alter the sound of an unchanged source."""

PEAK = 10 ** (-3 / 20)
_SILENCE = 10 ** (-50 / 20)
_MOST_GAIN = 10.0
"""A soft recording is raised by at most 20 dB, so that hiss is not made speech."""
_LEAD_S = 0.1
"""Silence before: the first packets of a call are the ones that get lost."""
_TAIL_S = 0.2
_LONGEST_S = 300.0

_FORMATS = {"alaw": "ALAW", "ulaw": "ULAW"}
SUFFIXES = tuple(f".{suffix}" for suffix in _FORMATS)

Samples = npt.NDArray[np.int16]
Wave = npt.NDArray[np.float32]


class SoundUnreadable(Exception):
    """A sound file that cannot become a prompt."""

    def __init__(self, path: Path, matter: str) -> None:
        self.path = path
        self.matter = matter
        super().__init__(f"{path}: {matter}: put a WAV or FLAC file with speech of at most {_LONGEST_S:g} s there")


def load(path: Path) -> Wave:
    """Any file that libsndfile reads (WAV, FLAC, OGG, MP3 …), trimmed and levelled at 8 kHz.

    Raises SoundUnreadable: no such file, no sound file, longer than 300 s, or nothing but silence.
    """
    try:
        with soundfile.SoundFile(path) as file:
            if len(file) > _LONGEST_S * file.samplerate:
                raise SoundUnreadable(path, f"{len(file) / file.samplerate:.0f} s are too long for a prompt")
            sound: Wave = file.read(dtype="float32", always_2d=True).mean(axis=1)
            rate_hz = file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise SoundUnreadable(path, f"cannot be read as sound ({error})") from error
    if not np.isfinite(sound).all():
        raise SoundUnreadable(path, "holds samples that are no numbers")
    if rate_hz != RATE_HZ:
        sound = soxr.resample(sound, rate_hz, RATE_HZ, quality="HQ")
    loud = np.flatnonzero(np.abs(sound) > _SILENCE)
    if not loud.size:
        raise SoundUnreadable(path, "holds nothing but silence")
    lead, tail = (np.zeros(round(length_s * RATE_HZ), np.float32) for length_s in (_LEAD_S, _TAIL_S))
    return np.concatenate([lead, levelled(sound[loud[0] : loud[-1] + 1]), tail])


def levelled(sound: Wave, peak: float = PEAK) -> Wave:
    """The same sound with its loudest sample at `peak` (−3 dBFS), raised by 20 dB at most."""
    loudest = float(np.abs(sound).max(initial=0.0))
    return sound * np.float32(min(peak / loudest, _MOST_GAIN)) if loudest else sound


def write(sound: Wave, base: Path) -> None:
    """Writes `base`.alaw and `base`.ulaw, each beside its name and then renamed into place."""
    samples = np.clip(np.round(sound * 32767), -32768, 32767).astype(np.int16)
    for suffix, subtype in _FORMATS.items():
        replace(Path(f"{base}.{suffix}"), _writer(samples, subtype))


def _writer(samples: Samples, subtype: str) -> Callable[[Any], None]:
    # By its number: for a file object libsndfile calls back, which needs memory that is both written and run.
    return lambda file: soundfile.write(file.fileno(), samples, RATE_HZ, format="RAW", subtype=subtype, closefd=False)


def replace(path: Path, fill: Callable[[Any], None]) -> None:
    """Fills a new file beside `path` and renames it, so that no reader finds half of it."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            fill(file)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def exists(base: Path) -> bool:
    """Whether the sound is there in every format."""
    return all(Path(f"{base}{suffix}").is_file() for suffix in SUFFIXES)


def samples(base: Path) -> Samples:
    """What a caller on an A-law line hears of the sound `base`. Raises OSError."""
    with Path(f"{base}.alaw").open("rb") as file:
        form = {"samplerate": RATE_HZ, "channels": 1, "format": "RAW", "subtype": "ALAW"}
        heard: Samples = soundfile.read(file.fileno(), dtype="int16", closefd=False, **form)[0]
    return heard
