"""Scalars of the settings: durations with their unit, digits, dates, ids."""

import re
from datetime import date, time
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_WHOLE = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+")
_SPAN = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: Any) -> float:
    """A duration such as `20s`, `1m30s` or `500ms`, in seconds.

    Raises ValueError, which says how to write it, for anything else: a bare number is refused
    because nobody can see whether it means seconds or milliseconds.
    """
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: write a number with its unit, such as '20s', '1m30s' or '500ms'")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def written_seconds(value: float) -> str:
    """A duration as `seconds` reads it, to the microsecond."""
    return f"{value:.6f}".rstrip("0").rstrip(".") + "s"


def days(text: Any) -> int:
    """A number of days such as `180d`. Raises ValueError, which says how to write it."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,5}d", text):
        raise ValueError(f"{text!r} is not a number of days: write it as '180d'")
    return int(text[:-1])


def span(text: Any) -> tuple[time, time]:
    """`09:00-17:30` as two times; `24:00` as an end is the end of the day (time.max)."""
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is not a span of hours: write it as '09:00-17:30'")
    begin_h, begin_m, end_h, end_m = (int(part) for part in found.groups())
    if begin_h > 23 or begin_m > 59 or end_m > 59 or (end_h, end_m) > (24, 0):
        raise ValueError(f"{text!r} names an hour that does not exist: hours go from 00:00 to 24:00")
    begin = time(begin_h, begin_m)
    end = time.max if end_h == 24 else time(end_h, end_m)
    if end <= begin:
        raise ValueError(
            f"{text!r} ends before it begins: write two spans for a night, '20:00-24:00' and '00:00-08:00'"
        )
    return begin, end


def shift(text: Any) -> tuple[time, time]:
    """`07:00-15:00` or, over midnight, `23:00-07:00`; begin and end differ. Raises ValueError."""
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no shift: write it as '07:00-15:00'")
    begin_h, begin_m, end_h, end_m = (int(part) for part in found.groups())
    if begin_h > 23 or begin_m > 59 or end_m > 59 or (end_h, end_m) > (24, 0):
        raise ValueError(f"{text!r} names an hour that does not exist: hours go from 00:00 to 24:00")
    begin, end = time(begin_h, begin_m), time(end_h % 24, end_m)
    if begin == end and text != "00:00-24:00":
        raise ValueError(f"{text!r} has no length: write '00:00-24:00' for a whole day")
    return begin, end


def _written_shift(hours: tuple[time, time]) -> str:
    end = "24:00" if hours[1] == time() else f"{hours[1]:%H:%M}"
    return f"{hours[0]:%H:%M}-{end}"


def _written(hours: tuple[time, time]) -> str:
    end = "24:00" if hours[1] == time.max else f"{hours[1]:%H:%M}"
    return f"{hours[0]:%H:%M}-{end}"


def day(text: Any) -> date:
    """A date as `2026-01-31`. Raises ValueError, which says how to write it."""
    if isinstance(text, date):
        return text
    try:
        if isinstance(text, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is a day that does not exist: look at a calendar") from None
    raise ValueError(f"{text!r} is not a date: write it as '2026-01-31'")


DurationS = Annotated[
    float,
    BeforeValidator(seconds),
    PlainSerializer(written_seconds, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_WHOLE.pattern}$", "examples": ["20s", "1m30s", "500ms"]}),
]
"""A duration, held in seconds."""

DaysLong = Annotated[
    int,
    BeforeValidator(days),
    Field(ge=1, le=36_500),
    PlainSerializer(lambda value: f"{value}d", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,5}d$", "examples": ["180d"]}),
]
"""A number of days."""

HoursSpan = Annotated[
    tuple[time, time],
    BeforeValidator(span),
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SPAN.pattern}$", "examples": ["09:00-17:30"]}),
]

ShiftSpan = Annotated[
    tuple[time, time],
    BeforeValidator(shift),
    PlainSerializer(_written_shift, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SPAN.pattern}$", "examples": ["07:00-15:00", "23:00-07:00"]}),
]
"""Begin and end in the city's time; an end that is not after the begin is on the next day."""

Day = Annotated[date, BeforeValidator(day)]

Digits = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{2,20}$"),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^[0-9]{2,20}$"}),
]
"""A telephone number as it is dialled. It may be written without quotes."""

Ident = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A name that operators give to a thing: small letters, digits and underscores."""

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*$")]
"""A text on one line, without control characters."""

EmergencyKey = Annotated[str, StringConstraints(pattern=r"^\*[0-9]$")]
MenuKey = Annotated[str, StringConstraints(pattern=r"^[0-9#]$")]
Port = Annotated[int, Field(ge=1, le=65535)]
