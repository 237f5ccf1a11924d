"""Sounds become telephone sound: 8 kHz, level, trimmed, in both of the telephone's codecs."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from prompts import sound
from prompts.sound import SoundUnreadable

PEAK_16 = 32767 * 10 ** (-3 / 20)


def tone(path: Path, *, level: float = 0.5, rate_hz: int = 44_100, channels: int = 1, before_s: float = 0.0) -> Path:
    """One second of 440 Hz after some silence; the format by the file's ending."""
    time_s = np.arange(rate_hz) / rate_hz
    heard = np.concatenate([np.zeros(round(before_s * rate_hz)), level * np.sin(2 * np.pi * 440 * time_s)])
    soundfile.write(path, np.repeat(heard[:, None], channels, axis=1), rate_hz)
    return path


def built(path: Path, base: Path) -> sound.Samples:
    sound.write(sound.load(path), base)
    return sound.samples(base)


@pytest.mark.parametrize("name", ["stereo.wav", "stereo.flac", "stereo.ogg"])
def test_any_sound_file_becomes_one_second_of_its_tone(tmp_path: Path, name: str) -> None:
    heard = built(tone(tmp_path / name, channels=2), tmp_path / "out")
    assert heard.size == pytest.approx(1.3 * 8000, abs=200)
    spectrum = np.abs(np.fft.rfft(heard[2000:6000]))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=4)


@pytest.mark.parametrize("level", [0.99, 0.1])
def test_loud_and_soft_sounds_end_at_3_db_below_full_scale(tmp_path: Path, level: float) -> None:
    heard = built(tone(tmp_path / "in.wav", level=level), tmp_path / "out")
    assert np.abs(heard).max() == pytest.approx(PEAK_16, rel=0.05)


def test_a_float_sound_above_full_scale_is_not_corrupted(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.sin(np.arange(8000) / 5) * 4, 8000, subtype="FLOAT")
    assert np.abs(built(tmp_path / "in.wav", tmp_path / "out")).max() == pytest.approx(PEAK_16, rel=0.05)


def test_hiss_is_not_raised_to_speech(tmp_path: Path) -> None:
    heard = built(tone(tmp_path / "in.wav", level=0.005), tmp_path / "out")
    assert np.abs(heard).max() < 32767 * 0.06


def test_silence_around_is_cut_to_a_short_lead_and_tail(tmp_path: Path) -> None:
    heard = built(tone(tmp_path / "in.wav", before_s=3), tmp_path / "out")
    loud = np.flatnonzero(np.abs(heard) > 1000)
    assert loud[0] == pytest.approx(0.1 * 8000, abs=80)
    assert heard.size - loud[-1] == pytest.approx(0.2 * 8000, abs=80)


def test_both_codecs_are_those_of_telephone_lines(tmp_path: Path) -> None:
    sound.write(np.zeros(800, np.float32), tmp_path / "none")
    assert (tmp_path / "none.alaw").read_bytes() == b"\xd5" * 800
    assert (tmp_path / "none.ulaw").read_bytes() == b"\xff" * 800


def test_what_cannot_be_a_prompt_is_refused_with_its_reason(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), 8000)
    soundfile.write(tmp_path / "long.wav", np.ones(301 * 100), 100)
    (tmp_path / "text.wav").write_text("no sound")
    for name, matter in {
        "silent.wav": "nothing but silence",
        "long.wav": "too long",
        "text.wav": "cannot be read as sound",
        "absent.wav": "cannot be read as sound",
    }.items():
        with pytest.raises(SoundUnreadable, match=matter) as refused:
            sound.load(tmp_path / name)
        assert refused.value.path == tmp_path / name


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "prompt.alaw"
    target.write_bytes(b"old")

    def fail(file: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        sound.replace(target, fail)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("prompt.alaw", b"old")]
