"""One call's sound: a UDP socket that speaks every 20 ms and listens all the time."""

import asyncio
import secrets
import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import numpy as np

from phones import g711, rtp, sdp
from phones.g711 import Wave
from phones.rtp import FRAME, Packet
from phones.sdp import Description
from phones.sip import Where
from phones.wire import NoSocket

FRAME_S = 0.02
KEY_FRAMES = 6
"""A key is held for 120 ms …"""
PAUSE_FRAMES = 4
"""… and 80 ms pass before the next."""
_LARGEST, _UNHEARD = 2048, 3000
"""Bytes of a packet; packets that are taken at the end, a minute of sound."""
LATE_S = 0.2
"""Frames that are later than this are not sent in one burst: speech goes on later instead."""

_DECODE = {sdp.PCMA: g711.alaw_decode, sdp.PCMU: g711.ulaw_decode}
_ENCODE = {sdp.PCMA: g711.alaw_encode, sdp.PCMU: g711.ulaw_encode}


class CannotPress(RuntimeError):
    """The other side takes no telephone events."""

    def __init__(self, keys: str) -> None:
        super().__init__(f"cannot press {keys!r}: the other side did not agree to telephone-event")
        self.keys = keys


@dataclass(slots=True)
class _Speech:
    wave: Wave
    gone: asyncio.Future[bool]
    at: int = 0


@dataclass(slots=True)
class _Press:
    key: str
    gone: asyncio.Future[bool] | None
    """Told with the last of several keys."""
    begins: int = 0
    frames: int = 0


class Media(asyncio.DatagramProtocol):
    """The sound of one call. `open` it, `agree` with the other side, `start` speaking."""

    def __init__(self, codecs: tuple[int, ...]) -> None:
        loop = asyncio.get_running_loop()
        self.timeline = rtp.Timeline()
        self.digits = rtp.Digits()
        self.where: Where = ("", 0)
        self._closed: asyncio.Future[None] = loop.create_future()
        self.direction: sdp.Direction = "sendrecv"
        self.sent = 0
        """How many packets left."""
        self._codecs = codecs
        self._session = secrets.randbelow(1 << 31)
        self._version = 0
        self._remote: Description | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._socket: socket.socket | None = None
        """The transport's own, as long as it is open."""
        self._task: asyncio.Task[None] | None = None
        self._speeches: deque[_Speech] = deque()
        self._presses: deque[_Press] = deque()
        self._source = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(31)
        self._pause_frames = 0
        self._marker = True

    @classmethod
    async def open(cls, host: str, codecs: tuple[int, ...]) -> "Media":
        """Binds a free even port, so that the other side's RTCP (port + 1) never meets our RTP.

        Raises NoSocket.
        """
        loop = asyncio.get_running_loop()
        for _ in range(64):
            own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                own.setblocking(False)  # noqa: FBT003 - the standard library's own
                own.bind((host, 0))
                transport, media = await loop.create_datagram_endpoint(lambda: cls(codecs), sock=own)
            except OSError as error:
                own.close()
                raise NoSocket((host, 0), error) from error
            media._socket = own
            if media.where[1] % 2 == 0:
                return media
            transport.close()
            await media.gone()
        raise NoSocket((host, 0), OSError(98, "no even port is free"))

    # --- what is said of it ---

    def offer(self, direction: sdp.Direction = "sendrecv") -> bytes:
        """Our side as a body; while an earlier agreement holds, its codec and event number are kept."""
        agreed = self._remote
        if agreed is None:
            return self._described(Description(self.where, self._codecs, direction=direction))
        return self._described(Description(self.where, agreed.codecs[:1], agreed.events, direction))

    def answer(self, offer: bytes) -> bytes:
        """Agrees to an offer; returns our side. Raises NoCommonMedia and then changes nothing."""
        theirs = sdp.read(offer)
        ours = sdp.answer(theirs, self.where, self._codecs)
        self.direction = ours.direction
        self._remote = Description(theirs.where, ours.codecs, theirs.events, theirs.direction)
        return self._described(ours)

    def agree(self, answer: bytes) -> None:
        """Takes the answer to our offer. Raises NoCommonMedia."""
        theirs = sdp.read(answer)
        codec = next((codec for codec in theirs.codecs if codec in self._codecs), None)
        if codec is None:
            raise sdp.NoCommonMedia(f"codecs {theirs.codecs}")
        self.direction = sdp.MIRROR[theirs.direction]
        self._remote = Description(theirs.where, (codec,), theirs.events, theirs.direction)

    def _described(self, description: Description) -> bytes:
        self._version += 1
        return sdp.build(description, session=self._session, version=self._version)

    # --- speaking ---

    def start(self) -> None:
        """Begins to send: silence, until something is said."""
        if self._task is None and not self._closed.done():
            self._task = asyncio.get_running_loop().create_task(self._speak(), name="rtp sender")

    def say(self, wave: Wave) -> asyncio.Future[bool]:
        """Speaks after what is being said already; True when it has gone, False when it was broken off."""
        gone: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._deaf or not len(wave):
            gone.set_result(not self._deaf)
        else:
            self._speeches.append(_Speech(wave.astype(np.int16, copy=False), gone))
        return gone

    def hush(self) -> None:
        """Breaks off what is being said."""
        while self._speeches:
            _tell(self._speeches.popleft().gone, gone=False)

    def press(self, keys: str) -> asyncio.Future[bool]:
        """Presses keys one after another; True when the last has gone, False when the call ended before.

        Raises NoSuchKey, CannotPress.
        """
        rtp.checked_keys(keys)
        if self._remote is not None and self._remote.events is None:
            raise CannotPress(keys)
        gone: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._deaf:
            gone.set_result(False)
            return gone
        self._presses.extend(_Press(key, None) for key in keys[:-1])
        self._presses.append(_Press(keys[-1], gone))
        return gone

    @property
    def _deaf(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            self._frame()
            due_s += FRAME_S
            now_s = loop.time()
            if now_s - due_s > LATE_S:
                due_s = now_s
            await asyncio.sleep(max(0.0, due_s - now_s))

    def _frame(self) -> None:
        """Sends what these 20 ms need: a piece of a key, of speech, or silence."""
        remote = self._remote
        if remote is not None and self.direction in ("sendrecv", "sendonly"):
            if self._presses and not self._pause_frames:
                self._key_frame(remote, self._presses[0])
            else:
                self._pause_frames = max(0, self._pause_frames - 1)
                self._sound_frame(remote)
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF

    def _sound_frame(self, remote: Description) -> None:
        frame = np.zeros(FRAME, np.int16)
        filled = 0
        while self._speeches and filled < FRAME:
            speech = self._speeches[0]
            piece = speech.wave[speech.at : speech.at + FRAME - filled]
            frame[filled : filled + len(piece)] = piece
            speech.at += len(piece)
            filled += len(piece)
            if speech.at >= len(speech.wave):
                self._speeches.popleft()
                _tell(speech.gone, gone=True)
        codec = remote.codecs[0]
        self._send(remote, codec, self._timestamp, _ENCODE[codec](frame), marker=self._marker)
        self._marker = False

    def _key_frame(self, remote: Description, press: _Press) -> None:
        if remote.events is None:
            self._presses.popleft()
            _tell(press.gone, gone=False)
            return
        first = press.frames == 0
        if first:
            press.begins = self._timestamp
        press.frames += 1
        last = press.frames == KEY_FRAMES
        payload = rtp.digit_payload(press.key, duration=press.frames * FRAME, last=last)
        for _ in range(3 if last else 1):  # RFC 4733, section 2.5.1.4: the end is said three times.
            self._send(remote, remote.events, press.begins, payload, marker=first)
        if last:
            self._presses.popleft()
            self._pause_frames = PAUSE_FRAMES
            self._marker = True
            _tell(press.gone, gone=True)

    def _send(self, remote: Description, kind: int, timestamp: int, payload: bytes, *, marker: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        packet = Packet(kind, self._sequence, timestamp, self._source, payload, marker)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._transport.sendto(rtp.pack(packet), remote.where)
        self.sent += 1

    # --- the end ---

    def close(self) -> None:
        """Stops at once; await `gone` before the loop ends."""
        if self._task is not None:
            self._task.cancel()
        self._hear_the_rest()
        if self._transport is not None:
            self._transport.close()
        self.hush()
        while self._presses:
            _tell(self._presses.popleft().gone, gone=False)

    def _hear_the_rest(self) -> None:
        """What had arrived was said, however busy this loop has been: it takes one packet a turn."""
        own, self._socket = self._socket, None
        if own is None:
            return
        with suppress(OSError):  # BlockingIOError: that was all.
            for _ in range(_UNHEARD):
                self.datagram_received(*own.recvfrom(_LARGEST))

    async def gone(self) -> None:
        """Waits until the socket was given back; raises what stopped the speaker, if anything did."""
        await self._closed
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # In Python 3.11 asyncio's own transport is no subclass of DatagramTransport: nothing to check with.
        self._transport = cast(asyncio.DatagramTransport, transport)
        host, port = transport.get_extra_info("sockname")[:2]
        self.where = (host, port)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed.done():
            self._closed.set_result(None)

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        remote = self._remote
        # By port only: a server that listens on every loopback address may send from another one.
        if remote is not None and addr[1] != remote.where[1]:
            return
        try:
            packet = rtp.unpack(data)
        except rtp.NotRtp:
            return
        decode = _DECODE.get(packet.kind)
        if decode is not None:
            self.timeline.take(packet, decode(packet.payload), asyncio.get_running_loop().time())
        elif packet.kind == (sdp.EVENTS if remote is None else remote.events):
            self.digits.take(packet)


def _tell(future: asyncio.Future[bool] | None, *, gone: bool) -> None:
    if future is not None and not future.done():
        future.set_result(gone)
