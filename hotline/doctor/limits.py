"""Whether as many calls fit as are let in, and whether enough people are there for them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hotline.doctor.asking import asked, health
from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import CannotLook
from hotline.doctor.serving import asterisk_pid
from settings.shapes import Capacity
from web.tokens import command_secret, command_token

FILES_A_CALL = 16
"""Measured: a recorded talk holds 12 (four sockets of media, alert pipes and timers of two legs, the recording)."""
FILES_BESIDE = 100
"""For Asterisk itself: its sockets, logs, database and module files."""
_LIMIT = re.compile(r"^Max open files\s+(\d+|unlimited)\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Low:
    """A rule of cover that does not hold now."""

    rule: str
    least: int
    on_duty: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What was seen."""

    files: int | None
    """So many the running Asterisk may open; None: none runs, or there is no limit."""
    low: tuple[Low, ...]
    """Empty where no controller can be asked."""


def look(case: Case) -> Limits:
    """Raises CannotLook, NoAsterisk, TooOld, TokensWrong, OSError."""
    pid = asterisk_pid(case)
    files = None if pid is None else _files(pid)
    return Limits(files, tuple(_low(case)) if health(case.settings.server.http) else ())


def judge(capacity: Capacity, seen: Limits) -> Iterator[Finding]:
    calls = capacity.ordinary + capacity.reserve
    needed = FILES_BESIDE + FILES_A_CALL * calls
    if seen.files is not None and seen.files < needed:
        matter = f"Asterisk may open {seen.files} files; {calls} calls need {needed}"
        mend = f"give the service 'LimitNOFILE={max(needed, 65_536)}' (or 'ulimit -Hn'), and start 'hotline run' anew"
        yield Finding("D100", matter, mend)
    for low in seen.low:
        matter = f"{low.on_duty} on duty ({low.rule}), {low.least} at least must be"
        yield Finding("D101", matter, "call somebody in: hotline seats shows who is there")


def findings(case: Case) -> Iterator[Finding]:
    return judge(case.settings.server.capacity, look(case))


def _files(pid: int) -> int | None:
    try:
        found = _LIMIT.search(Path(f"/proc/{pid}/limits").read_text("ascii"))
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        mend = "run this as the user that the hotline runs as"
        raise CannotLook(f"the limits of process {pid} are another user's", mend) from None
    return None if found is None or found[1] == "unlimited" else int(found[1])


def _low(case: Case) -> Iterator[Low]:
    secret = command_secret(command_token(case.folders.data))
    for one in asked(case.settings.server.http, "/shifts", secret)["cover"]:
        if one["on_duty"] < one["least"]:
            told = [f"{name} {one[name]}" for name in ("shift", "skill") if one[name] is not None]
            yield Low(", ".join(told) or "everybody", one["least"], one["on_duty"])
