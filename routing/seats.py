"""What is known of a seat, and what follows from it."""

from dataclasses import dataclass
from enum import Enum

from calls.live import Agent, CallRef, Device, Seat
from routing.duty import DutyState
from routing.matcher import Idle
from routing.skills import Has

MISSED = "missed"
"""Why a seat is paused that did not take several calls in a row."""


class SeatState(Enum):
    """A seat is in one of these; only a free one may ring."""

    FREE = "free"
    TAKEN = "taken"
    """Offered to a caller, or talking with one, or kept for one who is being called back."""
    BUSY = "busy"
    """On the telephone with somebody whom nobody here sent to it."""
    RESTING = "resting"
    """It did not take a caller and is left alone for a moment."""
    WRAP_UP = "wrap_up"
    """Its agent writes notes on the last talk."""
    PAUSED = "paused"
    UNCLEAR = "unclear"
    """A command's outcome is unknown; the next snapshot tells."""
    GONE = "gone"
    OFF = "off"
    """Nobody is signed on, and it serves nothing of its own."""

    @property
    def on_duty(self) -> bool:
        """Whether callers may hope for it."""
        return self not in (SeatState.PAUSED, SeatState.GONE, SeatState.OFF)


_TOLD: dict[SeatState, DutyState | None] = {
    SeatState.FREE: DutyState.IDLE,
    SeatState.TAKEN: DutyState.RINGING,
    SeatState.BUSY: DutyState.BUSY,
    SeatState.RESTING: DutyState.IDLE,
    SeatState.WRAP_UP: DutyState.WRAP_UP,
    SeatState.PAUSED: DutyState.PAUSED,
    SeatState.UNCLEAR: None,
    SeatState.GONE: DutyState.UNREACHABLE,
    SeatState.OFF: DutyState.OFFLINE,
}


@dataclass(slots=True)
class Given:
    """The call that a seat was given, until it comes back, hangs up, or the telephone is free after the talk."""

    ref: CallRef
    number: str
    """The hotline number that is served."""
    since_ms: int | None
    """Since when; None: since before anything was known."""
    talking: bool = False


@dataclass(slots=True)
class SeatRecord:
    """One seat. Times are in ms of the room's clock."""

    seat: Seat
    fixed: Has
    """What is served there without anybody signing on."""
    agent: Agent | None = None
    skills: Has = frozenset()
    """Of the agent."""
    device: Device = Device.GONE
    free_since_ms: int = 0
    """Since when it might have rung, as far as its telephone and its agent are concerned."""
    rests_until_ms: int = 0
    notes_until_ms: int = 0
    paused: str | None = None
    """Why; None: it is not."""
    paused_until_ms: int | None = None
    """None: until somebody ends the pause."""
    misses: int = 0
    """Calls in a row that it did not take."""
    given: Given | None = None
    unclear: bool = False
    # What others were told of it:
    listed: tuple[Has, Idle] | None = None
    """Its entry in the matcher, while it has one."""
    counted: Has | None = None
    """As what it counts as being on duty."""
    handled: Given | None = None
    """A call that has ended, whose notes are being written."""
    was: SeatState = SeatState.GONE

    @property
    def has(self) -> Has:
        """What can be served there now."""
        return self.fixed if self.agent is None else self.skills

    @property
    def call(self) -> CallRef | None:
        return None if self.given is None else self.given.ref

    def state(self, now_ms: int) -> SeatState:
        """A pause and the time for notes begin when the telephone is free of the call that was given."""
        if self.unclear:
            return SeatState.UNCLEAR
        if self.given is not None:
            return SeatState.TAKEN
        return self._away(now_ms) or self._by_itself(now_ms)

    def _away(self, now_ms: int) -> SeatState | None:
        """A pause with a reason is told even while the telephone is switched off."""
        if self.agent is not None and self.paused is not None:
            return SeatState.PAUSED
        if not self.has:
            return SeatState.OFF
        if self.device is Device.GONE:
            return SeatState.GONE
        paused = self.paused is not None and (self.paused_until_ms is None or now_ms < self.paused_until_ms)
        return SeatState.PAUSED if paused else None

    def _by_itself(self, now_ms: int) -> SeatState:
        if now_ms < self.notes_until_ms:
            return SeatState.WRAP_UP
        if self.device is not Device.FREE:
            return SeatState.BUSY
        return SeatState.RESTING if now_ms < self.rests_until_ms else SeatState.FREE

    def ends_ms(self, state: SeatState) -> int | None:
        """When that state, which holds now, ends by itself; None: it does not."""
        match state:
            case SeatState.RESTING:
                return self.rests_until_ms
            case SeatState.WRAP_UP:
                return self.notes_until_ms
            case SeatState.PAUSED:
                return self.paused_until_ms
            case _:
                return None

    def duty(self, state: SeatState) -> DutyState | None:
        """How that state, which holds now, is told; None: nobody knows just now."""
        if state is SeatState.TAKEN and self.given is not None and self.given.talking:
            return DutyState.TALKING
        return _TOLD[state]

    def sees(self, device: Device, now_ms: int) -> None:
        """Takes over what Asterisk thinks of its telephone."""
        if device is Device.FREE and self.device is not Device.FREE:
            self.free_since_ms = now_ms
        anew = self.device is Device.GONE and device is not Device.GONE
        if anew and self.agent is None and self.paused == MISSED:
            # Somebody has put the telephone right.
            self.carries_on()
        self.device = device

    def pauses(self, reason: str, until_ms: int | None = None) -> None:
        self.paused, self.paused_until_ms = reason, until_ms
        self.notes_until_ms = self.misses = 0

    def carries_on(self) -> None:
        """Nothing keeps it from taking calls but its telephone."""
        self.paused = self.paused_until_ms = None
        self.notes_until_ms = self.rests_until_ms = self.misses = 0

    def signs(self, agent: Agent | None, skills: Has) -> None:
        """Somebody comes, or goes (None). Whatever the last one left behind is over."""
        self.agent, self.skills = agent, skills
        self.paused = self.paused_until_ms = None
        self.notes_until_ms = self.misses = 0
