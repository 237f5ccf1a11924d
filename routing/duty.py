"""What seats and agents do, as it is told and kept: each change once."""

from dataclasses import dataclass
from enum import Enum

from calls.live import Agent, CallRef, Seat


class DutyState(Enum):
    """A seat, and the agent who is signed on there, is in one of these."""

    OFFLINE = "offline"
    """Nobody is signed on, and the seat serves nothing of its own."""
    IDLE = "idle"
    RINGING = "ringing"
    """It has a call that has not been answered; perhaps a caller who is being called back."""
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    BUSY = "busy"
    """On the telephone with somebody whom nobody here sent to it."""
    UNREACHABLE = "unreachable"
    """Its telephone is not registered."""


@dataclass(frozen=True, slots=True)
class DutyChange:
    """A seat's new state. When an agent leaves a seat, the agent's `offline` comes first."""

    seat: Seat
    agent: Agent | None
    state: DutyState
    reason: str
    """Of a pause: what the agent gave, or MISSED; empty otherwise."""
    call: CallRef | None
    at_ms: int
    """By the room's clock."""


class DutyLog:
    """Compares what seats do with what was told of them last."""

    def __init__(self) -> None:
        self._shown: dict[Seat, DutyChange] = {}
        self._since_ms: dict[Seat, int] = {}
        self._changes: list[DutyChange] = []

    def begin(self, known: DutyChange) -> None:
        """What is known of a seat already: not told again."""
        self._shown[known.seat] = known
        self._since_ms[known.seat] = known.at_ms

    def show(self, now: DutyChange) -> None:
        before = self._shown[now.seat]
        same = (before.state, before.agent, before.reason, before.call) == (now.state, now.agent, now.reason, now.call)
        if same:
            return
        gone = before.agent is not None and before.agent != now.agent
        if gone and before.state is not DutyState.OFFLINE:
            self._changes.append(DutyChange(now.seat, before.agent, DutyState.OFFLINE, "", None, now.at_ms))
        if not (gone and now.agent is None and now.state is DutyState.OFFLINE):
            self._changes.append(now)
        if gone or (before.state, before.reason) != (now.state, now.reason):
            self._since_ms[now.seat] = now.at_ms
        self._shown[now.seat] = now

    def state(self, seat: Seat) -> DutyState:
        return self._shown[seat].state

    def since_ms(self, seat: Seat) -> int:
        return self._since_ms[seat]

    def drain(self) -> tuple[DutyChange, ...]:
        changes, self._changes = tuple(self._changes), []
        return changes
