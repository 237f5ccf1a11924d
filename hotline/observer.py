"""What the controller measures beside steering: it hands over numbers, and nothing else."""

from typing import Protocol


class Observer(Protocol):
    """Is handed what was measured. Each method returns at once, and costs some microseconds."""

    def decided(self, took_s: float) -> None:
        """One round of decisions, the matcher's work in it, took so long."""
        ...

    def beaten(self, node: str, sent_ms: int, acknowledged_ms: int | None) -> None:
        """A heartbeat was sent, and acknowledged at that moment of the controller's clock; None: it was not."""
        ...

    def resynchronised(self) -> None:
        """Everything was read anew from Asterisk."""
        ...


class NobodyObserves:
    """For a controller that nobody measures."""

    def decided(self, took_s: float) -> None:
        """Forgotten."""

    def beaten(self, node: str, sent_ms: int, acknowledged_ms: int | None) -> None:
        """Forgotten."""

    def resynchronised(self) -> None:
        """Forgotten."""
