"""Who is next: waiting callers and free seats, indexed so that one event costs little.

Callers are grouped by what they need, seats by what they have; there are far fewer groups than
callers and seats. Each group is a sorted list, so memory is linear and nothing stale is kept.
Which groups of seats serve which callers, and how well they fit, is remembered while it may be
needed again.

After pairs were made no free seat can serve anybody who waits. So the next time only those matter
who came since: callers of a kind that nobody waited of, and seats that have become free. Only where
seats were left free for somebody older, everybody matters once more.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from typing import TypeVar

from calls.live import CallRef, Seat
from routing.skills import Demand, Has, spare

Rank = tuple[int, int, CallRef]
"""Priority class, entry time in ms, call: the smallest is served first."""

Idle = tuple[int, Seat]
"""Free since (ms), seat."""

_Entry = TypeVar("_Entry", Rank, Idle)


_NOBODY: Mapping[Demand, Rank] = {}


@dataclass(slots=True, eq=False)
class _Pool:
    """Free seats that have the same; while pairs are made, those before `taken` are given away, and
    all others are left free once it is `closed`."""

    has: Has
    masters: dict[str, int]
    """The same, by skill."""
    entries: list[Idle] = field(default_factory=list)
    taken: int = 0
    closed: bool = False


_Levels = dict[tuple[int, int], list[_Pool]]
"""Pools by what their seats have to spare."""


@dataclass(slots=True, eq=False)
class _Queue:
    """Callers who need the same, and every pool that serves them, empty or not."""

    demand: Demand
    entries: list[Rank] = field(default_factory=list)
    spares: dict[Has, tuple[int, int]] = field(default_factory=dict)
    levels: _Levels = field(default_factory=dict)

    def meets(self, pool: _Pool) -> None:
        left = spare(pool.masters, self.demand)
        if left is not None:
            self.spares[pool.has] = left
            self.levels.setdefault(left, []).append(pool)

    def served_by(self, pools: Iterable[_Pool]) -> _Levels:
        found: _Levels = {}
        for pool in pools:
            left = self.spares.get(pool.has)
            if left is not None:
                found.setdefault(left, []).append(pool)
        return found


class _Offer:
    """The seats for one queue while pairs are made, best first."""

    __slots__ = ("_best", "_levels", "_order", "queue", "served")

    def __init__(self, queue: _Queue, levels: _Levels) -> None:
        self.queue = queue
        self.served = 0
        """So many callers, the first ones, have a seat."""
        self._levels = levels
        self._order = sorted(levels, reverse=True)
        self._best: list[Idle] = []
        """A heap: of each pool on the best level left, the seat that has been free longest."""

    def take(self, pool_of: dict[Seat, _Pool]) -> Seat | None:
        """Gives the best seat away. Pools are shared by queues, so an entry of the heap may be outdated."""
        best = self._best
        while True:
            while best:
                idle = best[0]
                pool = pool_of[idle[1]]
                entries, taken = pool.entries, pool.taken
                if pool.closed or taken == len(entries):
                    heappop(best)
                elif entries[taken] is idle:
                    pool.taken = taken + 1
                    return idle[1]
                else:
                    heapreplace(best, entries[taken])
            if not self._order:
                return None
            level = self._levels[self._order.pop()]
            best = self._best = [
                pool.entries[pool.taken] for pool in level if not pool.closed and pool.taken < len(pool.entries)
            ]
            heapify(best)


class Matcher:
    """The callers who may be connected now, and the seats that may ring now.

    Each is added once and removed once; whoever is paired is removed by that. Of groups of callers,
    and of seats, `remembered` are kept before those are forgotten that are empty.
    """

    def __init__(self, *, remembered: int = 2048) -> None:
        self._queues: dict[Demand, _Queue] = {}
        self._pools: dict[Has, _Pool] = {}
        self._pool_of: dict[Seat, _Pool] = {}
        self._new_queues: set[_Queue] = set()
        """Nobody waited in them when pairs were made last."""
        self._new_pools: set[_Pool] = set()
        """Seats have been added to them since."""
        self._left_free = False
        """Whether seats may have been left free for somebody older when pairs were made last."""
        self._remembered = self._queues_limit = self._pools_limit = remembered

    def add_caller(self, demand: Demand, rank: Rank) -> None:
        queue = self._queues.get(demand) or self._new_queue(demand)
        if not queue.entries:
            self._new_queues.add(queue)
        insort(queue.entries, rank)

    def remove_caller(self, demand: Demand, rank: Rank) -> None:
        _remove(self._queues[demand].entries, rank)

    def add_seat(self, has: Has, idle: Idle) -> None:
        pool = self._pools.get(has) or self._new_pool(has)
        self._new_pools.add(pool)
        insort(pool.entries, idle)
        self._pool_of[idle[1]] = pool

    def remove_seat(self, has: Has, idle: Idle) -> None:
        _remove(self._pools[has].entries, idle)
        del self._pool_of[idle[1]]

    def pairs(self, older: Mapping[Demand, Rank] = _NOBODY) -> list[tuple[CallRef, Seat]]:
        """Takes out everybody who can be connected now, each with a seat, in the order of their rank.

        A caller gets, of the free seats that can serve it, one with the fewest other skills
        (specialists stay free for those who need them), then with the fewest levels more than it
        needs (so do experts), and of these the one that has been free longest. Afterwards no free
        seat can serve anybody who still waits.

        older: who is not here yet and must not be passed, for each demand the first of them. Whoever
        comes after it in rank gets no seat that could serve it.
        """
        if older or self._left_free:
            self._new_queues.update(queue for queue in self._queues.values() if queue.entries)
        self._left_free = bool(older)
        if not self._new_queues and not self._new_pools:
            return []
        offers, free = self._offers()
        found = self._given(offers, free, older)
        self._settle(offers, found)
        return found

    def _given(self, offers: list[_Offer], free: int, older: Mapping[Demand, Rank]) -> list[tuple[CallRef, Seat]]:
        heads = [offer.queue.entries[0] for offer in offers]
        whose = {rank[2]: offer for rank, offer in zip(heads, offers, strict=True)}
        absent = {rank[2]: demand for demand, rank in older.items()}
        heads += older.values()
        heapify(heads)
        pool_of = self._pool_of
        found: list[tuple[CallRef, Seat]] = []
        while heads and len(found) < free:
            ref = heads[0][2]
            if ref in absent:
                self._close(absent[ref])
                heappop(heads)
                continue
            offer = whose[ref]
            seat = offer.take(pool_of)
            if seat is None:
                heappop(heads)
                continue
            found.append((ref, seat))
            offer.served = served = offer.served + 1
            waiting = offer.queue.entries
            if served < len(waiting):
                rank = waiting[served]
                whose[rank[2]] = offer
                heapreplace(heads, rank)
            else:
                heappop(heads)
        return found

    def _close(self, demand: Demand) -> None:
        """Whatever can serve it is given to nobody else this time."""
        for pool in self._pools.values():
            if not pool.closed and spare(pool.masters, demand) is not None:
                pool.closed = True

    def _offers(self) -> tuple[list[_Offer], int]:
        """Whom somebody may be found for, and how many seats there are for all of them at most."""
        offers = [_Offer(queue, queue.levels) for queue in self._new_queues if queue.entries]
        pools = [pool for pool in self._new_pools if pool.entries]
        free = len(self._pool_of) if offers else sum(len(pool.entries) for pool in pools)
        if pools:
            waiting = [queue for queue in self._queues.values() if queue.entries and queue not in self._new_queues]
            offers += [_Offer(queue, levels) for queue in waiting if (levels := queue.served_by(pools))]
        return offers, free

    def _settle(self, offers: Iterable[_Offer], found: Iterable[tuple[CallRef, Seat]]) -> None:
        for offer in offers:
            del offer.queue.entries[: offer.served]
        for _, seat in found:
            pool = self._pool_of.pop(seat)
            if pool.taken:
                del pool.entries[: pool.taken]
                pool.taken = 0
        if self._left_free:
            for pool in self._pools.values():
                pool.closed = False
        self._new_queues.clear()
        self._new_pools.clear()

    def _new_queue(self, demand: Demand) -> _Queue:
        if len(self._queues) >= self._queues_limit:
            self._queues = {key: queue for key, queue in self._queues.items() if queue.entries}
            self._queues_limit = max(self._remembered, 2 * len(self._queues))
        queue = self._queues[demand] = _Queue(demand)
        for pool in self._pools.values():
            queue.meets(pool)
        return queue

    def _new_pool(self, has: Has) -> _Pool:
        if len(self._pools) >= self._pools_limit:
            self._pools = {key: pool for key, pool in self._pools.items() if pool.entries}
            self._pools_limit = max(self._remembered, 2 * len(self._pools))
            for queue in self._queues.values():
                queue.spares = {key: left for key, left in queue.spares.items() if key in self._pools}
                queue.levels = queue.served_by(self._pools.values())
        pool = self._pools[has] = _Pool(has, dict(has))
        for queue in self._queues.values():
            queue.meets(pool)
        return pool


def _remove(group: list[_Entry], entry: _Entry) -> None:
    at = bisect_left(group, entry)
    if at == len(group) or group[at] != entry:
        raise KeyError(entry)
    del group[at]
