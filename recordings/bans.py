"""Addresses that are refused at the SIP port for a while."""

import sqlite3
from dataclasses import dataclass

from recordings.audit import By, note
from recordings.store import Store

MOST = 1000
"""Most bans at a time: Asterisk compares each request with all of them. The oldest makes room."""


@dataclass(frozen=True, slots=True)
class Ban:
    """One address, and until when."""

    address: str
    failures: int
    """So often it failed to sign in."""
    account: str
    """The last one that was tried."""
    since_utc_ms: int
    until_utc_ms: int


class Bans:
    """Part of a store. As with the store, one thread at a time may use it. Each change stands in the audit."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, ban: Ban, by: By) -> None:
        """Bans an address; replaces what was said of the same one."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO bans (address, failures, account, since_utc_ms, until_utc_ms) "
                "VALUES (?, ?, ?, ?, ?)",
                (ban.address, ban.failures, ban.account, ban.since_utc_ms, ban.until_utc_ms),
            )
            what = {"address": ban.address, "failures": str(ban.failures), "account": ban.account}
            note(connection, by, "ban", what, ban.since_utc_ms)
            oldest = "SELECT address FROM bans ORDER BY since_utc_ms DESC, address LIMIT -1 OFFSET ?"
            for (address,) in connection.execute(oldest, (MOST,)).fetchall():
                _end(connection, address, "too many bans", by, ban.since_utc_ms)

    def lift(self, address: str, why: str, by: By, now_utc_ms: int) -> bool:
        """Ends a ban; False: there is none."""
        with self._store.writing() as connection:
            return _end(connection, address, why, by, now_utc_ms)

    def expire(self, by: By, now_utc_ms: int) -> tuple[str, ...]:
        """Ends those whose time is over; their addresses."""
        over = self._store.rows("SELECT address FROM bans WHERE until_utc_ms <= ? ORDER BY address", now_utc_ms)
        addresses = tuple(row["address"] for row in over)
        return tuple(address for address in addresses if self.lift(address, "its time is over", by, now_utc_ms))

    def all(self) -> tuple[Ban, ...]:
        """The newest first."""
        return tuple(Ban(**row) for row in self._store.rows("SELECT * FROM bans ORDER BY since_utc_ms DESC, address"))


def _end(connection: sqlite3.Connection, address: str, why: str, by: By, at_utc_ms: int) -> bool:
    ended = connection.execute("DELETE FROM bans WHERE address = ?", (address,)).rowcount > 0
    if ended:
        note(connection, by, "unban", {"address": address, "why": why}, at_utc_ms)
    return ended
