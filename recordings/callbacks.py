"""Callers who are to be called back: those who asked for it, and those whom we missed.

A caller is on the list once, however often it called; each call adds its reason.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from recordings.missed import (
    Wish,
    add_missed,
    add_wish,
    inherit_dialling,
    look_at_dialling,
    look_at_ended,
    look_at_talking,
)
from recordings.store import Store


class NoSuchCallBack(LookupError):
    """No entry has this number."""

    def __init__(self, ident: int) -> None:
        self.ident = ident
        super().__init__(f"there is no call-back {ident}: see them with 'bin/hotline callbacks'")


class NotOpen(RuntimeError):
    """The entry is closed, or is being dialled now."""

    def __init__(self, ident: int, state: str) -> None:
        self.ident = ident
        self.state = state
        super().__init__(f"call-back {ident} is {state}: choose one that waits or is listed")


@dataclass(frozen=True, slots=True)
class CallBackRow:
    """One caller who is, or was, to be called back."""

    id: int
    caller: str
    number: str
    """The hotline number that was served."""
    language: str
    """Empty where none was spoken yet."""
    skills: tuple[str, ...]
    """Empty where the caller had not come so far."""
    priority: int
    t0_utc_ms: int | None
    """Since when it waits in the line; None: it never did."""
    state: str
    """`waiting` (keeps its place in the line), `listed` (for an agent to call), `dialling`, `reached`,
    `given_up` or `dismissed`."""
    reasons: tuple[str, ...]
    """`wanted`, `abandoned`, `refused_full`, `interrupted` or `by_hand`, the oldest first, each once."""
    calls: tuple[str, ...]
    """The calls that led to it, oldest first."""
    first: str
    """The oldest of them; empty when it was written by hand."""
    since_utc_ms: int
    last_utc_ms: int
    """When the last of its calls ended."""
    attempts: int
    """Tries that reached nobody."""
    next_utc_ms: int | None
    """When it is tried again by itself."""
    reached_by: str | None
    """The call in which the caller was reached."""
    why: str
    """Why the last try reached nobody."""
    note: str


_PLAIN = frozenset(CallBackRow.__dataclass_fields__) - {"skills", "reasons", "calls", "first"}


class CallBacks:
    """Part of a store. As with the store, one thread at a time may use it.

    Every change is one transaction, and on the disk when its method returns.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- what is there ------------------------------------------------------------------------

    def get(self, ident: int) -> CallBackRow:
        """Raises NoSuchCallBack."""
        found = self._found("WHERE id = ?", ident)
        if not found:
            raise NoSuchCallBack(ident)
        return found[0]

    def open(self) -> tuple[CallBackRow, ...]:
        """Those that are neither reached nor closed otherwise, oldest first."""
        return self._found("WHERE state IN ('waiting', 'listed', 'dialling') ORDER BY since_utc_ms, id")

    def every(self, limit: int) -> tuple[CallBackRow, ...]:
        """The newest, whatever became of them, newest first."""
        return self._found("ORDER BY id DESC LIMIT ?", limit)

    def _found(self, which: str, *values: object) -> tuple[CallBackRow, ...]:
        rows = self._store.rows(f"SELECT * FROM call_backs {which}", *values)  # noqa: S608 - our own words
        return tuple(self._row(row) for row in rows)

    def _row(self, row: dict[str, Any]) -> CallBackRow:
        reasons = self._store.rows(
            "SELECT reason, ref FROM call_back_reasons WHERE call_back = ? ORDER BY at_utc_ms, id", row["id"]
        )
        calls = tuple(str(reason["ref"]) for reason in reasons if reason["ref"] is not None)
        return CallBackRow(
            **{name: row[name] for name in _PLAIN},
            skills=tuple(json.loads(row["skills"])),
            reasons=tuple(dict.fromkeys(str(reason["reason"]) for reason in reasons)),
            calls=calls,
            first=calls[0] if calls else "",
        )

    # --- who is to be called --------------------------------------------------------------------

    def wanted(
        self,
        *,
        ref: str,
        caller: str,
        number: str,
        language: str,
        skills: Iterable[str],
        priority: int,
        t0_utc_ms: int | None,
        now_utc_ms: int,
    ) -> CallBackRow:
        """The caller of the call `ref` hung up to be called back at `caller`, and keeps its place.

        Another wish of the same caller keeps the earlier place. One that was only listed had given up
        its place, and gets that of this call. The same call twice is one wish.
        """
        wish = Wish(ref, caller, number, language, tuple(sorted(skills)), priority, t0_utc_ms)
        with self._store.writing() as connection:
            ident = add_wish(connection, wish, now_utc_ms)
        return self.get(ident)

    def add(
        self,
        *,
        caller: str,
        number: str,
        note: str,
        language: str,
        skills: Iterable[str],
        priority: int,
        now_utc_ms: int,
    ) -> CallBackRow:
        """Somebody at the desk writes a caller down; one who is on the list already gets the note."""
        wish = Wish(None, caller, number, language, tuple(sorted(skills)), priority, None)
        with self._store.writing() as connection:
            ident = add_missed(connection, wish, "by_hand", now_utc_ms)
            connection.execute("UPDATE call_backs SET note = ? WHERE id = ?", (note, ident))
        return self.get(ident)

    def sync(self, now_utc_ms: int) -> None:
        """Lists the callers of ended calls who were missed, and closes what has settled itself.

        To be called again and again; a call is looked at once, and again when its outcome changes.
        """
        while look_at_ended(self._store):
            pass
        look_at_talking(self._store)
        look_at_dialling(self._store, now_utc_ms)

    def reborn(self, until_utc_ms: int) -> None:
        """Whom an earlier controller was dialling is put back after that moment, unless reached by then.

        To be called at each start. Until then the telephone may ring: nobody is called twice at once.
        """
        inherit_dialling(self._store, until_utc_ms)

    # --- how it goes on -------------------------------------------------------------------------

    def dialling(self, ident: int) -> CallBackRow:
        """It is being dialled now. One that is closed stays closed. Raises NoSuchCallBack."""
        return self._change(
            ident,
            "state_before = state, state = 'dialling', dialling_seen_utc_ms = NULL",
            "state IN ('waiting', 'listed')",
        )

    def reached(self, ident: int, ref: str) -> CallBackRow:
        """The caller was reached, in this call. Raises NoSuchCallBack."""
        return self._change(
            ident,
            "state = 'reached', reached_by = ?, next_utc_ms = NULL",
            "state IN ('waiting', 'listed', 'dialling')",
            ref,
        )

    def not_reached(self, ident: int, why: str, next_utc_ms: int | None) -> CallBackRow:
        """A try reached nobody; None: it was the last one, and the caller is given up. Otherwise the
        entry is again what it was before. One that is closed stays closed. Raises NoSuchCallBack."""
        return self._change(
            ident,
            "attempts = attempts + 1, why = ?, next_utc_ms = ?, state = CASE WHEN ? IS NULL THEN 'given_up' "
            "WHEN state = 'dialling' THEN state_before ELSE state END",
            "state IN ('waiting', 'listed', 'dialling')",
            why,
            next_utc_ms,
            next_utc_ms,
        )

    def dismiss(self, ident: int, note: str) -> CallBackRow:
        """Nobody need call back any more. Raises NoSuchCallBack, NotOpen."""
        before = self.get(ident)
        after = self._change(
            ident, "state = 'dismissed', note = ?, next_utc_ms = NULL", "state IN ('waiting', 'listed')", note
        )
        if before.state == after.state:
            raise NotOpen(ident, after.state)
        return after

    def _change(self, ident: int, change: str, condition: str, *values: object) -> CallBackRow:
        with self._store.writing() as connection:
            connection.execute(
                f"UPDATE call_backs SET {change} WHERE id = ? AND {condition}",  # noqa: S608 - our own words
                (*values, ident),
            )
        return self.get(ident)
