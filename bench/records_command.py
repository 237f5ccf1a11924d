"""`python -m bench records`: makes millions of records, measures, shows the figures beside the targets, keeps them."""

import asyncio
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench import records as measured
from bench import records_growth as growth
from bench import records_postgres as archive
from bench.comparison import RESULTS, Run, Target, keep
from bench.machine import machine
from bench.records import CONDITIONS, DAYS, Times, Writes
from bench.records_calls import CALLERS_A_CALL
from bench.records_made import SHAPES, Maker, differences, fill
from bench.shown import against, shown
from hotline.failing import CannotGoOn
from recordings.store import Store
from tests.support.postgres_server import programs

_BYTES_A_RECORD = 1_250
"""So much room is asked for, above what is needed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is made, and how often is asked."""

    records: int
    searches: int
    """Of each kind."""
    shapes: int
    growth_searches: int
    """Of each kind, in each round at each size."""
    rounds: int
    """Of the growth."""
    seed: int


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that one run measured."""

    records: int
    made_in_s: float
    others_load: float
    """The machine's load average over a minute when the searches began."""
    compared: int
    differences: list[str]
    bytes_of: dict[str, int]
    """Of each table and index of the big store, and of `all`."""
    events_a_call: float
    """Bytes that a call's journal lines take in the store, with their indexes."""
    searches: list[Times]
    cold: list[Times]
    figures: list[Times]
    writes: list[Writes]
    growth: list[dict[str, Any]]
    """Medians of some kinds of search among fewer records, and how they grow."""


def records(
    *,
    many: Annotated[int, typer.Option("--records", min=10_000, help="So many records are made.")] = 10_000_000,
    quick: Annotated[bool, typer.Option("--quick", help="64,000 records: a look, no judgement.")] = False,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="So often each size of the growth is measured.")] = 3,
    seed: int = 12345,
    folder: Annotated[
        Path | None, typer.Option(help="Where the records are made; they are removed afterwards.")
    ] = None,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Measure searches and a day's figures among 10 million records. 23 minutes and 12 GB; 30 seconds with --quick."""
    plan = Plan(64_000, 10, 1_000, 5, 1, seed) if quick else Plan(many, 200, SHAPES, 30, rounds, seed)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="hotline-records-", dir=folder) as place:
        _require_room(Path(place), plan.records)
        found, grown, archived = _measure(Path(place), plan, lambda text: console.print(text, style="dim"))
    targets = [] if quick else judged(found)
    console.print(*_tables(found), shown(growth.COMPARISON, grown, [growth.WAY]), sep="\n")
    console.print(shown(archive.COMPARISON, archived, [archive.WAY]), against(targets), sep="\n")
    machine_now = {name: value for name, value in machine().items() if name not in ("asterisk", "sipp")}
    whole = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine_now, "sqlite": sqlite3.sqlite_version},
        "seed": seed,
        "days": DAYS,
        "targets": [asdict(target) for target in targets],
        **asdict(found),
    }
    settings = {"searches a round": plan.growth_searches, "rounds": plan.rounds, "seed": seed}
    keep(growth.COMPARISON, grown, (), settings=settings, folder=results)
    if archived:
        keep(archive.COMPARISON, archived, (), settings=settings, folder=results)
    path = results / "records.json"
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    console.print(f"kept in {path}, and the growth beside it", soft_wrap=True)
    raise typer.Exit(0 if all(target.met for target in targets) else 1)


def _require_room(folder: Path, many: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < many * _BYTES_A_RECORD:
        raise CannotGoOn(
            f"{folder} has room for {free / 1e9:.1f} GB, {many} records may need {many * _BYTES_A_RECORD / 1e9:.1f}",
            "give another --folder, or fewer --records",
        )


def _measure(folder: Path, plan: Plan, told: Callable[[str], None]) -> tuple[Found, list[Run], list[Run]]:
    """What was found in the big store, the growth there, and that in PostgreSQL."""
    path, times, seed = folder / "records.db", plan.searches, plan.seed
    parts = {size: folder / f"part-{size}.db" for size in growth.sizes(plan.records) if size < plan.records}
    began = perf_counter()
    maker = Maker(folder, int(plan.records * CALLERS_A_CALL), seed, many_shapes=plan.shapes)
    made, sample = fill(path, maker, maker.calls(DAYS, plan.records, seed), told, parts)
    took_s = perf_counter() - began
    told(f"compares {len(sample)} of them with what the store makes of their lines")
    wrong = differences(sample, path, folder / "compared.db")
    events = measured.sizes(folder / "compared.db")
    told("searches")
    others_load = os.getloadavg()[0]
    searches, figures, cold = _asked(path, made, times, seed)
    grown, archived = _grown({**parts, made: path}, plan, told)
    told("sizes")
    sizes = measured.sizes(path)
    told("writes")
    found = Found(
        records=made,
        made_in_s=took_s,
        others_load=others_load,
        compared=len(sample),
        differences=wrong,
        bytes_of=sizes,
        events_a_call=sum(size for name, size in events.items() if "event" in name) / len(sample),
        searches=searches,
        cold=cold,
        figures=figures,
        writes=measured.written(folder, path, maker, 10 * times, seed + 1),
        growth=growth.summed_up(grown),
    )
    return found, grown, archived


def _asked(path: Path, made: int, times: int, seed: int) -> tuple[list[Times], list[Times], list[Times]]:
    """Searches, a day's figures, and searches of a cold file, among all records."""
    with Store(path) as store:
        searches = [measured.searched(store, kind, made, times, seed) for kind in measured.kinds()]
        searches += measured.others_searched(store, made, times, seed)
        days = measured.some_days(DAYS, seed)
        figures = [
            measured.figured(store, days, forgotten=forgotten, people=people)
            for people in (False, True)
            for forgotten in (False, True)
        ]
        alone = [(), *((one,) for one in CONDITIONS), ("number", "seat")]
        cold = [measured.cold(store, kind, made, max(5, times // 10), seed) for kind in alone]
    return searches, figures, cold


def _grown(stores: Mapping[int, Path], plan: Plan, told: Callable[[str], None]) -> tuple[list[Run], list[Run]]:
    """The growth over these stores, and in PostgreSQL up to the smallest; all but the biggest are removed."""
    least, most = min(stores), max(stores)
    often, rounds, seed = plan.growth_searches, plan.rounds, plan.seed
    days = growth.common_days(DAYS, least, most)
    runs = growth.grown(stores, days, times=often, rounds=rounds, seed=seed, told=told)
    archived: list[Run] = []
    if programs() is None:
        told("PostgreSQL is not installed here, so nothing is shown for it: apt-get install postgresql")
    else:
        sizes = growth.sizes(least)
        work = archive.grown(stores[least], sizes, times=often, rounds=rounds, seed=seed, told=told)
        archived = asyncio.run(work)
    for size, path in stores.items():
        if size < most:
            path.unlink()
    return runs, archived


def judged(found: Found) -> list[Target]:
    """The kind of search that takes longest counts, and the day that takes longest, cold or not."""
    slowest = max(found.searches, key=lambda one: one.p95_ms)
    wrong = len(found.differences)
    return [
        Target("any kind of search, 95 of 100", "under 50 ms", f"{slowest.p95_ms:.1f} ms", slowest.p95_ms < 50),
        *(
            Target(f"{one.kind}, the longest", "under 1 s", f"{one.max_ms / 1000:.2f} s", one.max_ms < 1000)
            for one in found.figures
            if "seats" not in one.kind
        ),
        Target("made rows that the store would keep otherwise", "0", f"{wrong} of {found.compared}", wrong == 0),
    ]


def _tables(found: Found) -> list[Table]:
    return [
        _times("searches", [*found.searches, *found.cold]),
        _times("figures", found.figures),
        _writes(found.writes),
        _sizes(found),
    ]


def _times(title: str, times: Sequence[Times]) -> Table:
    table = Table("by", "searches", "calls found", "CPU", "median", "p95", "max", title=title, header_style="bold")
    for one in times:
        figures = (f"{ms:.1f} ms" for ms in (one.cpu_ms, one.median_ms, one.p95_ms, one.max_ms))
        table.add_row(one.kind, str(one.searches), f"{one.found:.0f}", *figures)
    return table


def _writes(writes: Sequence[Writes]) -> Table:
    table = Table("store", "calls at once", "calls a second", "without", "ratio", title="writes", header_style="bold")
    for one in writes:
        ratio = one.with_indexes / one.without
        table.add_row(
            one.where, str(one.calls_at_once), f"{one.with_indexes:.0f}", f"{one.without:.0f}", f"{ratio:.2f}"
        )
    return table


def _sizes(found: Found) -> Table:
    table = Table("part", "MB", "bytes a record", title="size", header_style="bold")
    for name, size in found.bytes_of.items():
        if size > found.records:
            table.add_row(name, f"{size / 1e6:.0f}", f"{size / found.records:.0f}")
    table.add_row("the journal's lines of a call", "", f"{found.events_a_call:.0f}")
    return table
