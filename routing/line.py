"""The one line of everybody who waits, over all numbers, and what each needs by now."""

import sys
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calls.live import CallRef
from routing.alarms import Alarms, ExitAlarm, HoldAlarm, StageAlarm
from routing.estimate import HandlingTimes, estimate_ms
from routing.matcher import Matcher, Rank
from routing.presence import Presence
from routing.skills import Demand, Demands

EMERGENCY = 0
"""The class of those whom every emergency trunk failed. Nobody is moved before them, and they are held
back for nobody."""


@dataclass(slots=True)
class Waiter:
    """Somebody in the line."""

    rank: Rank
    skills: frozenset[str]
    number: str
    """The hotline number that is served."""
    ready: bool
    """Whether a seat may be given to it now."""
    demand: Demand
    centre: str | None
    """Another centre that should have the call by now."""
    stays: bool = False
    """Goes to no other centre: a supervisor wants a seat of ours to have it next."""
    holds: bool = False
    """Nobody may pass it although it is not ready."""

    @property
    def ref(self) -> CallRef:
        return self.rank[2]


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in the line: 1 is next. The wait is in ms; None: not known."""

    position: int
    estimate_ms: int | None


class Line:
    """Everybody who waits, in the order of being served. Those who are ready are in the matcher, too."""

    def __init__(
        self, demands: Demands, alarms: Alarms, presence: Presence, times: HandlingTimes, matcher: Matcher
    ) -> None:
        self.utc_ahead_ms = 0
        """ms since the epoch, less the room's clock."""
        self._demands = demands
        self._alarms = alarms
        self._presence = presence
        self._times = times
        self._matcher = matcher
        self._waiters: dict[CallRef, Waiter] = {}
        self._order: list[Rank] = []
        self._by_demand: dict[Demand, list[Rank]] = {}
        self._by_last: dict[Demand, dict[CallRef, None]] = {}
        """Who waits, by what will do in the end."""
        self._holding: dict[Demand, list[Rank]] = {}

    def restart(self, matcher: Matcher) -> None:
        """Nobody is in the line; the matcher is a new one."""
        for ref in self._waiters:
            self._alarms.cancel(StageAlarm(ref))
            self._alarms.cancel(ExitAlarm(ref))
            self._alarms.cancel(HoldAlarm(ref))
        for known in (self._waiters, self._order, self._by_demand, self._by_last, self._holding):
            known.clear()
        self._matcher = matcher

    def add(
        self, rank: Rank, skills: frozenset[str], number: str, now_ms: int, *, ready: bool, holds: bool = False
    ) -> Waiter:
        """Somebody who is not in the line yet, and has waited since the rank's time."""
        waited_ms = self._waited_ms(rank, now_ms)
        stage = self._demands.at(skills, waited_ms)
        waiter = Waiter(rank, skills, number, ready, stage.demand, stage.centre, holds=holds)
        self._waiters[rank[2]] = waiter
        insort(self._order, rank)
        self._by_last.setdefault(self._demands.last(skills), {})[rank[2]] = None
        self._list(waiter)
        if (ready or holds) and stage.next_after_ms is not None:
            self._alarms.set(StageAlarm(rank[2]), now_ms + stage.next_after_ms - waited_ms)
        return waiter

    def advance(self, ref: CallRef, now_ms: int) -> None:
        """Takes over what so long a wait makes good enough."""
        waiter = self._waiters[ref]
        waited_ms = self._waited_ms(waiter.rank, now_ms)
        stage = self._demands.at(waiter.skills, waited_ms)
        if stage.demand != waiter.demand:
            self._unlist(waiter)
            waiter.demand = stage.demand
            self._list(waiter)
        waiter.centre = stage.centre
        if stage.next_after_ms is not None:
            self._alarms.set(StageAlarm(ref), now_ms + stage.next_after_ms - waited_ms)

    def remove(self, ref: CallRef) -> None:
        """Whoever is not in the line is left out."""
        waiter = self._waiters.pop(ref, None)
        if waiter is None:
            return
        self._unlist(waiter)
        _drop(self._order, waiter.rank)
        last = self._demands.last(waiter.skills)
        del self._by_last[last][ref]
        if not self._by_last[last]:
            del self._by_last[last]
        self._alarms.cancel(StageAlarm(ref))
        self._alarms.cancel(ExitAlarm(ref))
        self._alarms.cancel(HoldAlarm(ref))

    def set_ready(self, ref: CallRef, *, ready: bool) -> None:
        """Whether a seat may be given to it from now on."""
        waiter = self._waiters[ref]
        if waiter.ready != ready:
            self._unlist(waiter)
            waiter.ready = ready
            self._list(waiter)

    def hold_until(self, ref: CallRef, until_ms: int) -> None:
        """Nobody is held back for it from then on."""
        self._alarms.set(HoldAlarm(ref), until_ms)

    def lets_pass(self, ref: CallRef) -> None:
        """Nobody is held back for it any longer."""
        waiter = self._waiters[ref]
        self._unlist(waiter)
        waiter.holds = False
        self._list(waiter)

    def holding(self) -> Mapping[Demand, Rank]:
        """Of those whom nobody may pass though they are not ready, the first for each demand."""
        return {demand: ranks[0] for demand, ranks in self._holding.items()}

    def paired(self, ref: CallRef) -> None:
        """The matcher gave it a seat, and has forgotten it."""
        self._waiters[ref].ready = False
        self.remove(ref)

    def get(self, ref: CallRef) -> Waiter | None:
        return self._waiters.get(ref)

    def ranks(self) -> Iterable[Rank]:
        """In the order of being served."""
        return self._order

    def with_last(self, demand: Demand) -> tuple[CallRef, ...]:
        """Whom only a seat for this demand can ever serve."""
        return tuple(self._by_last.get(demand, ()))

    def last(self, waiter: Waiter) -> Demand:
        """What will do in the end."""
        return self._demands.last(waiter.skills)

    # --- places ---------------------------------------------------------------------------------

    def place(self, ref: CallRef, now_ms: int) -> Place | None:
        """Costs little however long the line is; None for whoever is not in it."""
        waiter = self._waiters.get(ref)
        if waiter is None:
            return None
        rivals = self._rivals(waiter.demand, now_ms)
        ahead = sum(bisect_left(self._by_demand[rival], waiter.rank) for rival in rivals)
        like = bisect_left(self._by_demand[waiter.demand], waiter.rank)
        wide = self._presence.seats_of_any(rivals)
        return Place(bisect_left(self._order, waiter.rank) + 1, self._estimate(waiter, like, ahead, wide, now_ms))

    def places(self, now_ms: int) -> Mapping[CallRef, Place]:
        """Of everybody, in the order of being served."""
        rivals = {demand: self._rivals(demand, now_ms) for demand in self._by_demand}
        wide = {demand: self._presence.seats_of_any(others) for demand, others in rivals.items()}
        passed = dict.fromkeys(self._by_demand, 0)
        found: dict[CallRef, Place] = {}
        for position, rank in enumerate(self._order, 1):
            waiter = self._waiters[rank[2]]
            ahead = sum(passed[rival] for rival in rivals[waiter.demand])
            estimate = self._estimate(waiter, passed[waiter.demand], ahead, wide[waiter.demand], now_ms)
            found[rank[2]] = Place(position, estimate)
            passed[waiter.demand] += 1
        return found

    def _rivals(self, demand: Demand, now_ms: int) -> frozenset[Demand]:
        for each in self._by_demand:
            self._presence.seats(each, now_ms)
        return self._presence.rivals(demand, self._by_demand)

    def _estimate(self, waiter: Waiter, like: int, ahead: int, wide: int, now_ms: int) -> int | None:
        """The longer of two waits: for the seats that serve this caller, behind those who need the
        same; and for all seats together that serve anybody who may be served before it."""
        mean_ms = self._times.mean_ms(waiter.number, now_ms)
        own = estimate_ms(like, self._presence.seats(waiter.demand, now_ms), mean_ms)
        shared = estimate_ms(ahead, wide, mean_ms)
        return None if own is None or shared is None else max(own, shared)

    def _waited_ms(self, rank: Rank, now_ms: int) -> int:
        return now_ms + self.utc_ahead_ms - rank[1]

    # --- lists ----------------------------------------------------------------------------------

    def _list(self, waiter: Waiter) -> None:
        insort(self._by_demand.setdefault(waiter.demand, []), waiter.rank)
        if waiter.ready:
            self._matcher.add_caller(waiter.demand, waiter.rank)
        if waiter.holds:
            insort(self._holding.setdefault(waiter.demand, []), _held_from(waiter.rank))

    def _unlist(self, waiter: Waiter) -> None:
        _leave(self._by_demand, waiter.demand, waiter.rank)
        if waiter.ready:
            self._matcher.remove_caller(waiter.demand, waiter.rank)
        if waiter.holds:
            _leave(self._holding, waiter.demand, _held_from(waiter.rank))


def _held_from(rank: Rank) -> Rank:
    """Whoever comes after this is held back: of emergencies nobody, so it is behind all of them."""
    return (EMERGENCY, sys.maxsize, rank[2]) if rank[0] == EMERGENCY else rank


def _leave(groups: dict[Demand, list[Rank]], demand: Demand, rank: Rank) -> None:
    ranks = groups[demand]
    _drop(ranks, rank)
    if not ranks:
        del groups[demand]


def _drop(ranks: list[Rank], rank: Rank) -> None:
    del ranks[bisect_left(ranks, rank)]
