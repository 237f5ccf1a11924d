"""A `Shelf` without a store: tests script its calls and read what it was asked to do."""

from collections.abc import AsyncIterator
from typing import Any

from calls.fold import fold
from calls.record import CallRecord
from calls.timeline import tell
from tests.support.journal_lines import answered_call, ref_of
from web.desk import Refusal, Who
from web.shelf import CallsPage, KeptCall, Search, Sound, Voice

KEPT = ref_of(1)
"""The call."""
WAV = b"RIFF" + bytes(range(256))


class ScriptedShelf:
    """Its one call, in which agent 1001 was on duty, is what is shown."""

    def __init__(self) -> None:
        made = answered_call(agent="1001")
        record = fold("node1", made.rows, gone=False)
        assert record is not None
        self.kept = KeptCall(record, held=False, confidential=False, timeline=tell(made.rows))
        self.asked: list[tuple[Any, ...]] = []
        """Every search, and all that was done, in order."""
        self.refuses: Refusal | None = None
        self.broken = False
        """Whether what is heard breaks off."""
        self.removed = False
        """Whether the time of the audio is over."""

    @property
    def record(self) -> CallRecord:
        return self.kept.record

    async def search(self, search: Search) -> CallsPage:
        self._may()
        self.asked.append(("search", search))
        found = () if search.agent not in (None, *self.record.agents) else (self.record,)
        return CallsPage(found, f"{self.record.arrived_utc_ms}-{self.record.ref}" if search.limit == 1 else None)

    async def call(self, call: str) -> KeptCall:
        self._may()
        if call != self.record.ref:
            raise Refusal(404, "no_such_call", "no call with this id is kept", "look at GET /calls")
        return self.kept

    async def sound(self, who: Who, call: str, voice: Voice) -> Sound:
        self.asked.append(("sound", who.name, call, voice))
        if self.removed:
            raise Refusal(410, "no_audio", "its audio was removed when its time was over", "nothing can be done")
        return Sound(f"{call}.wav", self._parts())

    async def hold(self, who: Who, call: str, reason: str) -> None:
        await self._do("hold", who, call, reason)

    async def release(self, who: Who, call: str) -> None:
        await self._do("release", who, call)

    async def make_confidential(self, who: Who, call: str, reason: str) -> None:
        await self._do("make_confidential", who, call, reason)

    async def end_confidential(self, who: Who, call: str) -> None:
        await self._do("end_confidential", who, call)

    async def _parts(self) -> AsyncIterator[bytes]:
        yield WAV[:100]
        if self.broken:
            raise ValueError("its hash is not that of the record")
        yield WAV[100:]

    async def _do(self, what: str, who: Who, call: str, *more: str) -> None:
        await self.call(call)
        self.asked.append((what, who.name, call, *more))

    def _may(self) -> None:
        if self.refuses is not None:
            raise self.refuses
