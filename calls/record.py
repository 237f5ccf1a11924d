"""What is kept of a call: one record, told in full by `docs/records.md`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from calls.live import CallRef


class Outcome(Enum):
    """How a call ended, seen from the citizen."""

    ANSWERED = "answered"
    """A seat talked with the caller."""
    ABANDONED = "abandoned"
    """The caller waited for a seat and gave up."""
    LEFT = "left"
    """The caller hung up before waiting: in a greeting, in a menu, while another centre rang."""
    EMERGENCY = "emergency"
    """An emergency number was wanted, whoever answered it."""
    TRANSFERRED = "transferred"
    """Another centre answered."""
    REFUSED_BLOCKED = "refused_blocked"
    REFUSED_FULL = "refused_full"
    REFUSED_UNKNOWN = "refused_unknown"
    NOTICE = "notice"
    """The number is cancelled: its notice was all that the caller heard."""
    CLOSED = "closed"
    """Outside the hours of the service, and the caller went no further."""
    INTERRUPTED = "interrupted"
    """No end is known: the call still runs, or Asterisk or the machine stopped in the midst."""


class Side(Enum):
    """Who of a call's parties."""

    CALLER = "caller"
    SEAT = "seat"
    TRUNK = "trunk"
    """An emergency number or another centre."""
    SYSTEM = "system"
    """The hotline itself: its dialplan, or Asterisk."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key with a meaning, and where it was pressed: the menu's id, or `waiting`."""

    where: str
    key: str


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call. Times are ms since the epoch (UTC); None: it did not happen, or not yet."""

    ref: CallRef
    node: str
    dialled: str
    number: str | None
    """The number that was served in the end: a merged number or a menu may lead to another one."""
    caller: str
    """Empty when the carrier told none."""
    trunk_in: str
    trunk_out: str | None
    """The last trunk on which an emergency number or another centre answered."""
    outcome: Outcome
    running: bool
    """The call has not ended as far as is known."""
    arrived_utc_ms: int
    answered_utc_ms: int | None
    """When the hotline itself picked up."""
    waiting_since_utc_ms: int | None
    seat_rang_utc_ms: int | None
    """The first time a seat rang."""
    talk_began_utc_ms: int | None
    """The first time a seat answered."""
    ended_utc_ms: int | None
    """The caller's end; after an interruption the last sign of life."""
    wait_ms: int | None
    """From waiting to the first talk, to an emergency key, or to the end."""
    talk_ms: int
    """While at least one seat was connected; so far, while the call runs."""
    menus: tuple[str, ...]
    keys: tuple[Key, ...]
    language: str | None
    skills: tuple[str, ...]
    """What the caller last waited for."""
    priority: int | None
    seats: tuple[str, ...]
    """Seats that answered, in order."""
    emergency_number: str | None
    hung_up_by: Side | None
    q850_cause: int | None
    """Why the caller's channel ended; None when Asterisk does not know."""
    survived: bool
    """The call waited in one of Asterisk's own queues, with no controller."""
    recorded: bool
    """Audio was to be recorded."""
    recording_file: str | None = None
    """Relative to the folder of recordings; None as long as no audio has been put there."""
    recording_sha256: str | None = None
    recording_ms: int | None = None


def plain(record: CallRecord) -> dict[str, Any]:
    """The record as JSON knows it, one entry a field."""
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}


def of_plain(values: Mapping[str, Any]) -> CallRecord:
    """The record that `plain` told; entries that are no fields are left out."""
    given = {field.name: values[field.name] for field in fields(CallRecord)}
    side = given["hung_up_by"]
    given |= {
        "outcome": Outcome(given["outcome"]),
        "hung_up_by": None if side is None else Side(side),
        "keys": tuple(Key(**key) for key in given["keys"]),
        **{name: tuple(given[name]) for name in ("menus", "skills", "seats")},
        **{name: bool(given[name]) for name in ("running", "survived", "recorded")},
    }
    return CallRecord(**given)


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Key(where, key):
            return {"where": where, "key": key}
        case tuple():
            return [_plain(part) for part in value]
        case _:
            return value
