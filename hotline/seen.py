"""Notes what the controller sees of calls that wait or talk, some of them at once."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice

from calls.live import CallRef, Waiting
from calls.sight import SeenTalk, Sight
from hotline.controller import utc_ms
from hotline.office import Office
from recordings.duty import DutyRow

LOT_S = 0.5
"""Whatever came meanwhile is noted together. A controller that dies knew of at most so much more than is kept."""
_REMEMBERED = 10_000
"""Of so many callers it is known what was noted; to note one again does no harm."""
_TALKING = "talking"


class SeenLog:
    """Hands what is seen over to the office in lots."""

    def __init__(self, node: str, office: Office, caller_of: Callable[[CallRef], Waiting | None]) -> None:
        """caller_of: what the controller knows of a call now."""
        self._node = node
        self._office = office
        self._caller_of = caller_of
        self._known: dict[CallRef, Sight] = {}
        self._new: dict[CallRef, None] = {}
        """Of whom there is something to note."""
        self._there: dict[CallRef, None] = {}
        """Who was known a moment ago."""
        self._talks: dict[str, CallRef] = {}
        """Seat → whom it talks with."""

    def entered(self, refs: Iterable[CallRef]) -> None:
        """These callers are known."""
        for one in filter(None, map(self._caller_of, refs)):
            self._there[one.ref] = None
            if one.ref not in self._known:
                self._known[one.ref] = Sight(
                    *(one.ref, one.channel.name, one.caller, one.number),
                    *(tuple(sorted(one.skills)), one.priority, one.t0_ms, utc_ms()),
                )
                self._new[one.ref] = None

    def changed(self, rows: Sequence[DutyRow]) -> None:
        """What seats do from now on: talks begin and end."""
        for row in rows:
            ref = CallRef(row.call) if row.state == _TALKING and row.call is not None else None
            before = self._talks.pop(row.seat, None)
            if before is not None and before != ref:
                self._add(before, SeenTalk(row.seat, row.agent or "", row.at_utc_ms, row.at_utc_ms))
            if ref is not None:
                self._talks[row.seat] = ref
                if before != ref:
                    self._add(ref, SeenTalk(row.seat, row.agent or "", row.at_utc_ms))

    def _add(self, ref: CallRef, talk: SeenTalk) -> None:
        if ref in self._known:
            self._known[ref] = self._known[ref].with_talks([talk])
            self._new[ref] = None

    async def run(self) -> None:
        """Notes what comes, until it is cancelled."""
        while True:
            await asyncio.sleep(LOT_S)
            self.flush()

    def flush(self) -> None:
        """Hands over what is not handed over yet."""
        for ref in [ref for ref in self._there if self._caller_of(ref) is None]:
            del self._there[ref]
            if ref in self._known:
                self._known[ref] = replace(self._known[ref], until_utc_ms=utc_ms())
                self._new[ref] = None
        if not self._new:
            return
        sights = tuple(self._known[ref] for ref in self._new)
        self._new = {}
        for old in list(islice(self._known, max(0, len(self._known) - _REMEMBERED))):
            del self._known[old]
        self._office.later(lambda books: books.seen.note(self._node, sights))
