"""Marks on calls: held, so that nothing removes them; confidential, so that only few hear them."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from calls.record import CallRecord
from recordings.audit import By, note
from recordings.store import Store


class MarkKind(Enum):
    """What is said of a call."""

    HELD = "held"
    """Legal hold: it is kept until it is released, whatever its time."""
    CONFIDENTIAL = "confidential"


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark, with whoever set it; one that was taken back stays for as long as the call."""

    ref: str
    kind: MarkKind
    reason: str
    who: str
    since_utc_ms: int
    ended_utc_ms: int | None
    ended_by: str | None


_DID = {
    (MarkKind.HELD, True): "hold_record",
    (MarkKind.HELD, False): "release_record",
    (MarkKind.CONFIDENTIAL, True): "mark_confidential",
    (MarkKind.CONFIDENTIAL, False): "unmark_confidential",
}
"""What the audit calls it; `hold` is what agents do with a caller."""


class Marks:
    """Part of a store. As with the store, one thread at a time may use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, ref: str, kind: MarkKind, reason: str, by: By, now_utc_ms: int) -> bool:
        """Marks the call with this whole id; False: it is marked so already, with the older reason.

        Either way it is in the audit. Both are on the disk when this returns.
        """
        with self._store.writing() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO marks (ref, kind, reason, who, since_utc_ms) VALUES (?, ?, ?, ?, ?)",
                (ref, kind.value, reason, by.who, now_utc_ms),
            ).rowcount
            note(connection, by, _DID[kind, True], {"call": ref, "reason": reason}, now_utc_ms)
        return added > 0

    def end(self, ref: str, kind: MarkKind, by: By, now_utc_ms: int) -> bool:
        """Takes the mark back; False: the call has none, and nothing is in the audit."""
        with self._store.writing() as connection:
            ended = connection.execute(
                "UPDATE marks SET ended_utc_ms = ?, ended_by = ? WHERE ref = ? AND kind = ? AND ended_utc_ms IS NULL",
                (now_utc_ms, by.who, ref, kind.value),
            ).rowcount
            if ended:
                note(connection, by, _DID[kind, False], {"call": ref}, now_utc_ms)
        return ended > 0

    def of(self, ref: str) -> tuple[Mark, ...]:
        """Every mark that the call has or had, the oldest first."""
        rows = self._store.rows(
            "SELECT ref, kind, reason, who, since_utc_ms, ended_utc_ms, ended_by FROM marks WHERE ref = ? ORDER BY id",
            ref,
        )
        return tuple(Mark(**{**row, "kind": MarkKind(row["kind"])}) for row in rows)

    def has(self, ref: str, kind: MarkKind) -> bool:
        """Whether the call is marked so now."""
        found = self._store.rows(
            "SELECT 1 FROM marks WHERE ref = ? AND kind = ? AND ended_utc_ms IS NULL", ref, kind.value
        )
        return bool(found)

    def confidential(self, record: CallRecord, numbers: AbstractSet[str]) -> bool:
        """Whether the call is confidential: by its mark, or because it came to one of these `numbers`."""
        return not numbers.isdisjoint((record.dialled, record.number or "")) or self.has(
            record.ref, MarkKind.CONFIDENTIAL
        )
