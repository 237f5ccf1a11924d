"""What a big city costs: checking and compiling its settings, and Asterisk's start and reload with what comes of it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.comparison import Comparison, Figure, Run, Target, spread
from bench.compiler_city import FULL, part, write_city
from bench.machine import PROJECT

WAY = "this project"
COMPARISON = Comparison(
    "compiler",
    "A big city compiled",
    (
        Figure("check_s", "settings read and checked, s", 2),
        Figure("passwords_s", "passwords read, s", 2),
        Figure("compile_s", "compiled and written, s", 2),
        Figure("peak_mb", "memory at its peak, MB", 0),
        Figure("extensions_mb", "extensions.conf, MB", 2),
        Figure("pjsip_mb", "pjsip.conf, MB", 2),
        Figure("queues_mb", "queues.conf, MB", 2),
        Figure("boot_s", "Asterisk's start until it answers, s", 2),
        Figure("booted_mb", "Asterisk's memory then, MB", 0),
        Figure("dialplan_s", "Asterisk's reload: the dialplan, s", 2),
        Figure("pjsip_s", "Asterisk's reload: telephones and lines, s", 2),
        Figure("queues_s", "Asterisk's reload: queues, s", 2),
        Figure("reload_s", "Asterisk's reload: all of them, s", 2),
        Figure("reloaded_mb", "Asterisk's memory then, MB", 0),
    ),
    size="seats",
)
COMPILED_WITHIN_S = 30.0
"""Our own target for the full size: checked, and compiled, passwords read."""
DIVISORS = (16, 4, 1)
QUICK_DIVISORS = (16, 4)
_BOUND_S = 1200.0


class StepsFailed(Exception):
    """The process that checks, compiles and boots ended with an error."""

    def __init__(self, seats: int, said: str) -> None:
        self.seats = seats
        super().__init__(f"a city of {seats} seats could not be measured: {said.strip()[-1000:]}")


@dataclass(frozen=True, slots=True)
class Plan:
    divisors: tuple[int, ...]
    """Of the full size."""
    rounds: int


def measure(plan: Plan, told: Callable[[str], None]) -> list[Run]:
    """Every size, round by round, each round beginning with another one. Raises StepsFailed."""
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="hb") as folder:
        cities = {divisor: _city(Path(folder), divisor) for divisor in plan.divisors}
        for turn in range(plan.rounds):
            for place in range(len(plan.divisors)):
                divisor = plan.divisors[(turn + place) % len(plan.divisors)]
                runs.append(_run(cities[divisor], turn + 1, part(divisor).seats))
                told(_line(runs[-1]))
    return runs


def _city(folder: Path, divisor: int) -> Path:
    city = folder / f"c{divisor}"
    city.mkdir()
    write_city(city, part(divisor))
    return city


def _run(city: Path, turn: int, seats: int) -> Run:
    run = Run(WAY, turn, {}, seats)
    with tempfile.TemporaryDirectory(prefix="hb") as data:
        done = subprocess.run(
            [sys.executable, "-m", "bench.compiler_steps", str(city), data],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=_BOUND_S,
            check=False,
        )
    if done.returncode:
        raise StepsFailed(seats, done.stderr)
    figures: Mapping[str, float] = json.loads(done.stdout)
    return Run(WAY, turn, figures, seats, run.others_load)


def targets(runs: Sequence[Run]) -> list[Target]:
    """Of the full size; none where it was not measured."""
    steps = [spread(runs, WAY, figure, FULL.seats) for figure in ("check_s", "passwords_s", "compile_s")]
    took_s = sum(one.median for one in steps if one is not None)
    if None in steps:
        return []
    what = f"{FULL.seats:,} seats, {FULL.numbers:,} numbers, {FULL.menus} menus checked and compiled"
    return [Target(what, f"under {COMPILED_WITHIN_S:.0f} s", f"{took_s:.1f} s", took_s < COMPILED_WITHIN_S)]


def _line(run: Run) -> str:
    steps = {"checked": "check_s", "compiled": "compile_s", "booted": "boot_s", "reloaded": "reload_s"}
    took = ", ".join(f"{step} in {run.figures[figure]:.1f} s" for step, figure in steps.items())
    return f"round {run.round}, {run.size:,} seats: {took}"
