"""Who is told what the controller hears and decides beside steering."""

from collections.abc import Sequence
from typing import Protocol

from asterisk.port import Switch
from calls.live import CallBackEnded, CallRef, SeatDialled, WantsCallBack
from routing.room import CallBackTurn, DutyChange


class Listener(Protocol):
    """Is told what is not the controller's to do. Each method returns at once."""

    def told(self, event: SeatDialled | WantsCallBack | CallBackEnded) -> None:
        """Something that agents or callers want."""
        ...

    def changed(self, changes: Sequence[DutyChange]) -> None:
        """What seats do now."""
        ...

    def entered(self, refs: Sequence[CallRef]) -> None:
        """These callers wait, or are already being served: they are known here from now on, if not before."""
        ...

    def resynchronised(self, switches: Sequence[Switch]) -> None:
        """Everything was read anew from these; what they were told before may be forgotten."""
        ...

    def dial(self, turn: CallBackTurn) -> None:
        """A caller's turn has come: it is to be called. How that ends is heard, or the room is told."""
        ...


class NobodyListens:
    """For a controller that only steers. It keeps no places, so nobody is ever called back."""

    def told(self, event: SeatDialled | WantsCallBack | CallBackEnded) -> None:
        """Forgotten."""

    def changed(self, changes: Sequence[DutyChange]) -> None:
        """Forgotten."""

    def entered(self, refs: Sequence[CallRef]) -> None:
        """Forgotten."""

    def resynchronised(self, switches: Sequence[Switch]) -> None:
        """Nothing was told to them."""

    def dial(self, turn: CallBackTurn) -> None:
        raise AssertionError(turn)
