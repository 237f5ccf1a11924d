"""docs/benchmarks.md: what is written by hand stays; what stands between marks is made from the kept results."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import page_fairness
from bench.machine import PROJECT
from bench.page_kept import Kept, folder_of_results, is_comparison, kept, targets_of
from bench.page_plots import Plot, plots, plots_of
from bench.page_records import records_section, report_section, report_targets
from bench.page_tables import compared, conditions, judged, legend, loaded, table, verdict

PAGE = PROJECT / "docs" / "benchmarks.md"
PICTURES = PROJECT / "docs" / "benchmarks"
SUMMARY = "summary"
ELSEWHERE = frozenset({"chaos"})
"""Results that another page tells."""
UNMEASURED = "*Not measured yet.*"
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_PART = re.compile(r"(<!-- results: (?P<id>[\w-]+) -->\n).*?(<!-- end of results -->)", re.DOTALL)


class PlaceMissing(Exception):
    """Results are kept for which the page has no marks."""

    def __init__(self, ids: frozenset[str]) -> None:
        self.ids = ids
        wanted = ", ".join(f"'<!-- results: {one} -->'" for one in sorted(ids))
        super().__init__(f"the page has no place for results: write {wanted} and '<!-- end of results -->' into it")


def filled(text: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with all results in their places. Raises PlaceMissing, and KeyError where a file has another shape."""
    headings = _headings(text)
    if missing := results.keys() - headings.keys() - ELSEWHERE:
        raise PlaceMissing(frozenset(missing))
    parts = {name: section(name, whole) for name, whole in results.items() if name not in ELSEWHERE}
    parts[SUMMARY] = summary({name: results[name] for name in headings if name in results}, headings)
    return _PART.sub(lambda match: f"{match[1]}\n{parts.get(match['id'], UNMEASURED)}\n\n{match[3]}", text)


def _headings(text: str) -> dict[str, str]:
    """Each place, as they follow each other, and the heading that it stands under."""
    found = {}
    for match in _PART.finditer(text):
        above = _HEADING.findall(text[: match.start()])
        found[match["id"]] = above[-1] if above else match["id"]
    return found


def section(name: str, whole: Mapping[str, Any]) -> str:
    """What is told of one file of results."""
    if is_comparison(whole):
        return _of_comparison(kept(whole))
    match name:
        case "fairness":
            return page_fairness.section(whole, "\n\n".join(map(_picture, plots({name: whole}))))
        case "records":
            return records_section(whole)
        case "report":
            return report_section(whole)
        case _:
            raise KeyError(f"{name}.json has no shape that is known: write it with bench.comparison.keep")


def _of_comparison(one: Kept) -> str:
    loads = [run.others_load for run in one.runs]
    parts = [
        conditions(one.date, one.machine, loads),
        loaded(one.settings),
        judged(one.targets),
        legend(one),
        compared(one),
        *map(_picture, plots_of(one)),
    ]
    return "\n\n".join(part for part in parts if part)


def _picture(plot: Plot) -> str:
    return f"![{plot.title}]({PICTURES.name}/{plot.name}.svg)"


def summary(results: Mapping[str, Mapping[str, Any]], headings: Mapping[str, str]) -> str:
    """The targets of all that was measured, in one table."""
    rows = [
        (name, whole["date"][:10], target)
        for name, whole in results.items()
        for target in (report_targets(whole) if name == "report" else targets_of(whole))
    ]
    if not rows:
        return UNMEASURED
    met = sum(target.met for _, _, target in rows)
    told: list[tuple[str, ...]] = []
    for name, day, one in rows:
        link = f"[{headings[name]}](#{_anchor(headings[name])})"
        known = any(row[0] == link for row in told)
        told.append(("" if known else link, one.what, one.wanted, one.found, verdict(one), day))
    columns = ("benchmark", "target", "wanted", "found", "", "measured")
    return f"{met} of {len(rows)} targets are met.\n\n{table(columns, told, left=len(columns))}"


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def outdated(page: Path, pictures: Path, results: Path) -> list[str]:
    """What is not as the kept results give it: the page, and each picture. Raises as `filled`, and OSError."""
    found = folder_of_results(results)
    text = page.read_text(encoding="utf-8")
    wrong = [] if filled(text, found) == text else [page.name]
    wanted = {f"{plot.name}.svg": plot.digest for plot in plots(found)}
    kept_files = {path.name: path for path in pictures.glob("*.svg")}
    wrong += sorted(kept_files.keys() - wanted.keys())
    wrong += [
        name
        for name, digest in wanted.items()
        if name not in kept_files or digest not in kept_files[name].read_text(encoding="utf-8")
    ]
    return wrong


def write(page: Path, results: Path) -> Mapping[str, Mapping[str, Any]]:
    """Fills the page's places; returns what was filled in. Raises as `filled`, and OSError."""
    found = folder_of_results(results)
    page.write_text(filled(page.read_text(encoding="utf-8"), found), encoding="utf-8")
    return found
