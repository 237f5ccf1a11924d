"""Music for callers who wait, composed here: a quiet arpeggio that loops without a seam.

Nobody else has rights in it, and a telephone's 300 to 3400 Hz carry all of its notes.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from prompts import sound

_BEAT_S = 0.4
_PEAK = 10 ** (-14 / 20)
"""Well below speech, which stands at −3 dBFS."""
_DECAY_S = 0.9
_HARMONICS = ((1, 1.0, 1.0), (2, 0.28, 0.6), (3, 0.10, 0.4))
"""(multiple, level, how long it sounds)."""

_CHORDS = (
    (60, 64, 67, 72), (57, 64, 69, 72), (53, 60, 65, 69), (55, 62, 67, 71),
    (60, 64, 67, 76), (64, 67, 71, 76), (65, 69, 72, 77), (55, 62, 67, 74),
)  # fmt: skip
"""MIDI notes: C, a, F, G, C, e, F, G."""
_PATTERN = (0, 1, 2, 3, 2, 1, 2, 1)
_ROUNDS = 2
"""The second one sings each chord's highest note an octave higher."""
_VERSION = 1
"""Counts changes of the music."""

Notes = npt.NDArray[np.float64]


def compose() -> sound.Wave:
    """51.2 s at 8 kHz; the end of the last notes sounds on at the beginning."""
    step = round(_BEAT_S * sound.RATE_HZ)
    length = step * len(_PATTERN) * len(_CHORDS) * _ROUNDS
    music = np.zeros(length, np.float64)
    begin = 0
    for turn in range(_ROUNDS):
        for chord in _CHORDS:
            for place in _PATTERN:
                higher = 12 if turn and place == len(chord) - 1 else 0
                note = _note(chord[place] + higher)
                at = np.arange(begin, begin + note.size) % length
                music[at] += note
                begin += step
    made: sound.Wave = (music * (_PEAK / np.abs(music).max())).astype(np.float32)
    return made


def _note(midi: int) -> Notes:
    """One plucked note, 3 s long with its tail."""
    time_s: Notes = np.arange(3 * sound.RATE_HZ) / sound.RATE_HZ
    pitch_hz = 440.0 * 2 ** ((midi - 69) / 12)
    note: Notes = np.zeros_like(time_s)
    for multiple, level, lasts in _HARMONICS:
        note += level * np.exp(-time_s / (_DECAY_S * lasts)) * np.sin(2 * np.pi * multiple * pitch_hz * time_s)
    note *= np.minimum(time_s / 0.012, 1.0)
    note *= np.minimum((time_s[-1] - time_s) / 0.3, 1.0)
    return note


def write(folder: Path) -> Path:
    """Makes sure that `folder` holds the music and nothing else to play; returns its path without extension."""
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / f"hold{_VERSION}"
    for old in folder.glob("hold*"):
        if old.stem != base.name:
            old.unlink(missing_ok=True)
    if not sound.exists(base):
        sound.write(compose(), base)
    return base
