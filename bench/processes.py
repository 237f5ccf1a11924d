"""What a running process has used, as Linux tells it."""

import os
from pathlib import Path


def cpu_ms(pid: int) -> float:
    """Of all processors, by all of its threads, until now. Steps of 10 ms. Raises FileNotFoundError."""
    return _used_ms(Path(f"/proc/{pid}/stat"))


def main_thread_cpu_ms(pid: int) -> float:
    """Of its first thread alone, in which a Python program's event loop runs. Raises FileNotFoundError."""
    return _used_ms(Path(f"/proc/{pid}/task/{pid}/stat"))


def _used_ms(stat: Path) -> float:
    told = stat.read_text(encoding="utf-8", errors="replace")
    fields = told.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def peak_kib() -> int:
    """The most that this process was ever resident. Not by `getrusage`: that tells of whoever started it, too."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def memory_kib(pid: int) -> int:
    """Resident now; what several processes share counts in parts (PSS). Raises FileNotFoundError."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
