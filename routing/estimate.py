"""How long a caller will wait, told as honestly as it is known."""

from bisect import bisect_left
from collections import deque

from settings.system_prompts import SAID_MINUTES

_KEPT = 50
_RECENT_MS = 2 * 3600 * 1000
_ENOUGH = 5
"""Fewer than so many recent calls tell nothing about the next ones."""

NOT_KNOWN = -1


class _Recent:
    """The last handling times, with their sum."""

    def __init__(self) -> None:
        self._ended: deque[tuple[int, int]] = deque()
        self._sum_ms = 0

    def add(self, handling_ms: int, now_ms: int) -> None:
        if len(self._ended) == _KEPT:
            self._drop()
        self._ended.append((now_ms, handling_ms))
        self._sum_ms += handling_ms

    def mean_ms(self, now_ms: int) -> int | None:
        while self._ended and self._ended[0][0] < now_ms - _RECENT_MS:
            self._drop()
        return round(self._sum_ms / len(self._ended)) if len(self._ended) >= _ENOUGH else None

    def _drop(self) -> None:
        self._sum_ms -= self._ended.popleft()[1]


class HandlingTimes:
    """How long calls keep a seat (its ringing, the talk, the notes after it), for each hotline number.

    The last 50 calls of at most two hours count. `now_ms` is a clock that never jumps back.
    """

    def __init__(self) -> None:
        self._all = _Recent()
        self._by_number: dict[str, _Recent] = {}

    def ended(self, number: str, handling_ms: int, now_ms: int) -> None:
        self._all.add(handling_ms, now_ms)
        self._by_number.setdefault(number, _Recent()).add(handling_ms, now_ms)

    def mean_ms(self, number: str, now_ms: int) -> int | None:
        """The number's mean; while fewer than 5 of its calls are known that of all numbers, or then None."""
        known = self._by_number.get(number)
        mean = known.mean_ms(now_ms) if known is not None else None
        return mean if mean is not None else self._all.mean_ms(now_ms)


def estimate_ms(ahead: int, seats: int, mean_ms: int | None) -> int | None:
    """The expected wait of somebody with so many callers ahead, in ms; None: not known.

    All `seats` are busy, so one becomes free each `mean_ms / seats`; each caller ahead takes one,
    and this caller the next. Callers ahead who give up make the wait shorter than that.
    """
    if mean_ms is None or seats <= 0:
        return None
    return round((ahead + 1) * mean_ms / seats)


def said_minutes(estimate_ms: int | None) -> int:
    """An estimate rounded up to minutes that are said (SAID_MINUTES); NOT_KNOWN (-1) when it is not known or longer."""
    if estimate_ms is None:
        return NOT_KNOWN
    at = bisect_left(SAID_MINUTES, estimate_ms / 60_000)
    return SAID_MINUTES[at] if at < len(SAID_MINUTES) else NOT_KNOWN
