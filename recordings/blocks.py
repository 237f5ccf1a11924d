"""Callers who are blocked from the desk, and what they called: for the report to the police."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from recordings.store import Store


@dataclass(frozen=True, slots=True)
class Blocked:
    """A caller who may not call, but in an emergency."""

    number: str
    reason: str
    author: str
    until_day: str
    """The last day, as 2026-12-31."""


@dataclass(frozen=True, slots=True)
class BlockedCall:
    """A call that was refused, and on whose word."""

    call: str
    caller: str
    dialled: str
    at_utc_ms: int
    reason: str
    """Empty, as author and until, when the entry that blocked it is gone from the settings."""
    author: str
    until: str


class Blocks:
    """Part of a store. As with the store, one thread at a time may use it. An entry that is taken
    back stays, with whoever took it back."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, number: str, reason: str, author: str, until_day: str, now_utc_ms: int) -> None:
        """Blocks a caller; replaces what was said of the same number."""
        with self._store.writing() as connection:
            connection.execute(_REMOVE, (now_utc_ms, author, number))
            connection.execute(
                "INSERT INTO blocks (number, reason, author, until, added_utc_ms) VALUES (?, ?, ?, ?, ?)",
                (number, reason, author, until_day, now_utc_ms),
            )

    def remove(self, number: str, by: str, now_utc_ms: int) -> bool:
        """Unblocks a caller; False: nobody had blocked it from the desk."""
        with self._store.writing() as connection:
            return connection.execute(_REMOVE, (now_utc_ms, by, number)).rowcount > 0

    def active(self, today: str) -> tuple[Blocked, ...]:
        """Who is blocked on this day (as 2026-12-31), the newest last."""
        rows = self._store.rows(
            "SELECT number, reason, author, until AS until_day FROM blocks "
            "WHERE removed_utc_ms IS NULL AND until >= ? ORDER BY id",
            today,
        )
        return tuple(Blocked(**row) for row in rows)

    def numbers(self) -> tuple[str, ...]:
        """Every number that was ever blocked from the desk."""
        return tuple(row["number"] for row in self._store.rows("SELECT DISTINCT number FROM blocks ORDER BY number"))

    def blocked_calls(
        self, number: str | None, written: Iterable[Blocked], timezone: tzinfo
    ) -> tuple[BlockedCall, ...]:
        """The calls that were refused, of this caller or of all, newest first, with whoever blocked
        the caller then. `written`: what the settings say now; they don't tell since when.
        `timezone`: the city's, in which days end."""
        of_settings = {one.number: one for one in written}
        of_desk: dict[str, list[dict[str, Any]]] = {}
        for row in self._store.rows("SELECT * FROM blocks ORDER BY id DESC"):
            of_desk.setdefault(row["number"], []).append(row)
        condition = "" if number is None else " AND caller = ?"
        calls = self._store.rows(
            "SELECT ref, caller, dialled, arrived_utc_ms FROM records "  # noqa: S608 - our own words
            f"WHERE outcome = 'refused_blocked'{condition} ORDER BY arrived_utc_ms DESC, ref",
            *(() if number is None else (number,)),
        )
        found = []
        for call in calls:
            caller, at_ms = call["caller"], call["arrived_utc_ms"]
            day = f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(timezone):%Y-%m-%d}"
            by = _in_force(of_desk.get(caller, []), of_settings.get(caller), at_ms, day)
            why = ("", "", "") if by is None else (by.reason, by.author, by.until_day)
            found.append(BlockedCall(call["ref"], caller, call["dialled"], at_ms, *why))
        return tuple(found)


_REMOVE = "UPDATE blocks SET removed_utc_ms = ?, removed_by = ? WHERE number = ? AND removed_utc_ms IS NULL"


def _in_force(of_desk: list[dict[str, Any]], of_settings: Blocked | None, at_ms: int, day: str) -> Blocked | None:
    """Who blocked the number at that moment; the desk's entries, newest first, are known to the ms."""
    for row in of_desk:
        removed_ms = row["removed_utc_ms"]
        if row["added_utc_ms"] <= at_ms and (removed_ms is None or at_ms < removed_ms) and day <= row["until"]:
            return Blocked(row["number"], row["reason"], row["author"], row["until"])
    return of_settings if of_settings is not None and day <= of_settings.until_day else None
