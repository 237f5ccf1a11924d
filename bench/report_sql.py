"""The figures of a month computed once more, in SQL alone, from the journal's raw lines and the seats' states.

Nothing of `calls.fold`, of the records or of `recordings.figures` is used here: what became of a call, how long
its caller waited and who answered is found again in its lines. The city is eight hours before UTC.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

Found = dict[tuple[str, str, str], tuple[int, int]]
"""(by, key, figure) → numerator and denominator, 0 of a count; by and key are empty for all of it."""


def _field(name: str) -> str:
    """The text of a step's field; all fields of a step stand in one text `a=1&b=2`."""
    text = "'&' || json_extract(extra, '$.extra') || '&'"
    begin = f"instr({text}, '&{name}=')"
    rest = f"substr({text}, {begin} + {len(name) + 2})"
    return f"iif({begin} > 0, substr({rest}, 1, instr({rest}, '&') - 1), NULL)"


_ENDPOINT = "substr(min(channel), 7, instr(min(channel), '-') - 7)"
"""Of `PJSIP/8001-00000001`."""

_READ = f"""
    CREATE TEMP TABLE calls AS
    SELECT linkedid AS call, uniqueid AS caller, at_us AS arrived_us, {_field("dialled")} AS dialled
    FROM lines WHERE kind = 'ARRIVED';
    CREATE UNIQUE INDEX temp.calls_by_id ON calls (call);

    CREATE TEMP TABLE steps AS
    SELECT linkedid AS call, at_us, kind, {_field("number")} AS number, {_field("by")} AS wished_by,
        {_field("why")} AS why, {_field("mark")} AS mark, {_field("seat")} AS seat, {_field("agent")} AS agent,
        CAST({_field("t0_ms")} AS INT) AS t0_ms
    FROM lines
    WHERE kind IN ('SERVED', 'REFUSED', 'EMERGENCY', 'ROOM', 'RATED', 'CALLBACK', 'CALLED_BACK', 'DRILL', 'OFFER');
    CREATE INDEX temp.steps_by_call ON steps (call, kind, at_us);

    CREATE TEMP TABLE legs AS
    SELECT linkedid AS call, uniqueid AS leg, {_ENDPOINT} AS endpoint, {_ENDPOINT} GLOB '[0-9]*' AS is_seat,
        min(at_us) AS began_us, min(iif(kind = 'ANSWER', at_us, NULL)) AS answered_us,
        min(iif(kind IN ('HANGUP', 'CHAN_END'), at_us, NULL)) AS ended_us
    FROM lines WHERE kind IN ('CHAN_START', 'ANSWER', 'HANGUP', 'CHAN_END') GROUP BY 1, 2;
    CREATE INDEX temp.legs_by_call ON legs (call);

    CREATE TEMP TABLE ends AS
    SELECT calls.call, legs.ended_us IS NOT NULL AS ended, legs.ended_us AS end_us
    FROM calls LEFT JOIN legs ON legs.call = calls.call AND legs.leg = calls.caller;
    CREATE UNIQUE INDEX temp.ends_by_call ON ends (call);
    CREATE TEMP TABLE lasts AS
    SELECT linkedid AS call, max(at_us) AS last_us FROM lines
    WHERE linkedid IN (SELECT call FROM ends WHERE NOT ended) GROUP BY 1;
    UPDATE ends SET end_us = (SELECT last_us FROM lasts WHERE lasts.call = ends.call) WHERE NOT ended;
"""  # noqa: S608 - our own words

_FACTS = """
    CREATE TEMP TABLE facts AS
    SELECT calls.call, arrived_us / 1000 AS arrived_ms, ended, end_us,
        coalesce((SELECT number FROM steps WHERE call = calls.call AND kind = 'SERVED' ORDER BY at_us DESC LIMIT 1),
            dialled) AS number,
        EXISTS (SELECT 1 FROM steps WHERE call = calls.call AND kind = 'CALLED_BACK') AS ours,
        EXISTS (SELECT 1 FROM steps WHERE call = calls.call AND kind = 'CALLBACK') AS wants_call_back,
        (SELECT why FROM steps WHERE call = calls.call AND kind = 'REFUSED') AS refused,
        (SELECT max(t0_ms, arrived_us / 1000) FROM steps WHERE call = calls.call AND kind = 'ROOM'
            ORDER BY at_us LIMIT 1) AS waits_ms,
        (SELECT min(at_us) FROM steps WHERE call = calls.call AND kind = 'EMERGENCY') AS wished_us,
        EXISTS (SELECT 1 FROM steps WHERE call = calls.call AND kind = 'EMERGENCY'
            AND wished_by NOT IN ('transfer', 'consult')) AS wished_by_caller,
        (SELECT mark FROM steps WHERE call = calls.call AND kind = 'RATED' ORDER BY at_us DESC LIMIT 1) AS mark,
        EXISTS (SELECT 1 FROM legs WHERE call = calls.call AND is_seat AND answered_us > 0) AS talked,
        EXISTS (SELECT 1 FROM legs WHERE call = calls.call AND leg <> caller AND NOT is_seat
            AND answered_us > 0) AS carried,
        (SELECT sum(min(coalesce(ended_us, end_us), end_us) - answered_us) / 1000 FROM legs
            WHERE call = calls.call AND is_seat AND answered_us > 0) AS talk_ms,
        (SELECT min(answered_us) / 1000 FROM legs WHERE call = calls.call AND leg <> caller
            AND answered_us / 1000 >= (SELECT max(t0_ms, arrived_us / 1000) FROM steps
                WHERE call = calls.call AND kind = 'ROOM' ORDER BY at_us LIMIT 1)) AS reached_ms
    FROM calls JOIN ends ON ends.call = calls.call
    WHERE NOT EXISTS (SELECT 1 FROM steps WHERE call = calls.call AND kind = 'DRILL');

    CREATE TEMP TABLE told AS
    SELECT call, number, strftime('%H', arrived_ms / 1000, 'unixepoch', '+8 hours') AS hour,
        date(arrived_ms / 1000, 'unixepoch', '+8 hours') AS day, NOT ours AS citizen, ours, ended, wished_us, mark,
        refused = 'unknown' AS unknown,
        CASE
            WHEN NOT ended THEN iif(talked, 'answered', iif(waits_ms IS NULL, 'other', 'lost'))
            WHEN wished_us IS NOT NULL AND (wished_by_caller OR NOT talked) THEN 'emergency'
            WHEN refused IS NOT NULL THEN iif(refused = 'full', 'lost', 'other')
            WHEN talked THEN 'answered'
            WHEN carried THEN 'other'
            WHEN wants_call_back THEN 'lost'
            WHEN waits_ms IS NOT NULL THEN 'abandoned'
            ELSE 'other'
        END AS became,
        min(coalesce(reached_ms, end_us / 1000), end_us / 1000) - waits_ms AS wait_ms, talk_ms,
        (SELECT min(answered_us) - wished_us FROM legs WHERE legs.call = facts.call AND NOT is_seat
            AND began_us > wished_us AND answered_us > wished_us) / 1000 AS passed_ms
    FROM facts;
    CREATE UNIQUE INDEX temp.told_by_call ON told (call);

    CREATE TEMP TABLE people AS
    SELECT DISTINCT legs.call, endpoint AS seat, (SELECT agent FROM steps WHERE steps.call = legs.call
        AND kind = 'OFFER' AND seat = endpoint AND at_us <= began_us ORDER BY at_us DESC LIMIT 1) AS agent
    FROM legs WHERE is_seat AND answered_us > 0;
"""
"""`lost`: asked for a person, and met none, though not by giving up."""

_SPELLS = """
    CREATE TEMP TABLE spells AS
    WITH changes AS (
        SELECT seat, agent, state, at_utc_ms AS since_ms,
            coalesce(lead(at_utc_ms) OVER seats, :end) AS until_ms, coalesce(call, lag(call) OVER seats) AS ref
        FROM duty WINDOW seats AS (PARTITION BY seat ORDER BY at_utc_ms, id)
    )
    SELECT seat, agent, state, max(since_ms, :begin) AS since_ms, min(until_ms, :end) AS until_ms, ref FROM changes
    WHERE until_ms > :begin AND since_ms < :end AND state IN ('idle', 'ringing', 'talking', 'wrap_up')
    AND until_ms > since_ms;

    CREATE TEMP TABLE pieces AS
    WITH RECURSIVE cut (state, since_ms, until_ms, ends_ms) AS (
        SELECT state, since_ms, min(until_ms, (since_ms / 3600000 + 1) * 3600000), until_ms FROM spells
        WHERE state <> 'wrap_up'
        UNION ALL
        SELECT state, until_ms, min(ends_ms, until_ms + 3600000), ends_ms FROM cut WHERE until_ms < ends_ms
    )
    SELECT state, since_ms, until_ms FROM cut
    UNION ALL SELECT state, since_ms, until_ms FROM spells WHERE state = 'wrap_up';
"""

_OF_CALLS = {
    "calls": ("sum(citizen)", "0"),
    "asked": ("sum(citizen AND became IN ('answered', 'abandoned', 'lost'))", "0"),
    "answered": ("sum(citizen AND became = 'answered')", "0"),
    "connection_rate": (
        "sum(citizen AND became = 'answered')",
        "sum(citizen AND became IN ('answered', 'abandoned', 'lost'))",
    ),
    "answered_within": (
        "sum(citizen AND became = 'answered' AND coalesce(wait_ms, 0) <= :within_ms)",
        "sum(citizen AND became IN ('answered', 'abandoned', 'lost'))",
    ),
    "abandonment": (
        "sum(citizen AND became = 'abandoned')",
        "sum(citizen AND became IN ('answered', 'abandoned', 'lost'))",
    ),
    "emergencies": ("sum(ended AND wished_us IS NOT NULL)", "0"),
    "passed_on": ("sum(ended AND passed_ms IS NOT NULL)", "sum(ended AND wished_us IS NOT NULL)"),
    "passed_on_in": ("sum(iif(ended, passed_ms, NULL))", "count(iif(ended, passed_ms, NULL))"),
    "called_back": ("sum(ours AND ended)", "0"),
    "reached": ("sum(ours AND ended AND became = 'answered')", "sum(ours AND ended)"),
}
_OF_TALKS = {
    "answered": ("count(*)", "0"),
    "waiting": ("sum(wait_ms)", "count(wait_ms)"),
    "talking": ("sum(talk_ms)", "count(talk_ms)"),
    "satisfaction": ("sum(mark >= '4')", "count(mark)"),
    "rated": ("count(mark)", "count(*)"),
}
_TALKS = "told WHERE citizen AND became = 'answered'"
_WRAP_UP = ("sum(iif(state = 'wrap_up', until_ms - since_ms, 0))", "sum(state = 'wrap_up')")
_OCCUPANCY = ("sum(iif(state IN ('talking', 'wrap_up'), until_ms - since_ms, 0))", "sum(until_ms - since_ms)")
_HOUR = "strftime('%H', since_ms / 1000, 'unixepoch', '+8 hours')"
_DAY = "date(since_ms / 1000, 'unixepoch', '+8 hours')"


def computed(
    raw: Path, store: Path, bounds_ms: tuple[int, int], within_ms: int, told: Callable[[str], None]
) -> tuple[Found, dict[str, tuple[int, int, int]]]:
    """All figures of the lines in `raw` and of the states in `store`; and how waits, talks and emergencies' times
    lie: half of them, 95 of 100, and the longest, in ms."""
    values = {"begin": bounds_ms[0], "end": bounds_ms[1], "within_ms": within_ms}
    with closing(sqlite3.connect(raw)) as database:
        for pragma in ("temp_store = FILE", "cache_size = -400000"):
            database.execute(f"PRAGMA {pragma}")
        told("reads the lines")
        database.executescript(_READ)
        told("finds what became of each call")
        database.executescript(_FACTS)
        database.execute("ATTACH ? AS store", (str(store),))
        told("counts what agents did")
        for statement in _SPELLS.split(";\n"):
            database.execute(statement, values)
        database.execute("CREATE TEMP TABLE refs AS SELECT '' AS ref, '' AS number LIMIT 0")
        field = _field("ref")
        database.execute(
            f"INSERT INTO refs SELECT {field}, number FROM lines JOIN told ON call = linkedid WHERE kind = 'ARRIVED'"  # noqa: S608
        )
        database.execute("CREATE UNIQUE INDEX temp.refs_by_ref ON refs (ref)")
        told("counts")
        found = {key: both for sql in _queries() for key, both in _pairs(database, sql, values)}
        return found, {id_: _spread(database, column, of) for id_, column, of in _TIMES}


_TIMES = (
    ("waiting", "wait_ms", _TALKS),
    ("talking", "talk_ms", _TALKS),
    ("passed_on_in", "passed_ms", "told WHERE ended"),
)


def _queries() -> Iterator[str]:
    """Each says by, key, and then the name, numerator and denominator of each figure."""
    for by in ("", "number", "hour", "day"):
        key = by or "''"
        served = " AND unknown IS NOT 1" if by == "number" else ""
        yield _query(by, key, _OF_CALLS, f"told WHERE 1{served}")
        yield _query(by, key, _OF_TALKS, f"{_TALKS}{served}")
    for by in ("seat", "agent"):
        yield _query(by, by, _OF_TALKS, f"people JOIN {_TALKS} AND people.call = told.call AND {by} <> ''")
        yield _query(by, by, {"wrap_up": _WRAP_UP, "occupancy": _OCCUPANCY}, "spells")
    yield _query("", "''", {"wrap_up": _WRAP_UP, "occupancy": _OCCUPANCY}, "spells")
    yield _query("number", "refs.number", {"wrap_up": _WRAP_UP}, "spells JOIN refs ON refs.ref = spells.ref")
    for by, key in (("hour", _HOUR), ("day", _DAY)):
        yield _query(by, key, {"wrap_up": _WRAP_UP, "occupancy": _OCCUPANCY}, "pieces")


def _query(by: str, key: str, figures: dict[str, tuple[str, str]], of: str) -> str:
    parts = ", ".join(f"'{id_}', {one}, {other}" for id_, (one, other) in figures.items())
    return f"SELECT '{by}', {key}, {parts} FROM {of} GROUP BY 2"  # noqa: S608 - our own words


def _pairs(
    database: sqlite3.Connection, sql: str, values: dict[str, int]
) -> Iterator[tuple[tuple[str, str, str], tuple[int, int]]]:
    with closing(database.execute(sql, values)) as cursor:
        for by, key, *parts in cursor:
            for at in range(0, len(parts), 3):
                yield (by, key, parts[at]), (parts[at + 1] or 0, parts[at + 2] or 0)


def _spread(database: sqlite3.Connection, column: str, of: str) -> tuple[int, int, int]:
    values = f"FROM {of} AND {column} IS NOT NULL"

    def at(percent: int) -> Any:
        place = f"(SELECT (count(*) * {percent} + 99) / 100 - 1 {values})"
        sql = f"SELECT {column} {values} ORDER BY 1 LIMIT 1 OFFSET max(0, {place})"
        with closing(database.execute(sql)) as cursor:
            return (cursor.fetchone() or (0,))[0]

    return at(50), at(95), at(100)
