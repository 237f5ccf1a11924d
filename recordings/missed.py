"""Which callers of ended calls were missed, and what settles itself: the rules of the call-back list.

Everything here happens within one transaction of its caller's, or in one of its own.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from calls.record import CallRecord, Outcome
from recordings.store import Store, record_of

STUCK_MS = 600_000
"""So long a call-back may be dialled before it is taken for forgotten."""

_AT_ONCE = 200
"""Calls in one transaction, so that the keeper of calls need not wait long."""
_ORDINARY = 5
_CALLABLE = re.compile(r"\+?[0-9]{3,20}")
_IS_OPEN = "state IN ('waiting', 'listed', 'dialling')"
"""In these words, so that the index of open entries is used."""
_DIALLING = f"SELECT * FROM call_backs WHERE state = 'dialling' AND {_IS_OPEN}"  # noqa: S608 - our own words

_TALKING = (
    "SELECT call_backs.id, records.ref FROM records JOIN call_backs ON call_backs.caller = records.caller "  # noqa: S608
    "WHERE records.running = 1 AND records.talk_began_utc_ms >= call_backs.last_utc_ms "
    f"AND records.outcome != 'emergency' AND call_backs.{_IS_OPEN} AND call_backs.state != 'dialling'"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A caller to be called back, and what for."""

    ref: str | None
    """The call that led to it; None: written by hand."""
    caller: str
    number: str
    language: str
    skills: tuple[str, ...]
    priority: int
    t0_utc_ms: int | None
    """Since when the caller waited."""


def add_wish(connection: sqlite3.Connection, wish: Wish, at_utc_ms: int) -> int:
    """Keeps the caller's place in the line; says the entry. `CallBacks.wanted` tells the rules."""
    known, found = _entry_of(connection, wish)
    if known is not None:
        return known
    if found is None:
        return _insert(connection, wish, "waiting", "wanted", at_utc_ms)
    ident, state = found
    if state == "listed":
        connection.execute(
            "UPDATE call_backs SET state = 'waiting', number = ?, language = ?, skills = ?, priority = ?, "
            "t0_utc_ms = ?, attempts = 0, next_utc_ms = NULL WHERE id = ?",
            (wish.number, wish.language, json.dumps(wish.skills), wish.priority, wish.t0_utc_ms, ident),
        )
    else:
        connection.execute(
            "UPDATE call_backs SET t0_utc_ms = min(coalesce(t0_utc_ms, ?), coalesce(?, t0_utc_ms)), "
            "state_before = 'waiting' WHERE id = ?",
            (wish.t0_utc_ms, wish.t0_utc_ms, ident),
        )
    _add_reason(connection, ident, wish, "wanted", at_utc_ms)
    return ident


def add_missed(connection: sqlite3.Connection, wish: Wish, reason: str, at_utc_ms: int) -> int:
    """Lists the caller for somebody to call, unless it is on the list; says the entry."""
    known, found = _entry_of(connection, wish)
    if known is not None:
        return known
    if found is None:
        return _insert(connection, wish, "listed", reason, at_utc_ms)
    _add_reason(connection, found[0], wish, reason, at_utc_ms)
    return found[0]


def look_at_ended(store: Store) -> bool:
    """Looks at some calls that have ended; whether there may be more."""
    if not store.rows("SELECT 1 FROM records WHERE looked_at = 0 AND running = 0 LIMIT 1"):
        return False
    with store.writing() as connection:
        rows = store.rows(
            "SELECT * FROM records WHERE looked_at = 0 AND running = 0 ORDER BY ended_utc_ms, ref LIMIT ?", _AT_ONCE
        )
        for row in rows:
            if _matters(connection, row):
                _look_at(connection, record_of(row))
        connection.executemany("UPDATE records SET looked_at = 1 WHERE ref = ?", [(row["ref"],) for row in rows])
    return len(rows) == _AT_ONCE


def inherit_dialling(store: Store, until_utc_ms: int) -> None:
    """What an earlier controller dialled may still ring: it is put back after that moment."""
    if store.rows(_DIALLING):
        with store.writing() as connection:
            connection.execute(
                f"UPDATE call_backs SET dialling_seen_utc_ms = ? WHERE state = 'dialling' AND {_IS_OPEN}",  # noqa: S608
                (until_utc_ms - STUCK_MS,),
            )


def look_at_talking(store: Store) -> None:
    """Closes the entries of callers who talk with us just now in a call of their own: nobody rings them meanwhile."""
    if not store.rows(_TALKING):
        return
    with store.writing() as connection:
        for row in store.rows(_TALKING):
            _close(connection, row["id"], row["ref"])


def look_at_dialling(store: Store, now_utc_ms: int) -> None:
    """Closes what was reached, and puts back what has been dialled for too long."""
    if not store.rows(_DIALLING):
        return
    with store.writing() as connection:
        for row in store.rows(_DIALLING):
            call = _call_of(connection, row)
            if call is not None and call["talk_began_utc_ms"] is not None:
                _close(connection, row["id"], call["ref"])
            elif call is not None and call["running"]:
                continue
            elif now_utc_ms - (row["dialling_seen_utc_ms"] or now_utc_ms) > STUCK_MS:
                connection.execute("UPDATE call_backs SET state = state_before WHERE id = ?", (row["id"],))
            elif row["dialling_seen_utc_ms"] is None:
                connection.execute(
                    "UPDATE call_backs SET dialling_seen_utc_ms = ? WHERE id = ?", (now_utc_ms, row["id"])
                )


def _matters(connection: sqlite3.Connection, row: Mapping[str, Any]) -> bool:
    """Whether the call can change the list. Most calls are answered, and their callers not on it."""
    outcome = Outcome(row["outcome"])
    if outcome is Outcome.ANSWERED:
        return _open_of(connection, row["caller"]) is not None
    return outcome in _LISTED or outcome in (Outcome.CALL_BACK, Outcome.INTERRUPTED)


def _look_at(connection: sqlite3.Connection, call: CallRecord) -> None:
    if not _CALLABLE.fullmatch(call.caller):
        return
    ended_ms = call.ended_utc_ms or call.arrived_utc_ms
    if call.outcome is Outcome.ANSWERED:
        _settle(connection, call, call.talk_began_utc_ms or ended_ms)
        return
    reason = _reason(call)
    if reason is None or _talked_since(connection, call.caller, ended_ms):
        return
    wish = Wish(
        call.ref,
        call.call_back_to or call.caller,
        call.number or call.dialled,
        call.language or "",
        call.skills,
        call.priority if call.priority is not None else _ORDINARY,
        call.waiting_since_utc_ms,
    )
    if reason == "wanted":
        add_wish(connection, wish, ended_ms)
        return
    ident = add_missed(connection, wish, reason, ended_ms)
    if call.call_back_of is not None:  # We had called, and then let the caller wait too long.
        connection.execute(
            "UPDATE call_backs SET state = 'listed', attempts = attempts + 1 WHERE id = ? AND state = 'dialling'",
            (ident,),
        )


def _reason(call: CallRecord) -> str | None:
    """Why the caller of a call that was not answered is to be called back; None: that is not wanted."""
    if call.outcome is Outcome.CALL_BACK:
        return "wanted"
    if call.outcome is Outcome.INTERRUPTED and call.waiting_since_utc_ms is not None:
        if call.talk_began_utc_ms is not None or call.emergency_number is not None:
            return None
        return "wanted" if call.call_back_to is not None else "interrupted"
    return _LISTED.get(call.outcome)


_LISTED = {Outcome.ABANDONED: "abandoned", Outcome.REFUSED_FULL: "refused_full"}


def _settle(connection: sqlite3.Connection, call: CallRecord, talked_ms: int) -> None:
    """The caller has talked with us: by our call, or by another one of its own after we missed it."""
    found = _open_of(connection, call.caller)
    if found is None:
        return
    ident, state = found
    ours = call.call_back_of is not None
    missed_ms = _one(connection, "SELECT last_utc_ms FROM call_backs WHERE id = ?", ident)
    if ours or (state != "dialling" and missed_ms is not None and missed_ms[0] <= talked_ms):
        _close(connection, ident, call.ref)


def _close(connection: sqlite3.Connection, ident: int, ref: str) -> None:
    connection.execute(
        "UPDATE call_backs SET state = 'reached', reached_by = ?, next_utc_ms = NULL WHERE id = ?", (ref, ident)
    )


def _talked_since(connection: sqlite3.Connection, caller: str, missed_ms: int) -> bool:
    """Whether the caller talked with us after that, or does now: lines of another node may come late."""
    found = _one(
        connection,
        "SELECT 1 FROM records WHERE caller = ? AND talk_began_utc_ms >= ? AND outcome != 'emergency' LIMIT 1",
        caller,
        missed_ms,
    )
    return found is not None


def _call_of(connection: sqlite3.Connection, entry: dict[str, Any]) -> dict[str, Any] | None:
    """The newest call that was made for this entry."""
    found = _one(
        connection,
        "SELECT ref, running, talk_began_utc_ms FROM records WHERE caller = ? AND call_back_of IS NOT NULL "
        "AND arrived_utc_ms >= ? ORDER BY arrived_utc_ms DESC LIMIT 1",
        entry["caller"],
        entry["since_utc_ms"],
    )
    return None if found is None else dict(zip(("ref", "running", "talk_began_utc_ms"), found, strict=True))


def _entry_of(connection: sqlite3.Connection, wish: Wish) -> tuple[int | None, tuple[int, str] | None]:
    """The entry that this very call led to already; the open one of its caller."""
    known = _one(connection, "SELECT call_back FROM call_back_reasons WHERE ref = ?", wish.ref)
    return None if known is None else int(known[0]), _open_of(connection, wish.caller)


def _open_of(connection: sqlite3.Connection, caller: str) -> tuple[int, str] | None:
    found = _one(connection, f"SELECT id, state FROM call_backs WHERE caller = ? AND {_IS_OPEN}", caller)  # noqa: S608
    return None if found is None else (int(found[0]), str(found[1]))


def _insert(connection: sqlite3.Connection, wish: Wish, state: str, reason: str, at_utc_ms: int) -> int:
    skills = json.dumps(wish.skills)
    cursor = connection.execute(
        "INSERT INTO call_backs (caller, number, language, skills, priority, t0_utc_ms, state, state_before, "
        "since_utc_ms, last_utc_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(wish.caller, wish.number, wish.language, skills, wish.priority, wish.t0_utc_ms),
            *(state, state, at_utc_ms, at_utc_ms),
        ),
    )
    ident = int(cursor.lastrowid or 0)
    _add_reason(connection, ident, wish, reason, at_utc_ms)
    return ident


def _add_reason(connection: sqlite3.Connection, ident: int, wish: Wish, reason: str, at_utc_ms: int) -> None:
    connection.execute(
        "INSERT INTO call_back_reasons (call_back, reason, ref, at_utc_ms) VALUES (?, ?, ?, ?)",
        (ident, reason, wish.ref, at_utc_ms),
    )
    connection.execute(
        "UPDATE call_backs SET since_utc_ms = min(since_utc_ms, ?), last_utc_ms = max(last_utc_ms, ?) WHERE id = ?",
        (at_utc_ms, at_utc_ms, ident),
    )


def _one(connection: sqlite3.Connection, sql: str, *values: object) -> tuple[Any, ...] | None:
    with closing(connection.execute(sql, values)) as cursor:
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found
