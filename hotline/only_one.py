"""Two supervisors or two controllers on one data folder would work against each other: the second is refused."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from hotline.failing import CannotGoOn


class OnlyOne:
    """Holds a file's lock for as long as the `with` block runs; the kernel frees it when we die.

    Raises CannotGoOn when another process holds it.
    """

    def __init__(self, lock: Path, what: str) -> None:
        self._lock = lock
        self._what = what
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise CannotGoOn(
                f"{self._what} runs already in {self._lock.parent} (process {holder or 'unknown'})",
                "stop it first, or give this one another folder with --data",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
