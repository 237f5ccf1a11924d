"""The page of benchmarks: what the kept results are turned into, and that the page in the project is that."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import typer.main

from bench.__main__ import app
from bench.all import BENCHMARKS, Benchmark, End, command, end
from bench.comparison import Comparison, Figure, Run, Target, keep, summary
from bench.fairness import EQUAL, GROWING, GROWN_SEATS
from bench.page import PAGE, PICTURES, PlaceMissing, filled, outdated
from bench.page_fairness import IDEAL, contests, growth, summaries
from bench.page_kept import Kept, folder_of_results, is_comparison, kept
from bench.page_plots import Bars, Lines, plots_of
from bench.page_tables import compared, legend, verdict

RATE, CPU = Figure("rate", "calls a second", 0, more_is_better=True), Figure("cpu", "CPU, ms a call")
NEVER = Figure("never", "not measured here")
MACHINE: dict[str, str | int | None] = {
    "processor": "X",
    "cores": 2,
    "kernel": "6",
    "python": "3.11",
    "asterisk": "22",
    "commit": "abc",
}


def results(*runs: Run, reference: str | None = "theirs", size: str = "") -> Kept:
    comparison = Comparison("calls", "Calls", (RATE, CPU, NEVER), reference, size)
    return Kept(comparison, runs, (), "2026-11-22T03:28:01+00:00", MACHINE, {"a_second": 20})


def written(one: Kept, *targets: Target) -> dict[str, Any]:
    """As `keep` writes it."""
    return {
        "date": one.date,
        "machine": one.machine,
        "comparison": asdict(one.comparison),
        "settings": one.settings,
        "targets": [asdict(target) for target in targets],
        "runs": [asdict(run) for run in one.runs],
    }


def test_ways_stand_beside_each_other_with_spread_and_ratio() -> None:
    one = results(
        Run("theirs", 0, {"rate": 50.0, "cpu": 4.0}),
        Run("ours", 0, {"rate": 40.0, "cpu": None}),
        Run("ours", 1, {"rate": 60.0}),
        Run("ours", 2, {"rate": 45.0}),
    )
    assert compared(one).split("\n")[2:] == [
        "| calls a second ↑ | 50 | 45 (40–60) ×0.90 |",
        "| CPU, ms a call | 4.0 | – |",
    ]
    assert legend(one) == "Medians of 3 rounds (least–most); ×: of what theirs has; ↑: more is better; –: not measured."


def test_a_figure_that_nobody_measured_and_a_size_without_values_are_not_shown() -> None:
    one = results(
        Run("theirs", 0, {"rate": 5.0}, 1), Run("ours", 0, {"cpu": 2.0}, 4), Run("ours", 0, {"rate": None}, 9)
    )
    assert NEVER.label not in compared(one)
    assert "| 9 |" not in compared(one)


def test_growth_is_told_below_the_sizes_of_each_figure() -> None:
    runs = [Run(way, 0, {"cpu": value * size}, size) for way, value in (("ours", 2), ("theirs", 3)) for size in (1, 4)]
    assert compared(results(*runs, reference=None, size="callers")).split("\n") == [
        "|  | callers | ours | theirs |",
        "| --- | --: | --: | --: |",
        "| CPU, ms a call | 1 | 2.0 | 3.0 |",
        "|  | 4 | 8.0 | 12.0 |",
        "|  | *exponent* | *1.00* | *1.00* |",
    ]


def test_one_way_alone_has_its_sizes_beside_each_other() -> None:
    runs = [Run("ours", 0, {"cpu": 2.0 * size}, size) for size in (1_000, 4_000)]
    assert compared(results(*runs, reference=None, size="seats")).split("\n") == [
        "| seats: | 1,000 | 4,000 | *exponent* |",
        "| --- | --: | --: | --: |",
        "| CPU, ms a call | 2,000.0 | 8,000.0 | *1.00* |",
    ]


@pytest.mark.parametrize(
    ("wanted", "found", "told"),
    [
        ("at least 0.95", "0.76", "**missed** by 20 %"),
        ("under 50 ms", "75.0 ms", "**missed** by 50 %"),
        ("under 1 s", "1500 ms", "**missed**"),
        ("at most 1,000 calls", "1,100 calls", "**missed** by 10 %"),
        ("0", "3", "**missed**"),
        ("0", "not measured", "–"),
        ("ahead in every row", "behind in 2", "**missed**"),
    ],
)
def test_a_missed_target_says_by_how_much_where_that_can_be_said(wanted: str, found: str, told: str) -> None:
    assert verdict(Target("something", wanted, found, met=False)) == told
    assert verdict(Target("something", wanted, found, met=True)) == "met"


def test_what_is_written_by_hand_stays_and_filling_again_changes_nothing() -> None:
    page = "# B\n<!-- results: summary -->\n<!-- end of results -->\n## Calls & more\nby hand\n"
    page += (
        "<!-- results: calls -->\nold\n<!-- end of results -->\nbelow\n<!-- results: web -->\n<!-- end of results -->\n"
    )
    found = {"calls": written(results(Run("theirs", 0, {"rate": 5.0})), Target("rate", "at least 6", "5", met=False))}
    text = filled(page, found)
    assert "by hand" in text
    assert "\nbelow\n" in text
    assert "old" not in text
    assert "0 of 1 targets are met" in text
    assert "| [Calls & more](#calls--more) | rate | at least 6 | 5 | **missed** by 17 % | 2026-11-22 |" in text
    assert text.count("*Not measured yet.*") == 1
    assert filled(text, found) == text


def test_results_without_a_place_on_the_page_are_told() -> None:
    with pytest.raises(PlaceMissing, match="<!-- results: calls -->"):
        filled("# B\n", {"calls": written(results(Run("theirs", 0, {"rate": 5.0})))})


def test_what_was_kept_is_read_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.comparison.machine", lambda: MACHINE)
    one = results(Run("theirs", 0, {"rate": 5.0, "cpu": None}, 4, 0.5))
    target = Target("rate", "at least 6", "5", met=False)
    keep(one.comparison, one.runs, [target], settings=one.settings, folder=tmp_path)
    read = kept(folder_of_results(tmp_path)["calls"])
    assert read == replace(one, targets=(target,), date=read.date)


def test_medians_spread_ratios_and_exponents_are_kept_beside_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.comparison.machine", lambda: MACHINE)
    found = {("theirs", 1): (4.0,), ("ours", 1): (1.0, 2.0, 9.0), ("ours", 4): (8.0,)}
    runs = [
        Run(way, turn, {"cpu": cpu}, size) for (way, size), values in found.items() for turn, cpu in enumerate(values)
    ]
    keep(results(*runs).comparison, runs, [], settings={}, folder=tmp_path)
    theirs, ours, *grown = folder_of_results(tmp_path)["calls"]["summary"]
    assert theirs == {"way": "theirs", "figure": "cpu", "size": 1, "median": 4, "least": 4, "most": 4, "ratio": 1}
    assert ours == {"way": "ours", "figure": "cpu", "size": 1, "median": 2, "least": 1, "most": 9, "ratio": 0.5}
    assert grown[-1] == {"way": "ours", "figure": "cpu", "exponent": pytest.approx(1.0)}


def test_what_is_summed_up_beside_the_kept_results_is_what_they_give(project: Path) -> None:
    for name, whole in folder_of_results(project / "bench/results").items():
        if is_comparison(whole):
            one = kept(whole)
            assert whole["summary"] == summary(one.comparison, one.runs), name
        elif name == "fairness":
            assert whole["summary"] == summaries(whole)


def test_bars_show_ways_side_by_side_and_lines_what_grows() -> None:
    beside = [Run(way, 0, {"rate": 5.0}, 20) for way in ("ours", "theirs")]
    growing = [Run("ours", 0, {"cpu": 2.0 * size}, size) for size in (4, 16)]
    bars, lines = plots_of(results(*beside, *growing, size="calls a second"))
    assert (bars.name, lines.name) == ("calls", "calls-growth")
    assert [type(panel) for panel in (*bars.panels, *lines.panels)] == [Bars, Lines]
    assert [way for way, _ in bars.panels[0].ways] == ["ours", "theirs"]


def test_lines_that_show_every_way_need_no_bars() -> None:
    runs = [Run(way, 0, {"cpu": 2.0 * size}, size) for way in ("ours", "theirs") for size in (4, 16)]
    assert [plot.name for plot in plots_of(results(*runs))] == ["calls-growth"]


def test_a_picture_that_shows_something_else_has_another_digest() -> None:
    one, other = (plots_of(results(*(Run(way, 0, {"rate": rate}) for way in "ab")))[0] for rate in (1.0, 2.0))
    assert one.digest != other.digest


def test_the_contests_of_fairness_have_the_ideal_line_beside_them(project: Path) -> None:
    whole = json.loads((project / "bench/results/fairness.json").read_text("utf-8"))
    first = contests(whole)[0]
    assert first.ways()[0] == "this project"
    assert first.ways()[-1] == IDEAL
    assert "failed calls" in compared(first)


def test_the_contest_of_fairness_that_grows_is_told_by_its_seats(project: Path) -> None:
    whole = json.loads((project / "bench/results/fairness.json").read_text("utf-8"))
    played = [one for one in whole["results"] if one["contest"] == EQUAL and one["round"]["way"] == "this project"]
    grown = [{**one, "contest": GROWING, "seats": seats} for one in played for seats in GROWN_SEATS]
    assert growth({**whole, "results": played}) is None
    found = growth({**whole, "results": [*played, *grown]})
    assert found is not None
    assert found.sizes("wait_mean_s") == [*GROWN_SEATS]
    assert "exponent" in compared(found)


def test_the_page_is_what_the_kept_results_give(project: Path) -> None:
    wrong = outdated(PAGE, PICTURES, project / "bench/results")
    assert wrong == [], "run './setup.sh bench' and '.venv/bin/python -m bench page'"


def test_one_that_fails_after_it_kept_its_figures_has_missed_a_target() -> None:
    assert end(0, kept=True) is End.DONE
    assert end(1, kept=True) is End.TARGET_MISSED
    assert end(1, kept=False) is End.FAILED
    assert end(-9, kept=True) is End.FAILED
    assert end(None, kept=True) is End.TOO_LONG


def test_quick_runs_keep_their_figures_where_they_are_told() -> None:
    words = command(Benchmark("calls", 45, 100), quick=True, results=Path("/elsewhere"))
    assert words[-4:] == ["calls", "--quick", "--results", "/elsewhere"]


def test_every_benchmark_is_a_command_and_has_a_place_on_the_page() -> None:
    ids = {one.id for one in BENCHMARKS}
    assert ids - typer.main.get_command(app).commands.keys() == set()  # type: ignore[attr-defined]
    page = PAGE.read_text("utf-8")
    assert {one for one in ids if f"<!-- results: {one} -->" not in page} == set()


def test_a_quick_look_at_everything_takes_five_minutes() -> None:
    assert sum(one.quick_s for one in BENCHMARKS) <= 300
