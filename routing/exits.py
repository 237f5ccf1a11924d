"""How a caller leaves the waiting room without a seat: to another centre, or to the duty officer."""

from dataclasses import dataclass, field

from calls.live import CallRef
from routing.alarms import Alarms, ExitAlarm
from routing.line import Line, Waiter
from routing.presence import Presence

DUTY = "duty"
CENTRE_AGAIN_MS = 60_000
"""How long after it came back from a centre a caller is not sent there again."""
DUTY_AGAIN_MS = 30_000
"""The same for the duty officer."""
FORGET_MS = 600_000
"""Whoever has not come back by then has been served, or has given up."""


@dataclass(slots=True)
class _Past:
    """Where a caller was sent before."""

    out: str | None = None
    """The way that it is on."""
    closed_ms: dict[str, int] = field(default_factory=dict)
    """Way → until when it is closed."""


class Exits:
    """Which way out is open for whom. Ways are `centre_<id>` and `duty`."""

    def __init__(self, alarms: Alarms, presence: Presence, line: Line, duty_after_ms: int | None) -> None:
        self._alarms = alarms
        self._presence = presence
        self._line = line
        self._duty_after_ms = duty_after_ms
        self._past: dict[CallRef, _Past] = {}
        """Whoever left last stands last."""

    def way(self, waiter: Waiter, now_ms: int) -> str | None:
        """The way that the caller should take now. None: it stays; an alarm rings when that may change."""
        past = self._past.get(waiter.ref)
        closed = past.closed_ms if past is not None else {}
        later_ms: list[int] = []
        if waiter.centre is not None and not waiter.stays:
            way = f"centre_{waiter.centre}"
            if closed.get(way, now_ms) <= now_ms:
                return way
            later_ms.append(closed[way])
        if self._duty_after_ms is not None:
            since_ms = self._presence.nobody_since_ms(self._line.last(waiter), now_ms)
            if since_ms is not None:
                due_ms = max(since_ms + self._duty_after_ms, closed.get(DUTY, 0))
                if due_ms <= now_ms:
                    return DUTY
                later_ms.append(due_ms)
        if later_ms:
            self._alarms.set(ExitAlarm(waiter.ref), min(later_ms))
        return None

    def taken(self, ref: CallRef, way: str, now_ms: int) -> None:
        """A caller is sent that way."""
        past = self._past.pop(ref, None) or _Past()
        past.out, past.closed_ms[way] = way, now_ms + _again_ms(way)
        self._past[ref] = past
        while (oldest := next(iter(self._past))) != ref and self._is_over(oldest, now_ms):
            del self._past[oldest]

    def failed(self, ref: CallRef, way: str, until_ms: int) -> None:
        """The caller could not be sent that way, and is not before `until_ms`."""
        past = self._past.get(ref)
        if past is not None:
            past.out, past.closed_ms[way] = None, until_ms

    def back(self, ref: CallRef, now_ms: int) -> None:
        """A caller waits in the room, perhaps after it had left."""
        past = self._past.get(ref)
        if past is not None and past.out is not None:
            past.closed_ms[past.out], past.out = now_ms + _again_ms(past.out), None

    def _is_over(self, ref: CallRef, now_ms: int) -> bool:
        return max(self._past[ref].closed_ms.values()) + FORGET_MS < now_ms


def _again_ms(way: str) -> int:
    return DUTY_AGAIN_MS if way == DUTY else CENTRE_AGAIN_MS
