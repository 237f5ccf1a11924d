"""Asterisk's command line (`asterisk -rx`), each command with a bound."""

import asyncio
import subprocess
from pathlib import Path

from asterisk.found import Asterisk


class ConsoleFailed(Exception):
    """A console command that brought nothing: `why` says the reason."""

    def __init__(self, command: str, why: str) -> None:
        self.command = command
        self.why = why
        super().__init__(f"Asterisk's console, '{command}': {why}")


class NotRunning(ConsoleFailed):
    """No Asterisk listens at this configuration's control socket."""


class ConsoleSilent(ConsoleFailed):
    """Asterisk runs, but did not answer within `bound_s`."""

    def __init__(self, command: str, bound_s: float) -> None:
        self.bound_s = bound_s
        super().__init__(command, f"no answer within {bound_s:g} s")


class CommandUnknown(ConsoleFailed):
    """Asterisk has no such command: a module is missing, or it is misspelt."""


async def console(found: Asterisk, conf: Path, command: str, *, bound_s: float = 5.0) -> str:
    """What Asterisk prints for a command. `conf` is its asterisk.conf.

    Raises NotRunning, ConsoleSilent, CommandUnknown. A cancelled caller leaves a thread behind for
    `bound_s` at most.
    """
    if any(ord(character) < 32 for character in command):
        raise ConsoleFailed(command, "it contains a control character")
    return await asyncio.to_thread(_run, found, conf, command, bound_s)


def _run(found: Asterisk, conf: Path, command: str, bound_s: float) -> str:
    line = [*found.command, "-n", "-C", str(conf), "-rx", command]
    try:
        answer = subprocess.run(
            line,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=bound_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise ConsoleSilent(command, bound_s) from None
    if answer.returncode != 0:
        raise NotRunning(command, (answer.stdout + answer.stderr).strip() or f"exit code {answer.returncode}")
    if answer.stdout.startswith("No such command"):
        raise CommandUnknown(command, "Asterisk has no such command")
    return answer.stdout
