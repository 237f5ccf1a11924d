"""One Asterisk process: started, watched, stopped; adopted when whoever started it is gone.

It runs in a session of its own with its output going to a file, so that its calls survive the
supervisor: no terminal signal and no broken pipe reaches it.
"""

import asyncio
import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk.complaints import Complaint, complaints
from asterisk.console import ConsoleFailed, ConsoleSilent, NotRunning, console
from asterisk.found import Asterisk

_POLL_S = 0.05
_CONSOLE_LOG_LIMIT = 8_000_000
"""A console log larger than this (bytes) is put aside before the next start."""
_SOCKET_PATH_LIMIT = 107
"""Bytes of a local socket's path. Asterisk cuts a longer one off: its console is elsewhere then, or nowhere."""
_MOST_FILES = 65_536
"""Each call holds sockets, pipes and a recording: the usual limit of 1024 files is soon reached."""


@dataclass(frozen=True, slots=True)
class Boot:
    """One run of Asterisk. The pid file's time tells two runs apart that begin in one second."""

    pid: int
    pid_file_ns: int


class StartFailed(Exception):
    """Asterisk did not come up; `lines` is what it said itself."""

    def __init__(self, conf: Path, why: str, lines: tuple[str, ...]) -> None:
        self.conf = conf
        self.why = why
        self.lines = lines
        said = "\n".join(f"  {line}" for line in lines) or "  (it said nothing)"
        super().__init__(f"Asterisk with {conf} {why}:\n{said}")


class AlreadyRunning(Exception):
    """An Asterisk with this configuration runs already: adopt it, or stop it."""

    def __init__(self, conf: Path, pid: int) -> None:
        self.conf = conf
        self.pid = pid
        super().__init__(f"Asterisk with {conf} runs already (process {pid}): stop it first")


class WouldNotDie(Exception):
    """Even SIGKILL did not end the process: the kernel holds it, such as in a hung disk."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        super().__init__(f"process {pid} outlives SIGKILL: look at what it waits for in /proc/{pid}/stack")


class AsteriskProcess:
    """The Asterisk of one configuration: at most one runs at a time."""

    def __init__(self, found: Asterisk, conf: Path) -> None:
        """conf: an asterisk.conf that names astrundir and astlogdir; both are made if missing."""
        self.found = found
        self.conf = conf.resolve()
        text = self.conf.read_text(encoding="utf-8")
        self.run_dir = _directory(self.conf, text, "astrundir")
        self.console_log = _directory(self.conf, text, "astlogdir") / "console.log"
        self.boot: Boot | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._log_from = 0

    async def start(self, *, bound_s: float = 30.0) -> Boot:
        """Starts it and waits until it has fully booted.

        Raises StartFailed with Asterisk's own complaints (nothing is left running), AlreadyRunning.
        """
        self._demand_short_path()
        pid = self._pid_of_ours()
        if pid is not None:
            raise AlreadyRunning(self.conf, pid)
        self._spawn()
        try:
            why = await self._booted(time.monotonic() + bound_s)
        except BaseException:
            await self._end(0.0)
            raise
        if why is not None:
            await self._end(0.0)
            raise StartFailed(self.conf, why, self._last_words())
        self.boot = self._boot_now()
        if self.boot is None:
            raise StartFailed(self.conf, "ended right after it had booted", self._last_words())
        return self.boot

    async def adopt(self, *, bound_s: float = 5.0) -> Boot | None:
        """Takes over the one that runs already. None: none does.

        One that does not answer within `bound_s` is no use to anybody: it is killed, and None.
        """
        self.boot = self._boot_now()
        if self.boot is not None and self._child is not None and self._child.pid != self.boot.pid:
            self._child = None  # an earlier one of ours, long gone
        if self.boot is not None and not await self.answers(bound_s=bound_s):
            await self._end(0.0)
            self.boot = None
        return self.boot

    def seen(self) -> Boot | None:
        """The one that runs now, whoever started it; it is neither taken over nor asked anything."""
        return self._boot_now()

    async def answers(self, *, bound_s: float = 5.0) -> bool:
        """Whether it is alive and not hung."""
        try:
            await console(self.found, self.conf, "core waitfullybooted", bound_s=bound_s)
        except ConsoleFailed:
            return False
        return True

    def running(self) -> bool:
        """Whether the process that was started or adopted still lives."""
        if self._child is not None:
            return self._child.poll() is None
        return self.boot is not None and self._pid_of_ours() == self.boot.pid

    async def ended(self) -> int | None:
        """Waits until it ends. Its exit code (negative: the signal); None for an adopted one."""
        while self.running():  # noqa: ASYNC110  # Nothing but looking tells of another's child.
            await asyncio.sleep(_POLL_S)
        return self._child.returncode if self._child is not None else None

    async def stop(self, *, patience_s: float = 5.0) -> None:
        """Stops it: asked on its console, by SIGTERM, by SIGKILL; `patience_s` for each step.

        Raises WouldNotDie.
        """
        if self.running():
            with suppress(ConsoleFailed):
                await console(self.found, self.conf, "core stop now", bound_s=min(2.0, patience_s))
                await self._gone(patience_s)
            await self._end(patience_s)
        self.boot = None

    def complaints(self) -> tuple[Complaint, ...]:
        """What it complained about since it was started (an adopted one: since its log begins)."""
        return complaints(self._log_lines())

    def _demand_short_path(self) -> None:
        too_long = len(os.fsencode(self.run_dir / "asterisk.ctl")) - _SOCKET_PATH_LIMIT
        if too_long > 0:
            why = f"{self.run_dir} is {too_long} bytes too long for its console's socket"
            raise StartFailed(self.conf, "cannot be started", (f"{why}: use a folder with a shorter path",))

    def _spawn(self) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self.console_log.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if self.console_log.stat().st_size > _CONSOLE_LOG_LIMIT:
                self.console_log.replace(self.console_log.with_suffix(".log.1"))
        self.boot = None
        self.console_log.touch(mode=0o600)
        with self.console_log.open("ab") as log, _many_files():
            self._log_from = log.tell()
            # What it writes (recordings, records) is nobody else's to read.
            self._child = subprocess.Popen(
                [*self.found.command, "-f", "-n", "-C", str(self.conf)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.run_dir,
                start_new_session=True,
                umask=0o077,
            )

    async def _booted(self, deadline_s: float) -> str | None:
        """None once it has booted, else what happened instead."""
        while True:
            if not self.running():
                code = self._child.returncode if self._child is not None else None
                return f"ended while it started (exit code {code})"
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return "did not boot in time"
            try:
                await console(self.found, self.conf, "core waitfullybooted", bound_s=left_s)
            except ConsoleSilent:
                return "did not boot in time"
            except NotRunning:
                await asyncio.sleep(_POLL_S)
            else:
                # Another Asterisk may sit at the same socket while ours is about to give up.
                if self._child is not None and self._pid_of_ours() == self._child.pid:
                    return None
                await asyncio.sleep(_POLL_S)

    async def _end(self, patience_s: float) -> None:
        """SIGTERM, and SIGKILL once `patience_s` is over; a child is reaped."""
        pid = self._child.pid if self._child is not None else self.boot.pid if self.boot is not None else None
        if pid is None or not self.running():
            return
        if patience_s > 0:
            _signal(pid, signal.SIGTERM)
            if await self._gone(patience_s):
                return
        _signal(pid, signal.SIGKILL)
        if not await self._gone(10.0):
            raise WouldNotDie(pid)

    async def _gone(self, bound_s: float) -> bool:
        deadline_s = time.monotonic() + bound_s
        while self.running():
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    def _boot_now(self) -> Boot | None:
        pid = self._pid_of_ours()
        try:
            written_ns = self._pid_file.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        return Boot(pid, written_ns) if pid is not None else None

    @property
    def _pid_file(self) -> Path:
        return self.run_dir / "asterisk.pid"

    def _pid_of_ours(self) -> int | None:
        """The process that the pid file names, if it lives and runs this very configuration."""
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            state = (
                Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
            )
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if os.fsencode(self.conf) in words and state not in "ZX" else None

    def _log_lines(self) -> list[str]:
        try:
            with self.console_log.open("rb") as log:
                log.seek(self._log_from)
                return log.read().decode("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _last_words(self) -> tuple[str, ...]:
        """Its errors; where it names none, its last lines."""
        lines = self._log_lines()
        errors = tuple(str(line) for line in complaints(lines) if line.level == "ERROR")
        return errors or tuple(lines[-10:])


def _directory(conf: Path, text: str, name: str) -> Path:
    found = re.search(rf"^\s*{name}\s*=>?\s*(\S.*?)\s*(?:;.*)?$", text, re.MULTILINE)
    if found is None:
        raise StartFailed(conf, f"names no {name}", ())
    return Path(found[1])


def _signal(pid: int, number: signal.Signals) -> None:
    # It leads a group of its own: whatever it started ends with it.
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


@contextmanager
def _many_files() -> Iterator[None]:
    """Lets a program that is started meanwhile open as many files as this user may, to _MOST_FILES."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= most:
        yield
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
