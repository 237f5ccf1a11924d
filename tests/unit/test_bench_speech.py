"""The benchmark of speech: figures of what was rendered, and none of what was not."""

from pathlib import Path

import pytest

from bench import speech
from bench.speech import COMPARISON, SIZES, TEXTS, Plan, Rendered, figures, measure
from prompts.pinyin import Speller
from prompts.speak import SpeechUnavailable


def test_what_several_texts_took_is_told_of_one() -> None:
    told = figures([Rendered(0.1, 0.2, 4.0), Rendered(0.3, 0.4, 6.0)])
    assert told == pytest.approx({"audio_a_cpu_s": 25.0, "cpu_ms": 200.0, "wall_ms": 300.0, "audio_s": 5.0})


def test_a_text_is_rendered_as_callers_hear_it(tmp_path: Path) -> None:
    found = speech.rendered(Speller({}), "zh", 1, tmp_path)
    assert found.audio_s > 1.0
    assert found.cpu_s > 0.0
    assert {path.suffix for path in tmp_path.glob("sound.*")} == {".alaw", ".ulaw"}


def test_without_a_voice_nothing_is_shown_and_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise SpeechUnavailable("no library")

    monkeypatch.setattr(speech, "speak", missing)
    told: list[str] = []
    runs = measure(Plan(1, 2), tmp_path, told.append)
    assert {(run.way, run.size) for run in runs} == {(way, size) for way in TEXTS for size in SIZES}
    assert all(value is None for run in runs for value in run.figures.values())
    assert set(runs[0].figures) == {figure.id for figure in COMPARISON.figures}
    assert any("make setup" in one for one in told)
