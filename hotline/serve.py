"""The supervisor: keeps Asterisk and the controller running until it is told to stop.

Both are children, started again when they die. Asterisk outlives a killed supervisor (its calls go
on) and is adopted by the next one; the controller does not: it ends when its standard input closes.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO

import structlog

from asterisk.process import AsteriskProcess, StartFailed
from hotline.folders import Folders
from hotline.options import PROJECT

LOOK_S = 5.0
"""How often Asterisk is asked whether it still answers."""
HUNG_S = 10.0
"""An Asterisk that does not answer for so long is killed and started again."""
LAST_WORDS_S = 15.0
"""How long the controller may take to write down what is left."""
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 30.0
"""A child that ran for so long has recovered: its next restart is quick again."""

log = structlog.get_logger()


class Backoff:
    """How long to wait before the next start: longer each time, unless the last run was steady."""

    def __init__(self) -> None:
        self._failures = 0

    def after(self, ran_s: float) -> float:
        """The pause after a run of `ran_s` seconds, in seconds."""
        self._failures = 0 if ran_s >= STEADY_S else self._failures
        pause_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        return pause_s


class Supervisor:
    """Runs one instance. `start`, then `watch` until something asks to stop, then `stop`."""

    def __init__(
        self,
        asterisk: AsteriskProcess,
        folders: Folders,
        *,
        output: IO[str] | None = None,
        as_json: bool = False,
        look_s: float = LOOK_S,
        hung_s: float = HUNG_S,
    ) -> None:
        """output: where the controller's log goes; standard error unless given. as_json: for programs."""
        self.asterisk = asterisk
        self.look_s = look_s
        self.hung_s = hung_s
        self._folders = folders
        self._output = output
        self._options = ("--json",) if as_json else ()
        self._controller: asyncio.subprocess.Process | None = None
        self._watchers: list[asyncio.Task[None]] = []

    @property
    def controller_pid(self) -> int | None:
        """The controller's process, while one runs."""
        running = self._controller is not None and self._controller.returncode is None
        return self._controller.pid if running and self._controller is not None else None

    async def start(self) -> None:
        """Starts both, or adopts an Asterisk that runs already. Raises StartFailed."""
        if await self.asterisk.adopt() is None:
            boot = await self.asterisk.start()
            log.info("asterisk_started", pid=boot.pid, version=self.asterisk.found.version)
        else:
            log.info("asterisk_adopted", pid=self.asterisk.boot.pid if self.asterisk.boot else None)
        await self._start_controller()
        self._watchers = [
            asyncio.create_task(self._keep_asterisk(), name="keep asterisk"),
            asyncio.create_task(self._keep_controller(), name="keep controller"),
            asyncio.create_task(self._look_after_asterisk(), name="look after asterisk"),
        ]

    async def watch(self) -> None:
        """Waits for as long as all goes well or can be mended; raises what cannot."""
        done, _ = await asyncio.wait(self._watchers, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """The controller lets go, Asterisk stops, the controller writes down the rest and ends."""
        for task in self._watchers:
            task.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._signal_controller(signal.SIGTERM)
        await self.asterisk.stop()
        log.info("asterisk_stopped")
        await self._end_controller()

    async def _start_controller(self) -> None:
        self._controller = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hotline.node",
            str(self._folders.data),
            *self._options,
            cwd=PROJECT,
            stdin=asyncio.subprocess.PIPE,
            stdout=self._output or sys.stderr,
            stderr=self._output or sys.stderr,
            start_new_session=True,
        )
        log.info("controller_process_started", pid=self._controller.pid)

    async def _keep_asterisk(self) -> None:
        backoff = Backoff()
        clock = asyncio.get_running_loop().time
        while True:
            began_s = clock()
            code = await self.asterisk.ended()
            pause_s = backoff.after(clock() - began_s)
            log.error("asterisk_died", exit_code=code, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            await self._again(backoff)

    async def _again(self, backoff: Backoff) -> None:
        """Starts Asterisk until it comes up: callers wait for nothing else."""
        while True:
            try:
                boot = await self.asterisk.start()
            except StartFailed as error:
                pause_s = backoff.after(0.0)
                log.error("asterisk_start_failed", why=error.why, lines=error.lines, again_in_s=pause_s)
                await asyncio.sleep(pause_s)
            else:
                log.info("asterisk_started", pid=boot.pid, version=self.asterisk.found.version)
                return

    async def _look_after_asterisk(self) -> None:
        while True:
            await asyncio.sleep(self.look_s)
            boot = self.asterisk.boot
            if boot is None or await self.asterisk.answers(bound_s=self.hung_s):
                continue
            # One that died meanwhile, or that is being started, is not hung.
            if self.asterisk.boot == boot and self.asterisk.running():
                log.error("asterisk_hung", silent_s=self.hung_s)
                await self.asterisk.stop(patience_s=0.0)

    async def _keep_controller(self) -> None:
        backoff = Backoff()
        clock = asyncio.get_running_loop().time
        while self._controller is not None:
            began_s = clock()
            code = await self._controller.wait()
            pause_s = backoff.after(clock() - began_s)
            log.error("controller_died", exit_code=code, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            await self._start_controller()

    def _signal_controller(self, number: signal.Signals) -> None:
        if self._controller is not None and self._controller.returncode is None:
            with suppress(ProcessLookupError):
                self._controller.send_signal(number)

    async def _end_controller(self) -> None:
        if self._controller is None:
            return
        if self._controller.stdin is not None:
            self._controller.stdin.close()
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await self._controller.wait()
        except TimeoutError:
            log.error("controller_killed", silent_s=LAST_WORDS_S)
            self._signal_controller(signal.SIGKILL)
            await self._controller.wait()
        log.info("controller_process_ended", exit_code=self._controller.returncode)


async def until_told(supervisor: Supervisor, started: Callable[[], None]) -> None:
    """Runs the supervisor in the foreground until Ctrl-C or SIGTERM; `started` is called once it serves."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    try:
        await supervisor.start()
        started()
        watching = asyncio.create_task(supervisor.watch())
        await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        watching.cancel()
    finally:
        waiting.cancel()
        await supervisor.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
