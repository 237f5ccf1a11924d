"""Records as a table of comma-separated values (RFC 4180, UTF-8), safe to open in a spreadsheet.

A text that a spreadsheet would take for a formula gets an apostrophe before it, and so does one that
begins with an apostrophe, and an empty one where nothing at all is another value: so nothing is lost.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from calls.record import plain
from recordings.export_columns import COLUMNS, Column, Kept, Kind, RecordWrong, kept
from recordings.show import local

FOR_PEOPLE = "arrived"
"""The first column: the city's time of arrival, for people; it is not read back."""

_HEAD = (FOR_PEOPLE, "revision", *(column.name for column in COLUMNS))
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "'")
_FLAGS = {"true": True, "false": False}
_CELL_BYTES = 1_000_000


def write(found: Iterable[Kept], file: RawIOBase, timezone: ZoneInfo) -> None:
    """Writes one line a record after a line with the names of the columns."""
    lines = csv.writer(_Encoded(file))
    lines.writerow(_HEAD)
    for one in found:
        values = plain(one.record)
        arrived = f"{local(one.record.arrived_utc_ms, timezone):%Y-%m-%d %H:%M:%S}"
        lines.writerow((arrived, one.revision, *(_cell(column, values[column.name]) for column in COLUMNS)))


class _Encoded:
    """Writes texts into a file of bytes."""

    def __init__(self, file: RawIOBase) -> None:
        self._file = file

    def write(self, text: str) -> None:
        self._file.write(text.encode())


def read(path: Path) -> Iterator[tuple[str, Kept | RecordWrong]]:
    """Each line with what is in it. Raises RecordWrong when the first line is not that of an export, OSError."""
    csv.field_size_limit(_CELL_BYTES)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        known = {column.name: column for column in COLUMNS}
        head = _next(lines) or []
        if "revision" not in head or "ref" not in head or len(set(head)) < len(head):
            raise RecordWrong("its first line does not name the columns of an export")
        try:
            while (cells := _next(lines)) is not None:
                yield f"line {lines.line_num}", _read_line(head, cells, known)
        except RecordWrong as wrong:
            yield f"line {lines.line_num + 1}", wrong


def _next(lines: Iterator[list[str]]) -> list[str] | None:
    """The next line's cells; None at the end. Raises RecordWrong where the file cannot be read on."""
    try:
        return next(lines, None)
    except UnicodeDecodeError:
        raise RecordWrong("it is not UTF-8") from None
    except csv.Error as error:
        raise RecordWrong(f"it is not comma-separated values: {error}") from None


def _read_line(head: list[str], cells: list[str], known: dict[str, Column]) -> Kept | RecordWrong:
    if len(cells) != len(head):
        return RecordWrong(f"it has {len(cells)} cells, not {len(head)}")
    values: dict[str, Any] = dict(zip(head, cells, strict=True))
    values.pop(FOR_PEOPLE, None)
    try:
        revision = _whole("revision", values.pop("revision"))
        return kept(
            {name: _value(known[name], cell) if name in known else cell for name, cell in values.items()}, revision
        )
    except RecordWrong as wrong:
        return wrong


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    match column.kind:
        case Kind.TEXT:
            guarded = value.startswith(_FORMULAS) or (not value and column.optional)
            return f"'{value}" if guarded else str(value)
        case Kind.NUMBER | Kind.MOMENT:
            return str(value)
        case Kind.FLAG:
            return "true" if value else "false"
        case Kind.TEXTS | Kind.KEYS:
            return json.dumps(value, ensure_ascii=False)
        case _:
            assert_never(column.kind)


def _value(column: Column, cell: str) -> Any:
    if not cell:
        return "" if column.kind is Kind.TEXT and not column.optional else None
    match column.kind:
        case Kind.TEXT:
            return cell.removeprefix("'")
        case Kind.NUMBER | Kind.MOMENT:
            return _whole(column.name, cell)
        case Kind.FLAG:
            return _FLAGS.get(cell, cell)
        case Kind.TEXTS | Kind.KEYS:
            try:
                return json.loads(cell)
            except (ValueError, RecursionError):
                raise RecordWrong(f"field {column.name} is {cell!r}, not JSON") from None
        case _:
            assert_never(column.kind)


def _whole(name: str, cell: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise RecordWrong(f"field {name} is {cell!r}, not a whole number") from None
