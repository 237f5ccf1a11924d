"""Calls that run, as they were kept last: a line more needs neither to read nor to write its whole call again.

It is a memory of what the store holds, and may be emptied at any moment.
"""

from dataclasses import MISSING, dataclass, fields
from operator import attrgetter

from calls.cel import Row
from calls.record import CallRecord
from calls.sight import Sight

FOLDED = (*(field.name for field in fields(CallRecord) if field.default is MISSING), "lines_missing")
"""The fields of a record that its events tell."""

_folded = attrgetter(*FOLDED)
_NOBODYS = 5_000
"""So many channels without a call are remembered at most."""


@dataclass(slots=True)
class Growing:
    """A call that runs."""

    rows: list[Row]
    """All that is kept of it, in the order of their lines."""
    record: CallRecord | None = None
    """As it stands in the store; None: that is not known."""
    sight: Sight | None = None
    """What stands in for lines that are missing."""
    stepped: bool = False
    """Whether its record says that the clock was set."""

    def changes(self, record: CallRecord) -> list[str]:
        """The fields in which the record in the store is not as this one."""
        before, after = _folded(self.record), _folded(record)
        return [name for name, old, new in zip(FOLDED, before, after, strict=True) if old != new]


class Memory:
    """Of one store and one node."""

    def __init__(self) -> None:
        self._calls: dict[str, Growing] = {}
        self._channels: dict[str, str] = {}
        """Whose a channel is, by its own id: that of a call that runs."""
        self._nobodys: dict[str, list[Row]] = {}
        """Rows of channels that are no call's yet."""

    def clear(self) -> None:
        for part in (self._calls, self._channels, self._nobodys):
            part.clear()

    def whose(self, uniqueid: str) -> str | None:
        """The call of a channel; None: that is not known here."""
        return self._channels.get(uniqueid)

    def call(self, ref: str) -> Growing | None:
        return self._calls.get(ref)

    def known(self, ref: str) -> bool:
        """Whether the call runs, and how its record stands."""
        call = self._calls.get(ref)
        return call is not None and call.record is not None

    def keep(self, ref: str, call: Growing) -> None:
        """The call runs, and this is what is known of it."""
        self._calls[ref] = call

    def grew(self, ref: str, row: Row) -> None:
        """A row of the call was kept; the rows of its channel are this call's."""
        self._channels[row.uniqueid] = ref
        if (call := self._calls.get(ref)) is not None:
            call.rows.append(row)

    def nobodys(self, row: Row) -> None:
        """A row was kept that is no call's yet."""
        if len(self._nobodys) >= _NOBODYS:
            self._nobodys.clear()
        self._nobodys.setdefault(row.uniqueid, []).append(row)

    def claimed(self, uniqueid: str) -> list[Row]:
        """The rows of the channel that were nobody's until now."""
        return self._nobodys.pop(uniqueid, [])

    def forget(self, ref: str, call: Growing | None = None) -> None:
        """The call, and whose its channels are, is looked up when it is needed next."""
        known = self._calls.pop(ref, call)
        for row in [] if known is None else known.rows:
            self._channels.pop(row.uniqueid, None)
