"""The highest rate of calls that is served: which rate to try next, and what was found."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FAILED_SHARE = 0.001
"""A rate is served when a smaller share of its calls failed."""
ENOUGH = 1000
"""So many calls at a rate prove that it is served."""
HOPELESS_SHARE = 0.01
DOUBTFUL = 2 * ENOUGH
"""A rate at which few calls failed is tried again until so many were placed."""
GROWTH = 1.3
CLOSE = 1.05
"""Two rates are no further apart than this when the search ends."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Calls at a rate (a second), and how many of them failed."""

    rate: float
    calls: int
    failed: int


@dataclass(frozen=True, slots=True)
class _Known:
    calls: Counter[float]
    served: frozenset[float]
    """The rates below every one that was too much."""
    too_much: float | None
    """The lowest of these."""
    doubtful: float | None
    """The lowest of those below it of which nothing can be said yet."""


def next_rate(tried: Sequence[Tried], *, start: float, most: float) -> float | None:
    """The rate to try next; None: the search is over. No rate is above `most`.

    Rates grow by GROWTH until one is too much; then the distance is halved until it is CLOSE; then
    the highest that was served is played until ENOUGH calls have shown it.
    """
    known = _known(tried)
    if known.doubtful is not None:
        return known.doubtful
    if not known.served:
        return min(start, most) if known.too_much is None else known.too_much / GROWTH
    best = max(known.served)
    if known.too_much is None and best < most:
        return min(best * GROWTH, most)
    if known.too_much is not None and known.too_much / best > CLOSE:
        return math.sqrt(best * known.too_much)
    return best if known.calls[best] < ENOUGH else None


def found_rate(tried: Sequence[Tried]) -> float | None:
    """The highest rate that ENOUGH calls have shown to be served, below every one that was too much."""
    known = _known(tried)
    return max((rate for rate in known.served if known.calls[rate] >= ENOUGH), default=None)


def _known(tried: Sequence[Tried]) -> _Known:
    calls: Counter[float] = Counter()
    failed: Counter[float] = Counter()
    for one in tried:
        calls[one.rate] += one.calls
        failed[one.rate] += one.failed
    bad = {rate for rate in calls if failed[rate] >= FAILED_SHARE * calls[rate]}
    doubtful = {rate for rate in bad if failed[rate] < HOPELESS_SHARE * calls[rate] and calls[rate] < DOUBTFUL}
    too_much = min(bad - doubtful, default=None)
    below = {rate for rate in calls if too_much is None or rate < too_much}
    return _Known(calls, frozenset(below - bad), too_much, min(below & doubtful, default=None))
