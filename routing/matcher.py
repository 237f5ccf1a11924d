"""Who is next: waiting callers and free seats, indexed so that one event costs little.

Callers are grouped by the skills they need, seats by the skills they have: there are few groups,
however many callers. Each group is a sorted list, so memory is linear and nothing stale is kept.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import TypeVar

from calls.live import CallRef, Seat

Skills = frozenset[str]

Rank = tuple[int, int, CallRef]
"""Priority class, entry time in ms, call: the smallest is served first."""

Idle = tuple[int, Seat]
"""Free since (ms), seat."""

_Entry = TypeVar("_Entry", Rank, Idle)


@dataclass(slots=True)
class _Pool:
    """Free seats with the same skills while pairs are made; those before `taken` are given away."""

    seats: list[Idle]
    taken: int = 0


_Levels = list[list[tuple[Idle, _Pool]]]
"""Heaps of pools by their longest free seat; the pools with the fewest spare skills stand last."""


class Matcher:
    """The callers who may be connected now, and the seats that may ring now.

    Each is added once and removed once; whoever is paired is removed by that.
    """

    def __init__(self) -> None:
        self._queues: dict[Skills, list[Rank]] = {}
        self._free: dict[Skills, list[Idle]] = {}

    def add_caller(self, needs: Skills, rank: Rank) -> None:
        _add(self._queues, needs, rank)

    def remove_caller(self, needs: Skills, rank: Rank) -> None:
        _remove(self._queues, needs, rank)

    def add_seat(self, has: Skills, idle: Idle) -> None:
        _add(self._free, has, idle)

    def remove_seat(self, has: Skills, idle: Idle) -> None:
        _remove(self._free, has, idle)

    def pairs(self) -> list[tuple[CallRef, Seat]]:
        """Takes out everybody who can be connected now, each with a seat, in the order of their rank.

        A caller gets, of the free seats that have all the skills it needs, one with the fewest
        others (specialists stay free for those who need them), and of these the one that has been
        free longest. Afterwards no free seat can serve anybody who still waits.
        """
        if not self._free or not self._queues:
            return []
        pools = {has: _Pool(seats) for has, seats in self._free.items()}
        levels = {needs: _levels(needs, pools) for needs in self._queues}
        taken = dict.fromkeys(self._queues, 0)
        heads = [(queue[0], needs) for needs, queue in self._queues.items()]
        heapify(heads)
        found: list[tuple[CallRef, Seat]] = []
        while heads:
            rank, needs = heads[0]
            seat = _take(levels[needs])
            if seat is None:
                heappop(heads)
                continue
            found.append((rank[2], seat))
            taken[needs] += 1
            queue = self._queues[needs]
            if taken[needs] < len(queue):
                heapreplace(heads, (queue[taken[needs]], needs))
            else:
                heappop(heads)
        for needs, count in taken.items():
            _drop_first(self._queues, needs, count)
        for has, pool in pools.items():
            _drop_first(self._free, has, pool.taken)
        return found


def _levels(needs: Skills, pools: dict[Skills, _Pool]) -> _Levels:
    by_spare: dict[int, list[tuple[Idle, _Pool]]] = {}
    for has, pool in pools.items():
        if needs <= has:
            by_spare.setdefault(len(has) - len(needs), []).append((pool.seats[0], pool))
    for level in by_spare.values():
        heapify(level)
    return [by_spare[spare] for spare in sorted(by_spare, reverse=True)]


def _take(levels: _Levels) -> Seat | None:
    """The best seat left. Pools are shared between levels, so a heap's entry may be outdated."""
    while levels:
        level = levels[-1]
        while level:
            idle, pool = level[0]
            if pool.taken == len(pool.seats):
                heappop(level)
            elif (longest := pool.seats[pool.taken]) is not idle:
                heapreplace(level, (longest, pool))
            else:
                pool.taken += 1
                return idle[1]
        levels.pop()
    return None


def _add(groups: dict[Skills, list[_Entry]], skills: Skills, entry: _Entry) -> None:
    insort(groups.setdefault(skills, []), entry)


def _remove(groups: dict[Skills, list[_Entry]], skills: Skills, entry: _Entry) -> None:
    group = groups[skills]
    at = bisect_left(group, entry)
    if at == len(group) or group[at] != entry:
        raise KeyError(entry)
    del group[at]
    if not group:
        del groups[skills]


def _drop_first(groups: dict[Skills, list[_Entry]], skills: Skills, count: int) -> None:
    if count == len(groups[skills]):
        del groups[skills]
    else:
        del groups[skills][:count]
