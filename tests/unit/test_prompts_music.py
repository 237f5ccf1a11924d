"""The music for waiting callers: quiet, without a seam, made once."""

from pathlib import Path

import numpy as np

from prompts import music, sound


def test_the_music_loops_without_a_seam() -> None:
    tune = music.compose()
    steps = np.abs(np.diff(tune))
    assert abs(tune[0] - tune[-1]) <= np.percentile(steps, 99)
    edges = [np.sqrt(np.mean(part**2)) for part in (tune[:800], tune[-800:])]
    assert min(edges) > 0.1 * np.sqrt(np.mean(tune**2))


def test_the_music_is_quieter_than_speech_and_lasts_most_of_a_minute() -> None:
    tune = music.compose()
    assert 30 <= tune.size / sound.RATE_HZ <= 60
    assert np.abs(tune).max() < sound.PEAK / 3


def test_the_music_is_written_once_and_replaces_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "hold0.alaw").write_bytes(b"old")
    base = music.write(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(written) == {base.with_suffix(".alaw"), base.with_suffix(".ulaw")}
    music.write(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
