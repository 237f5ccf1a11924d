"""What seats and the agents at them did, change by change, and how long it took."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import astuple, dataclass, field, fields
from itertools import chain

from recordings.store import Store

OFFLINE = "offline"
"""The state of an agent who is signed on nowhere."""


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A seat is in this state from now on."""

    seat: str
    agent: str | None
    """Who is signed on there; with `offline`: who was, until now."""
    state: str
    """`idle`, `ringing`, `talking`, `wrap_up`, `paused`, `busy`, `unreachable` or `offline`."""
    reason: str
    """Why it is paused; empty otherwise."""
    call: str | None
    at_utc_ms: int


@dataclass(frozen=True, slots=True)
class Total:
    """How long and how often an agent was in a state, for one reason."""

    agent: str
    state: str
    reason: str
    total_ms: int
    times: int


_NAMES = ", ".join(one.name for one in fields(DutyRow))
_SEATS = """
    WITH RECURSIVE seats (seat) AS (
        SELECT min(seat) FROM duty
        UNION ALL SELECT (SELECT min(seat) FROM duty WHERE seat > seats.seat) FROM seats WHERE seats.seat IS NOT NULL
    )
"""
"""Every seat with one look into the index each, however many rows there are."""
_LAST = f"""
    SELECT {_NAMES} FROM duty WHERE id IN (
        SELECT (SELECT id FROM duty WHERE seat = seats.seat AND at_utc_ms < ? ORDER BY at_utc_ms DESC, id DESC LIMIT 1)
        FROM seats
    )
"""  # noqa: S608 - our own columns
_NOT_ELSEWHERE = f"""
    AND NOT EXISTS (
        SELECT 1 FROM duty AS newer WHERE newer.agent = duty.agent AND newer.state != '{OFFLINE}'
        AND newer.at_utc_ms < ? AND (newer.at_utc_ms, newer.id) > (duty.at_utc_ms, duty.id)
    )
"""  # noqa: S608 - our own word
"""Whoever went to another seat without a word is not at this one any more."""
_SPAN = f"SELECT {_NAMES} FROM duty WHERE at_utc_ms >= ? AND at_utc_ms < ?"  # noqa: S608 - our own columns
_AT_THOSE = " AND seat IN (SELECT seat FROM seats)"
_IN_ORDER = " ORDER BY at_utc_ms, id"
_AGENTS_SEATS = """
    WITH seats (seat) AS (
        SELECT seat FROM (
            SELECT seat FROM duty WHERE agent = ? AND at_utc_ms < ? AND state != 'offline'
            ORDER BY at_utc_ms DESC, id DESC LIMIT 1
        )
        UNION SELECT seat FROM duty WHERE agent = ? AND at_utc_ms >= ? AND at_utc_ms < ?
    )
"""
_EVER_MS = 2**62


class Duty:
    """Part of a store. As with the store, one thread at a time may use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, changes: Iterable[DutyRow]) -> None:
        """Keeps changes in the order in which they happened."""
        with self._store.writing() as connection:
            connection.executemany(
                f"INSERT INTO duty ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own columns
                [astuple(change) for change in changes],
            )

    def standing(self) -> dict[str, DutyRow]:
        """The last change of each seat."""
        return {row.seat: row for row in self._rows(_SEATS + _LAST + _IN_ORDER, _EVER_MS)}

    def totals(
        self, begin_utc_ms: int, end_utc_ms: int, now_utc_ms: int, agent: str | None = None
    ) -> tuple[Total, ...]:
        """What agents did from `begin` until before `end`, or until now: all of them who were signed on
        some time, or this one. The totals of an agent add up to the whole of that time."""
        end_utc_ms = min(end_utc_ms, now_utc_ms)
        if end_utc_ms <= begin_utc_ms:
            return ()
        span = (begin_utc_ms, end_utc_ms)
        last, begin = _LAST + _NOT_ELSEWHERE + _IN_ORDER, (begin_utc_ms, begin_utc_ms)
        if agent is None:
            before = self._rows(_SEATS + last, *begin)
            within = self._rows(_SPAN + _IN_ORDER, *span)
        else:
            seats = (agent, begin_utc_ms, agent, *span)
            before = self._rows(_AGENTS_SEATS + last, *seats, *begin)
            within = self._rows(_AGENTS_SEATS + _SPAN + _AT_THOSE + _IN_ORDER, *seats, *span)
        return totals_of(chain(before, within), begin_utc_ms, end_utc_ms, agent)

    def _rows(self, sql: str, *values: object) -> Iterator[DutyRow]:
        """One after the other: a day of 2,000 seats has some 100,000 rows."""
        with closing(self._store.database.conn.execute(sql, values)) as cursor:
            for row in cursor:
                yield DutyRow(*row)


@dataclass(slots=True)
class _Day:
    """One agent's way through the time that is looked at."""

    seat: str | None = None
    state: str = OFFLINE
    reason: str = ""
    call: str | None = None
    since_ms: int = 0
    spent: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """(state, reason) → [ms, times]."""

    def becomes(self, row: DutyRow | None, at_ms: int) -> None:
        """None: offline."""
        if row is not None and (self.seat, self.state, self.reason, self.call) == _doing(row):
            return
        if at_ms > self.since_ms:
            spent = self.spent.setdefault((self.state, self.reason), [0, 0])
            spent[0] += at_ms - self.since_ms
            spent[1] += 1
        self.since_ms = at_ms
        self.seat, self.state, self.reason, self.call = (None, OFFLINE, "", None) if row is None else _doing(row)


def totals_of(rows: Iterable[DutyRow], begin_ms: int, end_ms: int, only: str | None) -> tuple[Total, ...]:
    """The totals that these rows tell; those before `begin_ms` say how it began. Rows are in order.

    An agent is where its newest row says, and offline once somebody else, or nobody, is at that seat.
    """
    days: dict[str, _Day] = {}
    if only is not None:
        days[only] = _Day(since_ms=begin_ms)
    at_seat: dict[str, str] = {}
    for row in rows:
        at_ms = max(row.at_utc_ms, begin_ms)
        before = at_seat.get(row.seat)
        if before is not None and (before != row.agent or row.state == OFFLINE):
            del at_seat[row.seat]
            days[before].becomes(None, at_ms)
        if row.agent is None or row.state == OFFLINE or only not in (None, row.agent):
            continue
        day = days.setdefault(row.agent, _Day(since_ms=begin_ms))
        if day.seat is not None and day.seat != row.seat:
            del at_seat[day.seat]
        at_seat[row.seat] = row.agent
        day.becomes(row, at_ms)
    for day in days.values():
        day.becomes(None, end_ms)
    return tuple(
        Total(agent, state, reason, *spent)
        for agent, day in sorted(days.items())
        if agent == only or any(state != OFFLINE for state, _ in day.spent)
        for (state, reason), spent in sorted(day.spent.items())
    )


def _doing(row: DutyRow) -> tuple[str, str, str, str | None]:
    return row.seat, row.state, row.reason, row.call
