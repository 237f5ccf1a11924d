"""Everything that the doctor looks at, at once."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from asterisk.found import NoAsterisk, TooOld
from hotline.doctor import certificates, clock, disk, doors, kept, limits, lines, names, plan, rights, serving
from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import CannotLook, TookTooLong, at_once
from recordings.mask import numbers_in
from recordings.schema import StoreTooNew
from recordings.standing import StoreTooOld
from web.tokens import TokensWrong

BOUND_S = 9.0
"""No look takes longer, whatever hangs."""

Subject = Callable[[Case], Iterable[Finding]]

SUBJECTS: Mapping[str, Subject] = {
    "what runs": serving.findings,
    "the settings": plan.findings,
    "ports": doors.findings,
    "files": rights.findings,
    "certificates": certificates.findings,
    "the clock": clock.findings,
    "disks": disk.findings,
    "lines": lines.findings,
    "names": names.findings,
    "records": kept.findings,
    "the archive": kept.archive_findings,
    "limits": limits.findings,
}
"""What is looked at → how."""


def examine(case: Case, subjects: Mapping[str, Subject] = SUBJECTS) -> tuple[Finding, ...]:
    """Every finding, by its code. Takes BOUND_S at most."""
    found = at_once({name: partial(_listed, look, case) for name, look in subjects.items()}, BOUND_S)
    every: set[Finding] = set()
    for name, told in found.items():
        every |= {_unseen(name, told)} if isinstance(told, Exception) else set(told)
    return tuple(sorted(every))


def _listed(look: Subject, case: Case) -> tuple[Finding, ...]:
    return tuple(look(case))


def _unseen(name: str, error: Exception) -> Finding:
    why, mend = _reason(error)
    return Finding("D000", f"{name}: {numbers_in(why)}", mend)


def _reason(error: Exception) -> tuple[str, str]:
    """Why that could not be looked at, and the mend."""
    found = "the records cannot be read", "see what is said of them"
    match error:
        case CannotLook() | TokensWrong():
            found = error.why, error.mend
        case TookTooLong():
            found = str(error), "something hangs there, a disk or a name server perhaps"
        case NoAsterisk() | TooOld():
            found = "there is no Asterisk to ask", "see D007"
        case StoreTooNew() | StoreTooOld() | sqlite3.Error():
            pass
        case OSError():
            why = f"{error.filename or ''} {error.strerror or error}".strip()
            found = why, "run this as the user that the hotline runs as"
        case _:
            found = f"{type(error).__name__}: {error}", "report it"
    return found
