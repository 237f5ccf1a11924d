"""What the waiting room decides and tells: callers, their states and places, and what is to be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from calls.live import CallRef, Channel, Seat, Waiting
from routing.seats import SeatState


@dataclass(frozen=True, slots=True)
class KeptPlace:
    """A caller who has hung up, keeps its place in the line, and is called back when its turn comes."""

    id: int
    """Of the call-back."""
    first: CallRef
    """The call in which it was asked for."""
    to: str
    """The telephone number that is called."""
    number: str
    """The hotline number that was served."""
    skills: frozenset[str]
    priority: int
    language: str
    t0_ms: int
    """When its wait began, in ms since the epoch."""
    attempts: int
    """How often it has been called."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Send this caller to this seat."""

    caller: Waiting
    seat: Seat


@dataclass(frozen=True, slots=True)
class CallBackTurn:
    """Call this caller, and send the call to this seat, which is kept free for it."""

    place: KeptPlace
    ref: CallRef
    """Of the new call."""
    seat: Seat


@dataclass(frozen=True, slots=True)
class Overflow:
    """Send this caller out of the room: to another centre (`centre_<id>`), or to the duty officer (`duty`)."""

    caller: Waiting
    way: str


Decision = Connect | CallBackTurn | Overflow


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take this caller out of a survival queue, back into the waiting room."""

    queue: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Moved:
    """A caller's new place in the line, as Asterisk must remember it."""

    channel: Channel
    t0_ms: int
    priority: int


class CallerState(Enum):
    """A caller whom the room knows is in one of these; only a waiting one is connected."""

    WAITING = "waiting"
    OFFERED = "offered"
    TALKING = "talking"
    RETURNING = "returning"
    """A seat did not take it; Asterisk is about to say that it waits again."""
    SURVIVING = "surviving"
    LEAVING = "leaving"
    """On its way to another centre or to the duty officer."""
    DIALLING = "dialling"
    """Being called back; it has not answered yet."""
    CALL_BACK = "call_back"
    """Nobody on the telephone: a kept place that waits for its turn."""
    UNCLEAR = "unclear"
    """A command's outcome is unknown; the next snapshot tells."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many callers and seats are in each state; states that nobody is in are left out."""

    callers: Mapping[CallerState, int]
    """Calls; kept places are none."""
    seats: Mapping[SeatState, int]
    kept: int = 0
    """Places of callers who are not being called back yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody who has no seat yet."""

    caller: Waiting | KeptPlace
    state: CallerState
    position: int
    """1 is next; 0: not in the line, but on the way to a seat, or out of the room."""
    estimate_ms: int | None
    """None: not known."""


@dataclass(slots=True)
class Call:
    """A call whom the room knows."""

    ref: CallRef
    channel: Channel | None
    """None while it is being called back."""
    state: CallerState
    caller: Waiting | None = None
    """None for a call that was first seen at a seat."""
    seat: Seat | None = None
    """The one whose record has this call; None again when its telephone is free after the talk."""
    queue: str = ""
    held_until_ms: int | None = None
    """While it survives: until when nobody passes it, by the room's clock. None: not said yet."""
    place: KeptPlace | None = None
    """Whose turn this call is, until it is answered."""
    by_hand: bool = False
    """Somebody wanted it now; the place was not in the line."""

    @property
    def number(self) -> str:
        """The hotline number; empty where it is not known."""
        served = self.caller or self.place
        return "" if served is None else served.number
