"""What is kept of a call: one record, told in full by `docs/records.md`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from calls.live import CallRef


class Outcome(Enum):
    """How a call ended, seen from the citizen."""

    ANSWERED = "answered"
    """A person of ours talked with the caller: at a seat, or the duty officer."""
    CALL_BACK = "call_back"
    """The caller hung up to be called back, and keeps the place in the line."""
    ABANDONED = "abandoned"
    """The caller waited for a seat and gave up."""
    LEFT = "left"
    """The caller hung up before waiting: in a greeting, in a menu, while another centre rang."""
    EMERGENCY = "emergency"
    """The caller wanted an emergency number, whoever answered it."""
    TRANSFERRED = "transferred"
    """Another centre answered."""
    REFUSED_BLOCKED = "refused_blocked"
    REFUSED_FULL = "refused_full"
    REFUSED_UNKNOWN = "refused_unknown"
    NOTICE = "notice"
    """The number is cancelled: its notice was all that the caller heard."""
    CLOSED = "closed"
    """Outside the hours of the service, and the caller went no further."""
    DRILL = "drill"
    """A test call of ours over an emergency number's line: nobody called."""
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
    """The last trunk on which somebody answered: an emergency number, another centre, or whom an agent called."""
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
    """The first time a seat, or the duty officer, answered."""
    ended_utc_ms: int | None
    """The caller's end; after an interruption the last sign of life."""
    wait_ms: int | None
    """From waiting to the first talk, to another centre's answer, to an emergency key, or to the end."""
    talk_ms: int
    """While at least one seat, or the duty officer, was in the call, holding included; so far, while it runs."""
    menus: tuple[str, ...]
    keys: tuple[Key, ...]
    language: str | None
    skills: tuple[str, ...]
    """What the caller last waited for."""
    priority: int | None
    seats: tuple[str, ...]
    """Seats that answered, in order."""
    agents: tuple[str, ...]
    """Who was signed on at those seats, in order; a seat without anybody adds nobody."""
    transfers: tuple[str, ...]
    """Where agents passed the call on to, in order; `routing.goals` tells the goals."""
    overflowed_to: str | None
    """Where the call went last after a long wait or for want of people on duty: `centre_<id>` or `duty`."""
    call_back_of: str | None
    """This call was made by us, for the call with this id; empty: for one that somebody noted by hand."""
    call_back_to: str | None
    """The number at which the caller wanted to be called back."""
    emergency_number: str | None
    """The one that was wanted, by the caller or by an agent for the caller."""
    hung_up_by: Side | None
    q850_cause: int | None
    """Why the caller's channel ended; None when Asterisk does not know."""
    survived: bool
    """The call waited in one of Asterisk's own queues, with no controller."""
    recorded: bool
    """Audio was to be recorded."""
    rating: int | None
    """The caller's mark for the talk, 1 to 5."""
    message_left: bool
    """The caller spoke a message after the mark."""
    recording_file: str | None = None
    """Relative to the folder of recordings; None as long as no audio has been put there."""
    recording_sha256: str | None = None
    recording_ms: int | None = None
    message_file: str | None = None
    """Relative to the folder of recordings."""
    message_sha256: str | None = None
    message_ms: int | None = None
    seen_live: bool | None = None
    """Whether the controller knew of the call while it waited; None: it never waited, or that is not settled yet."""
    clock_stepped: bool = False
    """The machine's clock was set during the call: durations are right at most up to that jump."""
    lines_missing: bool = False
    """The journal lacks lines of it: what the controller saw stands in for them, and where nothing tells of the
    end, `ended_utc_ms` is the last sign of life."""


LISTS = ("menus", "keys", "skills", "seats", "agents", "transfers")
"""The fields that hold several values."""

_FLAGS = ("running", "survived", "recorded", "message_left", "clock_stepped", "lines_missing")


_NAMES = tuple(field.name for field in fields(CallRecord))


def plain(record: CallRecord, names: Iterable[str] = _NAMES) -> dict[str, Any]:
    """The record as JSON knows it, one entry a field: those with these names, or all."""
    return {name: _plain(getattr(record, name)) for name in names}


def of_plain(values: Mapping[str, Any]) -> CallRecord:
    """The record that `plain` told; entries that are no fields are left out."""
    given = {name: values[name] for name in _NAMES}
    side = given["hung_up_by"]
    given |= {
        "outcome": Outcome(given["outcome"]),
        "hung_up_by": None if side is None else Side(side),
        "keys": tuple(Key(**key) for key in given["keys"]),
        **{name: tuple(given[name]) for name in LISTS if name != "keys"},
        **{name: bool(given[name]) for name in _FLAGS},
        "seen_live": None if given["seen_live"] is None else bool(given["seen_live"]),
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
