"""What a record's fields are outside of this program, and the strict way back."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from pathlib import PurePosixPath
from types import NoneType
from typing import Any, assert_never, get_args, get_type_hints
from unicodedata import category
from uuid import UUID

from calls.record import CallRecord, Key, of_plain

TEXT_LENGTH = 4000
"""No text of a record is longer."""

_HIDDEN = "•"
_LINE_ENDS = "\u2028\u2029"
_WHOLE = 2**63


class Kind(Enum):
    """What the values of a field are."""

    TEXT = "text"
    NUMBER = "number"
    MOMENT = "moment"
    """Milliseconds since the epoch, UTC."""
    FLAG = "flag"
    TEXTS = "texts"
    KEYS = "keys"
    """Objects with `where` and `key`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record."""

    name: str
    kind: Kind
    optional: bool
    """Whether None is a value of it."""
    missing: Any
    """Its value where an older export lacks it; MISSING: it is always there."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it stood at a revision; a higher revision replaces a lower one."""

    revision: int
    record: CallRecord
    events: tuple[tuple[Any, ...], ...] = ()
    """As `recordings.store.Store.event_rows` tells them, where the format has them."""


class RecordWrong(ValueError):
    """What was read is no record; `matter` says why."""

    def __init__(self, matter: str) -> None:
        self.matter = matter
        super().__init__(matter)


def _column(name: str, annotation: Any, default: Any) -> Column:
    parts = get_args(annotation)
    optional = NoneType in parts
    plain = next(part for part in parts if part is not NoneType) if optional else annotation
    plain = getattr(plain, "__supertype__", plain)
    kind = Kind.TEXT
    if plain is bool:
        kind = Kind.FLAG
    elif plain is int:
        kind = Kind.MOMENT if name.endswith("_utc_ms") else Kind.NUMBER
    elif parts and not optional:
        kind = Kind.KEYS if parts[0] is Key else Kind.TEXTS
    return Column(name, kind, optional, default)


_HINTS = get_type_hints(CallRecord)
COLUMNS = tuple(_column(field.name, _HINTS[field.name], field.default) for field in fields(CallRecord))
"""A record's fields in their order."""


def kept(values: Mapping[str, Any], revision: object) -> Kept:
    """What was exported: values as `calls.record.plain` tells them. Raises RecordWrong."""
    if unknown := sorted(set(values) - {column.name for column in COLUMNS}):
        raise RecordWrong(f"a record has no field {', '.join(unknown)}")
    if type(revision) is not int or not 1 <= revision < _WHOLE:
        raise RecordWrong(f"its revision is {revision!r}, not a number from 1")
    given = {column.name: _value(column, values) for column in COLUMNS}
    for column in COLUMNS:
        if wrong := _wrong(column, given[column.name]):
            raise RecordWrong(f"field {column.name} {wrong}")
    try:
        record = of_plain(given)
    except ValueError as error:
        raise RecordWrong(str(error)) from None
    _require_whole(record)
    return Kept(revision, record)


def _value(column: Column, values: Mapping[str, Any]) -> Any:
    value = values.get(column.name, column.missing)
    if value is MISSING:
        raise RecordWrong(f"field {column.name} is missing")
    return value


def _wrong(column: Column, value: Any) -> str | None:
    """What is wrong with a value; None: nothing."""
    if value is None:
        return None if column.optional else "is empty"
    match column.kind:
        case Kind.TEXT:
            wrong = _wrong_text(value)
        case Kind.NUMBER | Kind.MOMENT:
            whole = type(value) is int and -_WHOLE <= value < _WHOLE
            wrong = None if whole else f"is {value!r}, not a whole number"
        case Kind.FLAG:
            wrong = None if type(value) is bool else f"is {value!r}, not true or false"
        case Kind.TEXTS:
            wrong = _wrong_texts(value)
        case Kind.KEYS:
            good = isinstance(value, list) and all(_is_key(part) for part in value)
            wrong = f"is {value!r}, not a list of objects with 'where' and 'key'"
            wrong = _wrong_texts([text for part in value for text in part.values()]) if good else wrong
        case _:
            assert_never(column.kind)
    return wrong


def _wrong_texts(value: object) -> str | None:
    if not isinstance(value, list):
        return f"is {value!r}, not a list of texts"
    return next((wrong for part in value if (wrong := _wrong_text(part))), None)


def _is_key(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"where", "key"}


def _wrong_text(value: object) -> str | None:
    if not isinstance(value, str):
        return f"is {value!r}, not a text"
    if len(value) > TEXT_LENGTH:
        return f"has more than {TEXT_LENGTH} characters"
    if any(category(letter) in ("Cc", "Cs") or letter in _LINE_ENDS for letter in value):
        return f"is {value!r}: a control character is in no text of a record"
    return None


def _require_whole(record: CallRecord) -> None:
    """Raises RecordWrong for what no export of ended, unmasked calls holds."""
    try:
        is_id = str(UUID(record.ref)) == record.ref
    except ValueError:
        is_id = False
    if not is_id:
        raise RecordWrong(f"its id is {record.ref!r}, not a UUID in small letters")
    if record.running:
        raise RecordWrong("the call was still running: export it anew when it has ended")
    if "*" in record.caller or any(key.key == _HIDDEN for key in record.keys):
        raise RecordWrong("it is masked, and would replace what is known: export it without --mask")
    for name in (record.recording_file, record.message_file):
        # It is opened later below the folder of recordings: it must be a file of this call.
        path = PurePosixPath(name or record.ref)
        if path.is_absolute() or ".." in path.parts or not path.name.startswith(record.ref):
            raise RecordWrong(f"its audio is {name!r}, which is no file of this call")
