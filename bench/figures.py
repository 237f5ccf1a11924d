"""What a line of callers was like: who was passed, how long they waited, how long seats stood idle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

TOGETHER_US = 20_000
"""Less than this between two callers, or between the seats that ring for them, tells no order: 20 ms.

Two seats that are free together are given away in one decision, and ring in any order; two callers
who begin to wait together are taken down in any order.
"""

Skills = frozenset[str]


@dataclass(frozen=True, slots=True)
class Talk:
    """A caller's connection with a seat that answered. Times are microseconds since the epoch."""

    seat: str
    rings_us: int
    answers_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class Caller:
    """One who waited, and the talk that it came to, if any."""

    name: str
    needs: Skills
    waits_us: int
    """When the wait began: greeting and prompts are over, or play on while a seat is looked for."""
    talk: Talk | None = None

    @property
    def wait_s(self) -> float | None:
        """Until the seat answered."""
        return (self.talk.answers_us - self.waits_us) / 1e6 if self.talk else None


@dataclass(frozen=True, slots=True)
class Figures:
    """One round of one way to answer."""

    calls: int
    """That were placed."""
    failed: int
    """Of these, how many did not have their whole talk."""
    passed_percent: float
    """Connections that passed a longer waiter, in % of all connections."""
    passed_at_all_percent: float
    """The same when every microsecond counts."""
    wait_mean_s: float
    wait_median_s: float
    wait_max_s: float
    idle_median_ms: float
    """How long a seat was idle, until it rang, while somebody waited whom it can serve."""
    idle_p95_ms: float


def passed(callers: Sequence[Caller], seats: Mapping[str, Skills], together_us: int = TOGETHER_US) -> int:
    """How many connections passed somebody who had waited longer and whom that seat could serve.

    The moment that counts is when the seat began to ring. Whoever began to wait less than
    `together_us` earlier, or whose own seat began to ring less than that later, was not passed;
    whoever never came to a seat was.
    """
    return sum(_passed_somebody(talk, one, callers, seats[talk.seat], together_us) for one, talk in _connected(callers))


def _passed_somebody(talk: Talk, one: Caller, callers: Sequence[Caller], has: Skills, together_us: int) -> bool:
    return any(
        other.waits_us + together_us < one.waits_us
        and other.needs <= has
        and (other.talk is None or other.talk.rings_us > talk.rings_us + together_us)
        for other in callers
    )


def idle_ms(callers: Sequence[Caller], seats: Mapping[str, Skills]) -> list[float]:
    """For each connection after a seat's first: how long the seat had been idle with work at hand.

    That is the time before it rang in which it was free and, without a break, somebody waited whom
    it can serve.
    """
    found: list[float] = []
    for seat, has in seats.items():
        talks = sorted((talk for _, talk in _connected(callers) if talk.seat == seat), key=lambda talk: talk.rings_us)
        waits = [_waiting(caller) for caller in callers if caller.needs <= has]
        for before, after in pairwise(talks):
            since_us = max(before.ends_us, _waited_since(after.rings_us, waits))
            found.append(max(0, after.rings_us - since_us) / 1000)
    return found


def _waiting(caller: Caller) -> tuple[int, int | None]:
    return caller.waits_us, caller.talk.rings_us if caller.talk else None


def _waited_since(at_us: int, waits: Sequence[tuple[int, int | None]]) -> int:
    """Since when, without a break until `at_us`, at least one of them waited."""
    since_us = at_us
    for began_us, ended_us in sorted(waits, key=lambda wait: _end(wait[1], at_us), reverse=True):
        if _end(ended_us, at_us) < since_us:
            break
        since_us = min(since_us, began_us)
    return since_us


def _end(ended_us: int | None, at_us: int) -> int:
    return at_us if ended_us is None else min(ended_us, at_us)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all values do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else 0.0


def waits_s(callers: Sequence[Caller]) -> list[float]:
    """Of those who came to a seat."""
    return [caller.wait_s for caller in callers if caller.wait_s is not None]


def figures(callers: Sequence[Caller], seats: Mapping[str, Skills], *, placed: int, whole_s: float) -> Figures:
    """The figures of a round in which `placed` calls were to talk for `whole_s` seconds each."""
    waits, idle = waits_s(callers), idle_ms(callers, seats)
    talks = [talk for _, talk in _connected(callers)]
    whole = sum(talk.ends_us - talk.answers_us >= whole_s * 1e6 for talk in talks)
    return Figures(
        calls=placed,
        failed=placed - whole,
        passed_percent=100 * passed(callers, seats) / max(1, len(talks)),
        passed_at_all_percent=100 * passed(callers, seats, 0) / max(1, len(talks)),
        wait_mean_s=fmean(waits) if waits else 0.0,
        wait_median_s=median(waits) if waits else 0.0,
        wait_max_s=max(waits, default=0.0),
        idle_median_ms=median(idle) if idle else 0.0,
        idle_p95_ms=percentile(idle, 0.95),
    )


def _connected(callers: Sequence[Caller]) -> list[tuple[Caller, Talk]]:
    return [(caller, caller.talk) for caller in callers if caller.talk]
