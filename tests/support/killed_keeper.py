"""A keeper in a process of its own that kills itself at a given statement, wherever that is.

`python -m tests.support.killed_keeper FOLDER STATEMENTS`
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from recordings import keeper
from recordings.store import Store
from tests.support.keeping import Surroundings


def main() -> None:
    around = Surroundings(Path(sys.argv[1]))
    left = int(sys.argv[2])
    keeper.POLL_S = 0.001  # Each look is a statement or two, so that the last one comes soon.

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with Store(around.database) as store:
        store.database.conn.set_trace_callback(count)
        asyncio.run(around.keeper(store).run())


if __name__ == "__main__":
    main()
