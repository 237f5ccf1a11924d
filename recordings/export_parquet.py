"""Records as a Parquet file with typed columns, for analysis.

The only module that imports pyarrow, which is large: it is imported when such a file is wanted.
"""

from collections.abc import Iterable, Iterator
from io import RawIOBase
from itertools import islice
from pathlib import Path
from typing import Any, assert_never

import pyarrow as pa
import pyarrow.parquet as pq

from calls.record import plain
from recordings.export_columns import COLUMNS, Column, Kept, Kind, RecordWrong, kept

LOT = 5000
"""So many records are in memory at once, and in one group of the file."""

_MOMENT = pa.timestamp("ms", tz="UTC")


def _type(column: Column) -> Any:
    match column.kind:
        case Kind.TEXT:
            return pa.string()
        case Kind.NUMBER:
            return pa.int64()
        case Kind.MOMENT:
            return _MOMENT
        case Kind.FLAG:
            return pa.bool_()
        case Kind.TEXTS:
            return pa.list_(pa.string())
        case Kind.KEYS:
            return pa.list_(pa.struct([("where", pa.string()), ("key", pa.string())]))
        case _:
            assert_never(column.kind)


_TYPES = {"revision": pa.int64(), **{column.name: _type(column) for column in COLUMNS}}
_SCHEMA = pa.schema(
    [
        pa.field("revision", pa.int64(), nullable=False),
        *(pa.field(column.name, _TYPES[column.name], nullable=column.optional) for column in COLUMNS),
    ]
)


def write(found: Iterable[Kept], file: RawIOBase) -> None:
    """Writes all of them; times are timestamps, lists are lists."""
    some = iter(found)
    with pq.ParquetWriter(file, _SCHEMA, compression="zstd") as writer:
        while lot := list(islice(some, LOT)):
            rows = [{"revision": one.revision, **plain(one.record)} for one in lot]
            writer.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA))


def read(path: Path) -> Iterator[tuple[str, Kept | RecordWrong]]:
    """Each row with what is in it. Raises RecordWrong when it is no Parquet file of an export, OSError."""
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise RecordWrong(f"it is no Parquet file: {error}") from None
    with file:
        _require_types(file.schema_arrow)
        row = 0
        batches = file.iter_batches(LOT)
        while (batch := _next(batches)) is not None:
            if isinstance(batch, RecordWrong):
                yield f"row {row + 1}", batch
                return
            for values in _rows(batch):
                row += 1
                yield f"row {row}", _read_row(values)


def _require_types(found: Any) -> None:
    """Raises RecordWrong unless every column has the type that it has in an export."""
    for field in found:
        wanted = _TYPES.get(field.name)
        if wanted is not None and field.type != wanted:
            raise RecordWrong(f"its column {field.name} has the type {field.type}, not {wanted}")
    if not {"revision", "ref"} <= set(found.names):
        raise RecordWrong("it does not have the columns of an export")


def _next(batches: Iterator[Any]) -> Any:
    """The next batch; None at the end; RecordWrong where the file cannot be read on."""
    try:
        return next(batches, None)
    except (pa.ArrowException, OSError) as error:  # A damaged page is an OSError.
        return RecordWrong(f"it is damaged: {error}")


def _rows(batch: Any) -> Iterator[dict[str, Any]]:
    """Its rows; times as whole numbers, which Python's own could not all be."""
    columns = {
        name: (column.cast(pa.int64()) if column.type == _MOMENT else column).to_pylist()
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _read_row(values: dict[str, Any]) -> Kept | RecordWrong:
    try:
        return kept(values, values.pop("revision"))
    except RecordWrong as wrong:
        return wrong
