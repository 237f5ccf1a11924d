"""What seats and the agents at them did, change by change, and how long it took."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import chain
from operator import attrgetter

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
class Spell:
    """A time without a change of an agent's state."""

    agent: str
    seat: str | None
    """None: offline."""
    state: str
    reason: str
    call: str | None
    begin_utc_ms: int
    end_utc_ms: int


@dataclass(frozen=True, slots=True)
class Total:
    """How long and how often an agent was in a state, for one reason."""

    agent: str
    state: str
    reason: str
    total_ms: int
    times: int


_told = attrgetter(*(one.name for one in fields(DutyRow)))
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
                [_told(change) for change in changes],
            )

    def left(self, gone: Iterable[tuple[str, str]], since_utc_ms: int) -> None:
        """These (seat, agent) went, and nobody knows when: then, or when their seat did something last."""
        last = {seat: row.at_utc_ms for seat, row in self.standing().items()}
        self.add(DutyRow(seat, agent, OFFLINE, "", None, max(since_utc_ms, last.get(seat, 0))) for seat, agent in gone)

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
        return totals_of(self._span(begin_utc_ms, end_utc_ms, agent), begin_utc_ms, end_utc_ms, agent)

    def spells(self, begin_utc_ms: int, end_utc_ms: int, now_utc_ms: int) -> Iterator[Spell]:
        """What all agents did, one state after the other, from `begin` until before `end`, or until now."""
        end_utc_ms = min(end_utc_ms, now_utc_ms)
        if end_utc_ms > begin_utc_ms:
            yield from spells_of(self._span(begin_utc_ms, end_utc_ms, None), begin_utc_ms, end_utc_ms, None)

    def _span(self, begin_utc_ms: int, end_utc_ms: int, agent: str | None) -> Iterator[DutyRow]:
        """How it stood at the beginning, and then every change."""
        span = (begin_utc_ms, end_utc_ms)
        last, begin = _LAST + _NOT_ELSEWHERE + _IN_ORDER, (begin_utc_ms, begin_utc_ms)
        if agent is None:
            before = self._rows(_SEATS + last, *begin)
            within = self._rows(_SPAN + _IN_ORDER, *span)
        else:
            seats = (agent, begin_utc_ms, agent, *span)
            before = self._rows(_AGENTS_SEATS + last, *seats, *begin)
            within = self._rows(_AGENTS_SEATS + _SPAN + _AT_THOSE + _IN_ORDER, *seats, *span)
        return chain(before, within)

    def _rows(self, sql: str, *values: object) -> Iterator[DutyRow]:
        """One after the other: a day of 2,000 seats has some 100,000 rows."""
        with closing(self._store.database.conn.execute(sql, values)) as cursor:
            for row in cursor:
                yield DutyRow(*row)


@dataclass(slots=True)
class _Now:
    """What one agent does."""

    agent: str
    since_ms: int
    seat: str | None = None
    state: str = OFFLINE
    reason: str = ""
    call: str | None = None

    def becomes(self, row: DutyRow | None, at_ms: int) -> Iterator[Spell]:
        """None: offline. What ends with it, if anything was and took any time."""
        if row is not None and (self.seat, self.state, self.reason, self.call) == _doing(row):
            return
        if at_ms > self.since_ms:
            yield Spell(self.agent, self.seat, self.state, self.reason, self.call, self.since_ms, at_ms)
        self.since_ms = at_ms
        self.seat, self.state, self.reason, self.call = (None, OFFLINE, "", None) if row is None else _doing(row)


def spells_of(rows: Iterable[DutyRow], begin_ms: int, end_ms: int, only: str | None) -> Iterator[Spell]:
    """What these rows tell, in the order in which it ended; those before `begin_ms` say how it began. Rows are
    in order.

    An agent is where its newest row says, and offline once somebody else, or nobody, is at that seat.
    """
    agents: dict[str, _Now] = {}
    if only is not None:
        agents[only] = _Now(only, begin_ms)
    at_seat: dict[str, str] = {}
    for row in rows:
        at_ms = max(row.at_utc_ms, begin_ms)
        before = at_seat.get(row.seat)
        if before is not None and (before != row.agent or row.state == OFFLINE):
            del at_seat[row.seat]
            yield from agents[before].becomes(None, at_ms)
        if row.agent is None or row.state == OFFLINE or only not in (None, row.agent):
            continue
        now = agents.setdefault(row.agent, _Now(row.agent, begin_ms))
        if now.seat is not None and now.seat != row.seat:
            del at_seat[now.seat]
        at_seat[row.seat] = row.agent
        yield from now.becomes(row, at_ms)
    for now in agents.values():
        yield from now.becomes(None, end_ms)


def totals_of(rows: Iterable[DutyRow], begin_ms: int, end_ms: int, only: str | None) -> tuple[Total, ...]:
    """The totals of what these rows tell; see `spells_of`."""
    spent: dict[str, dict[tuple[str, str], list[int]]] = {}
    for spell in spells_of(rows, begin_ms, end_ms, only):
        of_kind = spent.setdefault(spell.agent, {}).setdefault((spell.state, spell.reason), [0, 0])
        of_kind[0] += spell.end_utc_ms - spell.begin_utc_ms
        of_kind[1] += 1
    return tuple(
        Total(agent, state, reason, total_ms, times)
        for agent, kinds in sorted(spent.items())
        if agent == only or any(state != OFFLINE for state, _ in kinds)
        for (state, reason), (total_ms, times) in sorted(kinds.items())
    )


def _doing(row: DutyRow) -> tuple[str, str, str, str | None]:
    return row.seat, row.state, row.reason, row.call
