"""A forwarder into an SQLite copy that kills itself after so many SQL statements.

`python -m tests.support.sqlite_receiver STORE COPY STATEMENTS`
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from recordings.copy import SqliteArchive
from recordings.forward import Forwarder


class _Fuse:
    def __init__(self, statements: int) -> None:
        self._left = statements

    def burn(self, _: str) -> None:
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    fuse = _Fuse(int(sys.argv[3]))
    forwarder = Forwarder(Path(sys.argv[1]), SqliteArchive(Path(sys.argv[2]), fuse.burn), at_once=7)
    while await forwarder.send():
        fuse.burn("between two lots")


if __name__ == "__main__":
    asyncio.run(main())
