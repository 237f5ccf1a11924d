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
        "commit": _commit(),
    }


def _commit() -> str:
    """What was measured; `-dirty` where files differ from it. Kept results and their page are no part of that."""
    git = ("git", "-C", str(PROJECT))
    results = (":!bench/results", ":!docs/benchmarks", ":!docs/benchmarks.md")
    changed = _said(*git, "status", "--porcelain", "--untracked-files=no", "--", ".", *results)
    commit = _said(*git, "describe", "--always").strip()
    return f"{commit}{'-dirty' if changed else ''}" if commit else "unknown"


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
