"""A made month: the journal's lines of its calls as they are, agents' states, and a store with both."""

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice
from pathlib import Path

from bench.records_calls import NODE, lines
from bench.records_made import Made, Maker, fill
from calls.cel import Row
from recordings.duty import Duty, DutyRow
from recordings.store import Store
from recordings.tail import Batch, Place

DAYS = 31
LAST_DAY = date(2026, 10, DAYS)
_FAR_MS = 2**53
_LOT = 50_000
_RINGS_MS = 2_000
_LONG_MS = 7_200_000
"""An agent who has nothing to do for so long has a pause."""
_EDGE_MS = 600_000


@dataclass(frozen=True, slots=True)
class Month:
    """Made calls, and the lines of further ones, in their order."""

    maker: Maker
    many: int
    seed: int
    others: tuple[Row, ...] = ()

    def calls(self) -> Iterator[Made]:
        """The made ones, anew each time."""
        return self.maker.calls(DAYS, self.many, self.seed, LAST_DAY)


def _keep_lines(path: Path, rows: Iterable[Row]) -> int:
    """A file with these lines of the journal and nothing else; how many there are."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            database.execute(f"PRAGMA {pragma}")
        columns = "kind TEXT, at_us INT, channel TEXT, uniqueid TEXT, linkedid TEXT, extra TEXT"
        database.execute(f"CREATE TABLE lines ({columns})")
        database.execute("BEGIN")
        many = database.executemany(
            "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)",
            ((row.kind, row.at_us, row.channel, row.uniqueid, row.linkedid, row.extra) for row in rows),
        ).rowcount
        database.execute("COMMIT")
    return many


def filled(path: Path, raw: Path, month: Month, told: Callable[[str], None]) -> tuple[int, int]:
    """A store with that month, and the file `raw` with its lines; how many calls were made, and lines.

    Of made emergencies the store has the lines, too, as only they tell when the line answered.
    """
    many, _ = fill(path, month.maker, month.calls(), told)
    with Store(path) as store:
        store.database.execute("PRAGMA synchronous = OFF")
        told("emergencies' lines")
        with store.writing() as connection:
            for one in month.calls():
                if one.shape.outcome == "emergency":
                    for row in lines(one.shape, one.who):
                        columns = (row.channel, row.uniqueid, row.linkedid, row.context, row.exten, row.peer, row.extra)
                        store.keep_event(connection, one.who.ref, NODE, (row.kind, row.at_us, *columns))
        told("agents' states")
        _at_work(store, month.calls())
        if month.others:
            store.keep(NODE, Batch(month.others, (), Place(1, 2, b"others", 0)), 0)
            store.interrupt(NODE, _FAR_MS)
    told("the journal's lines")
    made = (row for one in month.calls() for row in lines(one.shape, one.who))
    return many, _keep_lines(raw, chain(made, month.others))


def _at_work(store: Store, calls: Iterable[Made]) -> None:
    """What the agents at the seats that answered did; one agent a seat, whose name is the seat's."""
    duty = Duty(store)
    rows = _states(calls)
    while lot := list(islice(rows, _LOT)):
        duty.add(lot)


def _states(calls: Iterable[Made]) -> Iterator[DutyRow]:
    """A seat that is busy is left alone: in a made month two callers may come to it at once."""
    free_ms: dict[str, int] = {}
    chance = random.Random(0)
    for one in calls:
        shape, seat = one.shape, one.who.seat
        if shape.outcome != "answered":
            continue
        # Greeting, menu, key and the way to the waiting room take 700 ms.
        rings_ms = one.who.at_ms + 700 + shape.wait_ms
        before_ms = free_ms.get(seat)
        if before_ms is None:
            yield DutyRow(seat, seat, "idle", "", None, rings_ms - _EDGE_MS)
        elif before_ms >= rings_ms:
            continue
        elif rings_ms - before_ms > _LONG_MS:
            yield DutyRow(seat, seat, "paused", "rest", None, before_ms + _EDGE_MS)
            yield DutyRow(seat, seat, "idle", "", None, rings_ms - _EDGE_MS)
        talks_ms = rings_ms + _RINGS_MS
        notes_ms = talks_ms + shape.talk_ms
        free_ms[seat] = notes_ms + int(chance.uniform(5_000, 60_000))
        yield DutyRow(seat, seat, "ringing", "", one.who.ref, rings_ms)
        yield DutyRow(seat, seat, "talking", "", one.who.ref, talks_ms)
        yield DutyRow(seat, seat, "wrap_up", "", None, notes_ms)
        yield DutyRow(seat, seat, "idle", "", None, free_ms[seat])
