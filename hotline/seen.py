"""Notes which callers the controller knew of, some of them at once."""

import asyncio
from collections.abc import Sequence

from calls.live import CallRef
from hotline.controller import utc_ms
from hotline.office import Office

LOT_S = 0.5
"""Whoever came meanwhile is noted together. A controller that dies knew of at most so much more than is kept."""
_REMEMBERED = 10_000
"""Of so many callers it is known that they were noted; to note one again does no harm."""


class SeenLog:
    """Hands the callers over to the office in lots."""

    def __init__(self, node: str, office: Office) -> None:
        self._node = node
        self._office = office
        self._noted: dict[CallRef, None] = {}
        self._new: dict[CallRef, None] = {}

    def entered(self, refs: Sequence[CallRef]) -> None:
        """These callers are known."""
        self._new |= dict.fromkeys(ref for ref in refs if ref not in self._noted)

    async def run(self) -> None:
        """Notes what comes, until it is cancelled."""
        while True:
            await asyncio.sleep(LOT_S)
            self.flush()

    def flush(self) -> None:
        """Hands over what is not handed over yet."""
        if not self._new:
            return
        refs, at_utc_ms = tuple(self._new), utc_ms()
        self._noted |= self._new
        self._new = {}
        for old in list(self._noted)[: max(0, len(self._noted) - _REMEMBERED)]:
            del self._noted[old]
        self._office.later(lambda books: books.seen.note(self._node, refs, at_utc_ms))
