"""Where the records of all nodes are kept together: what an archive promises, whatever it is made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from calls.record import CallRecord
from calls.timeline import Entry
from recordings.queries import Wanted


@dataclass(frozen=True, slots=True)
class Parcel:
    """One record as it stood at a revision; a higher revision replaces a lower one."""

    ref: str
    revision: int
    record: dict[str, Any] | None
    """As `calls.record.plain` tells it; None: it was removed."""
    events: tuple[tuple[Any, ...], ...] = ()
    """As `recordings.store.Store.event_rows` tells them; none of a call that still runs."""


class ReceiverAway(ConnectionError):
    """The receiver cannot be reached, or did not keep what was sent. It is tried again later."""

    def __init__(self, name: str, why: str, mend: str) -> None:
        self.name = name
        self.why = why
        self.mend = mend
        super().__init__(f"{name}: {why}: {mend}")


class ReceiverRefuses(ReceiverAway):
    """It is there, but does not let us in. Somebody must mend it; it is tried again meanwhile."""


class ReceiverTooNew(ReceiverAway):
    """A newer version of this program has changed its tables: this one neither reads nor writes them."""

    def __init__(self, name: str, version: int, known: int) -> None:
        self.version = version
        self.known = known
        why = f"it has version {version} of the tables, this program knows {known}"
        super().__init__(name, why, "run the newer program; records wait on this machine until then")


class ParcelRefused(ValueError):
    """The receiver cannot hold what is in this lot, and kept nothing of it: sending it again does not help."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.why = why
        super().__init__(f"{name}: {why}: report it; the record stays on this machine")


class Receiver(Protocol):
    """Where records are sent."""

    @property
    def name(self) -> str:
        """Which one it is: an address or a path, without any password."""
        ...

    async def receive(self, parcels: Sequence[Parcel]) -> None:
        """Keeps all of them durably before it returns, or none; the same one twice, or an older one
        later, changes nothing, and brings nothing back that was removed.

        A receiver that hangs is left after a while. Raises ReceiverAway, ParcelRefused.
        """
        ...


class Archive(Receiver, Protocol):
    """A receiver in which calls can be found. Everything here may raise ReceiverAway."""

    async def find(self, wanted: Wanted, timezone: ZoneInfo) -> list[CallRecord]:
        """As `recordings.queries.find`, over all nodes."""
        ...

    async def get(self, begin: str) -> CallRecord:
        """The call whose id begins so. Raises NoSuchCall, SeveralCalls, too."""
        ...

    async def timeline(self, ref: str) -> tuple[Entry, ...]:
        """What happened to the call with this whole id; nothing as long as it runs."""
        ...

    async def close(self) -> None:
        """Lets go of what is open; it may be used again afterwards."""
        ...


def newest(parcels: Iterable[Parcel]) -> list[Parcel]:
    """The highest revision of each record, in the order in which the records come first."""
    found: dict[str, Parcel] = {}
    for one in parcels:
        if one.ref not in found or one.revision > found[one.ref].revision:
            found[one.ref] = one
    return list(found.values())
