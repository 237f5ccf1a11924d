"""Which controller decides, once there are several machines."""

from typing import Protocol


class Leader(Protocol):
    """Of several controllers, one matches callers with seats."""

    def leads(self) -> bool:
        """Whether this controller may decide now. It answers at once, from what it knows."""
        ...


class AloneLeader:
    """The only controller there is."""

    def leads(self) -> bool:
        return True
