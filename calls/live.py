"""What the controller hears from a running Asterisk, once and strictly: one closed union.

These events steer; they record nothing. Records come from the CEL file (`calls.journal`).
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

CallRef = NewType("CallRef", str)
"""A call's own id (UUID), given when it arrives and kept over transfers."""

Seat = NewType("Seat", str)

Agent = NewType("Agent", str)
"""The number by which a person signs on."""


@dataclass(frozen=True, slots=True, order=True)
class Channel:
    """An Asterisk channel. Its name, such as `PJSIP/carrier_a-0000001c`, is known on its node alone."""

    node: str
    name: str


class Device(Enum):
    """What Asterisk thinks of a seat's telephone."""

    FREE = "free"
    BUSY = "busy"
    RINGING = "ringing"
    GONE = "gone"
    """Not registered, or unreachable."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller in the waiting room, as its channel variables tell it."""

    channel: Channel
    ref: CallRef
    t0_ms: int
    """When it began to wait, in ms since the epoch; kept when it comes back from a seat."""
    skills: frozenset[str]
    priority: int
    number: str
    language: str
    caller: str = ""
    """The telephone number it calls from; empty where the carrier told none."""


@dataclass(frozen=True, slots=True)
class EnteredRoom:
    """A caller is in the waiting room, for the first time or again."""

    caller: Waiting


@dataclass(frozen=True, slots=True)
class CameBack:
    """A seat did not take the caller, who waits again; follows before EnteredRoom."""

    ref: CallRef
    seat: Seat
    why: str
    """DIALSTATUS, `TAKEN` (the seat was not free) or `LOST` (its leg died while talking)."""


@dataclass(frozen=True, slots=True)
class LeftRoom:
    """A caller left the waiting room on its own: to survival, or by an emergency key."""

    ref: CallRef
    to: str


@dataclass(frozen=True, slots=True)
class EnteredSurvival:
    """A caller waits in one of Asterisk's own queues, because no heartbeat was heard."""

    caller: Waiting
    queue: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """A channel ended. Callers and seats alike."""

    channel: Channel
    q850_cause: int


@dataclass(frozen=True, slots=True)
class SeatChanged:
    seat: Seat
    device: Device


@dataclass(frozen=True, slots=True)
class SentToSeat:
    """A call goes to a seat that an agent, not the controller, chose."""

    ref: CallRef
    channel: Channel
    seat: Seat
    talking: bool = False
    """The seat was consulted, and talks with the caller already; otherwise it is about to ring."""


@dataclass(frozen=True, slots=True)
class AsksPlace:
    """A waiting caller is about to be told its place in the line."""

    ref: CallRef
    channel: Channel


@dataclass(frozen=True, slots=True)
class WantsCallBack:
    """A waiting caller hangs up now and wants to be called back at `to` when its turn comes."""

    caller: Waiting
    to: str


@dataclass(frozen=True, slots=True)
class CallBackEnded:
    """A call back was answered (then the call is on its way to its seat) or reached nobody."""

    ref: CallRef
    """Of the new call."""
    channel: Channel | None
    """None when it reached nobody."""
    why: str
    """Empty when it was answered, otherwise `busy`, `rejected`, `no answer`, `unreachable` or `failed`."""


class DeskCode(Enum):
    """What an agent asks for by dialling from a seat."""

    SIGN_ON = "*11"
    SIGN_OFF = "*12"
    PAUSE = "*13"
    READY = "*14"
    """Ends a pause, or the time for notes."""


@dataclass(frozen=True, slots=True)
class SeatDialled:
    """A seat's telephone dialled a code, and waits to hear what became of it."""

    channel: Channel
    seat: Seat
    code: DeskCode
    keyed: str
    """The agent's number for `*11`, for `*13` the place of the reason in the settings, counted from 1; or empty."""
    pin: str = field(repr=False)
    """For `*11`."""


LiveEvent = (
    EnteredRoom
    | CameBack
    | LeftRoom
    | EnteredSurvival
    | HungUp
    | SeatChanged
    | SentToSeat
    | AsksPlace
    | WantsCallBack
    | CallBackEnded
    | SeatDialled
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything as it stands, read after a login or a lost lease."""

    waiting: tuple[Waiting, ...]
    surviving: tuple[tuple[str, Waiting], ...]
    """(queue, caller) of whoever waits in a survival queue."""
    seats: tuple[tuple[Seat, Device], ...]
    offered: tuple[tuple[CallRef, Channel, Seat], ...]
    """Callers between the waiting room and the end of their talk: (call, channel, its seat)."""
    callers: tuple[Waiting, ...] = ()
    """What is known of those of `offered`, as far as their channel variables tell it."""
