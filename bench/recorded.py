"""A day as it was: a table of calls, or what `bin/hotline calls --json` prints."""

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

from bench.day import Arrival
from calls.record import Outcome

COLUMNS = ("arrival_s", "skills", "talk_s")
"""The table's columns that must be there, seconds from midnight; `priority` and `patience_s` may be."""

_GAVE_UP = (Outcome.ABANDONED.value, Outcome.CALL_BACK.value)
_PRIORITY = 5


class DayUnreadable(ValueError):
    """A recorded day cannot be read as one."""

    def __init__(self, path: Path, line: int, why: str) -> None:
        self.path, self.line, self.why = path, line, why
        super().__init__(
            f"{path}:{line}: {why}: give a table with the columns {', '.join(COLUMNS)}, "
            "or the lines of 'hotline calls --json'"
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """What is known of a recorded call; None: it did not come to that."""

    at_s: float
    skills: frozenset[str]
    priority: int
    talk_s: float | None
    waited_s: float
    """The caller waited so long."""
    patience_s: float | None
    """And would not have waited longer than that."""


def recorded(path: Path, *, zone: ZoneInfo, notes_s: float, patience_s: float, seed: int) -> list[Arrival]:
    """The day's calls in order of time. `notes_s` is added to each talk; `zone` is the city's.

    What nobody can know is drawn: how long a talk would have been that did not come about, and how
    much longer somebody would have waited who was answered (`patience_s` on the average). The same
    seed draws the same. Raises DayUnreadable.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = file.read().splitlines()
    first = next((line for line in lines if line.strip()), "")
    calls = list(_of_json(path, lines, zone) if first.startswith("{") else _of_table(path, lines))
    if not calls:
        raise DayUnreadable(path, 1, "no call waited for a seat")
    talks = [call.talk_s for call in calls if call.talk_s]
    mean_s = fmean(talks) if talks else 0.0
    chance = random.Random(seed)
    return [_arrival(call, notes_s, mean_s, patience_s, chance) for call in sorted(calls, key=lambda call: call.at_s)]


def _arrival(call: _Call, notes_s: float, mean_s: float, patience_s: float, chance: random.Random) -> Arrival:
    talk_s = chance.expovariate(1 / mean_s) if call.talk_s is None and mean_s else call.talk_s or 0.0
    patient_s = call.waited_s + chance.expovariate(1 / patience_s) if call.patience_s is None else call.patience_s
    return Arrival(call.at_s, call.skills, call.priority, talk_s + notes_s, patient_s)


def _of_table(path: Path, lines: list[str]) -> Iterator[_Call]:
    rows = csv.DictReader(lines)
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise DayUnreadable(path, 1, f"no column {missing[0]}")
    for row in rows:
        try:
            yield _Call(
                at_s=float(row["arrival_s"]),
                skills=_skills(row["skills"].split("+")),
                priority=int(row.get("priority") or _PRIORITY),
                talk_s=float(row["talk_s"]) if row["talk_s"] else None,
                waited_s=0.0,
                patience_s=float(row["patience_s"]) if row.get("patience_s") else None,
            )
        except (ValueError, AttributeError, TypeError) as error:
            raise DayUnreadable(path, rows.line_num, f"no call ({error})") from error


def _of_json(path: Path, lines: list[str], zone: ZoneInfo) -> Iterator[_Call]:
    found = list(_records(path, lines))
    first_s = min((call.at_s for call in found), default=0.0)
    midnight = datetime.fromtimestamp(first_s, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (replace(call, at_s=call.at_s - midnight.timestamp()) for call in found)


def _records(path: Path, lines: list[str]) -> Iterator[_Call]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            call = _of_record(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise DayUnreadable(path, number, f"no record of a call ({error!r})") from error
        if call is not None:
            yield call


def _of_record(record: dict[str, Any]) -> _Call | None:
    """None for a call that did not wait for a seat, and one that runs still."""
    if record["waiting_since_utc_ms"] is None or record["wait_ms"] is None or record["running"]:
        return None
    waited_s = record["wait_ms"] / 1000
    return _Call(
        at_s=record["waiting_since_utc_ms"] / 1000,
        skills=_skills(record["skills"]),
        priority=_PRIORITY if record["priority"] is None else record["priority"],
        talk_s=record["talk_ms"] / 1000 if record["talk_began_utc_ms"] is not None else None,
        waited_s=waited_s,
        patience_s=waited_s if record["outcome"] in _GAVE_UP else None,
    )


def _skills(names: list[str]) -> frozenset[str]:
    if not names or not all(names):
        raise ValueError("it needs no skill")
    return frozenset(names)
