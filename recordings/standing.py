"""How what is kept stands, looked at without changing anything: no table, no file, no lock that anybody waits for."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlite_utils import Database

from recordings.drills import DrillRow, Drills
from recordings.growing import Memory
from recordings.proof import Fault, newest_faults
from recordings.pulse import PROVED
from recordings.removal import survey
from recordings.restarts import Restart, Restarts
from recordings.retention import DAY_MS, Terms
from recordings.schema import MIGRATIONS, StoreTooNew
from recordings.store import Store
from recordings.tail import BATCH_BYTES

LINKS = 2_000
"""So many of the newest links are looked at: a busy city's morning."""
PATIENCE_S = 6.0
"""No look at a store takes longer."""
_WAV_BYTES_A_MS = 16
"""8 kHz, one channel, 16 bits."""
_MANY = 1_000
_STEPS = 20_000
"""Of SQLite's virtual machine, between two looks at the clock: some milliseconds."""


class StoreTooOld(RuntimeError):
    """The store was written by an older version of this program, and was not brought up to date yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is of an older version: 'hotline run' brings it up to date")


class ReadOnlyStore(Store):
    """A store that is there, to be read alone. A query that takes longer than PATIENCE_S is broken off."""

    def __init__(self, path: Path) -> None:
        """Raises StoreTooNew, StoreTooOld, sqlite3.Error."""
        self.path = path
        self._forwards = False
        self._memory, self._behind, self._folded = Memory(), set(), set()
        # Where nobody writes, SQLite would leave files behind unless it is told that the file does not change.
        alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro{alone}", uri=True, check_same_thread=False, timeout=2)
        until_s = time.monotonic() + PATIENCE_S
        connection.set_progress_handler(lambda: int(time.monotonic() > until_s), _STEPS)
        self.database = Database(connection)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version < len(MIGRATIONS):
                raise StoreTooOld(path)
            if version > len(MIGRATIONS):
                raise StoreTooNew(path, version)
        except BaseException:
            self.close()
            raise


UNREADABLE = (StoreTooNew, StoreTooOld, sqlite3.Error)
"""What looking at a store raises."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a store tells of itself. Times are ms since the epoch (UTC)."""

    faults: tuple[Fault, ...]
    """Of the newest links and their records."""
    long_running: int
    """Records that have run for more than a day."""
    clock_stepped: int
    """Calls of the last week during which the clock was set."""
    put_aside: int
    """Lines of the journal that could not be read, within the last week."""
    restarts: tuple[Restart, ...]
    """Of the last day, those that nobody asked for."""
    backed_up_utc_ms: int | None
    overdue_utc_ms: int | None
    """When the first call was due that is still kept; None: none is."""
    outbox: int
    """Records that wait to be sent on."""
    refused: int
    """Records that the archive will never take."""
    proof_faults: int
    """What was found when the whole chain was proved last."""
    outbox_first: int | None
    """The entry that is sent next."""


def standing(path: Path, terms: Terms, now_utc_ms: int) -> Standing:
    """Raises StoreTooNew, StoreTooOld, sqlite3.Error."""
    week_ms, day_ms = now_utc_ms - 7 * DAY_MS, now_utc_ms - DAY_MS
    with _read(path) as store:
        count, first = _outbox(store)
        return Standing(
            faults=tuple(islice(newest_faults(store, LINKS), _MANY)),
            long_running=_count(store, "records WHERE running = 1 AND arrived_utc_ms < ?", day_ms),
            clock_stepped=_count(store, "records WHERE arrived_utc_ms > ? AND clock_stepped = 1", week_ms),
            put_aside=_count(store, "unreadable WHERE found_utc_ms > ?", week_ms),
            restarts=tuple(
                one for one in Restarts(store).newest(_MANY) if one.who is None and one.ended_utc_ms > day_ms
            ),
            backed_up_utc_ms=_newest(store, "SELECT max(at_utc_ms) AS n FROM audit WHERE did = 'backed_up'"),
            overdue_utc_ms=_overdue(store, terms, now_utc_ms),
            outbox=count,
            refused=_count(store, "outbox WHERE refused IS NOT NULL AND ref > ?", ""),
            proof_faults=_proof_faults(store),
            outbox_first=first,
        )


def drills_in(path: Path) -> Sequence[DrillRow]:
    """The last drills, the newest first. Raises StoreTooNew, StoreTooOld, sqlite3.Error."""
    with _read(path) as store:
        return Drills(store).newest(_MANY)


def next_to_send(path: Path) -> int | None:
    """The outbox's first entry; None: all is sent. Raises StoreTooNew, StoreTooOld, sqlite3.Error."""
    with _read(path) as store:
        return _outbox(store)[1]


def recorded_bytes(path: Path, now_utc_ms: int, audio_days: int) -> int:
    """How much recordings grew by within the last day, less what is as old as it may become.

    Raises StoreTooNew, StoreTooOld, sqlite3.Error.
    """
    sql = (
        "SELECT total(recording_ms) AS n FROM records WHERE arrived_utc_ms BETWEEN ? AND ? AND recording_file NOT NULL"
    )
    due_utc_ms = now_utc_ms - audio_days * DAY_MS
    with _read(path) as store:
        new, old = (store.rows(sql, end - DAY_MS, end)[0]["n"] for end in (now_utc_ms, due_utc_ms + DAY_MS))
    return int((new - old) * _WAV_BYTES_A_MS)


def journal_unkept(path: Path, journal: Path) -> int:
    """Bytes of whole lines that stand in the journal and not in the store: at most as much as is read at once.

    Raises StoreTooNew, StoreTooOld, sqlite3.Error, OSError.
    """
    with journal.open("rb") as file:
        told = journal.stat()
        with _read(path) as store:
            found = store.rows("SELECT offset FROM places WHERE device = ? AND inode = ?", told.st_dev, told.st_ino)
        file.seek(found[0]["offset"] if found else 0)
        return file.read(BATCH_BYTES).rfind(b"\n") + 1


@contextmanager
def _read(path: Path) -> Iterator[ReadOnlyStore]:
    """As it is at one moment."""
    store = ReadOnlyStore(path)
    try:
        store.database.conn.execute("BEGIN")
        yield store
    finally:
        store.close()


def _outbox(store: Store) -> tuple[int, int | None]:
    found = store.rows("SELECT count(*) AS n, min(id) AS first FROM outbox WHERE refused IS NULL")[0]
    return int(found["n"]), found["first"]


def _proof_faults(store: Store) -> int:
    found = store.rows("SELECT what FROM audit WHERE did = ? ORDER BY id DESC LIMIT 1", PROVED)
    return int(json.loads(found[0]["what"]).get("faults", 0)) if found else 0


def _count(store: Store, what: str, value: object) -> int:
    return int(store.rows(f"SELECT count(*) AS n FROM {what}", value)[0]["n"])  # noqa: S608 - our own words


def _newest(store: Store, sql: str) -> int | None:
    found: int | None = store.rows(sql)[0]["n"]
    return found


def _overdue(store: Store, terms: Terms, now_utc_ms: int) -> int | None:
    due = (one for one in survey(store, terms, now_utc_ms) if not one.call.held)
    first = next(due, None)
    return None if first is None else first.due_utc_ms
