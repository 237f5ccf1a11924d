"""`python -m bench.compiler_steps SETTINGS DATA`: a process that checks, compiles, boots Asterisk, and reloads it.

It prints one line of JSON: figures of `bench.compiler` by their ids.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import structlog

from asterisk.console import console
from asterisk.process import AsteriskProcess
from bench.processes import memory_kib, peak_kib
from hotline.instance import Instance
from hotline.stage import on_stage
from prompts import music
from settings.check import load

BOUND_S = 300.0
"""For each step of Asterisk."""
RELOADS = {
    "dialplan_s": ("extensions.conf", "dialplan reload"),
    "pjsip_s": ("pjsip.conf", "module reload res_pjsip.so"),
    "queues_s": ("queues.conf", "module reload app_queue.so"),
}
"""Figure → the file that has changed, and what Asterisk is told."""

T = TypeVar("T")


class NotThere(AssertionError):
    """Asterisk does not know a part of the city: what was measured is no reload of it."""

    def __init__(self, command: str, said: str) -> None:
        self.command = command
        super().__init__(f"'{command}' shows nothing of the city: {said.strip()[:200]}")


def measure(settings: Path, data: Path) -> dict[str, float]:
    """All steps, one after the other. Raises SettingsWrong, StartFailed, ConsoleFailed, NotThere."""
    figures: dict[str, float] = {}
    city = on_stage(_timed(figures, "check_s", lambda: load(settings)))
    Instance.made(city, data)  # Makes the passwords up; from now on they are read.
    instance = _timed(figures, "passwords_s", lambda: Instance.made(city, data))
    _timed(figures, "compile_s", instance.install)
    figures["peak_mb"] = peak_kib() / 1024
    for figure, name in (("extensions_mb", "extensions"), ("pjsip_mb", "pjsip"), ("queues_mb", "queues")):
        figures[figure] = (instance.folders.etc / f"{name}.conf").stat().st_size / 1e6
    music.write(instance.catalogue().music_folder())
    asyncio.run(_served(instance, figures))
    return figures


async def _served(instance: Instance, figures: dict[str, float]) -> None:
    asterisk = instance.process()
    began_s = perf_counter()
    boot = await asterisk.start(bound_s=BOUND_S)
    try:
        figures["boot_s"] = perf_counter() - began_s
        await _require_city(instance, asterisk)
        figures["booted_mb"] = memory_kib(boot.pid) / 1024
        for figure, (name, command) in RELOADS.items():
            with (instance.folders.etc / name).open("a", encoding="utf-8") as file:
                file.write("\n; changed\n")  # A file that is as it was is not read again.
            began_s = perf_counter()
            await console(asterisk.found, asterisk.conf, command, bound_s=BOUND_S)
            figures[figure] = perf_counter() - began_s
        figures["reload_s"] = sum(figures[figure] for figure in RELOADS)
        await _require_city(instance, asterisk)
        figures["reloaded_mb"] = memory_kib(boot.pid) / 1024
    finally:
        await asterisk.stop(patience_s=30.0)


async def _require_city(instance: Instance, asterisk: AsteriskProcess) -> None:
    """The last seat, number and menu are known to it."""
    seat = max(instance.settings.answering.seats)
    number, menu = list(instance.settings.numbers)[-1], list(instance.settings.menus)[-1]
    for command, wanted in (
        (f"pjsip show endpoint {seat}", f"Endpoint:  {seat}"),
        (f"dialplan show {seat}@transfer", "passed,seat,1"),
        (f"dialplan show dialled@number_{number}", "'dialled' =>"),
        (f"dialplan show s@menu_{menu}_en", "'s' =>"),
    ):
        said = await console(asterisk.found, asterisk.conf, command, bound_s=60.0)
        if wanted not in said:
            raise NotThere(command, said)


def _timed(figures: dict[str, float], figure: str, step: Callable[[], T]) -> T:
    began_s = perf_counter()
    found = step()
    figures[figure] = perf_counter() - began_s
    return found


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))), flush=True)
