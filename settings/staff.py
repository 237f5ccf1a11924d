"""Who answers, and when: agents.yaml and shifts.yaml."""

from typing import Literal

from pydantic import (
    Field,
)

from settings.shape import AgentId, Level, Name, SeatId, Shape
from settings.units import Day, Digits, DurationS, Ident, Line, ShiftSpan


class Agent(Shape):
    """A person who answers calls, at whichever seat."""

    name: Line = Field(min_length=1, max_length=40)
    skills: dict[Ident, Level] = Field(min_length=1)


class AgentsFile(Shape):
    """Who answers, and what is expected of them."""

    wrap_up: DurationS = Field(default=10.0, ge=0, le=3600)
    """How long an agent has for notes after a talk. 0s to 1h."""
    misses: int = Field(default=3, ge=1, le=100)
    """A seat that misses so many calls in a row is paused."""
    unmanned_pause: DurationS = Field(default=300.0, ge=1, le=86_400)
    """How long such a pause lasts where nobody is signed on who could end it. 1s to 24h."""
    keep_signed_on: DurationS = Field(default=900.0, ge=0, le=86_400)
    """Asterisk may be away for so long before everybody is signed off. 0s to 24h."""
    pauses: dict[Ident, Name] = {}
    """Reasons for which agents may pause."""
    agents: dict[AgentId, Agent] = {}


class Shift(Shape):
    """A span of every day's hours; one that ends before it begins ends on the next day."""

    name: Name
    hours: ShiftSpan


class RosterLine(Shape):
    """Who works in a shift, on which kinds of days."""

    shift: Ident
    agents: tuple[AgentId, ...] = Field(min_length=1)
    days: tuple[Literal["workday", "weekend", "holiday"], ...] = ("workday", "weekend", "holiday")
    """Of the day on which the shift begins."""
    since: Day | None = Field(default=None, alias="from")
    until: Day | None = None
    """The last day."""


class Cover(Shape):
    """How many agents at least must be on duty."""

    least: int = Field(ge=1, le=1000)
    shift: Ident | None = None
    """None: in every shift."""
    skill: Ident | None = None
    """None: whatever they can."""


class DutyOfficer(Shape):
    """Who takes calls when nobody is signed on who could: a seat, or a number on a trunk."""

    seat: SeatId | None = None
    trunk: Ident | None = None
    dial: Digits | None = None
    after: DurationS = Field(default=5.0, ge=1, le=600)
    """So long nobody has been on duty before a caller goes there. 1s to 10m."""


class ShiftsFile(Shape):
    """The plan of duty, 7×24."""

    warn: DurationS = Field(default=1800.0, ge=60, le=86_400)
    """How long beforehand a lack of people is told. 1m to 24h."""
    shifts: dict[Ident, Shift] = {}
    roster: tuple[RosterLine, ...] = ()
    cover: tuple[Cover, ...] = ()
    duty_officer: DutyOfficer | None = None
