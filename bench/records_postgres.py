"""The same searches in the archive in PostgreSQL, whose tables are filled from a store."""

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from os import getloadavg
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from bench.comparison import Comparison, Run
from bench.postgres import BUFFERS, Databases
from bench.records import some_row, wanted
from bench.records_growth import COMPARISON as IN_STORE
from bench.records_growth import IDS, KINDS
from bench.records_made import CITY
from recordings.postgres import PostgresArchive
from recordings.queries import Wanted
from recordings.store import Store
from tests.support.postgres_server import running

COMPARISON: Final = Comparison(
    "searches_postgresql",
    "Searches in a growing archive in PostgreSQL",
    tuple(figure for figure in IN_STORE.figures if figure.id != "report"),
    size="records",
)
WAY: Final = "PostgreSQL"
_LOT = 20_000


async def grown(
    source: Path, sizes: Sequence[int], *, times: int, rounds: int, seed: int, told: Callable[[str], None]
) -> list[Run]:
    """Rounds by turns of all sizes: archives with the first so many records of the store at `source`.

    `times`: searches of each kind in a round. Raises recordings.archive.ReceiverAway, asyncpg.PostgresError.
    """
    runs = []
    with running(shared_buffers=BUFFERS) as server, Store(source) as store:
        databases = Databases(server)
        names = await _prepare(databases, store, sizes, told)
        for round_ in range(rounds):
            for size in sorted(names, reverse=round_ % 2 == 1):
                told(f"PostgreSQL: {size:,} records, round {round_ + 1}")
                others_load = getloadavg()[0]
                async with databases.archive(names[size]) as archive:
                    figures = await _round(archive, store, size, times, seed + round_)
                runs.append(Run(WAY, round_, figures, size, others_load))
    return runs


async def _prepare(
    databases: Databases, store: Store, sizes: Sequence[int], told: Callable[[str], None]
) -> Mapping[int, str]:
    names: dict[int, str] = {}
    before = 0
    for size in sorted(sizes):
        told(f"PostgreSQL gets {size:,} records")
        name = await databases.copied(names[before], f"found_{size}") if before else await databases.new()
        async with databases.archive(name) as archive:
            await archive.find(Wanted(), CITY)  # It makes its tables.
        await _fill(databases, name, store, before, size)
        names[size], before = name, size
    return names


async def _fill(databases: Databases, name: str, store: Store, first: int, last: int) -> None:
    """Copies the records behind `first` up to `last`."""
    async with databases.superuser(name) as connection:
        found = await connection.fetch(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'records'"
        )
        truths = {row["column_name"]: row["data_type"] == "boolean" for row in found}
        for lot in _lots(store, truths, first, last):
            await connection.copy_records_to_table("records", records=lot, columns=list(truths))
        await connection.execute("VACUUM ANALYZE")


def _lots(store: Store, truths: Mapping[str, bool], first: int, last: int) -> Iterator[list[tuple[Any, ...]]]:
    """Rows as PostgreSQL takes them. truths: column → whether it is true or false, which SQLite keeps as a number."""
    sql = f"SELECT {', '.join(truths)} FROM records WHERE rowid > ? AND rowid <= ? ORDER BY rowid"  # noqa: S608
    kinds = list(truths.values())
    with closing(store.database.execute(sql, (first, last))) as cursor:
        while rows := cursor.fetchmany(_LOT):
            yield [
                tuple(
                    bool(value) if truth and value is not None else value
                    for value, truth in zip(row, kinds, strict=True)
                )
                for row in rows
            ]


async def _round(archive: PostgresArchive, store: Store, size: int, times: int, seed: int) -> dict[str, float | None]:
    """Medians in ms; what is asked for is drawn as in the store."""
    figures: dict[str, float | None] = {}
    await archive.find(Wanted(), CITY)  # The connection is there now.
    for kind in KINDS:
        chance = random.Random(seed)
        asked = [wanted(kind, store, size, chance, one_call=number % 2 == 0) for number in range(times)]
        figures[IDS[kind]] = await _median_ms([partial(archive.find, one, CITY) for one in asked])
    chance = random.Random(seed)
    rows = [some_row(store, size, chance, talked=True) for _ in range(times)]
    figures["id"] = await _median_ms([partial(archive.get, row.ref[:13]) for row in rows])
    return figures


async def _median_ms(work: Sequence[Callable[[], Awaitable[object]]]) -> float:
    took_ms = []
    for one in work:
        began = perf_counter()
        await one()
        took_ms.append(1000 * (perf_counter() - began))
    return median(took_ms)
