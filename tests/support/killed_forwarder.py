"""A forwarder into PostgreSQL that kills itself around its nth lot.

`python -m tests.support.killed_forwarder STORE PORT DATABASE LOTS before|after`: before or after the commit.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from recordings.archive import Parcel
from recordings.forward import Forwarder
from recordings.postgres import PostgresArchive
from settings.keeping import Postgresql
from tests.support.postgres_server import PASSWORD


class _Fused(PostgresArchive):
    lots = 0
    after = False

    async def receive(self, parcels: Sequence[Parcel]) -> None:
        self.lots -= 1
        if self.lots <= 0 and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        await super().receive(parcels)
        if self.lots <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    archive = _Fused(Postgresql(port=int(sys.argv[2]), database=sys.argv[3]), PASSWORD)
    archive.lots, archive.after = int(sys.argv[4]), sys.argv[5] == "after"
    forwarder = Forwarder(Path(sys.argv[1]), archive, at_once=5)
    while await forwarder.send():
        pass
    await archive.close()


if __name__ == "__main__":
    asyncio.run(main())
