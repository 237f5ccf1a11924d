"""What goes over the loopback interface: the kernel copies it into a ring in memory, read when all is over.

Nothing runs meanwhile, so looking costs the measured processes next to nothing. It needs root.
"""

import ctypes
import mmap
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

IP_BYTES = 20
UDP_BYTES = 8
RTP_BYTES = 12

_LO = "lo"
_IPV4 = 0x0800
_SOL_PACKET, _RX_RING, _STATISTICS, _VERSION = 263, 5, 6, 10
_TPACKET_V2 = 1
_ATTACH_FILTER = 26
_BLOCK_BYTES = 1 << 20
_FRAME = struct.Struct("=IIIHHII")
"""struct tpacket2_hdr: status, length, what was kept of it, two offsets, seconds, nanoseconds."""
_TAKEN = 1

_ACCEPT, _REFUSE = 0xFFFF, 0
_AND, _LEAST, _ABOVE, _RETURN = 0x54, 0x35, 0x25, 0x06
_LOAD = {1: 0x30, 2: 0x28, 4: 0x20}


@dataclass(frozen=True, slots=True)
class Field:
    """A number of 1, 2 or 4 bytes in a packet, from its IP header on, and between which two it must be."""

    at: int
    size: int
    least: int
    most: int
    mask: int = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Seen:
    """A packet from its IP header on, and when the kernel saw it: nanoseconds since the epoch."""

    at_ns: int
    data: bytes


class CaptureFull(Exception):
    """The ring had no room for `missed` packets: it must be larger."""

    def __init__(self, room: int, missed: int) -> None:
        self.room = room
        self.missed = missed
        super().__init__(f"a ring for {room} packets missed {missed}: make it larger")


class Ring:
    """Packets that passed the filter since it was opened."""

    def __init__(self, tap: socket.socket, memory: mmap.mmap, room: int, packet_bytes: int) -> None:
        self._tap = tap
        self._memory = memory
        self._room = room
        self._packet_bytes = packet_bytes

    def packets(self) -> list[Seen]:
        """All, in their order. Raises CaptureFull."""
        missed: int = struct.unpack("II", self._tap.getsockopt(_SOL_PACKET, _STATISTICS, 8))[1]
        if missed:
            raise CaptureFull(self._room, missed)
        return list(self._taken())

    def _taken(self) -> Iterator[Seen]:
        for begin in range(0, self._room * self._packet_bytes, self._packet_bytes):
            status, _, kept, _, offset, at_s, at_ns = _FRAME.unpack_from(self._memory, begin)
            if not status & _TAKEN:
                return
            yield Seen(at_s * 1_000_000_000 + at_ns, self._memory[begin + offset : begin + offset + kept])


@contextmanager
def ring(wanted: Sequence[Sequence[Field]], *, packets: int, packet_bytes: int) -> Iterator[Ring]:
    """Opens one for at least so many packets; each is cut off at `packet_bytes` (a power of two) less 80.

    A packet is wanted when all fields of one of the lists are as they must be. Raises PermissionError
    for who is not root.
    """
    blocks = -(-packets * packet_bytes // _BLOCK_BYTES)
    room = blocks * _BLOCK_BYTES // packet_bytes
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as tap:
        _filter(tap, wanted)
        tap.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V2)
        tap.setsockopt(_SOL_PACKET, _RX_RING, struct.pack("IIII", _BLOCK_BYTES, blocks, packet_bytes, room))
        with mmap.mmap(tap.fileno(), blocks * _BLOCK_BYTES) as memory:
            # Bound to a protocol, it sees each packet once: as it comes in, not as it goes out.
            tap.bind((_LO, _IPV4))
            yield Ring(tap, memory, room, packet_bytes)


def media_with(port: int, audio: int, keys: int) -> list[list[Field]]:
    """Audio to this UDP port, and keys from it (by their payload types)."""
    kind = IP_BYTES + UDP_BYTES + 1
    return [
        [*_UDP, Field(IP_BYTES + 2, 2, port, port), Field(kind, 1, audio, audio, mask=0x7F)],
        [*_UDP, Field(IP_BYTES, 2, port, port), Field(kind, 1, keys, keys, mask=0x7F)],
    ]


def calls_at(port: int) -> list[list[Field]]:
    """What comes to this UDP port and begins as an INVITE, or leaves it and begins as a 200."""
    text = IP_BYTES + UDP_BYTES
    return [
        [*_UDP, Field(IP_BYTES + 2, 2, port, port), _word(text, b"INVI")],
        [*_UDP, Field(IP_BYTES, 2, port, port), _word(text, b"SIP/"), _word(text + 8, b"200 ")],
    ]


_UDP = (Field(0, 1, 0x45, 0x45), Field(9, 1, 17, 17))
"""In an IP header without options."""


def _word(at: int, text: bytes) -> Field:
    return Field(at, 4, int.from_bytes(text), int.from_bytes(text))


def _filter(tap: socket.socket, wanted: Sequence[Sequence[Field]]) -> None:
    """Any of these whose fields are all as they must be, as a filter of the kernel (BPF)."""
    steps = [step for fields in wanted for step in _all(fields)] + [(_RETURN, 0, 0, _REFUSE)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    tap.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(steps), ctypes.addressof(program)))


def _all(fields: Sequence[Field]) -> list[tuple[int, int, int, int]]:
    """Accepts, or goes on behind itself. A step: what, how far it jumps if it holds and if not, with what."""
    steps = [(_RETURN, 0, 0, _ACCEPT)]
    for field in reversed(fields):
        on = len(steps)
        steps = [
            (_LOAD[field.size], 0, 0, field.at),
            (_AND, 0, 0, field.mask),
            (_LEAST, 0, on + 1, field.least),
            (_ABOVE, on, 0, field.most),
            *steps,
        ]
    return steps
