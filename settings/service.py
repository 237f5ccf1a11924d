"""What callers meet while they wait and after the talk, and where agents may pass them on: service.yaml."""

from pydantic import (
    Field,
)

from settings.actions import WaitAction
from settings.shape import DialPattern, Name, Shape
from settings.units import Digits, DurationS, Ident, MenuKey


class Announce(Shape):
    """What a waiting caller is told of the wait."""

    first: DurationS = Field(default=10.0, ge=1, le=600)
    every: DurationS = Field(default=30.0, ge=5, le=600)
    position: bool = True
    estimate: bool = True


class CallBack(Shape):
    """How callers are called back who asked for it while they waited."""

    trunk: Ident
    tries: int = Field(default=3, ge=1, le=10)
    again: DurationS = Field(default=600.0, ge=1, le=86_400)
    """How long after a try that reached nobody. 1s to 24h."""
    ring: DurationS = Field(default=30.0, ge=5, le=120)
    """How long the caller's telephone rings. 5s to 2m."""


class Survey(Shape):
    """What callers are asked after a talk that the agent ended."""

    enabled: bool = False
    message: DurationS = Field(default=0.0, ge=0, le=300)
    """How long a message the caller may leave after the mark; 0s: none is asked for."""


class Centre(Shape):
    """Another centre that calls are handed to."""

    name: Name
    trunk: Ident
    dial: Digits


class Outside(Shape):
    """Numbers outside that agents may transfer to and consult."""

    trunk: Ident
    allowed: tuple[DialPattern, ...] = Field(min_length=1)
    """Digits; X stands for any one."""


class ServiceFile(Shape):
    """What callers meet while they wait and after the talk, and where agents may pass them on."""

    announce: Announce = Announce()
    answered_within: DurationS = Field(default=15.0, ge=1, le=600)
    """Who is answered within this time is answered in time, in figures. 1s to 10m."""
    keys: dict[MenuKey, WaitAction] = {}
    call_back: CallBack | None = None
    survey: Survey = Survey()
    centres: dict[Ident, Centre] = {}
    outside: Outside | None = None
