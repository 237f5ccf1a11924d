"""What seats do, on its way into the store: several changes in one write."""

import asyncio
from collections.abc import Sequence

from hotline.office import Office
from recordings.duty import OFFLINE, DutyRow

GATHER_S = 0.5
"""So long changes are gathered. Whatever decides how a new controller begins is written at once."""

_Begins = tuple[str | None, str | None]
"""Who would be signed on again at a seat, and why that one would be paused; None: nobody, and it would not."""

_EMPTY: _Begins = (None, None)


class DutyLog:
    """Hands changes over to the office."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._rows: list[DutyRow] = []
        self._begins: dict[str, _Begins] = {}
        """How a new controller would begin with each seat, after what was noted last."""
        self._timer: asyncio.TimerHandle | None = None

    def note(self, rows: Sequence[DutyRow]) -> None:
        """Keeps these changes, in order with all others."""
        self._rows += rows
        before = {row.seat: self._begins.get(row.seat, _EMPTY) for row in rows}
        after = {row.seat: _begins(row) for row in rows}
        self._begins |= after
        if before != after:
            self.flush()
        elif self._timer is None and self._rows:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.flush)

    def flush(self) -> None:
        """Hands over what was gathered. Call it before the office stops."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._rows:
            rows, self._rows = self._rows, []
            self._office.later(lambda books: books.duty.add(rows))


def _begins(row: DutyRow) -> _Begins:
    if row.state == OFFLINE:
        return _EMPTY
    return row.agent, row.reason if row.state == "paused" else None
