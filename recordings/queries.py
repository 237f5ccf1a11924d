"""Finding kept calls."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calls.record import CallRecord, Outcome
from calls.timeline import Entry, tell
from recordings.store import Store, record_of

MOST = 10_000
"""So many calls one search may find."""

BY_REF = "SELECT * FROM records WHERE ref >= ? AND ref < ? ORDER BY ref LIMIT 5"
"""The calls whose id is between two texts, the second not included."""

_LAST = "\U0010ffff"
_FOR_EVER_MS = 2**63 - 1
_A_DAY = timedelta(days=1)


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


class SearchWrong(ValueError):
    """Such a search cannot be made."""

    def __init__(self, matter: str, mend: str) -> None:
        self.matter = matter
        self.mend = mend
        super().__init__(f"{matter}: {mend}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are looked for; what is None does not matter. Raises SearchWrong."""

    day: date | None = None
    """In the city's time, by arrival."""
    number: str | None = None
    """Dialled or served."""
    outcome: Outcome | None = None
    caller: str | None = None
    """Empty: calls of which the carrier told no caller."""
    limit: int = 100
    """1 to MOST."""
    seat: str | None = None
    """Answered there, whoever else answered, too."""
    agent: str | None = None
    """Signed on at a seat that answered."""
    since: date | None = None
    """That day and later ones, instead of `day`."""
    until: date | None = None
    """That day and earlier ones, instead of `day`."""
    before_utc_ms: int | None = None
    """Only calls that arrived before it: for the next page."""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST:
            raise SearchWrong(f"{self.limit} calls cannot be asked for at once", f"ask for 1 to {MOST}")
        if self.day is not None and (self.since is not None or self.until is not None):
            raise SearchWrong("a day was given beside the first or the last of several", "give the one or the other")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise SearchWrong(f"{self.since} is after {self.until}", "give the earlier day as the first")

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day, both included."""
        return (self.since, self.until) if self.day is None else (self.day, self.day)

    def span_ms(self, timezone: ZoneInfo) -> tuple[int, int]:
        """From when on, and before when, the calls arrived: ms since the epoch (UTC)."""
        first, last = self.days
        begin = 0 if first is None else begin_ms(first, timezone)
        end = _FOR_EVER_MS if last is None else end_ms(last, timezone)
        return begin, end if self.before_utc_ms is None else min(end, self.before_utc_ms)


def find(store: Store, wanted: Wanted, timezone: ZoneInfo) -> list[CallRecord]:
    """The newest of these calls, newest first; those of the same ms by id."""
    sql, values = search(wanted, timezone)
    return [record_of(row) for row in store.rows(sql, *values)]


def search(wanted: Wanted, timezone: ZoneInfo) -> tuple[str, list[str | int]]:
    """The SQL that finds these calls, and its values.

    Every index ends with outcome and time, and is walked once for each outcome, newest first, so that
    no search reads more than it finds, or more than the calls of one caller, seat or agent.
    """
    begin, end = wanted.span_ms(timezone)
    parts: list[str] = []
    values: list[str | int] = []
    for way in _ways(wanted):
        filters = _filters(wanted, way)
        for outcome in _outcomes(wanted, way):
            conditions = [*way.conditions, *("outcome = ?" for _ in outcome), *(condition for condition, _ in filters)]
            parts.append(_PART.format(way=way, conditions="".join(f"{one} AND " for one in conditions)))
            filtered = (value for _, values_of in filters for value in values_of)
            values += [*way.values, *outcome, *filtered, begin, end, wanted.limit]
    found = " UNION ALL ".join(parts)
    sql = (
        f"SELECT records.* FROM ({found} ORDER BY at DESC LIMIT ?) CROSS JOIN records ON records.{way.key} = found "  # noqa: S608
        "ORDER BY records.arrived_utc_ms DESC, records.ref"
    )
    return sql, [*values, wanted.limit]


_PART = (
    "SELECT * FROM (SELECT {way.table}.{way.key} AS found, arrived_utc_ms AS at FROM {way.table} {way.index} "
    "WHERE {conditions}arrived_utc_ms >= ? AND arrived_utc_ms < ? ORDER BY arrived_utc_ms DESC LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class _Way:
    """An index, and what it is asked for."""

    table: str
    index: str
    key: str
    """The column that leads to the record."""
    by: str
    """The field of `Wanted` that it answers."""
    conditions: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


def _ways(wanted: Wanted) -> tuple[_Way, ...]:
    """What leads to the fewest calls; several ways lead to different calls."""
    if wanted.caller:
        return (_of_records("caller", "caller", ("caller = ?",), wanted.caller),)
    for name, value in (("seat", wanted.seat), ("agent", wanted.agent)):
        if value is not None:
            return (_Way(f"record_{name}s", "", "ref", name, (f"{name} = ?",), (value,)),)
    if wanted.caller is not None:
        return (_of_records("caller", "caller", ("caller = ?",), wanted.caller),)
    if wanted.number is not None:
        return (
            _of_records("dialled", "number", ("dialled = ?",), wanted.number),
            _of_records("number", "number", ("number = ?", "number <> dialled"), wanted.number),
        )
    if wanted.outcome is not None:
        return (_of_records("outcome", "", ()),)
    return (_Way("records", "INDEXED BY records_in_figures", "rowid", ""),)


def _of_records(index: str, by: str, conditions: tuple[str, ...], *values: str) -> _Way:
    return _Way("records", f"INDEXED BY records_by_{index}", "rowid", by, conditions, values)


def _outcomes(wanted: Wanted, way: _Way) -> tuple[tuple[str, ...], ...]:
    if wanted.outcome is not None:
        return ((wanted.outcome.value,),)
    return tuple((one.value,) for one in Outcome) if way.by else ((),)


def _filters(wanted: Wanted, way: _Way) -> list[tuple[str, tuple[str, ...]]]:
    """Conditions that the way does not answer by itself, each with its values."""
    found: list[tuple[str, tuple[str, ...]]] = []
    if wanted.number is not None and way.by != "number":
        found.append(("(dialled = ? OR number = ?)", (wanted.number, wanted.number)))
    if wanted.caller is not None and way.by != "caller":
        found.append(("caller = ?", (wanted.caller,)))
    for name, value in (("seat", wanted.seat), ("agent", wanted.agent)):
        if value is not None and way.by != name:
            row = f"{name} = ? AND (outcome, arrived_utc_ms, ref) = ({', '.join(f'{way.table}.{one}' for one in _ALL)})"
            found.append((f"EXISTS (SELECT 1 FROM record_{name}s WHERE {row})", (value,)))  # noqa: S608
    return found


_ALL = ("outcome", "arrived_utc_ms", "ref")


def get(store: Store, begin: str) -> CallRecord:
    """The call whose id begins so. Raises NoSuchCall, SeveralCalls."""
    first = begin.lower()
    rows = store.rows(BY_REF, first, first + _LAST)
    if not begin or not rows:
        raise NoSuchCall(begin)
    if len(rows) > 1:
        raise SeveralCalls(begin, tuple(row["ref"] for row in rows))
    return record_of(rows[0])


def timeline(store: Store, ref: str) -> tuple[Entry, ...]:
    """What happened to the call with this whole id."""
    return tell(store.events(ref))


def begin_ms(day: date, timezone: ZoneInfo) -> int:
    """When that day begins in that time zone: ms since the epoch (UTC)."""
    return int(datetime.combine(day, time.min, timezone).timestamp() * 1000)


def end_ms(day: date, timezone: ZoneInfo) -> int:
    """When the next day begins there: ms since the epoch (UTC)."""
    return _FOR_EVER_MS if day == date.max else begin_ms(day + _A_DAY, timezone)
