"""How much somebody may ask for: pure decisions, with the time as an argument.

Times are seconds of any clock that never goes back. Whatever is remembered of an address or a token is
bounded in number: in a flood of more of them than that, those that were quiet for longest are forgotten.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

from settings.listening import HttpLimits
from web.desk import Refusal

REMEMBERED = 10_000
"""Addresses, tokens, or tokens at addresses."""
BURST_S = 2
"""So many seconds' worth may be asked for at once."""
TOLD_A_SECOND = 0.2
"""Lines in the log about one address that the door refuses."""

K = TypeVar("K")
V = TypeVar("V")


class TooMuch(Refusal):
    """Too much was asked for; `again_s`: after so many seconds it may be tried again."""

    def __init__(self, kind: str, why: str, mend: str, again_s: float) -> None:
        self.again_s = max(1, ceil(again_s))
        super().__init__(429, kind, why, mend)


class Recent(Generic[K, V]):
    """Values by key; those that were not written for longest make room for new ones."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def forget(self, key: K) -> None:
        self._values.pop(key, None)


class Buckets:
    """Token buckets, one for each key: `per_s` requests a second lastingly, BURST_S times as many at once."""

    def __init__(self, per_s: float, most: int = REMEMBERED) -> None:
        self._per_s = per_s
        self._burst = max(1.0, per_s * BURST_S)
        self._levels: Recent[str, tuple[float, float]] = Recent(most)
        """What is left, and when that was."""

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, key: str, now_s: float) -> float:
        """Zero: one more may pass, and was counted. Otherwise the seconds after which one may."""
        level, at_s = self._levels.get(key) or (self._burst, now_s)
        level = min(self._burst, level + (now_s - at_s) * self._per_s)
        if level < 1.0:
            self._levels.put(key, (level, now_s))
            return (1.0 - level) / self._per_s
        self._levels.put(key, (level - 1.0, now_s))
        return 0.0


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What an address showed that nobody has."""

    tokens: int
    last_s: float


class Locks:
    """Which addresses showed so many wrong tokens that only those already seen there are believed."""

    def __init__(self, wrong_tokens: int, lock_s: float, most: int = REMEMBERED) -> None:
        self._allowed = wrong_tokens
        self._lock_s = lock_s
        self._wrong: Recent[str, _Wrong] = Recent(most)
        self._seen: Recent[tuple[str, str], str] = Recent(most)

    def left_s(self, address: str, now_s: float) -> float:
        """How long the address is locked still; zero: it is not."""
        wrong = self._wrong.get(address)
        if wrong is None:
            return 0.0
        left_s = wrong.last_s + self._lock_s - now_s
        if left_s <= 0.0:
            self._wrong.forget(address)
            return 0.0
        return left_s if wrong.tokens >= self._allowed else 0.0

    def wrong(self, address: str, now_s: float) -> bool:
        """One more wrong token; whether the address is locked from now on. Not to be told of one that is."""
        before = self._wrong.get(address)
        tokens = 1 if before is None else before.tokens + 1
        self._wrong.put(address, _Wrong(tokens, now_s))
        return tokens >= self._allowed

    def right(self, address: str, name: str) -> None:
        """The token of this name was let in from there."""
        self._seen.put((address, name), name)

    def knows(self, address: str, name: str) -> bool:
        """Whether the token of this name was let in from there before."""
        return self._seen.get((address, name)) is not None


class AtOnce:
    """How many of something each key has at once, and how many there are in all."""

    def __init__(self, most_each: int, most: int | None = None) -> None:
        """most: of all keys together; None: it does not matter."""
        self._most_each = most_each
        self._most = most
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    def enter(self, key: str) -> bool:
        """Whether one more may be there; then it must `leave`."""
        if self._counts[key] >= self._most_each or (self._most is not None and len(self) >= self._most):
            self._tidy(key)
            return False
        self._counts[key] += 1
        return True

    def leave(self, key: str) -> None:
        self._counts[key] -= 1
        self._tidy(key)

    def _tidy(self, key: str) -> None:
        if not self._counts[key]:
            del self._counts[key]


class Guard:
    """What is asked of the HTTP interface altogether: who must wait, and who is not believed."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._addresses = Buckets(limits.requests_per_address)
        self._pages = Buckets(limits.requests_per_address)
        """Of the pages for everybody, apart: whoever floods the interface does not hide how the hotline is."""
        self._tokens = Buckets(limits.requests)
        self._locks = Locks(limits.wrong_tokens, limits.lock)
        self._streams = AtOnce(limits.streams)
        self._refusals = Buckets(TOLD_A_SECOND)

    def require_address(self, address: str, now_s: float, *, public: bool) -> None:
        """A request came from there. Raises TooMuch."""
        again_s = (self._pages if public else self._addresses).take(address, now_s)
        if again_s:
            raise TooMuch("too_many_requests", "too much is asked for from this address", "ask less often", again_s)

    def require_known(self, address: str, name: str | None, now_s: float) -> bool:
        """A token was shown there; name: whose it is, None: nobody's. Whether this wrong one locks the address.

        Raises TooMuch while the address is locked, whether the token is right or wrong, unless it was let in
        from there before: guessing is told nothing, and whoever works there goes on working.
        """
        left_s = self._locks.left_s(address, now_s)
        if left_s and (name is None or not self._locks.knows(address, name)):
            wait = "wait; whoever has a token that was used from here goes on meanwhile"
            raise TooMuch("too_many_wrong_tokens", "too many wrong tokens came from this address", wait, left_s)
        if name is None:
            return self._locks.wrong(address, now_s)
        self._locks.right(address, name)
        return False

    def require_token(self, name: str, now_s: float) -> None:
        """A request came with this token. Raises TooMuch."""
        again_s = self._tokens.take(name, now_s)
        if again_s:
            raise TooMuch("too_many_requests", f"too much is asked for with the token '{name}'", "ask less", again_s)

    def tells_refusal(self, address: str, now_s: float) -> bool:
        """Whether it is logged that the door refused a request from there: a flood must not fill the disk."""
        return self._refusals.take(address, now_s) == 0.0

    @contextmanager
    def streaming(self, name: str) -> Iterator[None]:
        """While events are streamed to this token. Raises TooMuch."""
        if not self._streams.enter(name):
            why = f"the token '{name}' reads {self._limits.streams} streams of events already"
            raise TooMuch("too_many_streams", why, "end one of them, or use another token", 1)
        try:
            yield
        finally:
            self._streams.leave(name)
