"""Databases of a PostgreSQL server that a benchmark has to itself."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from bench.processes import cpu_ms
from recordings.postgres import PostgresArchive
from settings.keeping import Postgresql
from tests.support.postgres_server import PASSWORD, PostgresServer

BUFFERS = "128MB"
"""The memory in which the server keeps pages: what PostgreSQL has unless somebody sets it."""

_PATIENCE_S = 60.0
_STRATEGY_SINCE = 150_000


class Databases:
    """Each is named by what it is used for. Everything here may raise asyncpg.PostgresError."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    async def new(self) -> str:
        """The name of an empty one."""
        return (await self._server.database()).database

    async def copied(self, name: str, copy: str) -> str:
        """A copy, of that name, that is on the disk; nobody may use the other one meanwhile."""
        has_strategy = int(await self.said("SHOW server_version_num")) >= _STRATEGY_SINCE
        how = " STRATEGY file_copy" if has_strategy else ""  # Before, there was no other.
        await self.said(f"CREATE DATABASE {copy} TEMPLATE {name} OWNER hotline{how}")
        await self.said("CHECKPOINT")
        return copy

    async def drop(self, name: str) -> None:
        await self.said(f"DROP DATABASE {name} WITH (FORCE)")

    async def size_bytes(self, name: str) -> int:
        """Of all its files."""
        return int(await self.said(f"SELECT pg_database_size('{name}')"))

    async def version(self) -> str:
        """Of the server."""
        return str(await self.said("SHOW server_version")).partition(" ")[0]

    async def cpu_ms(self) -> dict[int, float]:
        """What each of the server's processes has used until now, but the postmaster and those that are asked here."""
        pids = await self.said("SELECT array_agg(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        return used_ms(pids)

    async def said(self, sql: str, database: str = "postgres") -> Any:
        """The first value of the first row."""
        async with self.superuser(database) as connection:
            return await connection.fetchval(sql)

    @asynccontextmanager
    async def superuser(self, database: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A connection that may do everything."""
        connection = await self._server.superuser(database)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def archive(self, name: str) -> AsyncIterator[PostgresArchive]:
        """The archive in it."""
        archive = PostgresArchive(Postgresql(port=self._server.port, database=name), PASSWORD, patience_s=_PATIENCE_S)
        try:
            yield archive
        finally:
            await archive.close()


def used_ms(pids: Iterable[int]) -> dict[int, float]:
    """Processor time of each until now; one that is gone is left out."""
    found = {}
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            found[pid] = cpu_ms(pid)
    return found
