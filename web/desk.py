"""What the HTTP interface may ask of the running hotline: the port that `hotline.desk` implements.

Every refusal is a `Refusal`, which says why and what to do; it becomes a problem+json.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class Role(Enum):
    """What somebody may do. A supervisor may do everything that an agent may, for every agent."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who shows a token."""

    name: str
    role: Role
    agent: str | None = None
    """The agent whose token it is; a token of that role may act for nobody else."""


class Refusal(Exception):
    """Something is not done; `kind` is one word for programs, such as `no_such_agent`."""

    def __init__(self, status: int, kind: str, why: str, mend: str) -> None:
        self.status = status
        self.kind = kind
        self.why = why
        self.mend = mend
        super().__init__(f"{why}: {mend}")


# What is shown. Times are ms since the epoch (UTC), durations in ms.


@dataclass(frozen=True, slots=True)
class AgentView:
    agent: str
    name: str
    skills: Mapping[str, int]
    """Skill → level, 1 to 5."""
    state: str
    """`offline`, `idle`, `ringing`, `talking`, `wrap_up`, `paused`, `busy` (on a call of its own) or
    `unreachable` (its telephone is)."""
    reason: str
    """Why it is paused; empty otherwise."""
    seat: str | None
    since_utc_ms: int | None
    """Since when it is in that state."""
    planned: bool
    """Whether the roster has it on duty now."""


@dataclass(frozen=True, slots=True)
class SeatView:
    seat: str
    name: str
    state: str
    """As of an agent; `off`: nobody is signed on and nobody need be expected; `unclear`: soon known again."""
    reason: str
    agent: str | None
    skills: Mapping[str, int]
    """What can be served there now."""
    call: str | None
    """The call that rings or talks there, also while its caller is held."""
    since_utc_ms: int | None
    number: str = ""
    """The hotline number that the call is served as; empty without a call."""
    caller: str = ""
    """Who calls; empty without a call, or where it is not known."""


@dataclass(frozen=True, slots=True)
class WaitingView:
    call: str
    number: str
    """The hotline number that is served."""
    caller: str
    """Empty where it is not known."""
    skills: tuple[str, ...]
    language: str
    priority: int
    since_utc_ms: int
    position: int
    """1 is next."""
    estimate_ms: int | None
    """None: not known."""
    state: str
    """`waiting`, `offered`, `returning`, `surviving`, `unclear`, or `call_back` (has hung up, keeps its place)."""


@dataclass(frozen=True, slots=True)
class CallBackView:
    id: int
    caller: str
    number: str
    language: str
    skills: tuple[str, ...]
    state: str
    """`waiting` (keeps its place in the line), `listed` (for an agent to call), `dialling`, `reached`,
    `given_up` or `dismissed`."""
    reasons: tuple[str, ...]
    """Why it stands there: `wanted`, `abandoned`, `refused_full`, `interrupted`; each call adds its own."""
    calls: tuple[str, ...]
    """The calls that led to it."""
    since_utc_ms: int
    last_utc_ms: int
    attempts: int
    next_utc_ms: int | None
    """When it is tried again by itself."""
    reached_by: str | None
    """The call in which the caller was reached."""
    note: str


@dataclass(frozen=True, slots=True)
class BlockedView:
    number: str
    reason: str
    author: str
    until: str
    """The last day, as 2026-12-31."""
    source: str
    """`settings` (can be changed there only) or `desk`."""


@dataclass(frozen=True, slots=True)
class CoverView:
    """One rule of cover, now."""

    shift: str | None
    skill: str | None
    least: int
    on_duty: int
    planned: int
    low_from_utc_ms: int | None
    """From when on too few are planned or on duty, within the time of warning; None: all is well."""


@dataclass(frozen=True, slots=True)
class DutyView:
    shifts: tuple[str, ...]
    """The shifts that run now."""
    planned: tuple[str, ...]
    """Agents who should be on duty now."""
    present: tuple[str, ...]
    missing: tuple[str, ...]
    unplanned: tuple[str, ...]
    cover: tuple[CoverView, ...]


@dataclass(frozen=True, slots=True)
class TotalView:
    """How long an agent was in a state on a day, for one reason."""

    agent: str
    state: str
    reason: str
    total_ms: int
    times: int


@dataclass(frozen=True, slots=True)
class AuditView:
    id: int
    at_utc_ms: int
    who: str
    role: str
    did: str
    """One word, such as `listen`."""
    what: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BlockedCallView:
    """One call of a blocked caller, for the report to the police."""

    call: str
    caller: str
    dialled: str
    at_utc_ms: int
    reason: str
    author: str
    until: str


class How(Enum):
    """How a supervisor takes part in a talk."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"


@dataclass(frozen=True, slots=True)
class To:
    """Where a talk goes on: exactly one of these."""

    seat: str | None = None
    skill: str | None = None
    centre: str | None = None
    outside: str | None = None
    """Digits; only what the settings allow."""
    emergency: str | None = None


@dataclass(frozen=True, slots=True)
class HandOverView:
    """A caller is handed over to an emergency number; all three talk as soon as it answers."""

    call: str
    number: str
    note: str
    """So much of the note that was given as the centre is told with the call."""


@dataclass(frozen=True, slots=True)
class DrillView:
    """A test call over one line of an emergency number."""

    id: int
    began_utc_ms: int
    who: str
    number: str
    trunk: str
    dialled: str
    result: str
    """`planned`, `placed`, `answered`, `busy`, `no_answer`, `unreachable`, `put_off` (emergencies needed the lines) or
    `lost` (nobody knows)."""
    answered_ms: int | None
    """After it was dialled; None: nobody answered."""
    q850_cause: int | None
    """Why the line's leg ended; None: not yet, or Asterisk does not know."""
    call: str
    """The test call's own record."""


@dataclass(frozen=True, slots=True)
class News:
    """Something changed: `kind` is `agents`, `seats`, `waiting`, `call_backs`, `blocked` or `cover`."""

    kind: str
    what: Mapping[str, Any] = field(default_factory=dict)


class Desk(Protocol):
    """The running hotline. Every method that changes something raises Refusal; `who` is for the audit."""

    def agents(self) -> tuple[AgentView, ...]: ...
    def seats(self) -> tuple[SeatView, ...]: ...
    def waiting(self) -> tuple[WaitingView, ...]: ...
    async def call_backs(self, *, every: bool) -> tuple[CallBackView, ...]:
        """Those that are still open, oldest first; every: all of them."""
        ...

    async def blocked(self) -> tuple[BlockedView, ...]: ...
    async def blocked_calls(self, number: str | None) -> tuple[BlockedCallView, ...]: ...
    def duty(self) -> DutyView: ...
    async def totals(self, day: str, agent: str | None) -> tuple[TotalView, ...]:
        """day: in the city's time, as 2026-12-31."""
        ...

    async def audit(self, limit: int) -> tuple[AuditView, ...]: ...

    def reasons(self) -> Mapping[str, str]:
        """Reasons for a pause: id → its name in the city's language."""
        ...

    async def sign_on(self, who: Who, agent: str, seat: str, pin: str | None) -> AgentView:
        """pin: asked of agents; a supervisor's token is enough."""
        ...

    async def sign_off(self, who: Who, agent: str) -> AgentView: ...
    async def pause(self, who: Who, agent: str, reason: str) -> AgentView: ...
    async def ready(self, who: Who, agent: str) -> AgentView:
        """Ends a pause, or the time for notes."""
        ...

    async def move_up(self, who: Who, call: str) -> WaitingView: ...
    async def call_back_now(self, who: Who, id: int, seat: str) -> CallBackView: ...  # noqa: A002 - its name in the interface
    async def dismiss_call_back(self, who: Who, id: int, note: str) -> CallBackView: ...  # noqa: A002
    async def add_call_back(self, who: Who, caller: str, number: str, note: str) -> CallBackView: ...
    async def block(self, who: Who, number: str, reason: str, until: str) -> BlockedView: ...
    async def unblock(self, who: Who, number: str) -> None: ...

    async def transfer(self, who: Who, call: str, to: To) -> None:
        """Blind: the seat is out of the call at once."""
        ...

    async def consult(self, who: Who, call: str, to: To, *, join: bool) -> None:
        """The caller is held while the seat talks with somebody; join: all three talk once that one answers."""
        ...

    async def join(self, who: Who, call: str) -> None:
        """Caller, seat and whoever was consulted talk together."""
        ...

    async def complete(self, who: Who, call: str) -> None:
        """The seat leaves; the caller goes on with whoever was consulted."""
        ...

    async def retrieve(self, who: Who, call: str) -> None:
        """Whoever was consulted leaves; caller and seat talk again."""
        ...

    async def hold(self, who: Who, call: str) -> None:
        """The caller hears music until `retrieve`."""
        ...

    async def watch(self, who: Who, seat: str, by: str, how: How) -> None: ...
    async def take_over(self, who: Who, seat: str, by: str) -> None:
        """The caller who talks at `seat` goes on with the seat `by`."""
        ...

    async def hand_over(self, who: Who, seat: str, number: str, note: str | None) -> HandOverView:
        """The caller who talks at `seat`, its agent and an emergency number talk together.

        note: what the centre is told; None: what was noted last.
        """
        ...

    async def note(self, who: Who, seat: str, note: str) -> None:
        """What an emergency number is told of the call at `seat`, should it be handed over; empty: nothing."""
        ...

    async def drill(self, who: Who, number: str | None, trunk: str | None) -> tuple[DrillView, ...]:
        """Begins test calls over each line of each emergency number, or of these alone, one after the other."""
        ...

    async def drills(self, limit: int) -> tuple[DrillView, ...]:
        """The last test calls, the newest first."""
        ...

    def news(self) -> AsyncGenerator[News, None]:
        """What changes from now on. A reader that is too slow misses some, never the newest of a kind."""
        ...
