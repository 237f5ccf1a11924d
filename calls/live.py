"""What the controller hears from a running Asterisk, once and strictly: one closed union.

These events steer; they record nothing. Records come from the CEL file (`calls.journal`).
"""

from dataclasses import dataclass
from enum import Enum
from typing import NewType

CallRef = NewType("CallRef", str)
"""A call's own id (UUID), given when it arrives and kept over transfers."""

Seat = NewType("Seat", str)


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


LiveEvent = EnteredRoom | CameBack | LeftRoom | EnteredSurvival | HungUp | SeatChanged


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything as it stands, read after a login or a lost lease."""

    waiting: tuple[Waiting, ...]
    surviving: tuple[tuple[str, Waiting], ...]
    """(queue, caller) of whoever waits in a survival queue."""
    seats: tuple[tuple[Seat, Device], ...]
    offered: tuple[tuple[CallRef, Channel, Seat], ...]
    """Callers between the waiting room and the end of their talk: (call, channel, its seat)."""
