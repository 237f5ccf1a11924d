"""Which known prompts and voices are in a sound: normalised correlation, piece by piece.

A busy machine delays packets and its Asterisk leaves gaps, so that a prompt is seldom heard in one
piece. Each prompt is therefore looked for by a few loud pieces, and from the best of them followed
forwards and backwards in short blocks, each of which may be a little later than the one before.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from phones.call import TooLate
from phones.correlate import Sound, Spectra, band_of
from phones.g711 import RATE_HZ, Wave

ACCEPT = 0.8
"""The score from which a prompt counts as heard …"""
MARGIN = 0.01
"""… if no other prompt explains the same sound nearly as well. Prompts by one voice that differ in a
word share all other blocks, noise included: the difference is small but sure."""

BLOCK = 2000
"""A quarter of a second: the piece that is followed."""
PROBE = 6400
PROBES = 3
SLIP = RATE_HZ
"""How much later than expected a block may be: a second."""
NEAR = 40
HINT = 0.55
FOLLOWED = 0.6
WORTH_S = 1.0
"""So much of a prompt must be heard, or nearly all of a shorter one."""
SPEAKS = 0.4
"""Whoever speaks is known by so much of a voice. Two voices have hardly a block in common."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """A prompt that was heard."""

    prompt: str
    score: float
    """Normalised correlation of what was heard of it: 1 is the very same sound."""
    at_s: float
    """When it was first heard, counted from the sound's first sample."""
    until_s: float
    part: float
    """How much of the prompt that is: 1 is all of it; less, when it was broken off or joined late."""
    runner_up: float
    """How well the next best prompt explains the same sound."""
    twins: tuple[str, ...] = ()
    """Other names of the very same sound."""

    @property
    def whole(self) -> bool:
        return self.part >= 0.95


class TooShort(ValueError):
    """A prompt is too short or too quiet to be recognised."""

    def __init__(self, prompt: str) -> None:
        super().__init__(f"{prompt} has less than half a second of sound: leave it out of the bank")
        self.prompt = prompt


@dataclass(frozen=True, slots=True)
class _Prompt:
    name: str
    twins: tuple[str, ...]
    band: tuple[int, int]
    blocks: tuple[tuple[int, Floats], ...]
    """Where each block that holds sound begins, and its samples, in the prompt's band."""
    weights: Floats
    probes: tuple[int, ...]
    """Where the loud pieces begin that it is looked for by."""
    samples: Floats

    @property
    def probe_length(self) -> int:
        return min(PROBE, len(self.samples))


@dataclass(frozen=True, slots=True)
class _Trace:
    """One place where a prompt may have been heard."""

    prompt: _Prompt
    score: float
    spans: tuple[tuple[int, int, float], ...]
    """(begin, end, correlation) in the sound, of the blocks that were followed."""
    part: float

    @property
    def begin(self) -> int:
        return self.spans[0][0]

    @property
    def end(self) -> int:
        return self.spans[-1][1]

    @property
    def claim(self) -> float:
        """How much sound it explains."""
        return self.within(self.begin, self.end)

    @property
    def full(self) -> bool:
        return self.part >= 0.95

    def within(self, begin: int, end: int) -> float:
        return sum(max(0, min(b, end) - max(a, begin)) * ncc for a, b, ncc in self.spans)


class Ears:
    """Knows a bank of sounds (name → 8 kHz samples). Raises TooShort."""

    def __init__(self, bank: Mapping[str, Wave]) -> None:
        named: dict[bytes, list[str]] = {}
        for name, wave in bank.items():
            named.setdefault(wave.tobytes(), []).append(name)
        self._prompts = tuple(_prepare(names[0], tuple(names[1:]), bank[names[0]]) for names in named.values())
        self._probes = {
            prompt.name: Spectra(
                [prompt.samples[at : at + prompt.probe_length] for at in prompt.probes], prompt.probe_length
            )
            for prompt in self._prompts
        }

    def listen(self, wave: Wave, only: Iterable[str] | None = None) -> tuple[Heard, ...]:
        """Every prompt that was heard, in order; of some names alone when `only` is given.

        About 5 ms of work for each prompt and minute of sound. What two prompts explain equally
        well is left out.
        """
        if len(wave) < BLOCK:
            return ()
        wanted = None if only is None else set(only)
        sounds: dict[tuple[int, int], Sound] = {}
        traces: list[_Trace] = []
        for prompt in self._prompts:
            if wanted is not None and not wanted.intersection((prompt.name, *prompt.twins)):
                continue
            sound = sounds.get(prompt.band)
            if sound is None:
                sound = sounds[prompt.band] = Sound(wave, prompt.band)
            traces.extend(self._traces(prompt, sound))
        return tuple(sorted(_chosen(traces), key=lambda heard: heard.at_s))

    def speakers(self, wave: Wave) -> set[str]:
        """Whose voices are in a recording, however broken: a recorder throws away what comes too late for it."""
        found: set[str] = set()
        for prompt in self._prompts:
            sound = Sound(wave, prompt.band)
            known = sum(sound.best(block, 0, len(wave))[1] >= ACCEPT for _, block in prompt.blocks)
            if known >= SPEAKS * len(prompt.blocks):
                found.update((prompt.name, *prompt.twins))
        return found

    def _traces(self, prompt: _Prompt, sound: Sound) -> list[_Trace]:
        found: list[_Trace] = []
        for at, peaks in zip(prompt.probes, sound.peaks(self._probes[prompt.name], HINT), strict=True):
            for peak in peaks:
                anchor = next(n for n, (begin, _) in enumerate(prompt.blocks) if begin + BLOCK > at)
                start = peak - at + prompt.blocks[anchor][0]
                if any(trace.begin <= start < trace.end for trace in found):
                    continue
                trace = _follow(prompt, sound, anchor, start)
                if trace is not None:
                    found.append(trace)
        return found


def _prepare(name: str, twins: tuple[str, ...], wave: Wave) -> _Prompt:
    if len(wave) < 2 * BLOCK:
        raise TooShort(name)
    band = band_of(wave)
    samples = Sound(wave, band).samples
    starts = list(range(0, len(samples) - BLOCK + 1, BLOCK))
    if len(samples) - starts[-1] - BLOCK > BLOCK // 4:
        starts.append(len(samples) - BLOCK)
    loudness = [float(np.linalg.norm(samples[at : at + BLOCK])) for at in starts]
    loud = [at for at, level in zip(starts, loudness, strict=True) if level > 0.1 * max(loudness) and level > 0]
    if len(loud) < 2:
        raise TooShort(name)
    weights = np.array([level for level in loudness if level > 0.1 * max(loudness) and level > 0], np.float32)
    length = min(PROBE, len(samples))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    places = range(0, len(samples) - length + 1, BLOCK // 2)
    probes: list[int] = []
    for at in sorted(places, key=lambda place: energy[place] - energy[place + length]):
        if len(probes) < PROBES and all(abs(at - other) >= length for other in probes):
            probes.append(at)
    blocks = tuple((at, samples[at : at + BLOCK]) for at in loud)
    return _Prompt(name, twins, band, blocks, weights, tuple(probes), samples)


def _follow(prompt: _Prompt, sound: Sound, anchor: int, start: int) -> _Trace | None:
    """Follows a prompt from one block, whose place is known, to both of its ends."""
    placed: list[tuple[int, float]] = [(0, 0.0)] * len(prompt.blocks)
    for numbers, later in ((range(anchor, len(prompt.blocks)), 1), (range(anchor, -1, -1), -1)):
        expected, before = start, prompt.blocks[anchor][0]
        for number in numbers:
            at, block = prompt.blocks[number]
            expected += at - before
            before = at
            place, ncc = sound.best(block, expected - NEAR, expected + NEAR)
            if ncc < 0.7:
                first, last = (expected, expected + SLIP) if later > 0 else (expected - SLIP, expected)
                slipped, better = sound.best(block, first, last)
                if better > max(0.75, ncc + 0.2):
                    place, ncc = slipped, better
            if ncc >= FOLLOWED:
                expected = place
            placed[number] = (place, ncc)
    return _best_run(prompt, placed)


def _best_run(prompt: _Prompt, placed: list[tuple[int, float]]) -> _Trace | None:
    """The stretch of blocks that were heard: the one with the greatest sum above the threshold."""
    best, run = (0.0, 0, 0), (0.0, 0)
    for number, (_, ncc) in enumerate(placed):
        gain = float(prompt.weights[number]) * (ncc - FOLLOWED)
        run = (run[0] + gain, run[1]) if run[0] > 0 else (gain, number)
        if run[0] > best[0]:
            best = (run[0], run[1], number + 1)
    _, first, after = best
    if after == first:
        return None
    weights = prompt.weights[first:after]
    nccs = np.array([ncc for _, ncc in placed[first:after]], np.float32)
    heard = (after - first) / len(placed)
    if after - first < min(WORTH_S * RATE_HZ / BLOCK, 0.8 * len(placed)):
        return None
    spans = tuple((place, place + BLOCK, ncc) for place, ncc in placed[first:after])
    return _Trace(prompt, float(np.sum(weights * nccs) / np.sum(weights)), spans, heard)


def _chosen(traces: list[_Trace]) -> list[Heard]:
    """Of everything that may have been heard: what explains the sound best and without rival."""
    left = sorted(traces, key=lambda trace: trace.claim * (1.02 if trace.full else 1.0), reverse=True)
    chosen: list[Heard] = []
    while left:
        best = left.pop(0)
        rivals = [other for other in left if _rivals(best, other)]
        left = [other for other in left if not _rivals(best, other)]
        if best.score < ACCEPT:
            continue
        whole = best.claim / best.score
        runner_up = max(
            (
                other.within(best.begin, best.end) / whole
                for other in rivals
                if other.prompt is not best.prompt and (other.full or not best.full)
            ),
            default=0.0,
        )
        if best.score - runner_up < MARGIN:
            continue
        chosen.append(
            Heard(
                best.prompt.name,
                round(best.score, 3),
                best.begin / RATE_HZ,
                best.end / RATE_HZ,
                best.part,
                round(runner_up, 3),
                best.prompt.twins,
            )
        )
    return chosen


def _rivals(one: _Trace, other: _Trace) -> bool:
    """Whether both explain the same sound: at the same time, and in the same band."""
    together = min(one.end, other.end) - max(one.begin, other.begin)
    (low, high), (other_low, other_high) = one.prompt.band, other.prompt.band
    return together > BLOCK and min(high, other_high) > max(low, other_low)


async def until_heard(
    ears: Ears,
    heard: Callable[[], Wave],
    prompt: str,
    *,
    least_part: float = 0.0,
    since_s: float = 0.0,
    within_s: float = 90.0,
) -> Heard:
    """Listens to a growing sound until a prompt (or so much of it) is in it.

    Times count from the sound's beginning. Raises TooLate, which names what was heard instead.
    """
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + within_s
    since = round(since_s * RATE_HZ)
    while True:
        began_s = loop.time()
        found = await asyncio.to_thread(ears.listen, heard()[since:])
        for one in found:
            if prompt in (one.prompt, *one.twins) and one.part >= least_part:
                return replace(one, at_s=one.at_s + since_s, until_s=one.until_s + since_s)
        now_s = loop.time()
        if now_s >= give_up_s:
            instead = ", ".join(one.prompt for one in found) or "nothing known"
            raise TooLate(f"hearing {prompt} (instead: {instead})", within_s)
        await asyncio.sleep(max(0.2, now_s - began_s))
