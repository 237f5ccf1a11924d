"""Session descriptions (RFC 4566, RFC 3264): one audio stream of G.711 with telephone events."""

import re
from dataclasses import dataclass
from typing import Literal

from phones.sip import Where

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

PCMU, PCMA = 0, 8
EVENTS = 101
"""The payload type that we offer for RFC 4733 digits."""

NAMES = {PCMU: "PCMU", PCMA: "PCMA"}
MIRROR: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


class NoCommonMedia(ValueError):
    """The description has no audio stream that G.711 over RTP can serve."""

    def __init__(self, text: str) -> None:
        super().__init__(f"no usable audio stream: offer PCMA or PCMU over RTP/AVP, not {text[:200]!r}")
        self.text = text


@dataclass(frozen=True, slots=True)
class Description:
    """What one side of a call says of its audio."""

    where: Where
    codecs: tuple[int, ...] = (PCMA, PCMU)
    """Payload types, the preferred one first."""
    events: int | None = EVENTS
    """The payload type of telephone events; None: digits cannot be sent."""
    direction: Direction = "sendrecv"
    refused: tuple[str, ...] = ()
    """Other streams of the offer, which an answer must name with port 0: `video`."""


def build(description: Description, *, session: int, version: int) -> bytes:
    host, port = description.where
    known = [f"a=rtpmap:{codec} {NAMES[codec]}/8000" for codec in description.codecs]
    payloads = [str(codec) for codec in description.codecs]
    if description.events is not None:
        known += [f"a=rtpmap:{description.events} telephone-event/8000", f"a=fmtp:{description.events} 0-15"]
        payloads.append(str(description.events))
    lines = [
        "v=0",
        f"o=- {session} {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(payloads)}",
        *known,
        "a=ptime:20",
        f"a={description.direction}",
        *(f"m={kind} 0 RTP/AVP 0" for kind in description.refused),
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def read(body: bytes) -> Description:
    """The other side's description. Raises NoCommonMedia."""
    text = body.decode("utf-8", "replace")
    common, *streams = re.split(r"\r?\n(?=m=)", text)
    audio: Description | None = None
    others: list[str] = []
    for stream in streams:
        found = re.match(r"m=audio (\d{1,5})(?:/\d+)? RTP/AVP((?: \d{1,3})+)[ \t]*(?:\r?\n|$)", stream)
        if found is None or audio is not None or int(found[1]) == 0:
            others.append(stream.partition(" ")[0].removeprefix("m="))
            continue
        audio = _audio(common, stream, int(found[1]), [int(word) for word in found[2].split()])
    if audio is None:
        raise NoCommonMedia(text)
    return Description(audio.where, audio.codecs, audio.events, audio.direction, tuple(others))


def _audio(common: str, stream: str, port: int, payloads: list[int]) -> Description:
    host = re.search(r"^c=IN IP4 ([0-9.]+)", stream, re.MULTILINE) or re.search(
        r"^c=IN IP4 ([0-9.]+)", common, re.MULTILINE
    )
    codecs = tuple(payload for payload in payloads if payload in NAMES)
    if host is None or not codecs:
        raise NoCommonMedia(common + "\n" + stream)
    events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", stream, re.MULTILINE | re.IGNORECASE)
    return Description((host[1], port), codecs, int(events[1]) if events else None, _direction(common, stream))


def _direction(common: str, stream: str) -> Direction:
    for part in (stream, common):
        for name in MIRROR:
            if re.search(rf"^a={name}\s*$", part, re.MULTILINE):
                return name
    return "sendrecv"


def answer(offer: Description, where: Where, ours: tuple[int, ...]) -> Description:
    """What we answer to an offer: its first codec that we have, its own number for events.

    Raises NoCommonMedia.
    """
    codec = next((codec for codec in offer.codecs if codec in ours), None)
    if codec is None:
        raise NoCommonMedia(f"codecs {offer.codecs}")
    return Description(where, (codec,), offer.events, MIRROR[offer.direction], offer.refused)
