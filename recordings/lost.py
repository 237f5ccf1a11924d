"""Calls of which the journal lacks lines: those that run by the journal alone, and those that it does not know."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from calls.sight import Sight
from recordings.store import Store


@dataclass(frozen=True, slots=True)
class Running:
    """A call whose end is not known."""

    ref: str
    channel: str
    """The caller's: its own id; its name where no line says that it arrived."""
    last_utc_ms: int
    """Its last line."""


def claim(store: Store, node: str) -> None:
    """Gives calls that began without a line those that came since."""
    found = store.rows(
        "SELECT sight FROM records WHERE node = ? AND running = 1 AND sight IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM events WHERE ref = records.ref)",
        node,
    )
    if found:
        with store.writing() as connection:
            for row in found:
                sight = Sight.of_json(row["sight"])
                if adopt(store, connection, node, sight):
                    store.refold(connection, node, sight.ref)


def running(store: Store, node: str) -> tuple[Running, ...]:
    """The node's calls that run as far as is known."""
    rows = store.rows(
        "SELECT ref, arrived_utc_ms, sight, (SELECT uniqueid FROM events WHERE ref = records.ref AND kind = 'ARRIVED') "
        "AS uniqueid, (SELECT max(at_us) / 1000 FROM events WHERE ref = records.ref) AS last_utc_ms FROM records "
        "WHERE node = ? AND running = 1",
        node,
    )
    return tuple(
        Running(
            row["ref"],
            row["uniqueid"] or Sight.of_json(row["sight"]).channel,
            row["last_utc_ms"] or row["arrived_utc_ms"],
        )
        for row in rows
        if row["uniqueid"] or row["sight"]
    )


def end(store: Store, node: str, found: Mapping[str, int]) -> list[str]:
    """Ends calls (id → when it was there last) that Asterisk has no more; says which of them still ran.

    A line that tells the end and comes all the same puts everything right.
    """
    ended = [
        (ref, at_utc_ms)
        for ref, at_utc_ms in found.items()
        if store.rows("SELECT 1 FROM records WHERE ref = ? AND node = ? AND running = 1", ref, node)
    ]
    if ended:
        with store.writing() as connection:
            for ref, at_utc_ms in ended:
                connection.execute("UPDATE records SET absent_utc_ms = ? WHERE ref = ?", (at_utc_ms, ref))
                store.refold(connection, node, ref)
    return [ref for ref, _ in ended]


def begin(store: Store, connection: sqlite3.Connection, node: str, sight: Sight) -> None:
    """Makes the record of a call that was seen, and of whose arrival there is no line."""
    adopt(store, connection, node, sight)
    store.refold(connection, node, sight.ref, sight)
    connection.execute("UPDATE records SET sight = ? WHERE ref = ?", (sight.as_json(), sight.ref))
    store.forget(sight.ref)


def adopt(store: Store, connection: sqlite3.Connection, node: str, sight: Sight) -> bool:
    """Gives such a call the lines of its channels, which nobody's call claims; whether there were any."""
    (own,) = connection.execute(
        "SELECT max(uniqueid) FROM (SELECT uniqueid FROM events WHERE ref IS NULL AND node = ? AND channel = ? "
        "ORDER BY at_us DESC LIMIT 1)",
        (node, sight.channel),
    ).fetchone()
    if own is None:
        return False
    connection.execute(
        "UPDATE events SET ref = ? WHERE ref IS NULL AND node = ? AND (uniqueid = ? OR linkedid = ?)",
        (sight.ref, node, own, own),
    )
    store.forget(sight.ref)
    return True
