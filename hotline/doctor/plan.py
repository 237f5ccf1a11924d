"""Whether the operators' settings are live, can be used again, and reach into the coming days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from dialplan.clock import HORIZON_DAYS
from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import CannotLook
from settings.check import check
from settings.problems import Problem
from settings.shapes import Settings

SOON = timedelta(days=30)
_MOST = 5


@dataclass(frozen=True, slots=True)
class Planned:
    """What was seen."""

    config: Path
    written: Settings | None
    """What the operators' folder says; None: it cannot be used."""
    problems: tuple[Problem, ...]
    compiled: date | None
    """When holidays were compiled; None: not known."""


def look(case: Case) -> Planned:
    """Raises CannotLook, OSError."""
    if not case.config.is_dir():
        raise CannotLook(f"the settings' folder {case.config} is not there", "give it with --config")
    checked = check(case.config, case.at.astimezone(case.zone).date())
    dialplan = case.folders.etc / "extensions.conf"
    compiled = datetime.fromtimestamp(dialplan.stat().st_mtime, case.zone).date() if dialplan.exists() else None
    return Planned(case.config, checked.settings, checked.problems, compiled)


def judge(installed: Settings, seen: Planned, today: date) -> Iterator[Finding]:
    errors = [problem for problem in seen.problems if problem.severity == "error"]
    warnings = [problem for problem in seen.problems if problem.severity == "warning"]
    if errors:
        yield Finding("D010", f"{seen.config}: {_told(errors)}", f"hotline check --config {seen.config}")
    if warnings:
        yield Finding("D012", f"{seen.config}: {_told(warnings)}", f"hotline check --config {seen.config}")
    # Where they were read from is no part of what they say.
    if seen.written is not None and seen.written.model_copy(update={"folder": installed.folder}) != installed:
        changed = _differing(seen.written, installed)
        mend = "stop and start 'hotline run' when few people call; 'hotline compile --rehearse' tries it before"
        yield Finding("D011", f"{seen.config} is not what is installed: {', '.join(changed)}", mend)
    if seen.compiled is not None:
        ends = seen.compiled + timedelta(days=HORIZON_DAYS)
        if ends - today < SOON:
            yield Finding("D013", f"holidays are compiled until {ends}", "stop and start 'hotline run'")


def findings(case: Case) -> Iterator[Finding]:
    return judge(case.settings, look(case), case.at.astimezone(case.zone).date())


def _told(problems: list[Problem]) -> str:
    """Places and codes: what a problem quotes may be a caller's number."""
    first = ", ".join(f"{Path(one.place.file).name}:{one.place.line} {one.code}" for one in problems[:_MOST])
    return first + (f" and {len(problems) - _MOST} more" if len(problems) > _MOST else "")


def _differing(one: Settings, other: Settings) -> list[str]:
    names = (name for name in type(one).model_fields if name != "folder")
    return [name for name in names if getattr(one, name) != getattr(other, name)]
