"""What the settings say about answering, in the waiting room's own terms."""

from collections.abc import Mapping
from dataclasses import dataclass

from calls.live import Seat
from routing.skills import Demands, Has
from settings.service import CallBack
from settings.shapes import Settings


@dataclass(frozen=True, slots=True)
class Rules:
    """How seats and waiting callers are treated. All times are in ms."""

    ring_ms: int
    """How long a seat rings."""
    rest_ms: int
    """How long a seat is left alone that did not take a caller."""
    misses: int
    """So many in a row, and the seat is paused."""
    unmanned_pause_ms: int
    """How long such a pause lasts where nobody is signed on who could end it."""
    own_wrap_up_ms: int
    """For the notes after a talk, where its number has no time of its own."""
    wrap_ups_ms: Mapping[str, int]
    """Hotline number → for the notes after its talks."""
    demands: Demands
    seats: Mapping[Seat, Has]
    """Every seat, with what is served there without anybody signing on."""
    duty_after_ms: int | None
    """So long nobody is on duty for a caller before it goes to the duty officer; None: there is none."""
    call_back_ring_ms: int
    """How long a caller's telephone rings who is called back."""

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        answering, agents, officer = settings.answering, settings.agents, settings.shifts.duty_officer
        call_back_ring = settings.service.call_back.ring if settings.service.call_back else _RING
        return cls(
            ring_ms=_ms(answering.ring),
            rest_ms=_ms(answering.rest),
            misses=agents.misses,
            unmanned_pause_ms=_ms(agents.unmanned_pause),
            own_wrap_up_ms=_ms(agents.wrap_up),
            wrap_ups_ms={
                number: _ms(entry.wrap_up) for number, entry in settings.numbers.items() if entry.wrap_up is not None
            },
            demands=Demands(settings),
            seats={
                Seat(seat): frozenset((skill, entry.level) for skill in entry.skills)
                for seat, entry in answering.seats.items()
            },
            duty_after_ms=None if officer is None else _ms(officer.after),
            call_back_ring_ms=_ms(call_back_ring),
        )

    def wrap_up_ms(self, number: str) -> int:
        """How long an agent has for notes after a talk on that hotline number; any text may be asked for."""
        return self.wrap_ups_ms.get(number, self.own_wrap_up_ms)


_RING: float = CallBack.model_fields["ring"].default
"""Where the settings call nobody back, a call by hand rings as long as it would by default."""


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
