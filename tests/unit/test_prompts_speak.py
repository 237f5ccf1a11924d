"""espeak-ng speaks, one process a text; what it leaves undone is noticed and tried again."""

import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prompts import speak as speaking
from prompts.speak import Manner, SpeechFailed, SpeechUnavailable, speak

TEXT = "nin2 hao3, huan1 ying2 zhi4 dian4."


def length_s(path: Path) -> float:
    with wave.open(str(path)) as sound:
        return float(sound.getnframes() / sound.getframerate())


def test_the_same_text_gives_the_same_sound_every_time(tmp_path: Path) -> None:
    """A rate or voice that was lost on the way would change it."""
    files = [tmp_path / f"{number}.wav" for number in range(8)]
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda file: speak(TEXT, Manner("zh", 200), file), files))
    assert len({file.read_bytes() for file in files}) == 1


def test_rate_and_language_are_heard(tmp_path: Path) -> None:
    slow, fast, english = (tmp_path / f"{name}.wav" for name in ("slow", "fast", "english"))
    speak(TEXT, Manner("zh", 100), slow)
    speak(TEXT, Manner("zh", 250), fast)
    speak(TEXT, Manner("en", 250), english)
    assert length_s(slow) > 2 * length_s(fast)
    assert fast.read_bytes() != english.read_bytes()


def test_nothing_to_say_is_refused_before_any_process_starts(tmp_path: Path) -> None:
    with pytest.raises(SpeechFailed, match="nothing to say"):
        speak("  ", Manner("zh", 160), tmp_path / "x.wav")


def test_a_folder_that_cannot_be_written_is_an_error_and_no_endless_wait(tmp_path: Path) -> None:
    with pytest.raises(SpeechFailed, match="No such file"):
        speak(TEXT, Manner("zh", 160), tmp_path / "absent" / "x.wav")


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Runs `script` in place of the speaking process; its third argument is the file to write."""
    program = folder / "stand_in"
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


HALF_THEN_WHOLE = """
import sys, wave
from pathlib import Path
target = Path(sys.argv[-1])
tries = target.parent / "tries"
tried = len(tries.read_text()) if tries.exists() else 0
tries.write_text("x" * (tried + 1))
if tried:
    with wave.open(str(target), "wb") as sound:
        sound.setparams((1, 2, 22050, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 22050))
if tried == 1:
    target.write_bytes(target.read_bytes()[:9000])
"""


def test_an_absent_and_a_half_written_file_are_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, HALF_THEN_WHOLE)
    speak(TEXT, Manner("zh", 160), tmp_path / "x.wav")
    assert (tmp_path / "tries").read_text() == "xxx"
    assert length_s(tmp_path / "x.wav") == 1.0


def test_a_process_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr(speaking, "_PATIENCE_S", 0.2)
    with pytest.raises(SpeechFailed, match="no end within"):
        speak(TEXT, Manner("zh", 160), tmp_path / "x.wav")


def test_a_machine_without_espeak_ng_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "import sys; sys.exit(3)")
    with pytest.raises(SpeechUnavailable, match="make setup"):
        speak(TEXT, Manner("zh", 160), tmp_path / "x.wav")
