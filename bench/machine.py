"""What a benchmark ran on."""

import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from asterisk.found import find

PROJECT = Path(__file__).resolve().parent.parent


def _ticks() -> tuple[int, int]:
    """Of all processors since the machine's start: those in which others on the same host ran, and all of them."""
    names = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()
    ticks = [int(number) for number in names[1:9]]
    return ticks[7], sum(ticks)


_BEGAN = _ticks()


def machine() -> Mapping[str, str | int | None]:
    """Hardware and versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "asterisk": find().version,
        "panoramisk": version("panoramisk"),
        "sipp": _sipp_version(),
        "sqlite": sqlite3.sqlite_version,
        "stolen_percent": stolen_percent(),
        "commit": _commit(),
    }


def _commit() -> str:
    """What was measured; `-dirty` where files differ from it. Kept results and their page are no part of that."""
    git = ("git", "-C", str(PROJECT))
    results = (":!bench/results", ":!docs/benchmarks", ":!docs/benchmarks.md")
    changed = _said(*git, "status", "--porcelain", "--untracked-files=no", "--", ".", *results)
    commit = _said(*git, "describe", "--always").strip()
    return f"{commit}{'-dirty' if changed else ''}" if commit else "unknown"


def stolen_percent() -> int:
    """How much of the processors' time since this process began went to others on the same host."""
    stolen, ticks = (now - earlier for now, earlier in zip(_ticks(), _BEGAN, strict=True))
    return round(100 * stolen / max(1, ticks))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _sipp_version() -> str:
    return next((line.strip(" .") for line in _said("sipp", "-v").splitlines() if "SIPp v" in line), "unknown")


def _said(*words: str) -> str:
    """What a program prints; nothing where it is missing, fails or takes a minute."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
