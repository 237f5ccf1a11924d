"""A store with millions of records: the rows that the store itself would keep of these calls, made faster.

The store keeps a few thousand calls from their journal lines. Every further call is one of these with
another caller, seat, agent, id and moment, put together by SQLite itself; `differences` compares some
of them with what the store makes of their own lines.
"""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.day import ORDINARY_DAY
from bench.records_calls import NODE, Shape, Who, drawn, lines, moments, shapes
from recordings.queries import begin_ms
from recordings.store import AUDIOS, Store
from recordings.tail import Batch, Place

CITY = ZoneInfo("Asia/Shanghai")
LAST_DAY = date(2026, 11, 20)
SHAPES = 4_000

_FAR_MS = 2**53
_LOT = 100_000
_EACH = 10_000
"""One of so many calls is compared."""


@dataclass(frozen=True, slots=True)
class Made:
    """A made call."""

    number: int
    """Of its shape."""
    shape: Shape
    who: Who


def batch(*calls: tuple[Shape, Who]) -> Batch:
    """Whole calls, as they would be read at once."""
    rows = [row for shape, who in calls for row in lines(shape, who)]
    return Batch(tuple(sorted(rows, key=lambda row: row.at_us)), (), Place(1, 1, b"made", 0))


def kept_rows(calls: Sequence[tuple[Shape, Who]], path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns, and the rows that the store at `path` keeps of these calls, with all that follows the end."""
    with Store(path) as store:
        store.database.execute("PRAGMA synchronous = OFF")
        for at in range(0, len(calls), 200):
            store.keep(NODE, batch(*calls[at : at + 200]), 0)
        store.interrupt(NODE, _FAR_MS)
        for shape, who in calls:
            if shape.outcome == "answered":
                store.keep_audio(who.ref, AUDIOS[0], f"{_folder(who.at_ms)}/{who.ref}.wav", _hash(who), shape.talk_ms)
                if shape.mark:
                    store.keep_audio(who.ref, AUDIOS[1], None, None, None)
        store.database.conn.execute("UPDATE records SET looked_at = 1, reconciled = 1")
        columns, by_ref = _rows(store, [who.ref for _, who in calls])
    return columns, [by_ref[who.ref] for _, who in calls]


def _rows(store: Store, refs: Sequence[str]) -> tuple[list[str], dict[str, tuple[Any, ...]]]:
    found: dict[str, tuple[Any, ...]] = {}
    columns: list[str] = []
    for ref in refs:
        with closing(store.database.execute("SELECT * FROM records WHERE ref = ?", (ref,))) as cursor:
            columns = [column[0] for column in cursor.description]
            found[ref] = tuple(cursor.fetchone())
    return columns, found


def _folder(at_ms: int) -> str:
    return _folder_of_hour(at_ms // 3_600_000)


@lru_cache(maxsize=1)
def _folder_of_hour(hour: int) -> str:
    return f"{datetime.fromtimestamp(hour * 3600, UTC).astimezone(CITY):%Y/%m/%d}"


def _hash(who: Who) -> str:
    """Of no file: none is made."""
    return 2 * who.ref.replace("-", "")


class Maker:
    """Makes calls of the shapes that the store has kept once."""

    def __init__(self, folder: Path, callers: int, seed: int, *, many_shapes: int = SHAPES) -> None:
        self._callers = callers
        self._shapes = shapes(many_shapes, seed)
        like = [(shape, _numbered(number)) for number, shape in enumerate(self._shapes)]
        self.columns, self.rows = kept_rows(like, folder / "shapes.db")

    def calls(self, days: int, many: int, seed: int, last: date = LAST_DAY) -> Iterator[Made]:
        """So many calls, on the days up to `last`, the oldest first."""
        chance = random.Random(seed)
        begins = [begin_ms(last - timedelta(days=days - 1 - day), CITY) for day in range(days)]
        done = [round(many * day / days) for day in range(days + 1)]
        of_days = [(begin, done[day + 1] - done[day]) for day, begin in enumerate(begins)]
        for at_ms in moments(of_days, ORDINARY_DAY, chance):
            number = int(len(self._shapes) * chance.random())
            yield Made(number, self._shapes[number], drawn(chance, at_ms, self._callers))


def _numbered(number: int) -> Who:
    return Who(f"00000000-0000-4000-8000-{number:012x}", 0, "*", "*", "*")


def differences(made: Sequence[Made], path: Path, other: Path) -> list[str]:
    """What the store at `other` keeps otherwise of these calls than `path` has; nothing at all is right."""
    columns, theirs = kept_rows([(one.shape, one.who) for one in made], other)
    with Store(path) as store:
        _, ours = _rows(store, [one.who.ref for one in made])
    return [
        f"{one.who.ref}: {name} is {here!r}, the store keeps {there!r}"
        for one, row in zip(made, theirs, strict=True)
        for name, here, there in zip(columns, ours[one.who.ref], row, strict=True)
        if here != there
    ]


def fill(
    path: Path,
    maker: Maker,
    calls: Iterator[Made],
    told: Callable[[str], None],
    parts: Mapping[int, Path] | None = None,
) -> tuple[int, list[Made]]:
    """A store at `path` with these calls; how many there are, and some of them.

    Indexes and triggers are taken away meanwhile, and made again from their own words.
    `parts`: so many of the calls → where a store with them alone is made, too.
    """
    wanted = dict(parts or {})
    with Store(path) as store:
        database = store.database.conn
        later = _taken_away(database)
        _hurry(database)
        database.execute("BEGIN")
        _put_shapes(database, maker)
        put = _put(maker.columns)
        sample: list[Made] = []
        many = 0
        while lot := list(islice(calls, min([_LOT, *(size - many for size in wanted)]))):
            database.execute("DELETE FROM temp.made")
            database.executemany("INSERT INTO temp.made VALUES (?, ?, ?, ?, ?, ?, ?)", map(_values, lot))
            database.execute(put)
            sample += lot[::_EACH]
            many += len(lot)
            told(f"{many} records")
            if many in wanted:
                database.execute("COMMIT")
                _part(path, wanted.pop(many), later, told)
                database.execute("BEGIN")
        _finish(database, later, told)
    return many, sample


def _hurry(database: sqlite3.Connection) -> None:
    """Nothing is on the disk for sure, until `_finish`."""
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = FILE"):
        database.execute(f"PRAGMA {pragma}")


def _part(path: Path, part: Path, later: Sequence[tuple[str, str]], told: Callable[[str], None]) -> None:
    """A store with what is at `path` now, whose transaction is over."""
    shutil.copyfile(path, part)
    with closing(sqlite3.connect(part, isolation_level=None)) as database:
        _hurry(database)
        database.execute("BEGIN")
        _finish(database, later, told)


def _finish(database: sqlite3.Connection, later: Sequence[tuple[str, str]], told: Callable[[str], None]) -> None:
    """Makes what `_taken_away` took, and ends the transaction."""
    for one in ("seat", "agent"):
        told(f"{one}s")
        database.execute(
            f"INSERT INTO record_{one}s SELECT json_extract({one}s, '$[0]'), outcome, arrived_utc_ms, ref, "  # noqa: S608
            f"dialled, number, caller FROM records WHERE {one}s <> '[]' ORDER BY 1, 2, 3, 4"
        )
    for name, sql in later:
        told(name)
        database.execute(sql)
    database.execute("COMMIT")
    database.execute("PRAGMA journal_mode = WAL")


def _put_shapes(database: sqlite3.Connection, maker: Maker) -> None:
    """The kept rows by their number, and a place for calls that are to be made of them."""
    database.execute("CREATE TEMP TABLE shapes AS SELECT 0 AS shape, * FROM records LIMIT 0")
    marks = ", ".join("?" * (1 + len(maker.columns)))
    rows = ((number, *row) for number, row in enumerate(maker.rows))
    database.executemany(f"INSERT INTO shapes (shape, {', '.join(maker.columns)}) VALUES ({marks})", rows)  # noqa: S608
    database.execute("CREATE UNIQUE INDEX temp.shapes_by_number ON shapes (shape)")
    database.execute("CREATE TEMP TABLE made (shape, at_ms, ref, caller, seat, agent, folder)")


def _values(one: Made) -> tuple[Any, ...]:
    who = one.who
    return one.number, who.at_ms, who.ref, who.caller, who.seat, who.agent, _folder(who.at_ms)


def _put(columns: Sequence[str]) -> str:
    """SQL that makes records of the calls that were put there."""
    made = {name: f"shapes.{name} + made.at_ms" for name in columns if name.endswith("_utc_ms")}
    made |= {"ref": "made.ref", "caller": "made.caller"}
    for name, value in (
        ("call_back_to", "made.caller"),
        ("recording_file", "made.folder || '/' || made.ref || '.wav'"),
        ("recording_sha256", "replace(made.ref || made.ref, '-', '')"),
    ):
        made[name] = f"iif(shapes.{name} IS NULL, NULL, {value})"
    for one in ("seat", "agent"):
        made[f"{one}s"] = f"""iif(shapes.{one}s = '[]', '[]', '["' || made.{one} || '"]')"""
    values = ", ".join(made.get(name, f"shapes.{name}") for name in columns)
    return (
        f"INSERT INTO records ({', '.join(columns)}) SELECT {values} "  # noqa: S608 - our own words
        "FROM temp.made AS made CROSS JOIN temp.shapes AS shapes ON shapes.shape = made.shape ORDER BY made.rowid"
    )


def _taken_away(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """The names and words of the indexes and triggers of records, which are no more."""
    with closing(
        database.execute(
            "SELECT type, name, sql FROM sqlite_master "
            "WHERE tbl_name = 'records' AND type <> 'table' AND sql IS NOT NULL"
        )
    ) as found:
        rows = found.fetchall()
    for kind, name, _ in rows:
        database.execute(f"DROP {kind} {name}")
    return [(name, sql) for _, name, sql in rows]
