"""When to look again at something although nothing was heard of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from calls.live import CallRef, Seat
from routing.skills import Demand


@dataclass(frozen=True, slots=True)
class SeatAlarm:
    """A seat's rest, pause or time for notes is over."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class CallAlarm:
    """Something should have been heard of a call by now."""

    ref: CallRef


@dataclass(frozen=True, slots=True)
class StageAlarm:
    """Somebody has waited so long that more seats will do."""

    ref: CallRef


@dataclass(frozen=True, slots=True)
class ExitAlarm:
    """A caller may leave the room on another way from now on."""

    ref: CallRef


@dataclass(frozen=True, slots=True)
class PlaceAlarm:
    """A kept place is in the line from now on."""

    place: int


@dataclass(frozen=True, slots=True)
class HoldAlarm:
    """Nobody is held back any longer for a caller who is still in a survival queue."""

    ref: CallRef


@dataclass(frozen=True, slots=True)
class NobodyAlarm:
    """Nobody has been on duty for these callers for long enough."""

    demand: Demand


Alarm = SeatAlarm | CallAlarm | StageAlarm | ExitAlarm | PlaceAlarm | HoldAlarm | NobodyAlarm

_SPARE = 64


class Alarms:
    """Each alarm rings once, at the last moment that was set for it. Moments are in ms of the room's clock."""

    def __init__(self) -> None:
        self._due: dict[Alarm, int] = {}
        self._heap: list[tuple[int, int, Alarm]] = []
        """May hold moments that hold no more; the running number keeps alarms from being compared."""
        self._made = 0

    def __len__(self) -> int:
        """How many moments are remembered, those that hold no more included."""
        return len(self._heap)

    def set(self, alarm: Alarm, due_ms: int) -> None:
        if self._due.get(alarm) == due_ms:
            return
        self._due[alarm] = due_ms
        self._made += 1
        heappush(self._heap, (due_ms, self._made, alarm))
        if len(self._heap) > _SPARE + 3 * len(self._due):
            self._heap = [(due, order, alarm) for order, (alarm, due) in enumerate(self._due.items())]
            heapify(self._heap)

    def cancel(self, alarm: Alarm) -> None:
        self._due.pop(alarm, None)

    def next_ms(self) -> int | None:
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def ring(self, now_ms: int) -> Iterator[Alarm]:
        """Every alarm that is due, oldest first; those set meanwhile ring, too, once they are due."""
        while (due_ms := self.next_ms()) is not None and due_ms <= now_ms:
            alarm = heappop(self._heap)[2]
            del self._due[alarm]
            yield alarm
