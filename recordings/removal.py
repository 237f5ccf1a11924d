"""Removes what is kept no longer, as `recordings.retention` says, a few calls at a time."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, assert_never
from zoneinfo import ZoneInfo

import structlog

from recordings import mask
from recordings.retention import DAY_MS, Call, Part, Terms
from recordings.store import AUDIOS, Store

EVERY_S = 3600.0
_LOOK_S = 60.0
_BREATH_S = 0.05
"""Between two lots, so that whoever keeps calls never waits long."""
_AT_ONCE = 100
"""Calls that are removed in one transaction."""
_LOOKED_AT = 1_000
"""Calls that are looked at before the next pause."""
_CALL = """
    SELECT ref, dialled, number, arrived_utc_ms, coalesce(ended_utc_ms, arrived_utc_ms) AS ended_utc_ms,
        recording_file, message_file, audio = 'kept' OR message_audio = 'kept' AS has_audio,
        ref IN (SELECT ref FROM marks WHERE kind = 'confidential' AND ended_utc_ms IS NULL) AS confidential,
        ref IN (SELECT ref FROM marks WHERE kind = 'held' AND ended_utc_ms IS NULL) AS held
    FROM records WHERE running = 0
"""
_THESE = f"{_CALL} AND ref IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own words
_OLD = f"{_CALL} AND arrived_utc_ms < ? AND (arrived_utc_ms, ref) > (?, ?)"
_WITH_AUDIO = "AND (audio = 'kept' OR message_audio = 'kept')"
_ORDERED = "ORDER BY arrived_utc_ms, ref LIMIT ?"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Due:
    """Something of a call whose time is over, or will be."""

    call: Call
    part: Part
    due_utc_ms: int


@dataclass(slots=True)
class Removed:
    """How many calls lost what."""

    audio: int = 0
    records: int = 0


@dataclass(frozen=True, slots=True)
class _From:
    """Behind which call a walk goes on."""

    arrived_utc_ms: int = 0
    ref: str = ""


class Remover:
    """Removes from one store, whose file it opens by itself, and from one folder of recordings."""

    def __init__(
        self, path: Path, folder: Path, terms: Terms, *, journal: Path | None = None, forwards: bool = False
    ) -> None:
        """`journal`: Asterisk's, whose rotated files go, too. `forwards`: as of the store; then whoever
        has a copy of the records is told."""
        self._path = path
        self._folder = folder
        self._terms = terms
        self._journal = journal
        self._forwards = forwards

    async def run(self) -> None:
        """Removes what is due, once an hour, until it is cancelled."""
        while True:
            try:
                removed = await self.remove()
            except (OSError, sqlite3.Error) as error:
                _log.error("retention_failed", error=str(error))
            else:
                if removed.audio or removed.records:
                    _log.info("retention_removed", audio=removed.audio, records=removed.records)
            await asyncio.sleep(EVERY_S)

    async def remove(self) -> Removed:
        """Removes everything that is due now. Raises OSError, sqlite3.Error; then the rest is due still."""
        removed = Removed()
        for part in (Part.RECORD, Part.AUDIO):
            after: _From | None = _From()
            while after is not None:
                after = await asyncio.to_thread(self._lot, part, after, removed)
                await asyncio.sleep(_BREATH_S)
        await asyncio.to_thread(self._beside, now_utc_ms())
        await asyncio.to_thread(self._journals, now_utc_ms())
        return removed

    def _lot(self, part: Part, after: _From, removed: Removed) -> _From | None:
        """Removes what is due among the next calls; behind which to go on, None: there are no more."""
        now_ms = now_utc_ms()
        with self._opened() as store:
            rows = _old(store, part, now_ms - DAY_MS * _days(self._terms, part), after)
            due = [row for row in rows if self._terms.due(_call(row), now_ms) is not None]
            if due:
                # Looked at again within the transaction: whoever holds a call now waits, or was faster.
                with store.writing() as connection:
                    for row in store.rows(_THESE, json.dumps([row["ref"] for row in due[:_AT_ONCE]])):
                        self._remove(store, connection, row, now_ms, removed)
        if len(due) > _AT_ONCE:
            return _From(due[_AT_ONCE - 1]["arrived_utc_ms"], due[_AT_ONCE - 1]["ref"])
        return _behind(rows)

    def _remove(
        self, store: Store, connection: sqlite3.Connection, row: dict[str, Any], now_ms: int, removed: Removed
    ) -> None:
        call = _call(row)
        match self._terms.due(call, now_ms):
            case Part.RECORD:
                self._remove_audio(row)
                store.remove(connection, call.ref, self._terms.of_call(call).why)
                removed.records += 1
            case Part.AUDIO:
                self._remove_audio(row)
                _forget_audio(store, connection, call.ref)
                removed.audio += 1
            case None:
                pass
            case other:
                assert_never(other)

    def _remove_audio(self, row: dict[str, Any]) -> None:
        """The files first: if the machine dies now, they are due again."""
        for audio in AUDIOS:
            if (file := row[f"{audio.fields}_file"]) is not None:
                path = self._folder / file
                path.unlink(missing_ok=True)
                with suppress(OSError):  # Other calls of that day are still there.
                    path.parent.rmdir()

    def _opened(self) -> Store:
        store = Store(self._path, forwards=self._forwards)
        # Otherwise what was removed could still be read in the file, for as long as nothing needs its place.
        store.database.execute("PRAGMA secure_delete = ON")
        return store

    def _beside(self, now_ms: int) -> None:
        """What is kept beside the calls and tells callers' numbers."""
        before_ms = now_ms - DAY_MS * self._terms.ordinary.records
        with self._opened() as store, store.writing() as connection:
            connection.execute("DELETE FROM unreadable WHERE found_utc_ms < ?", (before_ms,))
            connection.execute("DELETE FROM blocks WHERE removed_utc_ms < ?", (before_ms,))
            day = f"{datetime.fromtimestamp(before_ms / 1000, UTC):%Y-%m-%d}"
            connection.execute("DELETE FROM blocks WHERE until < ?", (day,))
            for row in store.rows(_CLOSED):
                if row["last_utc_ms"] < now_ms - DAY_MS * self._terms.of_number(row["number"]).records:
                    connection.execute("DELETE FROM call_back_reasons WHERE call_back = ?", (row["id"],))
                    connection.execute("DELETE FROM call_backs WHERE id = ?", (row["id"],))
            for row in store.rows(_AUDIT_WITH_NUMBERS, before_ms):
                connection.execute("UPDATE audit SET what = ? WHERE id = ?", (mask.numbers_in(row["what"]), row["id"]))

    def _journals(self, now_ms: int) -> None:
        """Rotated files of the journal that are wholly kept in the store, and as old as any record may become."""
        if self._journal is None:
            return
        before_s = now_ms / 1000 - self._terms.shortest.records * DAY_MS / 1000
        old = [path for path in self._journal.parent.glob(f"{self._journal.name}.*") if path.stat().st_mtime < before_s]
        if not old:
            return
        with self._opened() as store:
            read = {(row["device"], row["inode"]): row["offset"] for row in store.rows("SELECT * FROM places")}
        for path in old:
            found = path.stat()
            if read.get((found.st_dev, found.st_ino)) == found.st_size:
                path.unlink()
                _log.info("journal_removed", file=path.name)


_CLOSED = """
    SELECT id, number, last_utc_ms FROM call_backs WHERE state NOT IN ('waiting', 'listed', 'dialling')
    AND NOT EXISTS (SELECT 1 FROM call_back_reasons JOIN records USING (ref) WHERE call_back = call_backs.id)
"""
"""Call-backs that are done, none of whose calls is kept."""
_DIGIT = "[0-9]"
_AUDIT_WITH_NUMBERS = f"SELECT id, what FROM audit WHERE at_utc_ms < ? AND what GLOB '*{_DIGIT * 9}*'"  # noqa: S608


def survey(store: Store, terms: Terms, until_utc_ms: int) -> Iterator[Due]:
    """What is due by then, the oldest call first, with those that are held."""
    for part in (Part.RECORD, Part.AUDIO):
        after: _From | None = _From()
        while after is not None:
            rows = _old(store, part, until_utc_ms - DAY_MS * _days(terms, part), after)
            for row in rows:
                call = _call(row)
                due_ms = terms.due_utc_ms(call, part)
                whole = part is Part.AUDIO and terms.due_utc_ms(call, Part.RECORD) <= until_utc_ms
                if due_ms <= until_utc_ms and not whole:
                    yield Due(call, part, due_ms)
            after = _behind(rows)


async def tell_days(path: Path, timezone: ZoneInfo) -> None:
    """Logs the head of the chain at the end of each day of the city's, for somebody to keep elsewhere."""
    told: date | None = None
    while True:
        today = datetime.now(timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        yesterday = today.date() - timedelta(days=1)
        if yesterday == told:
            await asyncio.sleep(_LOOK_S)
            continue
        try:
            found = await asyncio.to_thread(_last_before, path, int(today.timestamp() * 1000))
        except (OSError, sqlite3.Error) as error:
            _log.error("day_not_closed", error=str(error))
            await asyncio.sleep(_LOOK_S)
        else:
            if found is not None:
                _log.info("day_closed", day=yesterday.isoformat(), links=found[0], head=found[1].hex())
            told = yesterday


def _last_before(path: Path, before_utc_ms: int) -> tuple[int, bytes] | None:
    with Store(path) as store:
        rows = store.rows("SELECT id, link FROM links WHERE at_utc_ms < ? ORDER BY id DESC LIMIT 1", before_utc_ms)
    return (rows[0]["id"], rows[0]["link"]) if rows else None


def _behind(rows: Sequence[dict[str, Any]]) -> _From | None:
    """Where a walk goes on; None: these were the last ones."""
    return None if len(rows) < _LOOKED_AT else _From(rows[-1]["arrived_utc_ms"], rows[-1]["ref"])


def _days(terms: Terms, part: Part) -> int:
    return terms.shortest.records if part is Part.RECORD else terms.shortest.audio


def _old(store: Store, part: Part, before_utc_ms: int, after: _From) -> list[dict[str, Any]]:
    sql = f"{_OLD} {_WITH_AUDIO if part is Part.AUDIO else ''} {_ORDERED}"
    return store.rows(sql, before_utc_ms, after.arrived_utc_ms, after.ref, _LOOKED_AT)


def _call(row: dict[str, Any]) -> Call:
    return Call(
        row["ref"],
        row["dialled"],
        row["number"],
        row["ended_utc_ms"],
        has_audio=bool(row["has_audio"]),
        confidential=bool(row["confidential"]),
        held=bool(row["held"]),
    )


def _forget_audio(store: Store, connection: sqlite3.Connection, ref: str) -> None:
    """Hash and length stay: they prove what there was."""
    for audio in AUDIOS:
        connection.execute(
            f"UPDATE records SET {audio.state} = 'removed', {audio.fields}_file = NULL, revision = revision + 1 "  # noqa: S608
            f"WHERE ref = ? AND {audio.state} = 'kept'",
            (ref,),
        )
    store.changed(connection, ref)


def now_utc_ms() -> int:
    return time.time_ns() // 1_000_000
