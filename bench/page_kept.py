"""What `bench.comparison.keep` has written, read back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.comparison import Comparison, Figure, Run, Target


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of results. `date`: UTC, ISO 8601."""

    comparison: Comparison
    runs: tuple[Run, ...]
    targets: tuple[Target, ...]
    date: str
    machine: Mapping[str, str | int | None]
    settings: Mapping[str, object]

    def ways(self, figure: str | None = None, size: int | None = None) -> list[str]:
        """Those with a value, in the order in which they were measured first."""
        found = [
            run.way
            for run in self.runs
            if size in (None, run.size) and (figure is None or run.figures.get(figure) is not None)
        ]
        return list(dict.fromkeys(found))

    def sizes(self, figure: str, way: str | None = None) -> list[int]:
        """Those with a value, ascending."""
        return sorted({run.size for run in self.runs if way in (None, run.way) and run.figures.get(figure) is not None})

    def measured(self) -> list[Figure]:
        """The figures that have any value."""
        return [figure for figure in self.comparison.figures if self.ways(figure.id)]


def folder_of_results(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Every file of results in it, by its name without ending. Raises OSError, ValueError."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def is_comparison(whole: Mapping[str, Any]) -> bool:
    """Whether `keep` wrote it; else it has a shape of its own."""
    return "comparison" in whole


def kept(whole: Mapping[str, Any]) -> Kept:
    """Raises KeyError, TypeError: `keep` did not write this."""
    told = whole["comparison"]
    return Kept(
        Comparison(**{**told, "figures": tuple(Figure(**figure) for figure in told["figures"])}),
        tuple(Run(**run) for run in whole["runs"]),
        targets_of(whole),
        whole["date"],
        whole["machine"],
        whole["settings"],
    )


def targets_of(whole: Mapping[str, Any]) -> tuple[Target, ...]:
    return tuple(Target(**target) for target in whole["targets"])
