"""`python -m bench report`: a month of a million calls, its report, and the same figures from the raw lines."""

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console

from bench.comparison import RESULTS
from bench.machine import machine
from bench.records_calls import CALLERS_A_CALL
from bench.records_made import CITY, SHAPES, Maker
from bench.report_made import LAST_DAY, Month, filled
from bench.report_sql import Found, computed
from hotline.failing import CannotGoOn
from recordings.figures_span import Length, span_of
from recordings.report import WITHIN_MS, Report
from recordings.report import report as made_report
from recordings.store import Store

MONTH = span_of(Length.MONTH, LAST_DAY)
NOW_MS = 2**62
_BYTES_A_CALL = 9_000
_SHOWN = 20
_QUICK = 500


@dataclass(frozen=True, slots=True)
class Compared:
    """What one run found."""

    calls: int
    lines: int
    """Of the journal."""
    states: int
    """Changes of agents' states."""
    values: int
    """Numerators with their denominators that were compared."""
    differences: list[str]
    made_in_s: float
    report_in_s: float
    """With seats and agents."""
    short_report_in_s: float
    """Without."""
    sql_in_s: float


def report(
    many: Annotated[int, typer.Option("--calls", min=1_000, help="So many calls are made.")] = 1_000_000,
    quick: Annotated[bool, typer.Option("--quick", help=f"{_QUICK:,} calls: a look.")] = False,  # noqa: FBT002
    seed: int = 12345,
    folder: Annotated[Path | None, typer.Option(help="Where the month is made; it is removed afterwards.")] = None,
    results: Annotated[Path, typer.Option(help="The folder in which the figures are kept.")] = RESULTS,
) -> None:
    """Compare a month's report with the same figures in SQL from the raw lines. 15 minutes and 9 GB."""
    many = _QUICK if quick else many
    console = Console()
    others_load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="hotline-report-", dir=folder) as place:
        free = shutil.disk_usage(place).free
        if free < many * _BYTES_A_CALL:
            raise CannotGoOn(
                f"{place} has room for {free / 1e9:.1f} GB, {many} calls may need {many * _BYTES_A_CALL / 1e9:.1f}",
                "give another --folder, or fewer --calls",
            )
        maker = Maker(Path(place), int(many * CALLERS_A_CALL), seed, many_shapes=_QUICK if quick else SHAPES)
        found = _compare(Path(place), Month(maker, many, seed), lambda text: console.print(text, style="dim"))
    machine_now = {name: value for name, value in machine().items() if name not in ("asterisk", "sipp")}
    whole = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine_now, "sqlite": sqlite3.sqlite_version},
        "others_load": others_load,
        "seed": seed,
        "month": MONTH.name,
        **asdict(found),
    }
    results.mkdir(parents=True, exist_ok=True)
    (results / "report.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    console.print(f"{found.calls:,} calls, {found.lines:,} lines, {found.states:,} changes of states")
    console.print(f"report {found.report_in_s:.1f} s, without people {found.short_report_in_s:.1f} s")
    console.print(f"SQL over the lines {found.sql_in_s:.1f} s")
    console.print(
        f"{found.values:,} values compared, {len(found.differences)} differ", *found.differences[:_SHOWN], sep="\n"
    )
    raise typer.Exit(1 if found.differences else 0)


def _compare(folder: Path, month: Month, told: Callable[[str], None]) -> Compared:
    path, raw = folder / "records.db", folder / "lines.db"
    began = perf_counter()
    calls, lines = filled(path, raw, month, told)
    made_s = perf_counter() - began
    with Store(path) as store:
        (states,) = store.rows("SELECT count(*) AS many FROM duty")
        took_s: list[float] = []
        for people in (False, True):
            told(f"the report{', with people' if people else ''}")
            began = perf_counter()
            found = made_report(store, MONTH, CITY, NOW_MS, people=people)
            took_s.append(perf_counter() - began)
    began = perf_counter()
    other, lie = computed(raw, path, MONTH.bounds_ms(CITY), WITHIN_MS, told)
    sql_s = perf_counter() - began
    values, wrong = differences(found, other, lie)
    return Compared(calls, lines, states["many"], values, wrong, made_s, took_s[1], took_s[0], sql_s)


def differences(found: Report, other: Found, lie: dict[str, tuple[int, int, int]]) -> tuple[int, list[str]]:
    """How many values were compared, and which of them differ; nothing at all is right."""
    ours: Found = {("", "", id_): (one.numerator, one.denominator or 0) for id_, one in found.total.items()}
    for by, keys in found.by.items():
        for key, values in keys.items():
            ours |= {(by.value, key, id_): (one.numerator, one.denominator or 0) for id_, one in values.items()}
    wrong = [
        f"{' '.join(key)}: the report says {ours.get(key, (0, 0))}, the lines say {other.get(key, (0, 0))}"
        for key in sorted({*ours, *other})
        if ours.get(key, (0, 0)) != other.get(key, (0, 0))
    ]
    for id_, of_lines in lie.items():
        spread = found.total[id_].spread
        told = (0, 0, 0) if spread is None else (spread.median_ms, spread.p95_ms, spread.max_ms)
        if told != of_lines:
            wrong.append(f"{id_} lies {told} in the report, {of_lines} in the lines")
    return len({*ours, *other}) + 3 * len(lie), wrong
