"""What the controller saw of calls, beside what Asterisk wrote of them.

The journal is the truth. A call that waited and that no controller knew of is marked in its record. Where a
controller saw what no line of the journal tells, that stands in the record, and the record says so.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from calls.live import CallRef
from calls.sight import Sight
from recordings import lost
from recordings.store import Store

SETTLED_MS = 10_000
"""By then the journal's lines and the controller's notes are in the store, whichever was slower."""
_AT_ONCE = 500
_REMEMBERED = 10_000
"""So many notes need not be read again to be added to."""
_KEEP = (
    "INSERT INTO seen (ref, node, first_utc_ms, sight) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (ref) DO UPDATE SET first_utc_ms = excluded.first_utc_ms, sight = excluded.sight"
)


class Seen:
    """The controller's notes; nobody else adds to them meanwhile."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[CallRef, Sight] = {}
        """What stands in the store of some of them."""

    def note(self, node: str, sights: Iterable[Sight]) -> None:
        """These calls wait, or waited. The same ones again add to what is known of them."""
        noted: dict[CallRef, Sight] = {}
        with self._store.writing() as connection:
            for sight in sights:
                known = noted.get(sight.ref) or self._known(sight.ref)
                whole = noted[sight.ref] = sight if known is None else sight.after(known)
                connection.execute(_KEEP, (whole.ref, node, whole.first_utc_ms, whole.as_json()))
        if len(self._noted) > _REMEMBERED:
            self._noted.clear()
        self._noted.update(noted)

    def _known(self, ref: CallRef) -> Sight | None:
        if (noted := self._noted.get(ref)) is not None:
            return noted
        found = self._store.rows("SELECT sight FROM seen WHERE ref = ?", ref)
        return Sight.of_json(found[0]["sight"]) if found else None


def reconcile(store: Store, node: str, now_utc_ms: int) -> list[str]:
    """Settles the records of calls that have ended; says which calls were seen and had none, each one once."""
    settled_ms = now_utc_ms - SETTLED_MS
    ended = store.rows(
        "SELECT records.ref, waiting_since_utc_ms, number, seats, call_back_of, seen_live, records.sight AS begun_by, "
        "seen.sight FROM records LEFT JOIN seen ON seen.ref = records.ref "
        "WHERE reconciled = 0 AND running = 0 AND records.node = ? AND ended_utc_ms < ? LIMIT ?",
        *(node, settled_ms, _AT_ONCE),
    )
    left = store.rows(
        "SELECT seen.ref, seen.sight, records.ref IS NULL AS missing FROM seen LEFT JOIN records "
        "ON records.ref = seen.ref WHERE seen.node = ? AND seen.first_utc_ms < ? "
        "AND (records.ref IS NULL OR records.reconciled = 1)",
        *(node, settled_ms),
    )
    if not (ended or left):
        return []
    missing = [row for row in left if row["missing"]]
    with store.writing() as connection:
        for row in ended:
            _settle(store, connection, node, row)
        settled = [(row["ref"],) for row in ended]
        connection.executemany("UPDATE records SET reconciled = 1 WHERE ref = ?", settled)
        # What was noted too late changes nothing any more.
        late = [(row["ref"],) for row in left if not row["missing"]]
        connection.executemany("DELETE FROM seen WHERE ref = ?", settled + late)
        for row in missing:
            lost.begin(store, connection, node, Sight.of_json(row["sight"]))
    return [str(row["ref"]) for row in missing]


def _settle(store: Store, connection: sqlite3.Connection, node: str, row: Mapping[str, Any]) -> None:
    ref = row["ref"]
    sight = None if row["sight"] is None else Sight.of_json(row["sight"])
    if sight is not None and _tells_more(sight, row):
        connection.execute("UPDATE records SET sight = ? WHERE ref = ?", (sight.as_json(), ref))
        store.refold(connection, node, ref)
        connection.execute("UPDATE records SET sight = NULL WHERE ref = ? AND lines_missing = 0", (ref,))
    elif row["waiting_since_utc_ms"] is not None and row["seen_live"] is None:
        connection.execute(
            "UPDATE records SET revision = revision + 1, seen_live = ?2 WHERE ref = ?1", (ref, sight is not None)
        )
        store.changed(connection, ref)


def _tells_more(sight: Sight, row: Mapping[str, Any]) -> bool:
    """Whether lines may be missing. A call back waits, and was served, before its own call."""
    if row["call_back_of"] is not None:
        return False
    talked = {talk.seat for talk in sight.talks} <= set(json.loads(row["seats"]))
    return row["begun_by"] is not None or None in (row["waiting_since_utc_ms"], row["number"]) or not talked
