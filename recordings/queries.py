"""Finding kept calls."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calls.record import CallRecord, Outcome
from calls.timeline import Entry, tell
from recordings.store import Store, record_of


class NoSuchCall(LookupError):
    """No call's id begins so."""

    def __init__(self, begin: str) -> None:
        self.begin = begin
        super().__init__(f"no call's id begins with {begin!r}: see the ids with 'bin/hotline calls'")


class SeveralCalls(LookupError):
    """More than one call's id begins so."""

    def __init__(self, begin: str, refs: tuple[str, ...]) -> None:
        self.begin = begin
        self.refs = refs
        super().__init__(f"several calls' ids begin with {begin!r}: {', '.join(refs)}: give more of it")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are looked for; what is None does not matter."""

    day: date | None = None
    """In the city's time, by arrival."""
    number: str | None = None
    """Dialled or served."""
    outcome: Outcome | None = None
    caller: str | None = None
    limit: int = 100


def find(store: Store, wanted: Wanted, timezone: ZoneInfo) -> list[CallRecord]:
    """The newest of these calls, newest first."""
    conditions: list[tuple[str, tuple[str | int, ...]]] = []
    if wanted.day is not None:
        begin, end = (_utc_ms(wanted.day + timedelta(days=days), timezone) for days in (0, 1))
        conditions.append(("arrived_utc_ms >= ? AND arrived_utc_ms < ?", (begin, end)))
    if wanted.number is not None:
        conditions.append(("(dialled = ? OR number = ?)", (wanted.number, wanted.number)))
    if wanted.outcome is not None:
        conditions.append(("outcome = ?", (wanted.outcome.value,)))
    if wanted.caller is not None:
        conditions.append(("caller = ?", (wanted.caller,)))
    where = " AND ".join(condition for condition, _ in conditions) or "1"
    values = [value for _, values in conditions for value in values]
    sql = f"SELECT * FROM records WHERE {where} ORDER BY arrived_utc_ms DESC, ref LIMIT ?"  # noqa: S608 - our words
    return [record_of(row) for row in store.rows(sql, *values, wanted.limit)]


def get(store: Store, begin: str) -> CallRecord:
    """The call whose id begins so. Raises NoSuchCall, SeveralCalls."""
    rows = store.rows(
        "SELECT * FROM records WHERE substr(ref, 1, ?) = ? ORDER BY ref LIMIT 5", len(begin), begin.lower()
    )
    if not begin or not rows:
        raise NoSuchCall(begin)
    if len(rows) > 1:
        raise SeveralCalls(begin, tuple(row["ref"] for row in rows))
    return record_of(rows[0])


def timeline(store: Store, ref: str) -> tuple[Entry, ...]:
    """What happened to the call with this whole id."""
    return tell(store.events(ref))


def _utc_ms(day: date, timezone: ZoneInfo) -> int:
    return int(datetime.combine(day, time.min, timezone).astimezone(UTC).timestamp() * 1000)
