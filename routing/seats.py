"""What the matcher knows of a seat."""

from dataclasses import dataclass
from enum import Enum

from calls.live import CallRef, Device, Seat
from routing.matcher import Idle, Skills


class SeatState(Enum):
    """A seat is in one of these; only a free one may ring."""

    FREE = "free"
    TAKEN = "taken"
    """Offered to a caller, or talking with one."""
    BUSY = "busy"
    """On the telephone with somebody whom nobody here sent to it."""
    RESTING = "resting"
    """It did not take a caller and is left alone for a moment."""
    UNCLEAR = "unclear"
    """A command's outcome is unknown; the next snapshot tells."""
    GONE = "gone"


@dataclass(slots=True)
class SeatRecord:
    """One seat. Times are in ms of the room's clock."""

    seat: Seat
    skills: Skills
    device: Device = Device.GONE
    free_since_ms: int = 0
    """When its telephone last became free."""
    rests_until_ms: int = 0
    call: CallRef | None = None
    """Whom it was given, until they come back, hang up, or its telephone is free after talking."""
    unclear: bool = False
    listed: Idle | None = None
    """Its entry in the matcher, while it has one."""

    def state(self, now_ms: int) -> SeatState:
        if self.unclear:
            return SeatState.UNCLEAR
        if self.call is not None:
            return SeatState.TAKEN
        if self.device is Device.GONE:
            return SeatState.GONE
        if self.device is not Device.FREE:
            return SeatState.BUSY
        return SeatState.RESTING if now_ms < self.rests_until_ms else SeatState.FREE

    def sees(self, device: Device, now_ms: int) -> None:
        """Takes over what Asterisk thinks of its telephone."""
        if device is Device.FREE and self.device is not Device.FREE:
            self.free_since_ms = now_ms
        self.device = device
