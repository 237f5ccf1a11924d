"""Structured logs: fixed event names with fields, a call's id in each line, personal data masked."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from recordings import mask as masks

NUMBERS = frozenset({"caller", "to", "dial"})
"""Fields that are a telephone number, however short."""
KEYS = frozenset({"key", "keys"})
"""Fields that tell what somebody pressed."""

Fields = MutableMapping[str, Any]


def masked(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Hides personal data: telephone numbers in whatever text, and keys. Whoever needs them looks
    into the call's record, by its id.
    """
    for field, value in fields.items():
        if field in KEYS:
            fields[field] = "*" * len(str(value))
        elif field in NUMBERS:
            fields[field] = masks.goal(str(value)) if field != "caller" else masks.number(str(value))
        elif field != "timestamp":
            fields[field] = _without_numbers(value)
    return fields


def _without_numbers(value: Any) -> Any:
    match value:
        case str():
            return masks.numbers_in(value)
        case list() | tuple() | set() | frozenset():
            return [_without_numbers(part) for part in value]
        case dict():
            return {name: _without_numbers(part) for name, part in value.items()}
        case _:
            return value


def to_stream(stream: TextIO) -> Callable[..., Any]:
    """A logger factory that writes whole lines to a stream."""
    return structlog.WriteLoggerFactory(file=stream)


def configure(
    stream: TextIO | None = None, *, as_json: bool = False, mask: bool = True, for_good: bool = False
) -> None:
    """Sets up logging for this process: to `stream` (standard error unless given).

    as_json: one object a line, for programs; otherwise columns for people at a terminal, and in a file `name=value`.
    mask: whether personal data is hidden.
    for_good: it is set up only this once, and each line costs less.
    """
    target = stream or sys.stderr
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if mask:
        processors.append(masked)
    structlog.configure(
        processors=[*processors, _renderer(as_json=as_json, terminal=target.isatty())],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=to_stream(target),
        cache_logger_on_first_use=for_good,
    )


def _renderer(*, as_json: bool, terminal: bool) -> Any:
    if as_json:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    if terminal:
        return structlog.dev.ConsoleRenderer(colors=True, pad_event_to=30)
    return structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event"), bool_as_flag=False)


def open_log(folder: Path, name: str) -> TextIO:
    """The log file `<folder>/<name>.log`, opened for appending, line by line, its owner's alone."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.log"
    path.touch(mode=0o600)
    return path.open("a", encoding="utf-8", buffering=1)
