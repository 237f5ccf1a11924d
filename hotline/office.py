"""The store as the running hotline uses it: one thread of its own, so that a slow disk holds nothing up."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from recordings.audit import Audit
from recordings.bans import Bans
from recordings.blocks import Blocks
from recordings.callbacks import CallBacks
from recordings.drills import Drills
from recordings.duty import Duty
from recordings.marks import Marks
from recordings.restarts import Restarts
from recordings.seen import Seen
from recordings.store import Store
from web.desk import Refusal

_AGAIN_S = 1.0
_PATIENCE_S = 2.0
"""So long somebody waits at most for what is to be done before."""

T = TypeVar("T")

_Item = tuple["Callable[[Books], Any]", asyncio.Future[Any] | None]
"""What is to be done, and who waits for what it gives."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Books:
    """What is kept beside the calls."""

    duty: Duty
    call_backs: CallBacks
    audit: Audit
    blocks: Blocks
    drills: Drills
    restarts: Restarts
    seen: Seen
    marks: Marks
    bans: Bans

    @classmethod
    def of(cls, store: Store) -> "Books":
        return cls(
            Duty(store),
            CallBacks(store),
            Audit(store),
            Blocks(store),
            Drills(store),
            Restarts(store),
            Seen(store),
            Marks(store),
            Bans(store),
        )


class Office:
    """Works on the books one piece after the other. Use it within `async with`."""

    def __init__(self, records: Path, *, forwards: bool = False) -> None:
        """`forwards`: as of the store."""
        self._records = records
        self._forwards = forwards
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="office")
        self._store: Store | None = None
        self._books: Books | None = None
        self._later: asyncio.Queue[_Item | None] = asyncio.Queue()
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> "Office":
        """Raises StoreTooNew, sqlite3.Error."""
        await self._in_thread(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._store is not None:
            await self._in_thread(self._store.close)
        self._thread.shutdown()

    async def do(self, work: Callable[[Books], T]) -> T:
        """What `work` gives. Raises what it raises, and OSError, sqlite3.Error."""
        return await self._in_thread(lambda: work(self._opened()))

    async def asked(self, work: Callable[[Books], T]) -> T:
        """What `work` gives to somebody who waits for it. Raises what it raises, and Refusal."""
        try:
            return await self.do(work)
        except (OSError, sqlite3.Error) as error:
            _log.error("duty_not_kept", error=str(error))
            raise _away() from error

    async def asked_in_turn(self, work: Callable[[Books], T]) -> T:
        """The same after everything that is to be done before it. Raises as `asked`, also when that takes too long;
        then it is done when it can be."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self.in_turn(work)
        except (OSError, sqlite3.Error) as error:  # TimeoutError is an OSError.
            _log.error("duty_not_kept", error=str(error) or "the store is too slow")
            raise _away() from error

    def later(self, work: Callable[[Books], object]) -> None:
        """Has it done in its turn by `run`; on a full disk it waits, and nothing is skipped."""
        self._later.put_nowait((work, None))

    async def in_turn(self, work: Callable[[Books], T]) -> T:
        """What `work` gives, after everything that is to be done before it."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._later.put_nowait((work, answer))
        return await answer

    def stop(self) -> None:
        """`run` ends when it has done what is left, as far as that can be done now."""
        self._later.put_nowait(None)
        self._stopping.set()

    async def run(self) -> None:
        """Does what is to be done later, until `stop`. Not to be cancelled: something would be lost."""
        while (item := await self._later.get()) is not None:
            work, answer = item
            try:
                result = await self._kept(work)
            except (LookupError, OSError, sqlite3.Error) as error:
                if answer is not None and not answer.done():
                    answer.set_exception(error)
                else:
                    _log.error("duty_not_kept", error=str(error))
            else:
                if answer is not None and not answer.done():
                    answer.set_result(result)

    async def _kept(self, work: Callable[[Books], T]) -> T:
        """Tries until it works, or until nobody can wait any longer. Raises what `work` raises then."""
        told = ""
        while True:
            try:
                return await self.do(work)
            except (OSError, sqlite3.Error) as error:
                if self._stopping.is_set():
                    raise
                if str(error) != told:
                    told = str(error)
                    _log.error("duty_not_kept", error=told)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _AGAIN_S)

    def _open(self) -> None:
        self._store = Store(self._records, forwards=self._forwards)
        self._books = Books.of(self._store)

    def _opened(self) -> Books:
        if self._books is None:
            raise AssertionError("the office is used before it is opened")
        return self._books

    def _in_thread(self, work: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)


def _away() -> Refusal:
    return Refusal(503, "store_away", "the store cannot be used now", "free the disk, then try again")
