"""Whether supervisor, Asterisk and controller run, answer and work together."""

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any

from asterisk.console import ConsoleFailed, console
from asterisk.found import MINIMUM, Asterisk, NoAsterisk, TooOld, find, new_enough
from asterisk.process import AsteriskProcess
from hotline.doctor.asking import ANSWER_S, health
from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import CannotLook, at_once

ASKED_S = 8.0
"""By then each has answered, or was given up."""
START = "start it: hotline run"
LOG = "look into the log of 'hotline run'"


class State(Enum):
    """What a process does."""

    ANSWERS = "answers"
    SILENT = "silent"
    """It is there, and does not answer."""
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Serving:
    """What was seen."""

    supervisor: State
    asterisk: State
    controller: State
    version: str | None
    """Of the Asterisk that runs; None: not known."""
    health: Mapping[str, Any]
    """What the controller says of itself; empty where it does not."""
    lacking: str = ""
    """Why no Asterisk could be started; empty: one can."""


def look(case: Case) -> Serving:
    """Asks all three at once: each may hang. Raises CannotLook, TookTooLong."""
    parts: dict[str, Any] = {}
    works = {work.__name__: partial(work, case) for work in (_supervisor, _asterisk, _controller)}
    for told in at_once(works, ASKED_S).values():
        if isinstance(told, Exception):
            raise told
        parts |= told
    return Serving(**parts)


def judge(seen: Serving) -> Iterator[Finding]:
    match seen.supervisor:
        case State.AWAY:
            yield Finding("D001", "no 'hotline run' serves this data folder", START)
        case State.SILENT:
            mend = "see why it hangs (a disk that does not answer?); end it and start 'hotline run' again: calls go on"
            yield Finding("D002", f"'hotline run' does not answer within {ANSWER_S:g} s", mend)
        case State.ANSWERS:
            pass
    if seen.lacking:
        yield Finding("D007", seen.lacking, "run 'make setup'")
    elif seen.version is not None and not new_enough(seen.version):
        yield Finding("D007", f"Asterisk {seen.version} runs, {MINIMUM} is needed", "run 'make setup', and start anew")
    running = seen.supervisor is State.ANSWERS
    match seen.asterisk:
        case State.AWAY:
            yield Finding("D003", "no Asterisk runs in this data folder", LOG if running else START)
        case State.SILENT:
            mend = "hotline restart asterisk --now" if running else START
            yield Finding("D004", f"Asterisk does not answer within {ANSWER_S:g} s", mend)
        case State.ANSWERS:
            pass
    yield from _steering(seen, "hotline restart controller" if running else START)


def _steering(seen: Serving, mend: str) -> Iterator[Finding]:
    match seen.controller:
        case State.AWAY if seen.supervisor is State.AWAY:
            pass  # It ends with the supervisor.
        case State.AWAY:
            yield Finding("D005", "no controller runs in this data folder", f"{mend}; {LOG}")
        case State.SILENT:
            yield Finding("D005", f"the controller does not answer within {ANSWER_S:g} s", mend)
        case State.ANSWERS if not seen.health.get("asterisk_connected"):
            yield Finding("D006", "the controller has no connection to Asterisk's manager (AMI)", LOG)
        case State.ANSWERS if not seen.health.get("steering"):
            yield Finding("D006", "the controller is connected, but does not steer", mend)
        case State.ANSWERS:
            pass
    if seen.health and not seen.health.get("calls_kept", True):
        yield Finding("D102", "the controller cannot write records", f"free the disk; {LOG}")


def findings(case: Case) -> Iterator[Finding]:
    return judge(look(case))


def _supervisor(case: Case) -> dict[str, Any]:
    return {"supervisor": _supervisor_state(case.folders.control)}


def _supervisor_state(path: Path) -> State:
    """A supervisor answers whoever says nothing, too: that it is no request. Raises CannotLook."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(ANSWER_S)
        try:
            asking.connect(str(path))
            asking.shutdown(socket.SHUT_WR)
            return State.ANSWERS if asking.recv(1) else State.SILENT
        except (FileNotFoundError, ConnectionRefusedError):
            return State.AWAY
        except (TimeoutError, BlockingIOError, ConnectionResetError, BrokenPipeError):
            return State.SILENT
        except PermissionError:
            mend = "run this as the user that the hotline runs as"
            raise CannotLook(f"{path} is another user's", mend) from None


def _asterisk(case: Case) -> dict[str, Any]:
    try:
        _installed()  # It is needed for the next start, whatever runs.
    except (NoAsterisk, TooOld) as error:
        return {"asterisk": State.AWAY, "version": None, "lacking": str(error)}
    if asterisk_pid(case) is None:
        return {"asterisk": State.AWAY, "version": None}
    try:
        words = told_by_asterisk(case, "core show version").split()
    except ConsoleFailed:
        return {"asterisk": State.SILENT, "version": None}
    return {"asterisk": State.ANSWERS, "version": words[1] if len(words) > 1 else None}


def _controller(case: Case) -> dict[str, Any]:
    told = health(case.settings.server.http)
    away = State.AWAY if controller_pid(case) is None else State.SILENT
    return {"controller": State.ANSWERS if told else away, "health": told}


@cache
def _installed() -> Asterisk:
    """Looked for once: its version is asked of the program itself."""
    return find()


def told_by_asterisk(case: Case, command: str) -> str:
    """What Asterisk's console prints. Raises ConsoleFailed, NoAsterisk, TooOld."""
    conf = case.folders.etc / "asterisk.conf"
    return asyncio.run(console(_installed(), conf, command, bound_s=ANSWER_S))


def asterisk_pid(case: Case) -> int | None:
    """The Asterisk of this installation, while it lives. Raises NoAsterisk, TooOld."""
    conf = case.folders.etc / "asterisk.conf"
    if not conf.exists():
        return None
    boot = AsteriskProcess(_installed(), conf).seen()
    return None if boot is None else boot.pid


def controller_pid(case: Case) -> int | None:
    """The controller of this installation, while it lives."""
    try:
        pid = int(case.folders.controller_lock.read_text("ascii"))
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if b"hotline.node" in words and os.fsencode(case.folders.data) in words else None
