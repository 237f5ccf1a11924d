"""Millions of records: how long searches and a day's figures take, what indexes cost, how big the file is."""

import json
import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain, combinations, product
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from bench.figures import percentile
from bench.records_calls import NODE
from bench.records_made import CITY, LAST_DAY, Made, Maker, batch
from calls.record import Outcome
from recordings.figures_span import Length, span_of
from recordings.queries import Wanted, find, get
from recordings.report import report
from recordings.store import Store

CONDITIONS = ("caller", "number", "day", "seat", "outcome")
DAYS = 100
NEW = ("records_by_dialled", "records_by_number", "records_by_outcome", "records_in_figures")
"""Indexes that only searches and figures need; so do the triggers that keep seats and agents as rows."""

_DAY_MS = 86_400_000
_NOW_MS = 2**62


@dataclass(frozen=True, slots=True)
class Times:
    """How long searches of one kind took, in ms. `found`: calls, `cpu_ms`: processor time, on the average."""

    kind: str
    searches: int
    found: float
    cpu_ms: float
    median_ms: float
    p95_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Writes:
    """How many calls a second the store keeps from their journal lines, each transaction on the disk."""

    where: str
    calls_at_once: int
    with_indexes: float
    without: float
    """Without what only searches and figures need."""


@dataclass(frozen=True, slots=True)
class Row:
    """What searches are made of."""

    ref: str
    caller: str
    number: str
    outcome: Outcome
    seat: str | None
    agent: str | None
    day: date


def some_row(store: Store, many: int, chance: random.Random, *, talked: bool) -> Row:
    """Any record, each as likely; with `talked` one that a seat answered."""
    for _ in range(1000):
        (row,) = store.rows("SELECT * FROM records WHERE rowid = ?", 1 + int(many * chance.random()))
        seats, agents = json.loads(row["seats"]), json.loads(row["agents"])
        if seats or not talked:
            break
    return Row(
        row["ref"],
        row["caller"],
        chance.choice((row["dialled"], row["number"] or row["dialled"])),
        Outcome(row["outcome"]),
        seats[0] if seats else None,
        agents[0] if agents else None,
        datetime.fromtimestamp(row["arrived_utc_ms"] / 1000, UTC).astimezone(CITY).date(),
    )


def kinds() -> list[tuple[str, ...]]:
    """No condition, each alone, and every combination of them."""
    every = chain.from_iterable(combinations(CONDITIONS, size) for size in range(len(CONDITIONS) + 1))
    return [*every, ("agent",), ("agent", "outcome"), ("since", "number", "outcome")]


def wanted(kind: Sequence[str], store: Store, many: int, chance: random.Random, *, one_call: bool) -> Wanted:
    """A search of this kind: for what one call has, or for what has nothing to do with each other."""

    def row() -> Row:
        return some_row(store, many, chance, talked="seat" in kind or "agent" in kind)

    like = row()
    values = {name: getattr(like if one_call else row(), "day" if name == "since" else name) for name in kind}
    if "since" in values:
        values["until"] = values["since"] + timedelta(days=30)
    return Wanted(**values)


def searched(store: Store, kind: Sequence[str], many: int, times: int, seed: int) -> Times:
    """Half of the searches are for what one call has, half for what has nothing to do with each other."""
    chance = random.Random(seed)
    asked = [wanted(kind, store, many, chance, one_call=number % 2 == 0) for number in range(times)]
    return _timed(" + ".join(kind) or "the newest", [partial(_found, store, one) for one in asked])


def others_searched(store: Store, many: int, times: int, seed: int) -> list[Times]:
    """By the call's id, and calls without a caller."""
    chance = random.Random(seed)
    rows = [some_row(store, many, chance, talked=True) for _ in range(times)]
    withheld = [Wanted(caller="", number=row.number, outcome=row.outcome, seat=row.seat) for row in rows]
    withheld += [replace(one, number=None, seat=None) for one in withheld]
    return [
        _timed("id", [partial(_got, store, row.ref[:13]) for row in rows]),
        _timed("no caller + others", [partial(_found, store, one) for one in withheld]),
    ]


def _found(store: Store, one: Wanted) -> int:
    return len(find(store, one, CITY))


def _got(store: Store, begin: str) -> int:
    return len([get(store, begin)])


def _counted(store: Store, day: date, *, people: bool) -> int:
    return report(store, span_of(Length.DAY, day), CITY, _NOW_MS, people=people).total["calls"].numerator


def _timed(kind: str, work: Iterable[Callable[[], int]], before: Callable[[], None] = lambda: None) -> Times:
    took_ms: list[float] = []
    cpu_s = 0.0
    found = 0
    for one in work:
        before()
        began, began_cpu = perf_counter(), process_time()
        found += one()
        took_ms.append(1000 * (perf_counter() - began))
        cpu_s += process_time() - began_cpu
    many = len(took_ms)
    return Times(
        kind, many, found / many, 1000 * cpu_s / many, median(took_ms), percentile(took_ms, 0.95), max(took_ms)
    )


def cold(store: Store, kind: Sequence[str], many: int, times: int, seed: int) -> Times:
    """The same, the file thrown out of the machine's memory before each search."""
    chance = random.Random(seed)
    asked = [wanted(kind, store, many, chance, one_call=number % 2 == 0) for number in range(times)]
    return _timed(
        f"{' + '.join(kind) or 'the newest'}, cold",
        [partial(_found, store, one) for one in asked],
        lambda: forget(store),
    )


def forget(store: Store) -> None:
    """Throws the file out of the machine's memory."""
    store.database.conn.execute("PRAGMA shrink_memory")
    descriptor = os.open(store.path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def figured(store: Store, days: Sequence[date], *, forgotten: bool, people: bool = False) -> Times:
    """A day's figures, with `people` by seat and agent, too; `found` is how many calls they count."""
    return _timed(
        f"a day's figures{', seats and agents' if people else ''}{', cold' if forgotten else ''}",
        [partial(_counted, store, day, people=people) for day in days],
        lambda: forget(store) if forgotten else None,
    )


def some_days(days: int, seed: int) -> list[date]:
    """Ten of the days that were made."""
    chance = random.Random(seed)
    return [LAST_DAY - timedelta(days=chance.randrange(days)) for _ in range(10)]


def sizes(path: Path) -> dict[str, int]:
    """Bytes of each table and index, the biggest first; the last is all."""
    with Store(path) as store:
        rows = store.rows("SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY 2 DESC")
    found = {row["name"]: row["bytes"] for row in rows}
    return {**found, "all": sum(found.values())}


def fresh_calls(maker: Maker, many: int, seed: int) -> Iterator[Made]:
    """Calls of the day after the last."""
    for one in maker.calls(1, many, seed):
        yield replace(one, who=replace(one.who, at_ms=one.who.at_ms + _DAY_MS))


def kept_a_second(path: Path, calls: Sequence[Made], at_once: int) -> float:
    """Calls a second, each lot in one transaction that is on the disk."""
    lots = [batch(*((one.shape, one.who) for one in calls[at : at + at_once])) for at in range(0, len(calls), at_once)]
    with Store(path) as store:
        began = perf_counter()
        for lot in lots:
            store.keep(NODE, lot, 0)
        return len(calls) / (perf_counter() - began)


def drop_new(path: Path) -> None:
    """Takes away what only searches and figures need."""
    with Store(path) as store:
        for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'records'"):
            store.database.conn.execute(f"DROP TRIGGER {row['name']}")
        for name in NEW:
            store.database.conn.execute(f"DROP INDEX {name}")


def written(folder: Path, big: Path, maker: Maker, many: int, seed: int) -> list[Writes]:
    """In a new store, in turns with and without the indexes; then in the big one, at last without them.

    The median of three rounds counts.
    """
    rates: dict[tuple[str, int, bool], list[float]] = {}
    for turn, at_once, indexes in product(range(3), (1, 100), (True, False)):
        path = folder / f"writes-{turn}-{at_once}-{indexes}.db"
        Store(path).close()
        if not indexes:
            drop_new(path)
        calls = list(fresh_calls(maker, many, seed))
        rates.setdefault(("new", at_once, indexes), []).append(kept_a_second(path, calls, at_once))
    for indexes, turn, at_once in product((True, False), range(3), (1, 100)):
        if not indexes and turn == 0 and at_once == 1:
            drop_new(big)
        calls = list(fresh_calls(maker, many, seed + 1000 * turn + 10 * at_once + indexes))
        rates.setdefault(("big", at_once, indexes), []).append(kept_a_second(big, calls, at_once))
    return [
        Writes(where, at_once, *(median(rates[where, at_once, indexes]) for indexes in (True, False)))
        for where, at_once in product(("new", "big"), (1, 100))
    ]
