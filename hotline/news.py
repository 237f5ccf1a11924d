"""Which kinds of things changed on the desk, for whoever shows them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from web.desk import News


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """Which kinds one reader has not been told of yet; a slow one is told of each once."""

    kinds: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Gazette:
    """Tells every reader of each kind that was marked since it last looked."""

    def __init__(self) -> None:
        self._readers: set[_Reader] = set()

    def mark(self, *kinds: str) -> None:
        """Something of these kinds may have changed."""
        for reader in self._readers:
            reader.kinds.update(kinds)
            reader.news.set()

    async def read(self) -> AsyncGenerator[News, None]:
        """What changes from now on."""
        reader = _Reader()
        self._readers.add(reader)
        try:
            while True:
                await reader.news.wait()
                reader.news.clear()
                for kind in sorted(reader.kinds):
                    reader.kinds.discard(kind)
                    yield News(kind)
        finally:
            self._readers.discard(reader)
