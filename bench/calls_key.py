"""What a caller's telephone sends: one packet of voice, and a key, as files that SIPp plays."""

import struct
from collections.abc import Iterable
from pathlib import Path

from phones.rtp import FRAME, Packet, digit_payload, pack

PCMA = 8
EVENT = 101
"""The payload type that the callers' SDP offers for keys (telephone-event)."""
_SOURCE = 0x12345
_FRAME_US = 20_000
_SILENCE = b"\xd5" * FRAME
_STEPS = 5
"""The key is held for 100 ms."""
_ENDS = 3
"""So often the end of a key is told (RFC 4733, 2.5.1.4)."""


def write_voice(path: Path) -> None:
    """One packet of silence: it ends Asterisk's wait for a caller's first audio, which takes half a second."""
    _write(path, [(0, Packet(PCMA, 1, FRAME, _SOURCE, _SILENCE, marker=True))])


def write_key(path: Path, pressed: str) -> None:
    """One key, by RFC 4733."""
    steps = [(step, False) for step in range(1, _STEPS + 1)] + [(_STEPS, True)] * _ENDS
    packets = [
        Packet(
            EVENT, 2 + place, 100 * FRAME, _SOURCE, digit_payload(pressed, duration=step * FRAME, last=last), not place
        )
        for place, (step, last) in enumerate(steps)
    ]
    _write(path, [(_FRAME_US * place, packet) for place, packet in enumerate(packets)])


def _write(path: Path, packets: Iterable[tuple[int, Packet]]) -> None:
    """A pcap file of Ethernet frames. Their moments are µs; SIPp puts in its own addresses and ports."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for at_us, packet in packets:
        frame = _framed(pack(packet))
        parts += [struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, len(frame), len(frame)), frame]
    path.write_bytes(b"".join(parts))


def _framed(payload: bytes) -> bytes:
    udp = struct.pack("!HHHH", 6000, 6000, 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0) + b"\x7f\0\0\x01" * 2
    return bytes(12) + b"\x08\x00" + ip + udp + payload
