"""How long what is kept of a call is kept: the rules of retention.yaml, applied to one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Self

from settings.keeping import Keep
from settings.shapes import Settings

DAY_MS = 86_400_000


class Part(Enum):
    """What is removed of a call."""

    AUDIO = "audio"
    """Recording and message; the record stays."""
    RECORD = "record"
    """All of it."""


@dataclass(frozen=True, slots=True)
class Call:
    """What decides how long a call is kept."""

    ref: str
    dialled: str
    number: str | None
    ended_utc_ms: int
    has_audio: bool
    confidential: bool
    """It is marked so; calls to confidential numbers are so without a mark."""
    held: bool


@dataclass(frozen=True, slots=True)
class Term:
    """How long, in days after the call's end."""

    records: int
    audio: int

    @property
    def why(self) -> str:
        """What the chain says of a record that was removed."""
        return f"kept for {self.records} days"


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one city."""

    ordinary: Term
    confidential: Keep
    numbers: Mapping[str, Keep]
    confidential_numbers: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        file = settings.retention
        return cls(
            Term(file.records, file.audio),
            file.confidential,
            file.numbers,
            frozenset(number for number, entry in settings.numbers.items() if entry.confidential),
        )

    def of_call(self, call: Call) -> Term:
        """How long this call is kept: as a confidential one, else as its number says, else as every other.

        Its number is the one that was served last, or that was dialled; audio never outlives its record.
        """
        rules = [self.numbers.get(call.number or call.dialled, Keep())]
        if call.confidential or not self.confidential_numbers.isdisjoint((call.dialled, call.number or "")):
            rules.insert(0, self.confidential)
        records = next((rule.records for rule in rules if rule.records is not None), self.ordinary.records)
        audio = next((rule.audio for rule in rules if rule.audio is not None), self.ordinary.audio)
        return Term(records, min(audio, records))

    def of_number(self, number: str) -> Term:
        """The same of what is kept beside the calls, by the number that was served."""
        return self.of_call(Call("", number, None, 0, has_audio=False, confidential=False, held=False))

    @property
    def shortest(self) -> Term:
        """No call is due before: records and audio, each by itself."""
        rules = (self.confidential, *self.numbers.values())
        records = min(self.ordinary.records, *(rule.records or self.ordinary.records for rule in rules))
        audio = min(self.ordinary.audio, *(rule.audio or self.ordinary.audio for rule in rules))
        return Term(records, min(records, audio))

    def due_utc_ms(self, call: Call, part: Part) -> int:
        """From when on this part may no longer be kept, but for a hold."""
        term = self.of_call(call)
        return call.ended_utc_ms + DAY_MS * (term.records if part is Part.RECORD else term.audio)

    def due(self, call: Call, now_utc_ms: int) -> Part | None:
        """What is to be removed of the call now; None: nothing, also of a call that is held."""
        if call.held:
            return None
        if now_utc_ms >= self.due_utc_ms(call, Part.RECORD):
            return Part.RECORD
        if call.has_audio and now_utc_ms >= self.due_utc_ms(call, Part.AUDIO):
            return Part.AUDIO
        return None
