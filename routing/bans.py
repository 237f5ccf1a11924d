"""Who fails to sign in too often: which addresses are to be banned.

A failure proves little: UDP addresses can be forged, and a telephone with a wrong password tries for ever. So
an address that a seat signed in from lately is known, and known ones may fail more often; each right sign-in
takes the failures before it away.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

KNOWN_FOR_MS = 3_600_000
"""So long after a right sign-in an address is known: telephones sign in again within an hour."""
KNOWN_MAY_FAIL = 10
"""So many times as often."""
ADDRESSES = 10_000
"""Most addresses that are remembered; those heard of longest ago are forgotten first."""


@dataclass(frozen=True, slots=True)
class BanRules:
    """How often is too often."""

    failures: int
    within_ms: int


@dataclass(slots=True)
class _Heard:
    """What is known of one address."""

    failed_at_ms: deque[int] = field(default_factory=deque)
    known_until_ms: int = 0


class Suspects:
    """Counts failures by address. Times are those of one clock that never jumps back."""

    def __init__(self, rules: BanRules) -> None:
        self._rules = rules
        self._heard: OrderedDict[str, _Heard] = OrderedDict()

    def failed(self, address: str, now_ms: int) -> int:
        """A failure: 0, or, when the address is to be banned, how often it failed. Counting begins anew then."""
        heard = self._of(address)
        heard.failed_at_ms.append(now_ms)
        while heard.failed_at_ms[0] <= now_ms - self._rules.within_ms:
            heard.failed_at_ms.popleft()
        most = self._rules.failures * (KNOWN_MAY_FAIL if now_ms < heard.known_until_ms else 1)
        if len(heard.failed_at_ms) < most:
            return 0
        times = len(heard.failed_at_ms)
        heard.failed_at_ms.clear()
        return times

    def signed_in(self, address: str, now_ms: int) -> None:
        """A seat gave the right password there."""
        heard = self._of(address)
        heard.failed_at_ms.clear()
        heard.known_until_ms = now_ms + KNOWN_FOR_MS

    def _of(self, address: str) -> _Heard:
        heard = self._heard.setdefault(address, _Heard())
        self._heard.move_to_end(address)
        if len(self._heard) > ADDRESSES:
            self._forget(address)
        return heard

    def _forget(self, newest: str) -> None:
        """One that nobody signed in from, if there is one: whoever forges addresses makes no known one forgotten."""
        for address, heard in self._heard.items():
            if address != newest and not heard.known_until_ms:
                del self._heard[address]
                return
        self._heard.popitem(last=False)
