"""What the HTTP interface may ask about calls that are kept: the port that `hotline.shelf` implements.

Every refusal is a `web.desk.Refusal`. What is shown to whom is not decided here (`web.rights`).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from calls.record import CallRecord
from calls.timeline import Entry
from web.desk import Who


class Voice(Enum):
    """What of a call can be heard."""

    RECORDING = "recording"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Search:
    """Which calls are looked for; what is None does not matter. Days as 2026-12-31, in the city's time."""

    day: str | None = None
    since: str | None = None
    """That day and later ones, instead of `day`."""
    until: str | None = None
    number: str | None = None
    """Dialled or served."""
    caller: str | None = None
    seat: str | None = None
    agent: str | None = None
    outcome: str | None = None
    """The value of one of `calls.record.Outcome`."""
    limit: int = 50
    after: str | None = None
    """The `next` of the page before."""


@dataclass(frozen=True, slots=True)
class CallsPage:
    """Calls, the newest first."""

    items: tuple[CallRecord, ...]
    next: str | None
    """Given as `after` it leads to the next page; None: there is none."""


@dataclass(frozen=True, slots=True)
class KeptCall:
    """A call with all that is kept of it."""

    record: CallRecord
    held: bool
    """It is kept until it is released, whatever its time."""
    confidential: bool
    """Only supervisors hear it."""
    timeline: tuple[Entry, ...]


class Sound:
    """A WAV file that is read part by part."""

    def __init__(self, name: str, parts: AsyncIterator[bytes]) -> None:
        """parts: raises whatever shows that the audio is not what was kept; then nobody must take it for whole."""
        self.name = name
        self.parts = parts


class Shelf(Protocol):
    """The calls that are kept. Everything is bounded in time and raises Refusal."""

    async def search(self, search: Search) -> CallsPage: ...

    async def call(self, call: str) -> KeptCall:
        """The call with this whole id."""
        ...

    async def sound(self, who: Who, call: str, voice: Voice) -> Sound:
        """That `who` listens is in the audit when this returns."""
        ...

    async def hold(self, who: Who, call: str, reason: str) -> None: ...
    async def release(self, who: Who, call: str) -> None: ...
    async def make_confidential(self, who: Who, call: str, reason: str) -> None: ...
    async def end_confidential(self, who: Who, call: str) -> None: ...
