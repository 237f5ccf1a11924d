"""The steps of a call that the dialplan writes down: one vocabulary for writer and reader.

The dialplan writes each step with `CELGenUserEvent(kind,field=value&field=value)`; Asterisk puts
it into the CEL file even while no controller runs. `dialplan` renders from these definitions,
`recordings` reads by them, `docs/journal.md` lists them.

Values are percent-encoded (RFC 3986), so that nothing a caller sends can forge a field.
"""

import re
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, get_type_hints
from urllib.parse import unquote

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A call was let in. `ref` is its id for ever; `trunk` the endpoint it came from."""

    kind: ClassVar[str] = "ARRIVED"
    ref: str
    dialled: str
    caller: str
    trunk: str


@dataclass(frozen=True, slots=True)
class Served:
    """The treatment of a number began: by dialling, by a menu's key, or by a merged number."""

    kind: ClassVar[str] = "SERVED"
    number: str
    mode: str
    by: str
    """`dialled`, `menu` or `merged`."""


@dataclass(frozen=True, slots=True)
class Said:
    """A prompt began to play."""

    kind: ClassVar[str] = "SAID"
    prompt: str
    language: str


@dataclass(frozen=True, slots=True)
class MenuEntered:
    """A menu was offered; `attempt` counts from 1."""

    kind: ClassVar[str] = "MENU"
    menu: str
    attempt: int


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key that means something where it was pressed."""

    kind: ClassVar[str] = "KEY"
    where: str
    """The menu's id, or `waiting`."""
    key: str


@dataclass(frozen=True, slots=True)
class KeyMissed:
    """Silence (`why=silence`) or a key that means nothing here (`why=wrong`)."""

    kind: ClassVar[str] = "MISSED"
    menu: str
    why: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class LanguageChosen:
    kind: ClassVar[str] = "LANGUAGE"
    language: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The number's service is not open now."""

    kind: ClassVar[str] = "CLOSED"
    number: str
    hours: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The call was not served: `blocked`, `full`, `unknown` (number) or `cancelled` (number)."""

    kind: ClassVar[str] = "REFUSED"
    why: str


@dataclass(frozen=True, slots=True)
class EmergencyChosen:
    """An emergency number is wanted: `by` = `dialled`, `menu`, `waiting`, or an agent's `transfer` or `consult`."""

    kind: ClassVar[str] = "EMERGENCY"
    number: str
    by: str


@dataclass(frozen=True, slots=True)
class NotePassed:
    """An emergency number is told, with the call, what the agent noted of it."""

    kind: ClassVar[str] = "NOTE"
    number: str
    note: str


@dataclass(frozen=True, slots=True)
class Drilled:
    """The call is a test of an emergency number's line, and nobody's."""

    kind: ClassVar[str] = "DRILL"
    number: str
    trunk: str


@dataclass(frozen=True, slots=True)
class TrunkTried:
    """A call outwards begins: to an emergency number or to another centre."""

    kind: ClassVar[str] = "TRUNK"
    trunk: str
    dial: str


@dataclass(frozen=True, slots=True)
class TrunkEnded:
    """A call outwards ended, answered or not: Asterisk's DIALSTATUS."""

    kind: ClassVar[str] = "TRUNK_END"
    trunk: str
    status: str


@dataclass(frozen=True, slots=True)
class RoomEntered:
    """The caller waits. `skills` are joined with `+`; `t0_ms` is the entry time, kept over returns."""

    kind: ClassVar[str] = "ROOM"
    skills: str
    priority: int
    t0_ms: int


@dataclass(frozen=True, slots=True)
class SurvivalEntered:
    """No controller steers: the caller goes on waiting in one of Asterisk's own queues."""

    kind: ClassVar[str] = "SURVIVAL"
    queue: str


@dataclass(frozen=True, slots=True)
class SeatOffered:
    """A seat is about to ring for the caller."""

    kind: ClassVar[str] = "OFFER"
    seat: str
    agent: str = ""
    """Who is signed on there, as far as Asterisk was told."""


@dataclass(frozen=True, slots=True)
class SeatTook:
    """The seat that a survival queue chose has answered; written on the seat's own channel."""

    kind: ClassVar[str] = "TOOK"
    seat: str
    agent: str
    """As in SeatOffered."""


@dataclass(frozen=True, slots=True)
class SeatMissed:
    """The offered seat did not take the call: DIALSTATUS, or `TAKEN` when it was not free."""

    kind: ClassVar[str] = "BACK"
    seat: str
    why: str


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """A seat's leg ended after talking. Q.850 cause; 44 is a lost leg, the caller waits again."""

    kind: ClassVar[str] = "TALKED"
    seat: str
    q850_cause: int


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """Audio goes into this file of the spool while the caller is connected."""

    kind: ClassVar[str] = "RECORDING"
    file: str


@dataclass(frozen=True, slots=True)
class PlaceTold:
    """A waiting caller was told its place: 1 is next. `minutes` of wait estimated, rounded up; -1: not known."""

    kind: ClassVar[str] = "PLACE"
    position: int
    minutes: int


@dataclass(frozen=True, slots=True)
class CallBackWanted:
    """The caller hangs up and is called back at this number when its turn comes."""

    kind: ClassVar[str] = "CALLBACK"
    to: str


@dataclass(frozen=True, slots=True)
class CalledBack:
    """This call was made by us: for the call `first`, at the try `attempt`, counted from 1."""

    kind: ClassVar[str] = "CALLED_BACK"
    first: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Overflowed:
    """The call leaves the waiting room after a long wait, or because nobody is on duty: `centre_<id>` or `duty`."""

    kind: ClassVar[str] = "OVERFLOW"
    to: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """An agent passes the call on. `to` is a goal of `routing.goals`; `how` is `blind` or `attended`."""

    kind: ClassVar[str] = "TRANSFER"
    to: str
    how: str


@dataclass(frozen=True, slots=True)
class Held:
    """The caller hears music while the seat talks with somebody else."""

    kind: ClassVar[str] = "HELD"
    seat: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The caller talks with several people at once, or again with the seat after being held."""

    kind: ClassVar[str] = "JOINED"


@dataclass(frozen=True, slots=True)
class Rated:
    """The caller's mark for the talk, 1 to 5."""

    kind: ClassVar[str] = "RATED"
    mark: int


@dataclass(frozen=True, slots=True)
class MessageLeft:
    """The caller spoke a message after the mark, into this file of the spool."""

    kind: ClassVar[str] = "MESSAGE"
    file: str


Step = (
    Arrived
    | Served
    | Said
    | MenuEntered
    | KeyPressed
    | KeyMissed
    | LanguageChosen
    | Closed
    | Refused
    | EmergencyChosen
    | NotePassed
    | Drilled
    | TrunkTried
    | TrunkEnded
    | RoomEntered
    | SurvivalEntered
    | SeatOffered
    | SeatTook
    | SeatMissed
    | TalkEnded
    | RecordingStarted
    | PlaceTold
    | CallBackWanted
    | CalledBack
    | Overflowed
    | Transferred
    | Held
    | Joined
    | Rated
    | MessageLeft
)

STEPS: dict[str, type[Any]] = {step.kind: step for step in Step.__args__}
"""Every kind of step by the name that stands in the CEL file."""

_HINTS = {kind: get_type_hints(step) for kind, step in STEPS.items()}
_REQUIRED = {
    kind: tuple(field.name for field in fields(step) if field.default is MISSING) for kind, step in STEPS.items()
}


class StepWrong(ValueError):
    """A journal line that is not of the shape it claims; `matter` says what is wrong."""

    def __init__(self, kind: str, matter: str) -> None:
        self.kind = kind
        self.matter = matter
        super().__init__(f"journal step {kind}: {matter}")


def read(kind: str, text: str) -> Step:
    """The step that the dialplan wrote as `field=value&field=value`.

    Raises StepWrong for an unknown kind, an unknown, doubled or missing field, or a value that is
    no number where one belongs.
    """
    step = STEPS.get(kind)
    if step is None:
        raise StepWrong(kind, "no such kind of step")
    hints = _HINTS[kind]
    found: dict[str, Any] = {}
    for part in text.split("&") if text else []:
        field, equals, value = part.partition("=")
        if not equals or field not in hints or field in found:
            raise StepWrong(kind, f"field {field!r} is unknown, doubled or has no value")
        found[field] = _value(kind, field, hints[field], unquote(value) if "%" in value else value)
    for field in _REQUIRED[kind]:
        if field not in found:
            raise StepWrong(kind, f"field {field!r} is missing")
    made: Step = step(**found)
    return made


def _value(kind: str, field: str, hint: Any, text: str) -> Any:
    if hint is not int:
        return text
    if not _WHOLE_NUMBER.fullmatch(text):
        raise StepWrong(kind, f"field {field!r} is {text!r}, not a whole number")
    return int(text)
