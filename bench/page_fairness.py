"""The fairness benchmark's own file, as comparisons: one for each contest."""

from collections.abc import Mapping
from typing import Any

from bench.comparison import Comparison, Figure, Run, summary
from bench.fairness import GROWING, GROWN_SEATS
from bench.page_kept import Kept, targets_of
from bench.page_tables import compared, conditions, judged, legend

PLOTTED = ("passed_percent", "wait_mean_s", "idle_median_ms")
IDEAL = "the ideal line"
FIGURES = (
    Figure("passed_percent", "passed a longer waiter, %"),
    Figure("passed_at_all_percent", "the same, every microsecond counts"),
    Figure("wait_mean_s", "mean wait, s", 2),
    Figure("wait_median_s", "median wait, s", 2),
    Figure("wait_max_s", "longest wait, s", 2),
    Figure("wait_max_scarce_s", "longest wait for the scarce skill, s", 2),
    Figure("idle_median_ms", "seat idle, median, ms"),
    Figure("idle_p95_ms", "seat idle, p95, ms"),
    Figure("failed", "failed calls", 0),
    Figure("asterisk_cpu_ms", "CPU of Asterisk, ms a call", 0),
    Figure("controller_cpu_ms", "CPU of the controller with its records, ms a call"),
)
_SCARCE = "housing"


def contests(whole: Mapping[str, Any]) -> list[Kept]:
    """Those of one size each. Raises KeyError: `bench.fairness.as_json` did not write this."""
    return [
        _kept(whole, name, *_rounds(whole, name), Run(IDEAL, 0, _of_ideal(ideal), others_load=0.0))
        for name, ideal in whole["ideal"].items()
    ]


def growth(whole: Mapping[str, Any]) -> Kept | None:
    """The contest that is played with several numbers of seats; None where it was not played."""
    runs = [run for seats in GROWN_SEATS for run in _rounds(whole, GROWING, seats)]
    return _kept(whole, GROWING, *runs) if runs else None


def summaries(whole: Mapping[str, Any]) -> dict[str, Any]:
    """By contest."""
    grown = growth(whole)
    every = [*contests(whole), *([] if grown is None else [grown])]
    return {one.comparison.title: summary(one.comparison, one.runs) for one in every}


def _kept(whole: Mapping[str, Any], name: str, *runs: Run) -> Kept:
    comparison = Comparison("fairness", name[0].upper() + name[1:], FIGURES, size="seats")
    return Kept(comparison, runs, (), whole["date"], whole["machine"], {})


def _rounds(whole: Mapping[str, Any], contest: str, seats: int | None = None) -> list[Run]:
    """Of a contest; `seats`: with so many of them, and that is the size."""
    runs: list[Run] = []
    for result in whole["results"]:
        if result["contest"] != contest or (seats is not None and result["seats"] != seats):
            continue
        one = result["round"]
        figures = {
            **one["figures"],
            "wait_max_scarce_s": one["wait_max_by_skill_s"].get(_SCARCE),
            "asterisk_cpu_ms": one["asterisk_cpu_ms"],
            "controller_cpu_ms": one["controller_cpu_ms"],
        }
        played = sum(run.way == one["way"] for run in runs)
        runs.append(Run(one["way"], played, figures, seats or 1, result["others_load"]))
    return runs


def _of_ideal(ideal: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        "passed_percent": 0.0,
        "passed_at_all_percent": 0.0,
        "wait_mean_s": ideal["wait_mean_s"],
        "wait_max_s": ideal["wait_max_s"],
        "wait_max_scarce_s": ideal["wait_max_by_skill_s"].get(_SCARCE),
        "idle_median_ms": 0.0,
        "idle_p95_ms": 0.0,
    }


def section(whole: Mapping[str, Any], plot: str) -> str:
    """Everything between the marks; `plot` is what shows the plot."""
    grown = growth(whole)
    loads = [result["others_load"] for result in whole["results"]]
    parts = [
        conditions(whole["date"], whole["machine"], loads, f"seed {whole['seed']}"),
        judged(targets_of(whole)),
        plot,
    ]
    for one in contests(whole):
        calls = next(iter(one.runs)).figures["calls"]
        parts += [f"#### {one.comparison.title}", f"{calls:.0f} calls a round. {legend(one)}", compared(one)]
    if grown is not None:
        parts += [f"#### {grown.comparison.title}", legend(grown), compared(grown)]
    return "\n\n".join(part for part in parts if part)
