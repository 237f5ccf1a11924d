"""A keeper's surroundings: a journal, a spool and a store in a folder of their own."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

from calls.record import CallRecord
from recordings.keeper import Keeper
from recordings.queries import MOST, Wanted, find
from recordings.store import Store
from recordings.vault import PLAIN, Vault

CITY = ZoneInfo("Asia/Shanghai")


async def until(happened: Callable[[], object]) -> None:
    """Waits for it; gives up after a minute."""
    for _ in range(6000):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within a minute")


class Surroundings:
    """Where one node's keeper works."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "log" / "cel-custom" / "journal.csv"
        self.spool = folder / "spool"
        self.monitor = self.spool / "monitor"
        self.recordings = folder / "recordings"
        self.database = folder / "records.db"
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        self.monitor.mkdir(parents=True, exist_ok=True)

    def write(self, lines: Iterable[str], name: str = "journal.csv") -> None:
        with (self.journal.parent / name).open("ab") as file:
            for line in lines:
                file.write(line.encode() + b"\n")

    def keeper(self, store: Store, vault: Vault = PLAIN) -> Keeper:
        return Keeper(store, self.journal, self.spool, self.recordings, node="node1", timezone=CITY, vault=vault)

    async def caught_up(self) -> list[CallRecord]:
        """What a keeper that starts now makes of everything, oldest call first."""
        with Store(self.database) as store:
            await self.keeper(store).catch_up()
            return self.found(store)

    def found(self, store: Store) -> list[CallRecord]:
        return find(store, Wanted(limit=MOST), CITY)[::-1]
