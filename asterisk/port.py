"""What the controller may ask of Asterisk: the port that the real AMI and the tests' fake implement."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from calls.live import Agent, CallRef, Channel, LiveEvent, Seat, Snapshot


class Answer(Enum):
    """How a command to Asterisk ended."""

    DONE = "done"
    NO_CHANNEL = "no channel"
    """The caller hung up meanwhile."""
    FAILED = "failed"
    """Refused, or no answer in time: what became of it is unknown until the next snapshot."""


class SwitchLost(ConnectionError):
    """The connection to Asterisk is gone; the adapter connects anew by itself."""


@dataclass(frozen=True, slots=True)
class DialBack:
    """A caller is called back, and sent to the seat that is kept free for it."""

    ref: CallRef
    """Of the new call."""
    first: CallRef
    """Of the call in which it was asked for."""
    attempt: int
    """Counted from 1."""
    to: str
    """The caller's number."""
    trunk: str
    ring_s: int
    seat: Seat
    number: str
    """The hotline number that was served; shown to the caller as who calls."""
    skills: frozenset[str]
    priority: int
    language: str
    t0_ms: int
    """When the wait began, kept from the first call."""


@dataclass(frozen=True, slots=True)
class DrillCall:
    """A marked call over one line of an emergency number."""

    ref: CallRef
    goal: str
    """The extension of the dialplan's context `drill`."""


@dataclass(frozen=True, slots=True)
class Party:
    """One channel of a call, as it stands now."""

    channel: Channel
    context: str
    """Where in the dialplan it is; empty for a leg that only talks."""
    endpoint: str
    """The seat or the trunk that it belongs to."""
    seat: bool
    """Whether that is a seat."""
    caller: bool
    """Whether it is the citizen's own channel."""
    answered: bool = True
    """Not while its telephone only rings."""


class Listening(Enum):
    """How a supervisor takes part in a talk."""

    LISTEN = "listen"
    WHISPER = "whisper"
    """Heard by the agent alone."""
    BARGE = "barge"
    """Heard by both."""


def always() -> bool:
    """A command that is sent whatever has happened meanwhile."""
    return True


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

    async def connect(
        self, channel: Channel, seat: Seat, agent: Agent | None = None, *, only_if: Callable[[], bool] = always
    ) -> Answer:
        """Sends a waiting caller to a seat. agent: who is signed on there, as the call's record will have it.

        only_if: asked in the very moment in which the command is sent; False: it is not, and FAILED.
        """
        ...

    async def withdraw(self, queue: str, channel: Channel) -> Answer:
        """Takes a caller out of a survival queue, back into the waiting room. Safe to repeat."""
        ...

    # A caller who waits.

    async def tell_place(self, channel: Channel, position: int, minutes: int) -> Answer:
        """What the dialplan announces next; minutes -1: the wait is not known."""
        ...

    async def move_up(self, channel: Channel, t0_ms: int, priority: int) -> Answer:
        """Changes the caller's place in the line, in what Asterisk remembers of it."""
        ...

    async def overflow(self, channel: Channel, way: str, *, only_if: Callable[[], bool] = always) -> Answer:
        """Sends a waiting caller to another centre (`centre_<id>`), or to the duty officer (`duty`).

        only_if: as of `connect`.
        """
        ...

    async def dial_back(self, call: DialBack) -> Answer:
        """Begins to call back; how it ended is heard as `CallBackEnded`."""
        ...

    # A call that is being talked.

    async def parties(self, ref: CallRef) -> tuple[Party, ...]:
        """Every channel of the call. Raises SwitchLost."""
        ...

    async def transfer(self, channel: Channel, goal: str) -> Answer:
        """Sends the caller from its talk to a goal (`routing.goals`); the seat's leg ends."""
        ...

    async def consult(self, caller: Channel, leg: Channel, goal: str, *, join: bool) -> Answer:
        """Puts the caller on hold and lets the seat's leg call a goal.

        join: as soon as the goal answers all three talk, caller included.
        """
        ...

    async def note(self, caller: Channel, text: str) -> Answer:
        """What the agent noted of a call: an emergency number is told it with the call. Empty: nothing."""
        ...

    async def join(self, channels: Sequence[Channel]) -> Answer:
        """All of them talk with one another: ends a hold, makes two calls one."""
        ...

    async def hang_up(self, channel: Channel) -> Answer:
        """Ends one leg."""
        ...

    # Seats.

    async def reply(self, channel: Channel, answer: str) -> Answer:
        """What a telephone that dialled a `DeskCode` hears: the id of a prompt."""
        ...

    async def watch(self, seat: Seat, by: Seat, how: Listening) -> Answer:
        """Rings the seat `by`, which then hears what `seat` talks."""
        ...

    async def man(self, seat: Seat, agent: Agent | None, skills: frozenset[str], *, paused: bool) -> Answer:
        """Tells Asterisk who is at a seat and what may ring there while no controller steers. Safe to repeat.

        No skills: nothing rings there.
        """
        ...

    # Lines of emergency numbers.

    async def drill(self, call: DrillCall) -> Answer:
        """Begins a test call; how it ended stands in its record."""
        ...

    # Callers who may not call.

    async def block(self, number: str, until_day: str) -> Answer:
        """Blocks a number up to and including a day written 20261231. Safe to repeat."""
        ...

    async def unblock(self, number: str) -> Answer:
        """Lets a number call again that was blocked by `block`. Safe to repeat."""
        ...
