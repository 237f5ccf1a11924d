"""Whether the lines to carriers and emergency centres are reached, and were tried of late."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from asterisk.console import ConsoleFailed
from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import CannotLook
from hotline.doctor.serving import asterisk_pid, told_by_asterisk
from recordings.drills import ANSWERED, OPEN, PUT_OFF, DrillRow
from recordings.standing import UNREADABLE, drills_in
from settings.emergencies import routes
from settings.shapes import Settings

DRILL_AGE = timedelta(days=90)
REACHED = "Avail"
_MOST = 4
UNTRIED = frozenset({"NonQual", "Unknown", "Created"})
_CONTACT = re.compile(r"^\s*Contact:\s+(\S+?)/\S+\s+\S+\s+(\S+)\s+\S+\s*$", re.MULTILINE)
_REGISTRATION = re.compile(r"^\s*(\S+?)/sips?:\S+\s+\S+\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lines:
    """What was seen."""

    contacts: Mapping[str, str] | None
    """Line → what Asterisk says of its far end; None: no Asterisk runs."""
    registrations: Mapping[str, str]
    """Line → what became of registering there."""
    drills: Sequence[DrillRow] | None
    """The newest first; None: they cannot be read."""


def look(case: Case) -> Lines:
    """Raises CannotLook, NoAsterisk, TooOld."""
    drills: Sequence[DrillRow] | None = None
    with suppress(*UNREADABLE):  # That is told with the records.
        drills = drills_in(case.folders.records)
    if asterisk_pid(case) is None:
        return Lines(None, {}, drills)
    try:
        contacts = told_by_asterisk(case, "pjsip show contacts")
        registrations = told_by_asterisk(case, "pjsip show registrations")
    except ConsoleFailed as error:
        raise CannotLook(str(error), "see D004") from None
    return Lines(dict(_CONTACT.findall(contacts)), dict(_REGISTRATION.findall(registrations)), drills)


def judge(settings: Settings, seen: Lines, at: datetime) -> Iterator[Finding]:
    """at: aware."""
    if seen.contacts is not None:
        yield from _reached(settings, seen.contacts)
    for ident, state in sorted(seen.registrations.items()):
        if state in ("Rejected", "Stopped"):
            mend = "compare user name (trunks.yaml) and password (secrets.yaml) with what the carrier gave"
            yield Finding("D073", f"the line '{ident}': registering is {state.lower()}", mend)
    if seen.drills is not None:
        yield from _tried(settings, seen.drills, at)


def findings(case: Case) -> Iterator[Finding]:
    return judge(case.settings, look(case), case.at)


def _reached(settings: Settings, contacts: Mapping[str, str]) -> Iterator[Finding]:
    emergency = {trunk for route in routes(settings.emergencies) for trunk in route.trunks}
    down = {ident for ident in settings.trunks if contacts.get(ident) not in {REACHED, *UNTRIED}}
    for route in routes(settings.emergencies):
        if down.issuperset(route.trunks):
            lines = " and ".join(route.trunks)
            yield Finding("D070", f"{route.number} is reached over none of its lines ({lines})", "see D071, at once")
    for ident, trunk in settings.trunks.items():
        where = f"'{ident}' ({trunk.host}:{trunk.port})"
        if ident in down:
            code = "D071" if ident in emergency else "D072"
            mend = f"see whether {trunk.host} can be reached from here ('ping {trunk.host}'), then ask who runs it"
            yield Finding(code, f"the line {where} does not answer", mend)
        elif contacts[ident] != REACHED:
            yield Finding("D000", f"the line {where} was not tried yet", f"ask again in {trunk.qualify:g} s")


def _tried(settings: Settings, drills: Sequence[DrillRow], at: datetime) -> Iterator[Finding]:
    """By the newest drill of each line of each number that came to an end."""
    newest: dict[tuple[str, str], DrillRow] = {}
    for row in drills:
        if row.result not in (*OPEN, PUT_OFF):
            newest.setdefault((row.number, row.trunk), row)
    old: list[str] = []
    for route in routes(settings.emergencies):
        for trunk in route.trunks:
            last, mend = newest.get((route.number, trunk)), f"hotline drill --number {route.number} --trunk {trunk}"
            if last is None or at.timestamp() * 1000 - last.began_utc_ms > DRILL_AGE / timedelta(milliseconds=1):
                old.append(f"{route.number} over '{trunk}'")
            elif last.result != ANSWERED:
                matter = f"{route.number} over '{trunk}' was tried, and the result is '{last.result}'"
                yield Finding("D075", matter, f"see why with whoever runs the line, then: {mend}")
    if old:
        more = f" and {len(old) - _MOST} more" if len(old) > _MOST else ""
        matter = f"within {DRILL_AGE.days} days no drill tried {', '.join(old[:_MOST])}{more}"
        yield Finding("D074", matter, "agree with the centres, then: hotline drill")
