"""How many seats are on duty for whom."""

from collections.abc import Iterable

from routing.alarms import Alarms, NobodyAlarm
from routing.skills import Demand, Has, serves


class Presence:
    """Counts the seats on duty, busy or not, by what they can do, and whom they can serve.

    What is asked for once is counted from then on, so that asking costs nothing: there are only as
    many demands as the settings can make.
    """

    def __init__(self, alarms: Alarms, nobody_after_ms: int | None) -> None:
        """nobody_after_ms: an alarm rings so long after the last seat left that could serve a demand."""
        self._alarms = alarms
        self._nobody_after_ms = nobody_after_ms
        self._seats: dict[Has, int] = {}
        self._serving: dict[Demand, set[Has]] = {}
        self._counts: dict[Demand, int] = {}
        self._nobody_since_ms: dict[Demand, int] = {}

    def comes(self, has: Has, now_ms: int) -> None:
        """A seat that can do this is on duty from now on."""
        new = has not in self._seats
        self._seats[has] = self._seats.get(has, 0) + 1
        for demand, serving in self._serving.items():
            if new and serves(has, demand):
                serving.add(has)
            if has in serving:
                self._count(demand, 1, now_ms)

    def goes(self, has: Has, now_ms: int) -> None:
        self._seats[has] -= 1
        last = not self._seats[has]
        if last:
            del self._seats[has]
        for demand, serving in self._serving.items():
            if has in serving:
                self._count(demand, -1, now_ms)
                if last:
                    serving.remove(has)

    def seats(self, demand: Demand, now_ms: int) -> int:
        """How many could serve it."""
        self._watch(demand, now_ms)
        return self._counts[demand]

    def nobody_since_ms(self, demand: Demand, now_ms: int) -> int | None:
        """Since when no seat could serve it, as far as is known; None: there are some."""
        self._watch(demand, now_ms)
        return self._nobody_since_ms.get(demand)

    def rivals(self, demand: Demand, others: Iterable[Demand]) -> frozenset[Demand]:
        """Those of the others that some seat could serve as well as this one. All must have been asked for."""
        serving = self._serving[demand]
        return frozenset(other for other in others if not serving.isdisjoint(self._serving[other]))

    def seats_of_any(self, demands: Iterable[Demand]) -> int:
        """How many could serve at least one of them. All must have been asked for."""
        return sum(self._seats[has] for has in set().union(*(self._serving[demand] for demand in demands)))

    def _watch(self, demand: Demand, now_ms: int) -> None:
        if demand in self._serving:
            return
        serving = self._serving[demand] = {has for has in self._seats if serves(has, demand)}
        self._counts[demand] = 0
        self._count(demand, sum(self._seats[has] for has in serving), now_ms)

    def _count(self, demand: Demand, more: int, now_ms: int) -> None:
        self._counts[demand] += more
        if self._counts[demand]:
            if self._nobody_since_ms.pop(demand, None) is not None:
                self._alarms.cancel(NobodyAlarm(demand))
        else:
            self._nobody_since_ms[demand] = now_ms
            if self._nobody_after_ms is not None:
                self._alarms.set(NobodyAlarm(demand), now_ms + self._nobody_after_ms)
