"""How long the controller may act on what it knows.

The dialplan takes callers over when the heartbeat it sees is more than 3 s old. A controller that
acts only while its last acknowledged heartbeat is younger than 2 s never acts at the same time.
"""

from dataclasses import dataclass, replace

LEASE_MS = 2000


@dataclass(frozen=True, slots=True)
class Lease:
    """Times are in ms of one clock that never jumps back."""

    sent_ms: int | None = None
    """When the newest acknowledged heartbeat was sent: its age is what the dialplan sees. None: never."""

    def holds(self, now_ms: int) -> bool:
        """Whether decisions may be made and commands sent."""
        return self.sent_ms is not None and now_ms - self.sent_ms < LEASE_MS

    def renewed(self, sent_ms: int) -> "Lease":
        """The lease after Asterisk acknowledged the heartbeat that was sent at `sent_ms`.

        An acknowledgement that overtook a later one changes nothing.
        """
        return self if self.sent_ms is not None and sent_ms < self.sent_ms else replace(self, sent_ms=sent_ms)

    def lapsed_before(self, now_ms: int) -> bool:
        """Asked just before a renewal: True when callers may have been taken over meanwhile, so that
        a snapshot must be read before anything is decided."""
        return not self.holds(now_ms)
