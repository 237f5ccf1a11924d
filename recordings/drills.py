"""Test calls over the lines of the emergency numbers: the evidence of each, taken from the journal."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from calls.cel import Row
from calls.journal import TrunkEnded, TrunkTried
from calls.legs import legs_of
from calls.record import Side
from recordings.store import Store

PLANNED = "planned"
PLACED = "placed"
ANSWERED = "answered"
PUT_OFF = "put_off"
"""Emergencies needed the lines."""
LOST = "lost"
"""Nobody knows what became of it."""
OPEN = (PLANNED, PLACED)

_RESULTS = {"ANSWER": ANSWERED, "BUSY": "busy", "NOANSWER": "no_answer"}
"""Asterisk's DIALSTATUS, and ours; everything else is `unreachable`."""


@dataclass(frozen=True, slots=True)
class DrillRow:
    """One test call."""

    id: int
    began_utc_ms: int
    """When it was asked for; once it is placed, when that was."""
    who: str
    number: str
    trunk: str
    dialled: str
    result: str
    """`planned`, `placed`, `answered`, `busy`, `no_answer`, `unreachable`, `put_off` or `lost`."""
    answered_ms: int | None
    """After it was dialled."""
    q850_cause: int | None
    """Why the line's leg ended."""
    ref: str
    """The test call's record."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be called."""

    number: str
    trunk: str
    dialled: str
    ref: str


_NAMES = ", ".join(field.name for field in fields(DrillRow))


class Drills:
    """Part of a store. As with the store, one thread at a time may use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def plan(self, who: str, calls: Sequence[Planned], now_utc_ms: int) -> tuple[DrillRow, ...]:
        """Writes down what is to be called, before anything is."""
        with self._store.writing() as connection:
            for call in calls:
                connection.execute(
                    "INSERT INTO drills (began_utc_ms, who, number, trunk, dialled, result, ref) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (now_utc_ms, who, call.number, call.trunk, call.dialled, PLANNED, call.ref),
                )
        refs = {call.ref for call in calls}
        return tuple(row for row in reversed(self.newest(len(calls))) if row.ref in refs)

    def newest(self, limit: int) -> tuple[DrillRow, ...]:
        """The last ones, the newest first."""
        rows = self._store.rows(f"SELECT {_NAMES} FROM drills ORDER BY id DESC LIMIT ?", limit)  # noqa: S608 - our columns
        return tuple(DrillRow(**row) for row in rows)

    def open(self) -> tuple[DrillRow, ...]:
        """Those of which nothing is known yet, the oldest first."""
        rows = self._store.rows(f"SELECT {_NAMES} FROM drills WHERE result IN (?, ?) ORDER BY id", *OPEN)  # noqa: S608
        return tuple(DrillRow(**row) for row in rows)

    def placed(self, ident: int, now_utc_ms: int) -> None:
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE drills SET result = ?, began_utc_ms = ? WHERE id = ?", (PLACED, now_utc_ms, ident)
            )

    def end(self, ident: int, result: str) -> None:
        """Of one that was not called, or of which nothing is known."""
        with self._store.writing() as connection:
            connection.execute("UPDATE drills SET result = ? WHERE id = ?", (result, ident))

    def settle(self, row: DrillRow) -> str | None:
        """Takes the result from the call's record, as soon as that has ended; None: it has not."""
        if not self._store.rows("SELECT 1 FROM records WHERE ref = ? AND running = 0", row.ref):
            return None
        result, answered_ms, q850_cause = evidence(self._store.events(row.ref))
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE drills SET result = ?, answered_ms = ?, q850_cause = ? WHERE id = ?",
                (result, answered_ms, q850_cause, row.id),
            )
        return result


def evidence(rows: Sequence[Row]) -> tuple[str, int | None, int | None]:
    """What an ended test call's rows prove: its result, when the line answered after it was dialled (ms), and the
    Q.850 cause of the line's end."""
    tried = next((row for row in rows if isinstance(row.step, TrunkTried)), None)
    if tried is None:
        return PUT_OFF, None, None
    status = next((row.step.status for row in rows if isinstance(row.step, TrunkEnded)), None)
    leg = next((leg for leg in legs_of(rows).values() if leg.side is Side.TRUNK), None)
    answered_ms = None if leg is None or leg.answered_us is None else (leg.answered_us - tried.at_us) // 1000
    ends = [row.q850_cause for row in rows if leg is not None and row.channel in leg.channels and row.kind == "HANGUP"]
    result = LOST if status is None else _RESULTS.get(status, "unreachable")
    return ANSWERED if answered_ms is not None else result, answered_ms, ends[0] if ends else None
