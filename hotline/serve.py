"""The supervisor: keeps Asterisk and the controller running until it is told to stop.

Both are children, started again when they die, or when somebody asks for it. Asterisk outlives a killed
supervisor (its calls go on) and is adopted by the next one; the controller does not: it ends when its
standard input closes. Every restart is written down.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import IO, assert_never

import structlog

from asterisk.console import ConsoleFailed, console
from asterisk.process import AsteriskProcess, StartFailed, WouldNotDie
from hotline.control import Answered, Wish, listening
from hotline.diary import Diary
from hotline.folders import Folders
from hotline.options import PROJECT
from hotline.space import SpaceWatch
from hotline.systemd import Systemd
from recordings.restarts import Part

LOOK_S = 5.0
"""How often Asterisk is asked whether it still answers."""
HUNG_S = 10.0
"""An Asterisk that does not answer for so long is killed and started again."""
LAST_WORDS_S = 15.0
"""How long the controller may take to write down what is left."""
LETTING_GO_S = 3.0
"""The same when it is only started again: the next one finds everything in the journal."""
CALLS_END_S = 4.0
"""So long a restart of Asterisk waits for calls in progress to end. New ones are let in meanwhile."""
BACK_S = 30.0
"""What is started again is back by then, or it is told that it isn't."""
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
        stop_below_mb: int = 500,
    ) -> None:
        """output: where the controller's log goes; standard error unless given. as_json: for programs.
        stop_below_mb: with less space than that nothing more is recorded.
        """
        self.asterisk = asterisk
        self.look_s = look_s
        self.hung_s = hung_s
        self._folders = folders
        self._output = output
        self._options = ("--json",) if as_json else ()
        self._controller: asyncio.subprocess.Process | None = None
        self._watchers: list[asyncio.Task[None]] = []
        self._diary = Diary(folders)
        self._space = SpaceWatch(asterisk, folders, stop_below_mb * 1_000_000)
        self._opened = AsyncExitStack()
        self._one_wish = asyncio.Lock()
        self._stopping = asyncio.Lock()
        """Held while Asterisk is stopped: it is not started before that is over."""
        self._wanted: Wish | None = None
        """The restart that is being done."""
        self._hung = False

    @property
    def controller_pid(self) -> int | None:
        """The controller's process, while one runs."""
        running = self._controller is not None and self._controller.returncode is None
        return self._controller.pid if running and self._controller is not None else None

    async def start(self) -> None:
        """Starts both, or adopts an Asterisk that runs already. Raises StartFailed."""
        alive_utc_ms = self._diary.last_alive_utc_ms()
        if alive_utc_ms is not None:
            await self._diary.restart(Part.HOTLINE, "it was killed, or the machine stopped", None, alive_utc_ms)
        self._diary.alive()
        if await self.asterisk.adopt() is None:
            boot = await self.asterisk.start()
            log.info("asterisk_started", pid=boot.pid, version=self.asterisk.found.version)
        else:
            log.info("asterisk_adopted", pid=self.asterisk.boot.pid if self.asterisk.boot else None)
        await self._start_controller()
        await self._opened.enter_async_context(listening(self._folders.control, self.restart))
        self._watchers = [
            asyncio.create_task(self._keep_asterisk(), name="keep asterisk"),
            asyncio.create_task(self._keep_controller(), name="keep controller"),
            asyncio.create_task(self._look_after_asterisk(), name="look after asterisk"),
            asyncio.create_task(self._tell_alive(), name="tell that we live"),
            asyncio.create_task(self._space.run(), name="watch the disks"),
        ]

    async def watch(self) -> None:
        """Waits for as long as all goes well or can be mended; raises what cannot."""
        done, _ = await asyncio.wait(self._watchers, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """The controller lets go, Asterisk stops, the controller writes down the rest and ends."""
        await self._opened.aclose()
        for task in self._watchers:
            task.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._signal_controller(signal.SIGTERM)
        await self.asterisk.stop()
        log.info("asterisk_stopped")
        await self._end_controller(LAST_WORDS_S)
        await self._diary.close()

    async def restart(self, wish: Wish) -> Answered:
        """Starts one of the two again, as somebody asked; one wish after the other."""
        async with self._one_wish:
            log.info("restart_wanted", part=wish.part.value, why=wish.why, who=wish.who)
            self._wanted = wish
            try:
                async with asyncio.timeout(BACK_S):
                    match wish.part:
                        case Part.ASTERISK:
                            return await self._restart_asterisk(wish)
                        case Part.CONTROLLER:
                            return await self._restart_controller(wish)
                        case Part.HOTLINE:
                            return Answered(done=False, matter="end 'hotline run' itself and start it anew", entry=None)
                        case _:
                            assert_never(wish.part)
            except WouldNotDie as error:
                return Answered(done=False, matter=str(error), entry=None)
            except TimeoutError:
                return Answered(done=False, matter=f"it is not back after {BACK_S:g} s: look at the log", entry=None)
            finally:
                self._wanted = None

    async def _restart_asterisk(self, wish: Wish) -> Answered:
        if not wish.now:
            await self._calls_ended(CALLS_END_S)
        old = self.asterisk.boot
        entry = await self._diary.restart(wish.part, wish.why, wish.who, _utc_ms())
        async with self._stopping:
            await self.asterisk.stop(patience_s=1.0)
        while self.asterisk.boot in (None, old):  # noqa: ASYNC110 - whoever keeps it running starts it.
            await asyncio.sleep(0.05)
        return Answered(done=True, matter="", entry=entry)

    async def _restart_controller(self, wish: Wish) -> Answered:
        old = self._controller
        entry = await self._diary.restart(wish.part, wish.why, wish.who, _utc_ms())
        self._signal_controller(signal.SIGTERM)
        await self._end_controller(LETTING_GO_S)
        while self._controller is old:  # noqa: ASYNC110 - whoever keeps it running starts it.
            await asyncio.sleep(0.05)
        return Answered(done=True, matter="", entry=entry)

    async def _calls_ended(self, within_s: float) -> None:
        """Waits until nobody calls, or for so long. Asterisk's own graceful stop would refuse emergencies meanwhile."""
        with suppress(ConsoleFailed, TimeoutError):
            async with asyncio.timeout(within_s):
                while not await self._nobody_calls():  # noqa: ASYNC110 - only asking tells.
                    await asyncio.sleep(0.3)

    async def _nobody_calls(self) -> bool:
        told = await console(self.asterisk.found, self.asterisk.conf, "core show channels count")
        return told.startswith("0 active channels")

    async def _tell_alive(self) -> None:
        while True:
            self._diary.alive()
            await asyncio.sleep(self.look_s)

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
            if self._wanted is not None and self._wanted.part is Part.ASTERISK:
                async with self._stopping:
                    pass
            else:
                pause_s = backoff.after(clock() - began_s)
                log.error("asterisk_died", exit_code=code, again_in_s=pause_s)
                why = "it hung" if self._hung else f"it died, exit code {'unknown' if code is None else code}"
                self._hung = False
                await asyncio.gather(
                    asyncio.sleep(pause_s), self._diary.restart(Part.ASTERISK, why, None, _utc_ms(), wait=False)
                )
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
                self._hung = True
                await self.asterisk.stop(patience_s=0.0)

    async def _keep_controller(self) -> None:
        backoff = Backoff()
        clock = asyncio.get_running_loop().time
        while self._controller is not None:
            began_s = clock()
            code = await self._controller.wait()
            if self._wanted is None or self._wanted.part is not Part.CONTROLLER:
                pause_s = backoff.after(clock() - began_s)
                log.error("controller_died", exit_code=code, again_in_s=pause_s)
                await self._diary.restart(Part.CONTROLLER, f"it died, exit code {code}", None, _utc_ms(), wait=False)
                await asyncio.sleep(pause_s)
            await self._start_controller()

    def _signal_controller(self, number: signal.Signals) -> None:
        if self._controller is not None and self._controller.returncode is None:
            with suppress(ProcessLookupError):
                self._controller.send_signal(number)

    async def _end_controller(self, within_s: float) -> None:
        controller = self._controller
        if controller is None:
            return
        if controller.stdin is not None:
            controller.stdin.close()
        try:
            async with asyncio.timeout(within_s):
                await controller.wait()
        except TimeoutError:
            log.error("controller_killed", silent_s=within_s)
            with suppress(ProcessLookupError):
                controller.kill()
            await controller.wait()
        log.info("controller_process_ended", exit_code=controller.returncode)


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000


async def until_told(supervisor: Supervisor, started: Callable[[], None]) -> None:
    """Runs the supervisor in the foreground until Ctrl-C or SIGTERM; `started` is called once it serves."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    systemd = Systemd.asked()
    living = asyncio.create_task(systemd.live(), name="tell systemd that we live")
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    try:
        await supervisor.start()
        started()
        systemd.ready()
        watching = asyncio.create_task(supervisor.watch())
        await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        watching.cancel()
    finally:
        systemd.stopping()
        waiting.cancel()
        await supervisor.stop()
        living.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
