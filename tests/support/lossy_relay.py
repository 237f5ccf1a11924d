"""A UDP relay between two telephones that loses, doubles and reorders what it carries."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self, cast

from phones import sip

Where = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Weather:
    """How often each mishap befalls a datagram, 0 to 1."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    late_s: float = 0.05
    losses_each: int = 2
    """The same datagram is lost no more often than this: whoever repeats it gets through."""


class _Side(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Where], None]) -> None:
        self.take = take
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        self.take(data, (str(addr[0]), addr[1]))


class LossyRelay:
    """Whoever calls sends to `left`; the called side stands at `far` and sees `right` as the caller."""

    def __init__(self, far: Where, weather: Weather, seed: int) -> None:
        self.far = far
        self.near: Where | None = None
        self.left: Where = ("", 0)
        self.right: Where = ("", 0)
        self.lost = self.doubled = self.late = 0
        self._weather = weather
        self._random = random.Random(seed)  # noqa: S311 - a test's weather must come back with its seed
        self._losses: dict[bytes, int] = {}
        self._sides: list[_Side] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for take in (self._from_near, self._from_far):
            _, side = await loop.create_datagram_endpoint(partial(_Side, take), local_addr=("127.0.0.1", 0))
            self._sides.append(side)
        self.left, self.right = (self._where(side) for side in self._sides)
        return self

    async def __aexit__(self, *_: object) -> None:
        for side in self._sides:
            assert side.transport is not None
            side.transport.close()
            await side.closed

    @staticmethod
    def _where(side: _Side) -> Where:
        assert side.transport is not None
        host, port = side.transport.get_extra_info("sockname")[:2]
        return host, port

    def _from_near(self, data: bytes, source: Where) -> None:
        self.near = source
        self._carry(_moved(data, source, self.right), self._sides[1], self.far)

    def _from_far(self, data: bytes, source: Where) -> None:
        if self.near is not None:
            self._carry(_moved(data, source, self.left), self._sides[0], self.near)

    def _carry(self, data: bytes, side: _Side, to: Where) -> None:
        weather = self._weather
        if self._random.random() < weather.lost and self._losses.get(data, 0) < weather.losses_each:
            self._losses[data] = self._losses.get(data, 0) + 1
            self.lost += 1
            return
        times = 1
        if self._random.random() < weather.doubled:
            self.doubled += 1
            times = 2
        for _ in range(times):
            if self._random.random() < weather.late:
                self.late += 1
                delay_s = self._random.uniform(0, weather.late_s)
                asyncio.get_running_loop().call_later(delay_s, self._send, data, side, to)
            else:
                self._send(data, side, to)

    @staticmethod
    def _send(data: bytes, side: _Side, to: Where) -> None:
        if side.transport is not None and not side.transport.is_closing():
            side.transport.sendto(data, to)


def _moved(data: bytes, source: Where, to: Where) -> bytes:
    """SIP headers name the relay instead of whoever stands behind it; anything else is left alone."""
    try:
        message = sip.parse(data)
    except sip.Malformed:
        return data
    mine, relays = f"{source[0]}:{source[1]}", f"{to[0]}:{to[1]}"
    items = tuple((name, value.replace(mine, relays)) for name, value in message.headers.items)
    match message:
        case sip.Request(method, uri, _, body):
            return sip.encode(sip.Request(method, uri, sip.Headers(items), body))
        case sip.Response(status, reason, _, body):
            return sip.encode(sip.Response(status, reason, sip.Headers(items), body))
