"""How soon a call was answered, and how soon a prompt followed a key: as it went over the wire."""

import re
import struct
from collections.abc import Iterable

from bench.calls_key import EVENT, PCMA
from bench.capture import IP_BYTES, RTP_BYTES, UDP_BYTES, Seen

SILENCE_NS = 60_000_000
"""A key was pressed in silence when Asterisk had sent nothing for so long: three packets' time."""
_ONE_KEY_NS = 1_000_000_000
"""The end of a key is told several times: what comes so soon after the first is no other key."""
_ENDED = 0x80
_RTP = struct.Struct("!BBHII")
_PORTS = struct.Struct("!HH")
_TEXT = IP_BYTES + UDP_BYTES
_CALL = re.compile(rb"^(?:Call-ID|i)\s*:\s*(\S+)", re.MULTILINE | re.IGNORECASE)
_ANSWERS_INVITE = re.compile(rb"^CSeq\s*:\s*\d+\s+INVITE", re.MULTILINE | re.IGNORECASE)


def answers_ms(packets: Iterable[Seen]) -> list[float]:
    """For each call: from its first INVITE to the first 200 that answers it. A call without one is left out."""
    asked: dict[bytes, int] = {}
    answered: dict[bytes, int] = {}
    for packet in packets:
        text = packet.data[_TEXT:]
        call = _CALL.search(text)
        if call is None:
            continue
        if text.startswith(b"INVITE"):
            asked.setdefault(call[1], packet.at_ns)
        elif call[1] in asked and _ANSWERS_INVITE.search(text):
            answered.setdefault(call[1], packet.at_ns)
    return [(at_ns - asked[call]) / 1e6 for call, at_ns in answered.items()]


def prompts_ms(packets: Iterable[Seen]) -> list[float]:
    """For each key pressed in silence: from its end to the first audio that Asterisk sends after it.

    A call is known by Asterisk's port and by the source (SSRC) of its audio: ports are used again.
    """
    found: list[float] = []
    last: dict[int, tuple[int, int]] = {}
    keys: dict[int, int] = {}
    waits: set[int] = set()
    for packet in packets:
        sends, takes = _PORTS.unpack_from(packet.data, IP_BYTES)
        _, kind, _, _, source = _RTP.unpack_from(packet.data, _TEXT)
        if kind & 0x7F == EVENT:
            if _ends(packet.data) and packet.at_ns - keys.get(takes, 0) > _ONE_KEY_NS:
                keys[takes] = packet.at_ns
                waits.add(takes)
        elif kind & 0x7F == PCMA:
            before_ns, of = last.get(sends, (0, None))
            if sends in waits and of == source and keys[sends] - before_ns > SILENCE_NS:
                found.append((packet.at_ns - keys[sends]) / 1e6)
            waits.discard(sends)
            last[sends] = packet.at_ns, source
    return found


def _ends(packet: bytes) -> bool:
    return bool(packet[_TEXT + RTP_BYTES + 1] & _ENDED)
