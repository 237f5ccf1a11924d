"""RTP packets (RFC 3550), digits in them (RFC 4733), and putting what arrives back in order."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phones.g711 import RATE_HZ, Wave

FRAME = 160
"""Samples in a packet: 20 ms."""

_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_KEYS = "0123456789*#ABCD"


@dataclass(frozen=True, slots=True)
class Packet:
    kind: int
    """Payload type."""
    sequence: int
    timestamp: int
    source: int
    payload: bytes
    marker: bool = False


class NotRtp(ValueError):
    """The datagram is RTCP, cut short, or something else."""


def pack(packet: Packet) -> bytes:
    second = packet.kind | (0x80 if packet.marker else 0)
    return _HEADER.pack(0x80, second, packet.sequence, packet.timestamp, packet.source) + packet.payload


def unpack(data: bytes) -> Packet:
    """Raises NotRtp."""
    if len(data) < _HEADER.size:
        raise NotRtp("too short")
    first, second, sequence, timestamp, source = _HEADER.unpack_from(data)
    if first >> 6 != 2 or 200 <= second <= 207:  # RTCP's packet types stand in the same byte.
        raise NotRtp("not RTP")
    begin = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < begin + 4:
            raise NotRtp("extension cut short")
        begin += 4 + 4 * struct.unpack_from("!H", data, begin + 2)[0]
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if end < begin:
        raise NotRtp("payload cut short")
    return Packet(second & 0x7F, sequence, timestamp, source, data[begin:end], bool(second & 0x80))


class NoSuchKey(ValueError):
    def __init__(self, keys: str) -> None:
        super().__init__(f"{keys!r} holds a key that no telephone has: use 0-9, *, #, A-D")
        self.keys = keys


def checked_keys(keys: str) -> str:
    """Raises NoSuchKey."""
    if not keys or any(key not in _KEYS for key in keys):
        raise NoSuchKey(keys)
    return keys


def digit_payload(key: str, *, duration: int, last: bool) -> bytes:
    """An RFC 4733 event; `duration` in samples since the key went down."""
    return _EVENT.pack(_KEYS.index(key), (0x80 if last else 0) | 10, min(duration, 0xFFFF))


class Digits:
    """Keys pressed at the other side, each once however often its packets come."""

    def __init__(self) -> None:
        self.pressed = ""
        self._seen: set[tuple[int, int]] = set()

    def take(self, packet: Packet) -> None:
        if len(packet.payload) < _EVENT.size or packet.payload[0] >= len(_KEYS):
            return
        event = (packet.source, packet.timestamp)
        if event not in self._seen:
            self._seen.add(event)
            self.pressed += _KEYS[packet.payload[0]]


def _apart(later: int, earlier: int, bits: int) -> int:
    """later - earlier on a counter that wraps, as a signed number."""
    half = 1 << (bits - 1)
    return ((later - earlier + half) & ((1 << bits) - 1)) - half


class Timeline:
    """Samples put where their timestamps say, whatever order the packets came in.

    What never came is silence. A new source, or timestamps that leap further than the clock can
    explain, begin anew where the clock says they are.
    """

    def __init__(self) -> None:
        self._samples: Wave = np.zeros(RATE_HZ, np.int16)
        self._end = 0
        self._packets: list[tuple[float, int]] = []
        self._source: int | None = None
        self._newest: Packet | None = None
        self._newest_at = 0
        self._clock_zero_s = 0.0
        self._newest_s = 0.0

    @property
    def samples(self) -> Wave:
        """A copy of everything since the first packet."""
        return self._samples[: self._end].copy()

    def __len__(self) -> int:
        return self._end

    @property
    def arrivals(self) -> NDArray[np.float64]:
        """One row a packet, in order of arrival: the clock when it came (s), and its first sample's place."""
        return np.array(self._packets, np.float64).reshape(-1, 2)

    def place_at(self, clock_s: float) -> int:
        """The sample that was being heard at that time of the loop's clock."""
        return max(0, round((clock_s - self._clock_zero_s) * RATE_HZ)) if self._packets else 0

    def take(self, packet: Packet, wave: Wave, clock_s: float) -> None:
        """One packet's sound, and when it came."""
        if not len(wave):
            return
        at = self._place(packet, len(wave), clock_s)
        if at < 0:
            return  # Older than the first packet that came.
        end = at + len(wave)
        if end > len(self._samples):
            grown = np.zeros(max(end, 2 * len(self._samples)), np.int16)
            grown[: self._end] = self._samples[: self._end]
            self._samples = grown
        self._samples[at:end] = wave
        self._end = max(self._end, end)
        self._packets.append((clock_s, at))

    def _place(self, packet: Packet, length: int, clock_s: float) -> int:
        newest = self._newest
        if newest is None:
            self._clock_zero_s = clock_s
            return self._lead(packet, 0, clock_s)
        if packet.source != newest.source:
            return self._lead(packet, self._by_clock(clock_s), clock_s)
        steps = _apart(packet.sequence, newest.sequence, 16)
        leap = _apart(packet.timestamp, newest.timestamp, 32)
        at = self._newest_at + leap
        if steps <= 0:
            # An older packet: its place is known if its timestamp is older too.
            return at if -RATE_HZ * 2 < leap <= 0 else -1
        explained = steps * length + (clock_s - self._newest_s + 1.0) * RATE_HZ
        if not 0 < leap <= explained:
            at = self._by_clock(clock_s)
        return self._lead(packet, at, clock_s)

    def _by_clock(self, clock_s: float) -> int:
        return max(self._end, self.place_at(clock_s))

    def _lead(self, packet: Packet, at: int, clock_s: float) -> int:
        self._newest, self._newest_at, self._newest_s = packet, at, clock_s
        return at
