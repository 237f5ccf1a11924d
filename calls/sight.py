"""What a controller saw of a call while it ran, beside what Asterisk wrote of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Self

from calls.live import CallRef


@dataclass(frozen=True, slots=True)
class SeenTalk:
    """A seat's telephone was taken up for the call."""

    seat: str
    agent: str
    """Who was signed on there; empty: nobody."""
    began_utc_ms: int
    ended_utc_ms: int | None = None

    def covers(self, other: "SeenTalk") -> bool:
        """Whether the other one began at this seat during this talk."""
        until_ms = other.began_utc_ms if self.ended_utc_ms is None else self.ended_utc_ms
        return self.seat == other.seat and self.began_utc_ms <= other.began_utc_ms <= until_ms


@dataclass(frozen=True, slots=True)
class Sight:
    """A call that waited for a seat, as the controller saw it."""

    ref: CallRef
    channel: str
    """The caller's, by its name."""
    caller: str
    number: str
    """The one that is served."""
    skills: tuple[str, ...]
    priority: int
    t0_utc_ms: int
    """Since when it waits; may be before the call, for somebody who keeps an earlier place."""
    first_utc_ms: int
    """When it was seen first."""
    talks: tuple[SeenTalk, ...] = ()
    until_utc_ms: int | None = None
    """When it was seen last; None: not known, or it is still there."""

    def with_talks(self, talks: Iterable[SeenTalk]) -> Self:
        """With these added, or what became of them. What begins at a seat while a talk goes on there is that talk."""
        found = list(self.talks)
        for talk in talks:
            place = next((place for place, known in enumerate(found) if known.covers(talk)), None)
            if place is None:
                found.append(talk)
            elif talk.ended_utc_ms is not None:
                found[place] = replace(found[place], ended_utc_ms=talk.ended_utc_ms)
        return replace(self, talks=tuple(found))

    def after(self, before: Self) -> Self:
        """The same call with what was seen of it earlier, by another controller perhaps."""
        until_ms = max((at for at in (before.until_utc_ms, self.until_utc_ms) if at is not None), default=None)
        return replace(before, talks=before.with_talks(self.talks).talks, until_utc_ms=until_ms)

    @property
    def last_utc_ms(self) -> int:
        """The last moment in which something of it was seen."""
        talks = (at for talk in self.talks for at in (talk.began_utc_ms, talk.ended_utc_ms) if at is not None)
        return max([self.first_utc_ms, self.until_utc_ms or 0, *talks])

    def as_json(self) -> str:
        talks = [{name: getattr(talk, name) for name in _OF_A_TALK} for talk in self.talks]
        told = {name: getattr(self, name) for name in _OF_A_CALL} | {"talks": talks}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def of_json(cls, text: str) -> Self:
        """What `as_json` told."""
        told = json.loads(text)
        talks = tuple(SeenTalk(**talk) for talk in told["talks"])
        return cls(**{**told, "skills": tuple(told["skills"]), "talks": talks})


_OF_A_TALK = tuple(field.name for field in fields(SeenTalk))
_OF_A_CALL = tuple(field.name for field in fields(Sight))
