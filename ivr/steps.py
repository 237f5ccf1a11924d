"""What may happen to a caller, step by step, with every name resolved.

These say what is done, not how a switch does it.
"""

from dataclasses import dataclass
from datetime import date

from settings.actions import Do, Say, Speak, ToMenu, ToNumber, ToQueue, WaitAction
from settings.shape import Language


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody takes the call, by the skill and priority of the number that is being served."""


@dataclass(frozen=True, slots=True)
class ToEmergency:
    """The call goes to an emergency number at once."""

    number: str


KeyAction = ToMenu | ToNumber | ToQueue | Say | Speak | Do | Person | ToEmergency
"""What a key means; `Do` is only `repeat` or `back` here."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The number is no longer served: a notice, then the call ends, or another number takes it."""

    notice: str
    to: str | None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another centre answers; our own people do when it cannot be reached."""

    notice: str | None
    trunk: str
    dial: str


@dataclass(frozen=True, slots=True)
class Received:
    """We answer: a greeting, a menu or none, then a person; out of hours a notice instead."""

    greeting: str
    menu: str | None
    hours: str
    closed_notice: str | None
    closed_ends: bool
    """Out of hours the call ends after the notice; otherwise a person takes it nevertheless."""


Treatment = Cancelled | Elsewhere | Received


@dataclass(frozen=True, slots=True)
class Dated:
    """A treatment and the day from which it holds, until the next one begins."""

    since: date
    mode: str
    treatment: Treatment


@dataclass(frozen=True, slots=True)
class NumberNode:
    """A number that is served. `dated` is in the order of the days."""

    dated: tuple[Dated, ...]
    skill: str
    priority: int


@dataclass(frozen=True, slots=True)
class MenuNode:
    """A menu with every key that means something, emergency keys and 0 among them."""

    prompt: str
    keys: dict[str, KeyAction]
    tries: int


@dataclass(frozen=True, slots=True)
class EmergencyNode:
    """The trunks to try in their order, and what is dialled on them."""

    trunks: tuple[str, ...]
    dial: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that a call can come to, joined by the names of numbers, menus and emergencies."""

    language: Language
    numbers: dict[str, NumberNode]
    menus: dict[str, MenuNode]
    emergencies: dict[str, EmergencyNode]
    emergency_keys: dict[str, str]
    """Key → number; they are obeyed wherever keys are."""
    waiting_keys: dict[str, WaitAction]
    """What keys mean to a caller who waits for a seat."""
    own_numbers: frozenset[str]
    """Nobody is called back there: emergency numbers, and those that are served here."""
    operator: str
    """The skill that answers an emergency call which no trunk takes."""
    announcement: str | None
    """Said once a call, where it is greeted; none when calls are not recorded."""
    recorded: bool
