"""What the controller may ask of Asterisk: the port that the real AMI and the tests' fake implement."""

from collections.abc import AsyncGenerator
from enum import Enum
from typing import Protocol

from calls.live import Channel, LiveEvent, Seat, Snapshot


class Answer(Enum):
    """How a command to Asterisk ended."""

    DONE = "done"
    NO_CHANNEL = "no channel"
    """The caller hung up meanwhile."""
    FAILED = "failed"
    """Refused, or no answer in time: what became of it is unknown until the next snapshot."""


class SwitchLost(ConnectionError):
    """The connection to Asterisk is gone; the adapter connects anew by itself."""


class Switch(Protocol):
    """One node's Asterisk, as the controller sees it."""

    node: str

    def batches(self) -> AsyncGenerator[tuple[LiveEvent, ...] | None, None]:
        """Events in order, as many at once as had arrived. None: a new connection was made, and
        everything known is stale: take a `snapshot`. Read it within `contextlib.aclosing`."""
        ...

    async def snapshot(self) -> Snapshot:
        """Everything as it stands, with a barrier: events read before it are in it.

        Raises SwitchLost.
        """
        ...

    async def beat(self, epoch_s: int) -> bool:
        """Sets the heartbeat that the dialplan looks at; True when Asterisk acknowledged it."""
        ...

    async def connect(self, channel: Channel, seat: Seat) -> Answer:
        """Sends a waiting caller to a seat."""
        ...

    async def withdraw(self, queue: str, channel: Channel) -> Answer:
        """Takes a caller out of a survival queue, back into the waiting room. Safe to repeat."""
        ...
