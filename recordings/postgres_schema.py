"""The archive's tables in PostgreSQL, version by version."""

from typing import Final

import asyncpg

from recordings.archive import ReceiverTooNew

_LOCK: Final = 12345
"""Of the advisory lock: one node at a time changes the tables."""

_PATIENCE_S: Final = 900.0
"""For one step: indexes over many millions of records take their time."""

_FIRST: Final = """
    CREATE TABLE records (
        ref text COLLATE "C" PRIMARY KEY,
        node text NOT NULL,
        dialled text NOT NULL,
        number text,
        caller text NOT NULL,
        trunk_in text NOT NULL,
        trunk_out text,
        outcome text NOT NULL,
        running boolean NOT NULL,
        arrived_utc_ms bigint NOT NULL,
        answered_utc_ms bigint,
        waiting_since_utc_ms bigint,
        seat_rang_utc_ms bigint,
        talk_began_utc_ms bigint,
        ended_utc_ms bigint,
        wait_ms bigint,
        talk_ms bigint NOT NULL,
        menus jsonb NOT NULL,
        keys jsonb NOT NULL,
        language text,
        skills jsonb NOT NULL,
        priority bigint,
        seats jsonb NOT NULL,
        agents jsonb NOT NULL,
        transfers jsonb NOT NULL,
        overflowed_to text,
        call_back_of text,
        call_back_to text,
        emergency_number text,
        hung_up_by text,
        q850_cause bigint,
        survived boolean NOT NULL,
        recorded boolean NOT NULL,
        rating bigint,
        message_left boolean NOT NULL,
        recording_file text,
        recording_sha256 text,
        recording_ms bigint,
        message_file text,
        message_sha256 text,
        message_ms bigint,
        seen_live boolean,
        clock_stepped boolean NOT NULL,
        lines_missing boolean NOT NULL,
        revision bigint NOT NULL
    );
    CREATE INDEX records_arrived ON records (arrived_utc_ms DESC, ref);
    CREATE INDEX records_caller ON records (caller, arrived_utc_ms DESC);
    CREATE INDEX records_dialled ON records (dialled, arrived_utc_ms DESC);
    CREATE INDEX records_number ON records (number, arrived_utc_ms DESC);
    CREATE INDEX records_outcome ON records (outcome, arrived_utc_ms DESC);
    CREATE INDEX records_seats ON records USING gin (seats);
    CREATE INDEX records_agents ON records USING gin (agents);
    CREATE TABLE timelines (
        ref text COLLATE "C" PRIMARY KEY REFERENCES records ON DELETE CASCADE,
        events jsonb NOT NULL
    );
    CREATE TABLE removed (
        ref text COLLATE "C" PRIMARY KEY,
        revision bigint NOT NULL
    );
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
"""Each brings the tables from its own index's version to the next; a released one never changes."""

# Not to_regclass: within a transaction it may not see what another node has just made.
_MADE: Final = """
    SELECT count(*) FROM pg_class
    WHERE relname = 'schema_version' AND relnamespace = current_schema()::regnamespace
"""


async def migrate(connection: asyncpg.Connection, name: str) -> None:
    """Brings the tables to the newest version, one whole step at a time, whoever else begins at the
    same moment. Raises ReceiverTooNew, asyncpg.PostgresError; then the connection is of no more use.
    """
    while (version := await _version(connection)) < len(MIGRATIONS):
        await connection.execute("BEGIN")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK, timeout=_PATIENCE_S)
        if await _version(connection) == version:  # Another node may have been faster.
            if version == 0:
                await connection.execute("CREATE TABLE schema_version AS SELECT 0 AS version")
            await connection.execute(MIGRATIONS[version], timeout=_PATIENCE_S)
            await connection.execute("UPDATE schema_version SET version = $1", version + 1)
        await connection.execute("COMMIT")
    if version > len(MIGRATIONS):
        raise ReceiverTooNew(name, version, len(MIGRATIONS))


async def hold(connection: asyncpg.Connection, name: str) -> None:
    """Within a transaction: keeps the tables as they are until its end, as far as other nodes are concerned.

    Raises ReceiverTooNew when a newer program has changed them meanwhile.
    """
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", _LOCK)
    version = await _version(connection)
    if version != len(MIGRATIONS):
        raise ReceiverTooNew(name, version, len(MIGRATIONS))


async def _version(connection: asyncpg.Connection) -> int:
    if not await connection.fetchval(_MADE):
        return 0
    return int(await connection.fetchval("SELECT version FROM schema_version"))
