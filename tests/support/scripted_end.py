"""One end of a SIP exchange that a test moves by hand, one message at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from phones import sdp, sip
from phones.sip import Headers, Request, Where
from phones.wire import Incoming, Timers, Wire, new_branch

QUICK = Timers(t1_s=0.1, t2_s=0.4, t4_s=0.5)
HASTY = Timers(t1_s=0.02, t2_s=0.08, t4_s=0.1)
"""For tests of what happens when nobody answers: 64·T1 is 1.3 s."""
WITHIN_S = 20.0


async def until(true: Callable[[], bool]) -> None:
    """Polls until something has become true; a TimeoutError after a generous while."""
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 - what is waited for is a plain value of the code under test
            await asyncio.sleep(0.01)


class ScriptedEnd:
    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Incoming] = asyncio.Queue()
        self.wire: Wire | None = None

    @property
    def open(self) -> Wire:
        assert self.wire is not None
        return self.wire

    @property
    def where(self) -> Where:
        return self.open.where

    def take(self, incoming: Incoming) -> None:
        self._arrived.put_nowait(incoming)

    async def next(self, method: str) -> Incoming:
        """The next request that is not a repeated one; it must be of this method."""
        async with asyncio.timeout(WITHIN_S):
            incoming = await self._arrived.get()
        assert incoming.request.method == method, incoming.request
        return incoming

    @property
    def waiting(self) -> int:
        return self._arrived.qsize()

    def sound(self) -> bytes:
        """A description that nobody listens to."""
        return sdp.build(sdp.Description((self.where[0], 40000)), session=1, version=1)

    def contact(self) -> tuple[str, str]:
        return "Contact", f"<sip:scripted@{self.where[0]}:{self.where[1]}>"

    def request(
        self,
        method: str,
        to: Where,
        *,
        number: str = "100",
        cseq: int = 1,
        branch: str = "",
        to_tag: str = "",
        more: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Request:
        tagged = f";tag={to_tag}" if to_tag else ""
        items = (
            self.open.via(branch or new_branch()),
            ("From", f"<sip:scripted@{self.where[0]}>;tag=script"),
            ("To", f"<sip:{number}@{to[0]}>{tagged}"),
            ("Call-ID", "scripted-call"),
            ("CSeq", f"{cseq} {method}"),
            self.contact(),
            *more,
        )
        return Request(method, f"sip:{number}@{to[0]}:{to[1]}", Headers(items), body)


@asynccontextmanager
async def scripted_end(timers: Timers = QUICK) -> AsyncIterator[ScriptedEnd]:
    end = ScriptedEnd()
    end.wire = await Wire.open(("127.0.0.1", 0), end.take, timers)
    try:
        yield end
    finally:
        await end.wire.close()


def tag_of(header: str) -> str:
    return sip.name_address(header).params.get("tag", "")
