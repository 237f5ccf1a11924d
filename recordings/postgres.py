"""The archive in PostgreSQL: the records of all nodes, in columns that other programs can read, too.

PostgreSQL may refuse, die, or hang at any moment. So every wait has a bound, and a connection on which
anything went wrong is thrown away.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg

from calls.clock import steadied
from calls.record import CallRecord
from calls.timeline import Entry, tell
from recordings.archive import Parcel, ParcelRefused, ReceiverAway, ReceiverRefuses, newest
from recordings.postgres_schema import hold, migrate
from recordings.queries import NoSuchCall, SeveralCalls, Wanted
from recordings.store import events_of, record_of
from settings.keeping import Postgresql

PATIENCE_S: Final = 10.0
"""So long a connection, or a piece of work, may take."""

_FAREWELL_S: Final = 1.0

_COLUMNS = (*(field.name for field in fields(CallRecord)), "revision")
_NAMES = ", ".join(_COLUMNS)
_KEEP = f"""
    INSERT INTO records ({_NAMES})
    SELECT {_NAMES} FROM jsonb_populate_recordset(NULL::records, $1::jsonb) AS sent
    WHERE NOT EXISTS (SELECT FROM removed WHERE removed.ref = sent.ref AND removed.revision >= sent.revision)
    ON CONFLICT (ref) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "ref")}
    WHERE excluded.revision > records.revision RETURNING ref
"""  # noqa: S608 - names of our own columns
_KEEP_TIMELINES = """
    INSERT INTO timelines (ref, events)
    SELECT ref, events FROM jsonb_to_recordset($1::jsonb) AS sent (ref text, events jsonb)
    ON CONFLICT (ref) DO UPDATE SET events = excluded.events
"""
_NOTE_REMOVED = """
    INSERT INTO removed (ref, revision) SELECT * FROM unnest($1::text[], $2::bigint[])
    ON CONFLICT (ref) DO UPDATE SET revision = greatest(removed.revision, excluded.revision)
"""
_REMOVE = """
    DELETE FROM records USING unnest($1::text[], $2::bigint[]) AS gone (ref, revision)
    WHERE records.ref = gone.ref AND records.revision < gone.revision
"""
_BEGINNING = "SELECT * FROM records WHERE ref >= $1 AND ref < $1 || 'g' ORDER BY ref LIMIT 5"
"""Ids are made of 0-9, a-f and -, which all come before g."""

_BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The last: the server ended the connection between two commands."""


class PostgresArchive:
    """A `recordings.archive.Archive` on a PostgreSQL server. It connects when it is first used."""

    def __init__(self, server: Postgresql, password: str, *, patience_s: float = PATIENCE_S) -> None:
        self._server = server
        self._password = password
        self._patience_s = patience_s
        self._alone = asyncio.Lock()
        self._connection: asyncpg.Connection[Any] | None = None

    @property
    def name(self) -> str:
        server = self._server
        return f"postgresql://{server.user}@{server.host}:{server.port}/{server.database}"

    async def receive(self, parcels: Sequence[Parcel]) -> None:
        lot = newest(parcels)
        kept = [one for one in lot if one.record is not None]
        gone = [one for one in lot if one.record is None]
        async with self._connected() as connection:
            await connection.execute("BEGIN")  # Without an end it is taken back, when the connection is dropped.
            await hold(connection, self.name)
            if kept:
                records = [{**(one.record or {}), "revision": one.revision} for one in kept]
                new = {row["ref"] for row in await connection.fetch(_KEEP, json.dumps(records))}
                lines = [{"ref": one.ref, "events": one.events} for one in kept if one.ref in new and one.events]
                await connection.execute(_KEEP_TIMELINES, json.dumps(lines))
            if gone:
                keys = [one.ref for one in gone], [one.revision for one in gone]
                await connection.execute(_NOTE_REMOVED, *keys)
                await connection.execute(_REMOVE, *keys)
            await connection.execute("COMMIT")

    async def find(self, wanted: Wanted, timezone: ZoneInfo) -> list[CallRecord]:
        where, values = _where(wanted, timezone)
        sql = f"SELECT * FROM records WHERE {where} ORDER BY arrived_utc_ms DESC, ref LIMIT {wanted.limit:d}"  # noqa: S608 - our words
        async with self._connected() as connection:
            rows = await connection.fetch(sql, *values)
        return [record_of(dict(row)) for row in rows]

    async def get(self, begin: str) -> CallRecord:
        async with self._connected() as connection:
            rows = await connection.fetch(_BEGINNING, begin.lower()) if begin else []
        if not rows:
            raise NoSuchCall(begin)
        if len(rows) > 1:
            raise SeveralCalls(begin, tuple(row["ref"] for row in rows))
        return record_of(dict(rows[0]))

    async def timeline(self, ref: str) -> tuple[Entry, ...]:
        async with self._connected() as connection:
            kept = await connection.fetchval("SELECT events FROM timelines WHERE ref = $1", ref)
        return () if kept is None else tell(steadied(events_of(json.loads(kept)))[0])

    async def close(self) -> None:
        async with self._alone:
            if self._connection is not None:
                try:
                    await self._connection.close(timeout=_FAREWELL_S)
                except (OSError, *_BROKEN):
                    self._drop()
            self._connection = None

    # --- the connection ----------------------------------------------------------------------

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection, for one piece of work at a time. Raises ReceiverAway, ParcelRefused."""
        async with self._alone:
            try:
                with self._told_plainly():
                    connection = await self._open()
                    async with asyncio.timeout(self._patience_s):
                        yield connection
            except BaseException:
                self._drop()
                raise

    async def _open(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            server = self._server
            self._connection = await asyncpg.connect(
                host=server.host,
                port=server.port,
                user=server.user,
                password=self._password,
                database=server.database,
                ssl=ssl.create_default_context() if server.tls else False,
                timeout=self._patience_s,
                command_timeout=self._patience_s,
                server_settings={
                    "application_name": "hotline",
                    "synchronous_commit": "on",  # What is received must survive the server's death.
                    "plan_cache_mode": "force_custom_plan",  # One for all seats walks all records by their time.
                    "idle_in_transaction_session_timeout": "60s",  # A node that vanished holds no lock.
                },
            )
            await migrate(self._connection, self.name)
        return self._connection

    def _drop(self) -> None:
        """Lets go at once: a server that hangs would not answer a farewell either."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        server = self._server
        try:
            yield
        except ReceiverAway:
            raise
        except asyncpg.InvalidAuthorizationSpecificationError as error:  # A wrong password is one of them.
            mend = f"write the password of '{server.user}' into secrets.yaml under 'postgresql', and see pg_hba.conf"
            raise ReceiverRefuses(self.name, str(error), mend) from error
        except asyncpg.InvalidCatalogNameError as error:
            mend = f"make it with: createdb -O {server.user} {server.database}"
            raise ReceiverRefuses(self.name, str(error), mend) from error
        except asyncpg.InsufficientPrivilegeError as error:
            mend = f"let '{server.user}' own the database: ALTER DATABASE {server.database} OWNER TO {server.user}"
            raise ReceiverRefuses(self.name, str(error), mend) from error
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise ParcelRefused(self.name, str(error)) from error
        except TimeoutError as error:
            why = f"it did not answer within {self._patience_s:g}s"
            raise ReceiverAway(self.name, why, "see whether it hangs, or whether something on the way does") from error
        except (OSError, *_BROKEN) as error:
            raise ReceiverAway(self.name, str(error), "start it, or mend 'postgresql' in server.yaml") from error


def _where(wanted: Wanted, timezone: ZoneInfo) -> tuple[str, list[Any]]:
    """The condition in SQL, and its values."""
    values: list[Any] = []

    def value(one: Any) -> str:
        values.append(one)
        return f"${len(values)}"

    begin, end = wanted.span_ms(timezone)
    parts = [f"arrived_utc_ms >= {value(begin)} AND arrived_utc_ms < {value(end)}"]
    if wanted.number is not None:
        number = value(wanted.number)
        parts.append(f"(dialled = {number} OR number = {number})")
    if wanted.outcome is not None:
        parts.append(f"outcome = {value(wanted.outcome.value)}")
    if wanted.caller is not None:
        parts.append(f"caller = {value(wanted.caller)}")
    if wanted.seat is not None:
        parts.append(f"seats @> {value(json.dumps([wanted.seat]))}::jsonb")
    if wanted.agent is not None:
        parts.append(f"agents @> {value(json.dumps([wanted.agent]))}::jsonb")
    return " AND ".join(parts), values
