"""Tasks that somebody owns: none is forgotten, and what one of them raised comes out at the end."""

import asyncio
from collections.abc import Coroutine


class Tasks:
    """Like a task group, but it may be opened and closed in different tasks (fixtures do that)."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    def start(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and self._failure is None:
            self._failure = task.exception()

    async def close(self) -> None:
        """Cancels what still runs; raises the first failure of any."""
        running = set(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
            await asyncio.sleep(0)  # Lets the last callbacks run.
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
