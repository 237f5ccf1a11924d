"""Ears: the right prompt is recognised, also in pieces, in noise and beside another voice; no other is."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from phones import ears, g711, voices
from phones.call import TooLate
from phones.ears import Ears, TooShort, until_heard
from phones.g711 import RATE_HZ, Wave

RANDOM = np.random.default_rng(12345)


def speech(seed: int, seconds: float) -> Wave:
    """Something like speech: harmonics of a gliding pitch through wandering formants, in syllables."""
    drawn = np.random.default_rng(seed)
    count = int(seconds * RATE_HZ)
    knots = int(seconds * 6) + 2
    at = np.linspace(0, knots - 1, count)

    def glide(low: float, high: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.interp(at, np.arange(knots), drawn.uniform(low, high, knots))

    pitch = np.cumsum(glide(90, 160)) / RATE_HZ
    formants = [(glide(250, 800), 120), (glide(900, 2200), 200), (glide(2300, 3000), 300)]
    sound = np.zeros(count)
    for harmonic in range(1, 24):
        hz = harmonic * 125
        level = sum(np.exp(-(((hz - centre) / width) ** 2)) for centre, width in formants)
        sound += level * np.sin(2 * np.pi * harmonic * pitch)
    syllables = np.interp(at, np.arange(knots), drawn.choice([0.05, 1.0, 0.7], knots))
    return np.asarray(sound * syllables * 2500, np.int16)


BANK = {f"prompt{n}": speech(n, 2.0 + n % 4) for n in range(12)}
BANK["agent"] = voices.voice("agent", "8001")
BANK["other agent"] = voices.voice("agent", "8002")
BANK["caller"] = voices.voice("caller", "13800001111")
EARS = Ears(BANK)


def silence(seconds: float) -> Wave:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def telephoned(wave: Wave) -> Wave:
    return g711.alaw_decode(g711.alaw_encode(wave))


SPOKEN = telephoned(
    np.concatenate([silence(0.5), BANK["prompt3"], silence(0.2), BANK["prompt6"], BANK["agent"], BANK["prompt9"]])
)
ORDER = ["prompt3", "prompt6", "agent", "prompt9"]


def names(wave: Wave) -> list[str]:
    return [one.prompt for one in EARS.listen(wave)]


def test_prompts_are_recognised_in_order_with_their_places() -> None:
    heard = EARS.listen(SPOKEN)
    assert [one.prompt for one in heard] == ORDER
    assert all(one.score > 0.98 and one.whole for one in heard)
    assert all(one.runner_up < 0.5 for one in heard)
    assert abs(heard[0].at_s - 0.5) < 0.3
    assert abs(heard[2].at_s - (0.7 + (len(BANK["prompt3"]) + len(BANK["prompt6"])) / RATE_HZ)) < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_lost_packets_do_not_hide_a_prompt(seed: int) -> None:
    heard = SPOKEN.copy().reshape(-1, 160)
    heard[np.random.default_rng(seed).random(len(heard)) < 0.08] = 0
    assert names(heard.reshape(-1)) == ORDER


@pytest.mark.parametrize("seed", range(5))
def test_gaps_that_a_busy_machine_leaves_do_not_hide_a_prompt(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    cuts = np.sort(drawn.integers(1, len(SPOKEN) // 160, 12)) * 160
    pieces: list[Wave] = []
    for piece in np.split(SPOKEN, cuts):
        pieces += [piece, silence(0.02 * drawn.integers(3, 25))]
    assert names(np.concatenate(pieces)) == ORDER


@pytest.mark.parametrize("seed", range(5))
def test_who_speaks_is_known_though_a_recorder_threw_pieces_away(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    both = telephoned(BANK["agent"] // 2 + BANK["caller"] // 2)
    starts = np.arange(0, len(both), RATE_HZ // 2)
    pieces = [both[at : at + RATE_HZ // 2 - drawn.integers(400, 1200)] for at in starts]  # Up to 150 of 500 ms.
    assert EARS.speakers(np.concatenate(pieces)) == {"agent", "caller"}
    assert EARS.speakers(telephoned(BANK["agent"])[:6000]) == EARS.speakers(silence(2.0)) == set()


def test_noise_and_another_level_do_not_hide_a_prompt() -> None:
    noisy = SPOKEN.astype(np.float64) * 0.4 + RANDOM.normal(0, 60, len(SPOKEN))
    assert names(noisy.astype(np.int16)) == ORDER


def test_what_is_not_in_the_bank_is_not_heard() -> None:
    foreign = np.concatenate([speech(n, 4.0) for n in range(100, 106)])
    assert names(foreign) == []
    assert names(silence(3.0)) == []
    assert names(RANDOM.normal(0, 2000, 24_000).astype(np.int16)) == []
    assert names(BANK["prompt3"][::-1].copy()) == []


def test_both_voices_are_found_in_a_mixed_recording() -> None:
    agent, caller = np.tile(BANK["agent"], 2).astype(int), np.tile(BANK["caller"], 2).astype(int)
    mixed = agent + np.concatenate([silence(0.61), caller])[: len(agent)]
    found = set(names(np.clip(mixed, -32768, 32767).astype(np.int16)))
    assert found == {"agent", "caller"}


def test_a_prompt_that_is_broken_off_is_told_as_a_part() -> None:
    prompt = BANK["prompt7"]
    (heard,) = EARS.listen(np.concatenate([silence(0.3), prompt[: len(prompt) // 2], silence(1.0)]))
    assert heard.prompt == "prompt7"
    assert 0.35 < heard.part < 0.6
    assert not heard.whole


def test_prompts_that_begin_alike_are_told_apart_by_how_they_go_on() -> None:
    common, one, two = speech(50, 3.0), speech(51, 1.0), speech(52, 1.0)
    pair = Ears({"one": np.concatenate([common, one]), "two": np.concatenate([common, two]), "common": common})
    assert [heard.prompt for heard in pair.listen(np.concatenate([common, two]))] == ["two"]
    assert [heard.prompt for heard in pair.listen(np.concatenate([common, silence(2.0)]))] == ["common"]


def test_what_two_prompts_explain_equally_well_is_left_out() -> None:
    common, one, two = speech(50, 3.0), speech(51, 1.0), speech(52, 1.0)
    pair = Ears({"one": np.concatenate([common, one]), "two": np.concatenate([common, two])})
    assert pair.listen(np.concatenate([common, silence(2.0)])) == ()


def test_the_same_sound_under_two_names_is_told_with_both() -> None:
    (heard,) = Ears({"a": BANK["prompt1"], "b": BANK["prompt1"]}).listen(BANK["prompt1"])
    assert (heard.prompt, heard.twins) == ("a", ("b",))


def test_one_may_listen_for_some_prompts_only() -> None:
    assert [one.prompt for one in EARS.listen(SPOKEN, only=("prompt6",))] == ["prompt6"]


@pytest.mark.parametrize("wave", [silence(3.0), speech(1, 0.3)])
def test_a_prompt_without_enough_sound_is_refused(wave: Wave) -> None:
    with pytest.raises(TooShort):
        Ears({"hm": wave})


async def test_listening_goes_on_until_the_prompt_has_come() -> None:
    reached = iter(range(8000, 10**9, 40_000))
    heard = await until_heard(EARS, lambda: SPOKEN[: next(reached)], "prompt6", least_part=0.9)
    assert heard.whole
    with pytest.raises(TooLate, match="prompt3"):
        await until_heard(EARS, lambda: SPOKEN, "prompt1", within_s=0.0)


def test_voices_are_steady_and_unlike_one_another() -> None:
    assert np.array_equal(voices.voice("agent", "8001"), BANK["agent"])
    assert names(np.tile(voices.voice("agent", "8003"), 3)) == []
    assert names(np.tile(voices.voice("caller", "13900002222"), 3)) == []
    assert len(BANK["agent"]) == 2 * RATE_HZ
    assert ears.ACCEPT == 0.8


@pytest.mark.parametrize("kind", ["wav", "flac", "sln", "sln16", "alaw", "ulaw"])
def test_sound_files_of_every_kind_are_read_as_a_telephone_hears_them(tmp_path: Path, kind: str) -> None:
    prompt = BANK["prompt3"]
    path = tmp_path / f"sound.{kind}"
    twice = np.interp(np.arange(2 * len(prompt)) / 2, np.arange(len(prompt)), prompt).astype("<i2")
    match kind:
        case "wav" | "flac":
            soundfile.write(path, twice, 2 * RATE_HZ, subtype="PCM_16")
        case "sln16":
            path.write_bytes(twice.tobytes())
        case "sln":
            path.write_bytes(prompt.astype("<i2").tobytes())
        case _:
            path.write_bytes(g711.alaw_encode(prompt) if kind == "alaw" else g711.ulaw_encode(prompt))
    assert names(voices.read(path)) == ["prompt3"]


def test_an_unknown_kind_of_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(voices.UnknownSound):
        voices.read(tmp_path / "sound.mp3")
