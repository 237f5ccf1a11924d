"""A small disk of its own for one test."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_MB = 120
MARK_MB = 40
"""Below that nothing more is recorded."""


class NoSmallDisk(Exception):
    """This machine does not let this user mount one."""


@contextmanager
def small_disk(at: Path, size_mb: int) -> Iterator[Path]:
    """An empty disk of that size, mounted in an existing folder. Raises NoSmallDisk."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "hotline-test", str(at)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        raise NoSmallDisk(
            f"no small disk can be mounted ({mounted.stderr.strip()}): run it as root, outside a container"
        )
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", at], check=True)


def fill(disk: Path, leave_bytes: int) -> Path:
    """A file that takes all but so much."""
    filler = disk / "filler"
    status = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - leave_bytes))
    return filler
