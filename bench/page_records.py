"""The own files of the benchmarks of records and of the report, as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.comparison import Target
from bench.page_kept import targets_of
from bench.page_tables import conditions, judged, table

_FEW = 2
"""Searches by more conditions than these share a row: the slowest of them."""
_KINDS = {
    "since + number + outcome": "31 days, number and outcome",
    "no caller + others": "no caller told, with outcome, or with number, seat and outcome",
}
_STORES = {"new": "new", "big": "all records"}
_ROUNDS_OFF_BYTES = 1
"""A part of the file with less than this for each record is not told."""


def records_section(whole: Mapping[str, Any]) -> str:
    """Raises KeyError: `python -m bench records` did not write this."""
    extra = f"seed {whole['seed']}, {whole['records']:,} records made in {whole['made_in_s'] / 60:.0f} minutes"
    parts = [
        conditions(whole["date"], whole["machine"], [whole["others_load"]], extra),
        judged(targets_of(whole)),
        table(("search by", "calls found", "CPU ms", "median ms", "p95 ms", "longest ms"), _searches(whole)),
        table(("store", "calls in one transaction", "calls a second", "without the indexes", "ratio"), _writes(whole)),
        table(("part of the file", "MB", "bytes a record"), _sizes(whole)),
    ]
    return "\n\n".join(parts)


def _searches(whole: Mapping[str, Any]) -> Iterator[list[str]]:
    many = [one for one in whole["searches"] if one["kind"].count(" + ") >= _FEW and one["kind"] not in _KINDS]
    shown = [*(one for one in whole["searches"] if one not in many), *whole["cold"], *whole["figures"]]
    for one in shown:
        yield _times(_KINDS.get(one["kind"], one["kind"]), one)
    if many:
        slowest = max(many, key=lambda one: one["p95_ms"])
        yield _times(f"the slowest of {len(many)} kinds with more: {slowest['kind']}", slowest)


def _times(name: str, one: Mapping[str, Any]) -> list[str]:
    return [
        name,
        f"{one['found']:,.0f}",
        *(f"{one[part]:,.1f}" for part in ("cpu_ms", "median_ms", "p95_ms", "max_ms")),
    ]


def _writes(whole: Mapping[str, Any]) -> Iterator[list[str]]:
    for one in whole["writes"]:
        speeds = [f"{one[part]:.0f}" for part in ("with_indexes", "without")]
        share = f"{one['with_indexes'] / one['without']:.2f}"
        yield [_STORES.get(one["where"], one["where"]), str(one["calls_at_once"]), *speeds, share]


def _sizes(whole: Mapping[str, Any]) -> Iterator[list[str]]:
    for name, size in whole["bytes_of"].items():
        a_record = size / whole["records"]
        if a_record >= _ROUNDS_OFF_BYTES:
            yield [name if name == "all" else f"`{name}`", f"{size / 1e6:,.0f}", f"{a_record:.0f}"]
    yield ["not in it: the journal's lines of a call, with their indexes", "", f"{whole['events_a_call']:,.0f}"]


def report_targets(whole: Mapping[str, Any]) -> tuple[Target, ...]:
    wrong = len(whole["differences"])
    return (Target("values that differ", "0", f"{wrong:,} of {whole['values']:,}", wrong == 0),)


def report_section(whole: Mapping[str, Any]) -> str:
    """Raises KeyError: `python -m bench report` did not write this."""
    row = [
        *(f"{whole[part]:,}" for part in ("calls", "lines", "states", "values")),
        f"{len(whole['differences']):,}",
        *(f"{whole[part]:,.1f} s" for part in ("report_in_s", "short_report_in_s", "sql_in_s")),
    ]
    headings = (
        "calls", "lines of the journal", "changes of state", "values compared", "that differ",
        "the report", "without seats and agents", "SQL over the lines",
    )  # fmt: skip
    loads = [whole["others_load"]] if "others_load" in whole else []
    return "\n\n".join(
        [
            conditions(whole["date"], whole["machine"], loads, f"seed {whole['seed']}"),
            judged(report_targets(whole)),
            table(headings, [row], left=0),
        ]
    )
