"""Whether what happens to calls is kept, stays what it was, and is kept elsewhere, too."""

import socket
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import CannotLook
from recordings.retention import Terms
from recordings.schema import StoreTooNew
from recordings.standing import Standing, StoreTooOld, journal_unkept, next_to_send, standing
from settings.shapes import Settings

ANSWER_S = 3.0
KEPT_S = 5.0
"""A line of the journal is kept a moment after it was written."""
SENT_S = 2.5
"""A record is sent on within about a second."""
BACKUP_AGE = timedelta(days=2)
OVERDUE = timedelta(days=1)
_AUDIT = "hotline audit shows each; bring the records back from a back-up, and find out who could write there"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was seen."""

    unreadable: str
    """Why the store cannot be read; empty: it can."""
    standing: Standing | None
    journal_unkept: int
    """Bytes of whole lines that have stood in the journal for more than KEPT_S, and are not kept."""
    stuck: bool
    """Whether the same record was the next to be sent for SENT_S."""


def look(case: Case) -> Kept:
    """Raises CannotLook, OSError."""
    path = case.folders.records
    if not path.exists():
        return Kept("it is missing", None, 0, stuck=False)
    try:
        found = standing(path, Terms.of(case.settings), case.utc_ms)
        stuck = found.outbox_first is not None and _stuck(path, found.outbox_first)
        return Kept("", found, _unkept(case), stuck)
    except StoreTooOld as error:
        raise CannotLook(f"{path} is of an older version", "start 'hotline run', which brings it up to date") from error
    except StoreTooNew as error:
        raise CannotLook(f"{path} is of a newer version", "use the doctor of that version") from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT):
            raise CannotLook(f"{path} took too long to read", "ask again when less is going on") from error
        return Kept(str(error), None, 0, stuck=False)
    except sqlite3.DatabaseError as error:
        return Kept(str(error), None, 0, stuck=False)


def judge(settings: Settings, seen: Kept, at: datetime) -> Iterator[Finding]:
    """at: aware."""
    if seen.unreadable:
        mend = "is the disk all right ('dmesg')? Then bring it back from a back-up: hotline restore"
        yield Finding("D097", f"records.db: {seen.unreadable}", mend)
    if seen.journal_unkept:
        matter = f"{seen.journal_unkept} bytes of the journal are not in the records yet"
        yield Finding(
            "D092", matter, "the controller keeps them when it runs and the disk has room: see D005, D060, D102"
        )
    if seen.standing is not None:
        yield from _proof(seen.standing)
        yield from _upkeep(settings, seen.standing, seen.stuck, at)


def findings(case: Case) -> Iterator[Finding]:
    return judge(case.settings, look(case), case.at)


def archive_findings(case: Case) -> Iterator[Finding]:
    """Whether the archive is there at all: what it answers to our password shows by what is stuck."""
    if away := _archive_away(case.settings):
        yield Finding("D094", away, "start it, or mend 'records' in server.yaml; what waits is sent then")


def _proof(kept: Standing) -> Iterator[Finding]:
    if kept.faults:
        first = kept.faults[0]
        where = f"call {first.ref}: " if first.ref else ""
        more = f", and {len(kept.faults) - 1} more" if len(kept.faults) > 1 else ""
        yield Finding("D090", f"{where}{first.kind}: {first.matter}{more}", _AUDIT)
    elif kept.proof_faults:
        yield Finding("D090", f"the last 'hotline audit' found faults: {kept.proof_faults}", _AUDIT)
    if kept.long_running:
        mend = "hotline restart asterisk ends what hangs; then look at them: hotline calls --outcome interrupted"
        yield Finding("D091", f"records of calls that seem to go on since yesterday: {kept.long_running}", mend)
    if kept.clock_stepped:
        mend = "see why: NTP should slew the clock, not set it"
        yield Finding("D053", f"calls within a week during which the clock was set: {kept.clock_stepped}", mend)
    if kept.put_aside:
        mend = "often the last line before a crash; otherwise report it with the log's `journal_line_unreadable`"
        yield Finding("D099", f"lines put aside within a week: {kept.put_aside}", mend)
    if kept.restarts:
        told = [f"{one.part.value} ({one.why})" for one in kept.restarts[:3]]
        matter = f"within a day, {len(kept.restarts)} times; last: {', '.join(told)}"
        yield Finding("D008", matter, "look at 'hotline restarts' and the log of those moments")


def _upkeep(settings: Settings, kept: Standing, stuck: bool, at: datetime) -> Iterator[Finding]:  # noqa: FBT001 - what was seen
    now_ms = at.timestamp() * 1000
    if stuck:
        matter = f"{kept.outbox} records wait to be sent on, and the first of them has not moved"
        yield Finding("D093", matter, "see D005 and D094, and the log's `records_not_forwarded`")
    if kept.refused:
        mend = "report it with the log's `record_refused`; the records are on this machine"
        yield Finding("D098", f"records that the archive can never keep: {kept.refused}", mend)
    if kept.overdue_utc_ms is not None and now_ms - kept.overdue_utc_ms > OVERDUE / timedelta(milliseconds=1):
        days = (now_ms - kept.overdue_utc_ms) / 86_400_000
        matter = f"a call should have been removed, or its audio, {days:.0f} days ago"
        yield Finding("D096", matter, "hotline retention --now; then look into the log for `retention_failed`")
    backed_up = kept.backed_up_utc_ms
    if backed_up is None or now_ms - backed_up > BACKUP_AGE / timedelta(milliseconds=1):
        told = (
            "there was no back-up yet" if backed_up is None else f"the last one is {_days(now_ms - backed_up)} days old"
        )
        yield Finding("D095", told, f"hotline backup /backup/{at:%Y-%m-%d} --config {settings.folder}, each day (cron)")


def _days(ms: float) -> int:
    return int(ms // 86_400_000)


def _unkept(case: Case) -> int:
    journal = case.folders.journal
    try:
        if time.time() - journal.stat().st_mtime < KEPT_S:
            return 0
        return journal_unkept(case.folders.records, journal)
    except FileNotFoundError:
        return 0  # No call yet; a folder that is missing is told with the files.


def _stuck(path: Path, first: int) -> bool:
    time.sleep(SENT_S)
    return next_to_send(path) == first


def _archive_away(settings: Settings) -> str:
    """Why it is not reached; empty: it is, or there is none."""
    records = settings.server.records
    if records.copy_to is not None:
        folder = Path(records.copy_to).parent
        return "" if folder.is_dir() else f"the folder of copy_to, {folder}, is not there"
    if records.postgresql is None:
        return ""
    host, port = records.postgresql.host, records.postgresql.port
    try:
        with socket.create_connection((host, port), ANSWER_S):
            return ""
    except OSError as error:
        return f"PostgreSQL at {host}:{port} does not answer ({error.strerror or error})"
