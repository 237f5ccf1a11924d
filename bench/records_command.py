"""`python -m bench records`: makes millions of records, measures, shows the figures beside the targets, keeps them."""

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import records as measured
from bench.comparison import Target
from bench.machine import machine
from bench.records import CONDITIONS, DAYS, Times, Writes
from bench.records_calls import CALLERS_A_CALL
from bench.records_made import Maker, differences, fill
from hotline.failing import CannotGoOn
from recordings.store import Store

RESULTS = Path(__file__).resolve().parent / "results" / "records.json"
_BYTES_A_RECORD = 1_000
"""So much room is asked for, above what is needed."""
_QUICK = 200_000


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


def records(
    many: Annotated[int, typer.Option("--records", min=10_000, help="So many records are made.")] = 10_000_000,
    quick: Annotated[bool, typer.Option("--quick", help=f"{_QUICK} records: a look, no judgement.")] = False,  # noqa: FBT002
    seed: int = 12345,
    folder: Annotated[
        Path | None, typer.Option(help="Where the records are made; they are removed afterwards.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Where the figures are kept.")] = RESULTS,
) -> None:
    """Measure searches and a day's figures among 10 million records. 20 minutes and 10 GB; 1 minute with --quick."""
    many = _QUICK if quick else many
    console = Console()
    with tempfile.TemporaryDirectory(prefix="hotline-records-", dir=folder) as place:
        _require_room(Path(place), many)
        found = _measure(Path(place), many, 50 if quick else 200, seed, lambda text: console.print(text, style="dim"))
    targets = judged(found)
    console.print(*_tables(found), _against(targets), sep="\n")
    machine_now = {name: value for name, value in machine().items() if name not in ("asterisk", "sipp")}
    whole = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine_now, "sqlite": sqlite3.sqlite_version},
        "seed": seed,
        "days": DAYS,
        "targets": [asdict(target) for target in targets],
        **asdict(found),
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    console.print(f"kept in {results}", soft_wrap=True)
    raise typer.Exit(0 if quick or all(target.met for target in targets) else 1)


def _require_room(folder: Path, many: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < many * _BYTES_A_RECORD:
        raise CannotGoOn(
            f"{folder} has room for {free / 1e9:.1f} GB, {many} records may need {many * _BYTES_A_RECORD / 1e9:.1f}",
            "give another --folder, or fewer --records",
        )


def _measure(folder: Path, many: int, times: int, seed: int, told: Callable[[str], None]) -> Found:
    path = folder / "records.db"
    began = perf_counter()
    maker = Maker(folder, int(many * CALLERS_A_CALL), seed)
    made, sample = fill(path, maker, maker.calls(DAYS, many, seed), told)
    took_s = perf_counter() - began
    told(f"compares {len(sample)} of them with what the store makes of their lines")
    wrong = differences(sample, path, folder / "compared.db")
    events = measured.sizes(folder / "compared.db")
    told("searches")
    others_load = os.getloadavg()[0]
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
        cold = [measured.cold(store, kind, made, max(10, times // 10), seed) for kind in alone]
    told("sizes")
    sizes = measured.sizes(path)
    told("writes")
    return Found(
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
    )


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


def _against(targets: Sequence[Target]) -> Table:
    table = Table("target", "wanted", "found", "met", header_style="bold")
    for target in targets:
        table.add_row(target.what, target.wanted, target.found, "yes" if target.met else "NO")
    return table
