"""The catalogue knows each prompt's sound, builds what is missing, and shows it all."""

from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

from prompts import catalogue as catalogues
from prompts.catalogue import Catalogue, Progress, PromptFailed, PromptSilent, Recording, Text, telephone_numbers
from prompts.listing import MISSING, NOT_BUILT, READY, rows, table
from prompts.sound import SoundUnreadable
from settings.check import load
from settings.shape import Language
from settings.system_prompts import SAID_MINUTES, SYSTEM_PROMPTS
from tests.support.settings_maker import city

HELLO = {"zh": "您好，欢迎致电12345。", "en": "Welcome to 12345."}
BYE = {"zh": "再见。"}


def catalogue(folder: Path, prompts: dict[str, Any], *, language: Language = "zh", **more: Any) -> Catalogue:
    name = {"zh": "测试市", "en": "Testville"}
    changed = city(folder=str(folder), city={"name": name, "language": language}, prompts={"prompts": prompts, **more})
    return Catalogue(changed, folder / "out")


def recording(path: Path, pitch_hz: float = 700) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(16_000) / 16_000), 16_000)
    return path.name


def test_a_build_makes_what_is_missing_and_only_that(tmp_path: Path) -> None:
    seen: list[Progress] = []
    first = catalogue(tmp_path, {"hello": HELLO, "bye": BYE})
    assert len(first.missing()) == 3
    assert (len(first.build(seen.append).made), [progress.done for progress in seen]) == (3, [1, 2, 3])
    again = catalogue(tmp_path, {"hello": {**HELLO, "en": "Hello."}, "bye": BYE})
    built = again.build()
    assert [(made.prompt, made.language) for made in built.made] == [("hello", "en")]
    assert built.kept == 2
    assert again.missing() == ()
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    "more",
    [{"pronunciations": {"您好": "nin2 hao4"}}, {"voice": {"words_per_minute": 200}}],
    ids=["pronunciation", "rate"],
)
def test_whatever_changes_the_sound_changes_its_file(tmp_path: Path, more: dict[str, Any]) -> None:
    before, after = catalogue(tmp_path, {"hello": HELLO}), catalogue(tmp_path, {"hello": HELLO}, **more)
    assert before.entries["hello", "zh"].base != after.entries["hello", "zh"].base


def test_a_pronunciation_of_other_words_changes_no_file(tmp_path: Path) -> None:
    other = catalogue(tmp_path, {"hello": HELLO}, pronunciations={"重听": "chong2 ting1"})
    assert other.sounds() == catalogue(tmp_path, {"hello": HELLO}).sounds()


def test_a_prompt_without_a_text_in_a_language_is_heard_in_the_citys(tmp_path: Path) -> None:
    prompts = {"bye": BYE, "hi": {"en": "Hi."}}
    sounds = catalogue(tmp_path, prompts).sounds()
    assert sounds["bye", "en"] == sounds["bye", "zh"]
    assert sounds["hi", "zh"] == sounds["hi", "en"]
    assert all(path.is_absolute() and not path.suffix for path in sounds.values())


def test_a_recording_by_a_person_wins_and_its_own_change_is_noticed(tmp_path: Path) -> None:
    prompts = {"hello": {**HELLO, "recordings": {"zh": recording(tmp_path / "hello.wav")}}}
    first = catalogue(tmp_path, prompts)
    assert isinstance(first.entries["hello", "zh"].source, Recording)
    first.build()
    heard = first.samples("hello", "zh")
    assert np.argmax(np.abs(np.fft.rfft(heard[1000:9000]))) == pytest.approx(700, abs=2)
    recording(tmp_path / "hello.wav", pitch_hz=900)
    assert [entry.prompt for entry in catalogue(tmp_path, prompts).missing()] == ["hello"]


def test_a_missing_recording_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(SoundUnreadable, match=r"absent\.wav"):
        catalogue(tmp_path, {"hello": {"recordings": {"zh": "absent.wav"}}})


def test_samples_are_what_the_caller_hears_once_it_is_built(tmp_path: Path) -> None:
    made = catalogue(tmp_path, {"bye": BYE})
    with pytest.raises(PromptSilent, match="not built"):
        made.samples("bye", "zh")
    made.build()
    heard = made.samples("bye", "en")
    assert heard.dtype == np.int16
    assert 0.5 < heard.size / 8000 < 5
    with pytest.raises(PromptSilent, match="neither text nor recording"):
        made.samples("nobody", "zh")


def test_one_prompt_that_fails_does_not_keep_the_others_from_being_made(tmp_path: Path) -> None:
    made = catalogue(tmp_path, {"mute": {"zh": "☎"}, "bye": BYE})
    with pytest.raises(PromptFailed, match=r"'mute' in 'zh': .*nothing to say"):
        made.build()
    assert [entry.prompt for entry in made.missing()] == ["mute"]


def test_an_interrupted_build_leaves_nothing_half_done(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    made = catalogue(tmp_path, {f"bye{number}": BYE for number in range(6)})
    with pytest.raises(KeyboardInterrupt):
        made.build(interrupt)
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    made.build()
    assert made.missing() == ()


def test_sounds_of_earlier_texts_are_removed_on_request_and_no_others(tmp_path: Path) -> None:
    catalogue(tmp_path, {"bye": BYE}).build()
    now = catalogue(tmp_path, {"bye": {"zh": "下次再见。"}})
    now.build()
    assert {path.suffix for path in now.prune()} == {".alaw", ".ulaw"}
    assert now.missing() == ()
    assert len(list(now.music_folder().iterdir())) == 2
    assert now.prune() == ()


def test_every_number_of_the_city_is_read_digit_by_digit() -> None:
    assert {"12345", "12366", "110", "119", "120", "122", "96333"} <= telephone_numbers(city())


def test_a_counted_prompt_is_spoken_once_for_each_number(tmp_path: Path) -> None:
    made = catalogue(tmp_path, {"position": {"zh": "您排在第{n}位。", "en": "Number {n} in line."}})
    assert [prompt for prompt, language in made.sounds() if language == "zh"] == [f"position_{n}" for n in range(1, 31)]
    assert len(set(made.sounds().values())) == 60
    spoken = {entry.source.spoken.text for entry in made.entries.values() if isinstance(entry.source, Text)}
    assert "nin2 pai2 zai4 di4 er4 wei4." in spoken
    assert "nin2 pai2 zai4 di4 er4 shi2 yi1 wei4." in spoken
    assert "Number 30 in line." in spoken
    assert "position" not in made.wordless()
    assert "estimate" in made.wordless()


def test_only_waits_that_are_told_are_spoken_and_two_minutes_are_read_well(tmp_path: Path) -> None:
    made = catalogue(tmp_path, {"estimate": {"zh": "约{n}分钟。"}})
    assert [prompt for prompt, language in made.sounds() if language == "zh"] == [f"estimate_{n}" for n in SAID_MINUTES]
    source = made.entries["estimate_2", "zh"].source
    assert isinstance(source, Text)
    assert source.spoken.text == "yue1 liang3 fen1 zhong1."


def test_a_text_or_recording_for_one_number_wins_in_its_language(tmp_path: Path) -> None:
    own = {"recordings": {"zh": recording(tmp_path / "first.wav")}}
    counted = {"zh": "第{n}位。", "en": "Number {n}."}
    made = catalogue(tmp_path, {"position": counted, "position_1": own, "position_2": {"en": "You are second."}})
    assert isinstance(made.entries["position_1", "zh"].source, Recording)
    texts = {key: entry.source.text for key, entry in made.entries.items() if isinstance(entry.source, Text)}
    assert texts["position_1", "en"] == "Number 1."
    assert (texts["position_2", "en"], texts["position_2", "zh"]) == ("You are second.", "第2位。")


def test_the_example_citys_counted_prompts_leave_no_doubt(project: Path, tmp_path: Path) -> None:
    made = Catalogue(load(project / "config"), tmp_path)
    doubtful = {row.prompt for row in rows(made) if row.doubts}
    assert not {prompt for prompt in doubtful if prompt.startswith(("position", "estimate", "desk", "survey"))}
    assert made.wordless() == ()


def test_a_new_renderer_builds_everything_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalogue(tmp_path, {"bye": BYE}).sounds()
    monkeypatch.setattr(catalogues, "_RENDERER", "later")
    assert catalogue(tmp_path, {"bye": BYE}).sounds() != before


def test_the_list_shows_state_pronunciation_doubts_and_what_is_missing(tmp_path: Path) -> None:
    made = catalogue(tmp_path, {"hello": HELLO, "bye": {"zh": "重听请按#"}})
    made.build()
    changed = catalogue(tmp_path, {"hello": HELLO, "bye": {"zh": "重听"}})
    found = {(row.prompt, row.language): row for row in rows(changed)}
    assert found["hello", "zh"].state == READY
    assert found["hello", "zh"].spoken.startswith("nin2 hao3, huan1 ying2")
    assert found["bye", "zh"].state == NOT_BUILT
    assert found["bye", "zh"].doubts == ("重听 has several readings: zhong4 ting1, or chong2 ting1",)
    assert (found["bye", "en"].state, found["bye", "en"].source) == (MISSING, "heard in zh")
    assert all(found[prompt, "zh"].source == "nothing" for prompt in SYSTEM_PROMPTS)
    assert found["hello", "en"].text == HELLO["en"]
    screen = Console(width=200, record=True, file=StringIO())
    screen.print(table(found.values()))
    assert "chong2 ting1" in screen.export_text()
