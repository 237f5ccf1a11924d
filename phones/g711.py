"""G.711 by tables: A-law and µ-law to 16-bit samples and back (ITU-T G.711)."""

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.int16]
"""Mono sound, 8000 samples a second."""

RATE_HZ = 8000


def _alaw_values() -> Wave:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _ulaw_values() -> Wave:
    code = ~np.arange(256) & 0xFF
    size = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _exponent(size: NDArray[np.int64], first_bit: int) -> NDArray[np.int64]:
    """The segment of a size: 0 below 2**(first_bit+1), one more for each doubling, at most 7."""
    found = np.zeros_like(size)
    for segment in range(1, 8):
        found += size >= 1 << (first_bit + segment)
    return found


def _alaw_codes() -> NDArray[np.uint8]:
    sample = np.arange(-32768, 32768)
    size = np.where(sample >= 0, sample >> 3, (-sample - 1) >> 3)  # 13 bits
    exponent = _exponent(size, 4)
    mantissa = (size >> np.where(exponent == 0, 1, exponent)) & 0x0F
    code = ((exponent << 4) | mantissa | np.where(sample >= 0, 0x80, 0)) ^ 0x55
    return np.asarray(code, np.uint8)


def _ulaw_codes() -> NDArray[np.uint8]:
    sample = np.arange(-32768, 32768)
    size = np.minimum(np.abs(sample >> 2), 8158) + 33  # 14 bits, clipped
    exponent = _exponent(size, 5)
    mantissa = (size >> (exponent + 1)) & 0x0F
    code = ~((exponent << 4) | mantissa | np.where(sample < 0, 0x80, 0)) & 0xFF
    return np.asarray(code, np.uint8)


_ALAW_VALUES, _ULAW_VALUES = _alaw_values(), _ulaw_values()
_ALAW_CODES, _ULAW_CODES = _alaw_codes(), _ulaw_codes()


def _encode(codes: NDArray[np.uint8], wave: Wave) -> bytes:
    return codes[wave.astype(np.int32) + 32768].tobytes()


def alaw_decode(data: bytes) -> Wave:
    return _ALAW_VALUES[np.frombuffer(data, np.uint8)]


def alaw_encode(wave: Wave) -> bytes:
    return _encode(_ALAW_CODES, wave)


def ulaw_decode(data: bytes) -> Wave:
    return _ULAW_VALUES[np.frombuffer(data, np.uint8)]


def ulaw_encode(wave: Wave) -> bytes:
    return _encode(_ULAW_CODES, wave)
