"""Every benchmark, one after the other, each in a process of its own: what fails holds up no other."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from time import monotonic

from bench.machine import PROJECT

STOP_S = 60.0
"""So long a benchmark has to put away what it started."""
PATIENCE = 3
"""A machine so many times slower than the one on which the durations were found is waited for."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A command of `python -m bench`, and how long it takes on a quiet machine with two cores."""

    id: str
    full_minutes: int
    quick_s: int


BENCHMARKS = (
    Benchmark("calls", 80, 95),
    Benchmark("waiting", 13, 32),
    Benchmark("fairness", 25, 50),
    Benchmark("ami", 2, 10),
    Benchmark("compiler", 8, 17),
    Benchmark("inserts", 6, 15),
    Benchmark("records", 24, 20),
    Benchmark("report", 15, 8),
    Benchmark("web", 3, 12),
    Benchmark("speech", 1, 3),
)


class End(Enum):
    """How a benchmark ended."""

    DONE = "done"
    TARGET_MISSED = "a target is missed"
    FAILED = "FAILED"
    TOO_LONG = "FAILED: took too long, and was stopped"


@dataclass(frozen=True, slots=True)
class Ended:
    benchmark: Benchmark
    end: End
    took_s: float


def bound_s(one: Benchmark, *, quick: bool) -> float:
    return PATIENCE * (one.quick_s if quick else one.full_minutes * 60) + STOP_S


def command(one: Benchmark, *, quick: bool, results: Path) -> list[str]:
    return [sys.executable, "-m", "bench", one.id, *(["--quick"] if quick else []), "--results", str(results)]


def run(one: Benchmark, *, quick: bool, results: Path) -> Ended:
    """Runs one to its end; it prints for itself. Raises KeyboardInterrupt when it is stopped from outside."""
    began_s = monotonic()
    before = _written(one, results)
    code = _code(command(one, quick=quick, results=results), bound_s(one, quick=quick))
    kept = _written(one, results) != before
    return Ended(one, end(code, kept=kept), monotonic() - began_s)


def end(code: int | None, *, kept: bool) -> End:
    """`code`: None when it was stopped. One that misses a target exits 1, but has kept what it found."""
    match code:
        case None:
            return End.TOO_LONG
        case 0:
            return End.DONE
        case 1 if kept:
            return End.TARGET_MISSED
        case _:
            return End.FAILED


def _written(one: Benchmark, results: Path) -> int | None:
    path = results / f"{one.id}.json"
    return path.stat().st_mtime_ns if path.exists() else None


def _code(words: Sequence[str], bound: float) -> int | None:
    with subprocess.Popen(words, cwd=PROJECT) as process:
        try:
            return process.wait(bound)
        except subprocess.TimeoutExpired:
            # As Ctrl-C, so that it ends the Asterisk that it started.
            process.send_signal(signal.SIGINT)
            _put_away(process)
            return None
        except KeyboardInterrupt:
            _put_away(process)
            raise


def _put_away(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
