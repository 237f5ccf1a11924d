"""Normalised cross-correlation of a long sound with short pieces, by blockwise FFT."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phones.g711 import RATE_HZ, Wave

Floats = NDArray[np.float32]

FFT = 16384
QUIET = 8.0
"""Sound below this level (root mean square, of 32768) is silence: it correlates with nothing."""
APART = 2000
"""Two peaks nearer than this are one."""


def band_of(wave: Wave) -> tuple[int, int]:
    """The band that holds 99 % of a sound's energy, in whole hundreds of Hz."""
    power = np.abs(np.fft.rfft(wave.astype(np.float64))) ** 2
    power[0] = 0.0
    total = np.cumsum(power)
    if total[-1] <= 0:
        return 0, RATE_HZ // 2
    step_hz = RATE_HZ / 2 / max(1, len(power) - 1)
    low_hz, high_hz = (np.searchsorted(total, share * total[-1]) * step_hz for share in (0.005, 0.995))
    return max(100, int(low_hz // 100) * 100 - 100), min(RATE_HZ // 2, int(high_hz // 100) * 100 + 200)


class Spectra:
    """Short pieces of equal length, transformed once for every sound they will be looked for in."""

    def __init__(self, pieces: Sequence[Floats], length: int) -> None:
        self.length = length
        stacked = np.stack([piece / max(float(np.linalg.norm(piece)), 1e-9) for piece in pieces])
        self.conjugates = np.conj(np.fft.rfft(stacked.astype(np.float32), FFT, axis=1)).astype(np.complex64)


class Sound:
    """A sound, filtered to a band."""

    def __init__(self, wave: Wave, band: tuple[int, int]) -> None:
        size = 1 << max(1, int(np.ceil(np.log2(len(wave) + 1))))
        spectrum = np.fft.rfft(wave.astype(np.float32), size)
        hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
        spectrum[(hz < band[0]) | (hz > band[1])] = 0
        self.samples: Floats = np.fft.irfft(spectrum, size)[: len(wave)].astype(np.float32)
        self._energy = np.concatenate([[0.0], np.cumsum(self.samples.astype(np.float64) ** 2)])
        self._segments: dict[int, NDArray[np.complex64]] = {}

    def _norms(self, first: int, count: int, length: int) -> NDArray[np.float64]:
        """The norm of each window of a length, silence counted as endless so that it never matches."""
        begin = np.arange(first, first + count)
        energy = self._energy[begin + length] - self._energy[begin]
        return np.where(energy > length * QUIET**2, np.sqrt(np.maximum(energy, 1e-9)), np.inf)

    def peaks(self, pieces: Spectra, least: float) -> list[list[int]]:
        """For each piece: where its correlation is a peak of at least `least`, the highest first."""
        length = pieces.length
        count = len(self.samples) - length + 1
        if count <= 0:
            return [[] for _ in pieces.conjugates]
        hop = FFT - length + 1
        segments = self._segments.get(hop)
        if segments is None:
            segments = self._segments[hop] = self._cut(hop)
        norms = self._norms(0, count, length)
        found = []
        for conjugate in pieces.conjugates:
            parts = np.fft.irfft(segments * conjugate, FFT, axis=1)[:, :hop]
            found.append(_highest(parts.reshape(-1)[:count] / norms, least))
        return found

    def _cut(self, hop: int) -> NDArray[np.complex64]:
        rows = -(-len(self.samples) // hop)
        padded = np.zeros((rows - 1) * hop + FFT, np.float32)
        padded[: len(self.samples)] = self.samples
        cut = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::hop]
        return np.fft.rfft(cut, axis=1).astype(np.complex64)

    def best(self, block: Floats, first: int, last: int) -> tuple[int, float]:
        """Where between two places a block correlates best, and how well; 0.0 outside the sound."""
        begin, end = max(0, first), min(last, len(self.samples) - len(block))
        if end < begin:
            return first, 0.0
        window = self.samples[begin : end + len(block)]
        size = 1 << int(np.ceil(np.log2(len(window) + len(block))))
        product = np.fft.rfft(window, size) * np.conj(np.fft.rfft(block, size))
        dots = np.fft.irfft(product, size)[: end - begin + 1]
        nccs = dots / self._norms(begin, end - begin + 1, len(block)) / max(float(np.linalg.norm(block)), 1e-9)
        at = int(np.argmax(nccs))
        return begin + at, max(0.0, float(nccs[at]))


def _highest(nccs: NDArray[np.float64], least: float) -> list[int]:
    left = nccs.copy()
    peaks: list[int] = []
    while len(left) and left[at := int(np.argmax(left))] >= least:
        peaks.append(at)
        left[max(0, at - APART + 1) : at + APART] = -1.0
    return peaks
