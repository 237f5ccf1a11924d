"""A PostgreSQL that a city sends its records on to, and whether each arrived there once."""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from hotline.folders import Folders
from hotline.stage import NeverHappened, until
from settings.keeping import Postgresql
from tests.support.city_command import Served
from tests.support.city_watch import City
from tests.support.postgres_server import PASSWORD, PostgresServer

ARRIVED_S = 60.0
"""After so long every record has arrived that ever will."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One city's database, and the server that it is on."""

    server: PostgresServer
    database: Postgresql

    @classmethod
    async def of(cls, served: Served, server: PostgresServer) -> Self:
        """A new database, written into the settings and passwords of a city that does not run yet."""
        database = await server.database()
        settings = served.folder / "config" / "server.yaml"
        written = {**json.loads(settings.read_text(encoding="utf-8")), "records": {"postgresql": database.model_dump()}}
        settings.write_text(json.dumps(written, ensure_ascii=False, indent=1), encoding="utf-8")
        secrets = Folders(served.data).secrets
        secrets.touch(mode=0o600)
        secrets.write_text(f'postgresql:\n  "password": "{PASSWORD}"\n', encoding="utf-8")
        return cls(server, database)

    async def wrong(self, city: City) -> list[str]:
        """What is wrong with what arrived, once nothing is still to be sent. Nobody may be calling any more."""

        async def all_right() -> bool:
            health = await city.stage.health()
            return bool(health) and health["records_behind"] == 0 and not await self._differences(city)

        with suppress(NeverHappened):
            await until("every record in PostgreSQL", all_right, within_s=ARRIVED_S)
        return await self._differences(city)

    async def arrived(self) -> list[tuple[str, int]]:
        """What is there: (ref, revision) of each record. The server must run."""
        connection = await self.server.superuser(self.database.database)
        try:
            if await connection.fetchval("SELECT to_regclass('records')") is None:  # The city has still to make it.
                return []
            rows = await connection.fetch("SELECT ref, revision FROM records")
            return [(row["ref"], row["revision"]) for row in rows]
        finally:
            await connection.close()

    async def _differences(self, city: City) -> list[str]:
        """Each record that is not there once as it is kept here, in words."""
        there = Counter(await self.arrived())
        here = {(row["ref"], row["revision"]) for row in city.store.rows("SELECT ref, revision FROM records")}
        return [
            *(f"{ref}: {there[ref, at]} times in PostgreSQL as it is here" for ref, at in here if there[ref, at] != 1),
            *(f"{ref}: in PostgreSQL as it is not here" for ref, at in there if (ref, at) not in here),
        ]
