"""`web.shelf.Shelf` over the running hotline's store: read in threads of its own, so that no search holds up a call."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog

from calls.record import CallRecord, Outcome
from hotline.controller import utc_ms
from hotline.folders import Folders
from hotline.office import Books, Office
from recordings.audit import By
from recordings.keys import KeyMissing, KeyRing
from recordings.marks import MarkKind, Marks
from recordings.playback import NoAudio, open_audio
from recordings.queries import NoSuchCall, SearchWrong, SeveralCalls, Wanted, find, get, timeline
from recordings.reading import Reading, SearchTooSlow
from recordings.store import AUDIOS, Store
from recordings.vault import AudioBroken
from settings.shapes import Settings
from web.desk import Refusal, Who
from web.shelf import CallsPage, KeptCall, Search, Sound, Voice

BOUND_S = 2.0
"""So long one search may take."""
_PATIENCE_S = 10.0
"""So long somebody waits at most for the searches before, or for a recording to be opened."""
_AT_ONCE = 8
"""More searches do not wait."""
_TIES = 50
"""More calls do not arrive within the same millisecond."""
_AUDIO = {Voice.RECORDING: AUDIOS[0], Voice.MESSAGE: AUDIOS[1]}

T = TypeVar("T")

_log = structlog.get_logger()


class LiveShelf:
    """Everything that is kept, for those who may ask for it. Use it within `async with`."""

    def __init__(self, settings: Settings, folders: Folders, keys: KeyRing, office: Office) -> None:
        self._folders = folders
        self._keys = keys
        self._office = office
        self._zone = ZoneInfo(settings.city.timezone)
        self._confidential = frozenset(ident for ident, number in settings.numbers.items() if number.confidential)
        self._searching = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._listening = ThreadPoolExecutor(2, thread_name_prefix="listen")
        self._reading: Reading | None = None
        self._asked = 0

    async def __aenter__(self) -> "LiveShelf":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            await asyncio.get_running_loop().run_in_executor(self._searching, self._reading.close)
        self._searching.shutdown(cancel_futures=True)
        self._listening.shutdown(cancel_futures=True)

    async def search(self, search: Search) -> CallsPage:
        wanted, after = _wanted(search)
        found = await self._read(lambda store: find(store, wanted, self._zone))
        if after is not None:
            found = [record for record in found if (-record.arrived_utc_ms, record.ref) > (-after[0], after[1])]
        items = tuple(found[: search.limit])
        return CallsPage(items, _mark(items[-1]) if len(found) > len(items) else None)

    async def call(self, call: str) -> KeptCall:
        def read(store: Store) -> KeptCall:
            record, marks = _whole(store, call), Marks(store)
            confidential = marks.confidential(record, self._confidential)
            return KeptCall(record, marks.has(call, MarkKind.HELD), confidential, timeline(store, call))

        return await self._read(read)

    async def sound(self, who: Who, call: str, voice: Voice) -> Sound:
        parts = await self._in_time(self._listening, lambda: self._opened(who, call, voice))
        return Sound(f"{call}{_AUDIO[voice].ending}", self._handed_on(parts))

    async def hold(self, who: Who, call: str, reason: str) -> None:
        await self._mark(who, call, MarkKind.HELD, reason)

    async def release(self, who: Who, call: str) -> None:
        await self._unmark(who, call, MarkKind.HELD)

    async def make_confidential(self, who: Who, call: str, reason: str) -> None:
        await self._mark(who, call, MarkKind.CONFIDENTIAL, reason)

    async def end_confidential(self, who: Who, call: str) -> None:
        await self._unmark(who, call, MarkKind.CONFIDENTIAL)

    async def _mark(self, who: Who, call: str, kind: MarkKind, reason: str) -> None:
        await self._read(lambda store: _whole(store, call))
        await self._office.asked_in_turn(lambda books: books.marks.add(call, kind, reason, _by(who), utc_ms()))

    async def _unmark(self, who: Who, call: str, kind: MarkKind) -> None:
        def end(books: Books) -> bool:
            return books.marks.end(call, kind, _by(who), utc_ms())

        await self._read(lambda store: _whole(store, call))
        if not await self._office.asked_in_turn(end):
            raise Refusal(409, f"not_{kind.value}", f"the call {call} is not {kind.value}", "nothing is left to do")

    def _opened(self, who: Who, call: str, voice: Voice) -> Iterator[bytes]:
        """A store of its own: another thread may not use that of the searches, which cannot write either."""
        with Store(self._folders.records) as store:
            record, folder = _whole(store, call), self._folders.recordings
            return open_audio(
                store, record, _AUDIO[voice], _by(who), folder=folder, keys=self._keys, now_utc_ms=utc_ms()
            )

    async def _handed_on(self, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        while part := await loop.run_in_executor(self._listening, next, parts, b""):
            yield part

    async def _read(self, work: Callable[[Store], T]) -> T:
        """What `work` finds. Raises Refusal."""

        def read() -> T:
            if self._reading is None:
                self._reading = Reading(self._folders.records)
            with self._reading.bounded(BOUND_S) as store:
                return work(store)

        if self._asked >= _AT_ONCE:
            raise Refusal(503, "busy", f"{_AT_ONCE} searches are under way", "try again in a moment")
        self._asked += 1
        try:
            return await self._in_time(self._searching, read)
        finally:
            self._asked -= 1

    async def _in_time(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        """What `work` gives. Raises Refusal."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await asyncio.get_running_loop().run_in_executor(pool, work)
        except (LookupError, ValueError, OSError, sqlite3.Error) as error:
            raise _refusal(error) from error


_SEE_LOG = "see the log of the hotline"
_TOLD: dict[type[Exception], tuple[int, str, str, str]] = {
    NoSuchCall: (404, "no_such_call", "no call with this id is kept", "look at GET /calls"),
    SeveralCalls: (404, "no_such_call", "no call has this id", "give the whole id"),
    SearchTooSlow: (503, "search_too_slow", "the search took too long", "name a day, a caller or a number"),
    TimeoutError: (503, "busy", "the store is busy", "try again in a moment"),
    AudioBroken: (500, "audio_broken", "this audio cannot be heard", _SEE_LOG),
    KeyMissing: (500, "audio_broken", "this audio cannot be heard", _SEE_LOG),
}
"""What is told of an error: status, kind, why and mend."""


def _refusal(error: Exception) -> Refusal:
    """What is told of an error; one that nobody at the desk can mend is in the log, too."""
    if isinstance(error, SearchWrong):
        return Refusal(422, "not_usable", error.matter, error.mend)
    if isinstance(error, NoAudio):
        return Refusal(410 if error.removed else 404, "no_audio", str(error), "nothing can be done")
    told = _TOLD.get(type(error), (503, "store_away", "the store cannot be used now", _SEE_LOG))
    if told[-1] == _SEE_LOG:
        _log.error("records_not_read", error=str(error))
    return Refusal(*told)


def _wanted(search: Search) -> tuple[Wanted, tuple[int, str] | None]:
    """What is looked for, and after which call. Raises Refusal."""
    after = None
    if search.after is not None:
        at_ms, _, ref = search.after.partition("-")
        after = (int(at_ms), ref)
    try:
        wanted = Wanted(
            day=_day(search.day),
            since=_day(search.since),
            until=_day(search.until),
            number=search.number,
            caller=search.caller,
            seat=search.seat,
            agent=search.agent,
            outcome=None if search.outcome is None else Outcome(search.outcome),
            limit=search.limit + 1 + (0 if after is None else _TIES),
            before_utc_ms=None if after is None else after[0] + 1,
        )
    except SearchWrong as wrong:
        raise _refusal(wrong) from wrong
    return wanted, after


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _mark(record: CallRecord) -> str:
    """Where the next page begins."""
    return f"{record.arrived_utc_ms}-{record.ref}"


def _whole(store: Store, call: str) -> CallRecord:
    """The call with this whole id. Raises NoSuchCall, SeveralCalls."""
    record = get(store, call)
    if record.ref != call:
        raise NoSuchCall(call)
    return record


def _by(who: Who) -> By:
    return By(who.name, who.role.value)
