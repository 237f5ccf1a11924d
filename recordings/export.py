"""Takes calls out of the store, oldest first, without ever holding many of them in memory."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import assert_never
from zoneinfo import ZoneInfo

from calls.timeline import tell
from recordings import export_csv, export_vcon, mask
from recordings.export_columns import Kept
from recordings.export_vcon import Sounds
from recordings.fresh import FreshFile, FreshFolder, sync
from recordings.queries import Wanted
from recordings.store import Store, record_of

SUMS = "SHA256SUMS"
"""The file of a folder with vCons that tells the hash of each."""


class Format(Enum):
    """What calls are written as."""

    CSV = "csv"
    PARQUET = "parquet"
    VCON = "vcon"
    """A folder with one file a call, below folders for the days."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    calls: int
    sha256: str
    """Of the file; of a folder's list of hashes."""


def count(store: Store, wanted: Wanted, timezone: ZoneInfo, *, running: bool = False) -> int:
    """How many of these calls have ended; running: how many have not, and are left out."""
    where, values = _where(wanted, timezone)
    sql = f"SELECT count(*) AS found FROM records WHERE {where} AND running = ?"  # noqa: S608 - our own words
    return int(store.rows(sql, *values, int(running))[0]["found"])


def chosen_calls(store: Store, wanted: Wanted, timezone: ZoneInfo) -> Iterator[Kept]:
    """Those of these calls that have ended, oldest first, all as they stood at one moment. `limit` is left aside."""
    where, values = _where(wanted, timezone)
    sql = f"SELECT * FROM records WHERE {where} AND running = 0 ORDER BY arrived_utc_ms, ref"  # noqa: S608 - our own words
    with closing(store.database.conn.execute(sql, values)) as cursor:
        names = [column[0] for column in cursor.description]
        for row in cursor:
            values_of = dict(zip(names, row, strict=True))
            yield Kept(values_of["revision"], record_of(values_of))


def export(
    store: Store,
    wanted: Wanted,
    timezone: ZoneInfo,
    form: Format,
    out: Path,
    *,
    masked: bool = False,
    sounds: Callable[[Kept], Sounds] = lambda _: {},
) -> Exported:
    """Writes these calls to `out`, which appears when all of them are in it.

    sounds: the audio that goes into a call's vCon. Raises AlreadyThere, OSError, sqlite3.Error.
    """
    counted = _Counted(chosen_calls(store, wanted, timezone))
    found: Iterable[Kept] = (Kept(one.revision, mask.record(one.record)) for one in counted) if masked else counted
    match form:
        case Format.CSV:
            with FreshFile(out) as file:
                export_csv.write(found, file, timezone)
            return Exported(counted.calls, file.sha256())
        case Format.PARQUET:
            from recordings import export_parquet  # noqa: PLC0415 - pyarrow is large, and wanted for this alone.

            with FreshFile(out) as file:
                export_parquet.write(found, file)
            return Exported(counted.calls, file.sha256())
        case Format.VCON:
            with FreshFolder(out) as folder:
                sha256 = _vcons(store, counted, folder, timezone, sounds, masked=masked)
            return Exported(counted.calls, sha256)
        case _:
            assert_never(form)


class _Counted:
    """Counts what it hands on."""

    def __init__(self, found: Iterable[Kept]) -> None:
        self._found = found
        self.calls = 0

    def __iter__(self) -> Iterator[Kept]:
        for one in self._found:
            self.calls += 1
            yield one


def _vcons(
    store: Store,
    found: Iterable[Kept],
    folder: Path,
    timezone: ZoneInfo,
    sounds: Callable[[Kept], Sounds],
    *,
    masked: bool,
) -> str:
    """Writes one file a call, and the list of their hashes; says that list's hash."""
    with FreshFile(folder / SUMS) as sums:
        for one in found:
            record, entries = one.record, tell(store.events(one.record.ref))
            if masked:
                record, entries = mask.record(record), tuple(mask.entry(entry) for entry in entries)
            whole = Kept(one.revision, record, store.event_rows(record.ref))
            told = export_vcon.text(whole, entries, sounds(one), _now_utc_ms(), masked=masked)
            day = datetime.fromtimestamp(record.arrived_utc_ms / 1000, UTC).astimezone(timezone)
            name = f"{day:%Y/%m/%d}/{record.ref}{export_vcon.ENDING}"
            data = told.encode()
            path = folder / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(data)
            sync(path)
            sums.write(f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode())
    return sums.sha256()


def _where(wanted: Wanted, timezone: ZoneInfo) -> tuple[str, list[str | int]]:
    """A scan in order of arrival: what is asked for is mostly all there is in these days."""
    conditions = ["arrived_utc_ms >= ?", "arrived_utc_ms < ?"]
    values: list[str | int] = [*wanted.span_ms(timezone)]
    if wanted.number is not None:
        conditions.append("(dialled = ? OR number = ?)")
        values += [wanted.number, wanted.number]
    if wanted.outcome is not None:
        conditions.append("outcome = ?")
        values.append(wanted.outcome.value)
    if wanted.caller is not None:
        conditions.append("caller = ?")
        values.append(wanted.caller)
    for column, one in (("seats", wanted.seat), ("agents", wanted.agent)):
        if one is not None:
            conditions.append(f"EXISTS (SELECT 1 FROM json_each(records.{column}) WHERE value = ?)")  # noqa: S608 - our own columns
            values.append(one)
    return " AND ".join(conditions), values


def _now_utc_ms() -> int:
    return time.time_ns() // 1_000_000
