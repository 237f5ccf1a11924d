"""Files that are there whole or not at all: written beside their place, hashed, then renamed into it."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import IO

_PART = ".part"


class AlreadyThere(FileExistsError):
    """Nothing is ever written over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(errno.EEXIST, "it is there already", str(path))


class Hashed(RawIOBase):
    """A file that is only written, and its SHA-256."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._hash = hashlib.sha256()
        self.written = 0

    def writable(self) -> bool:
        return True

    def write(self, part: object) -> int:
        data = memoryview(part)  # type: ignore[arg-type] # Whatever has bytes in it.
        self._file.write(data)
        self._hash.update(data)
        self.written += data.nbytes
        return data.nbytes

    def tell(self) -> int:
        return self.written

    def sha256(self) -> str:
        """Of what has been written so far."""
        return self._hash.hexdigest()


class FreshFile:
    """A new file at `path`, readable by its owner alone. It appears when the `with` block ends well.

    Raises AlreadyThere, and OSError that names the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}{_PART}")

    def __enter__(self) -> Hashed:
        if self._path.exists():
            raise AlreadyThere(self._path)
        with named(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._beside.unlink(missing_ok=True)
            descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._hashed = Hashed(self._file)
        return self._hashed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with named(self._path), self._file:
                if error is None:
                    self._file.flush()
                    os.fsync(self._file.fileno())
            if error is None:
                put_in_place(self._beside, self._path)
        finally:
            self._beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(self._path)


class FreshFolder:
    """A new folder at `path`, for its owner alone. It appears when the `with` block ends well.

    What a killed run left beside it is removed by the next one. Raises as FreshFile.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}{_PART}")

    def __enter__(self) -> Path:
        require_free(self._path)
        with named(self._path):
            self.clear()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._beside.mkdir(mode=0o700)
        return self._beside

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                sync_tree(self._beside)
                put_in_place(self._beside, self._path)
        finally:
            self.clear()
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(self._path)

    def clear(self) -> None:
        """Removes what was not finished."""
        if self._beside.exists():
            shutil.rmtree(self._beside)


def require_free(folder: Path) -> None:
    """Raises AlreadyThere unless nothing, or an empty folder, is at this path."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyThere(folder)


def put_in_place(beside: Path, path: Path) -> None:
    """Renames, and is on the disk when it returns."""
    with named(path):
        beside.rename(path)
        sync(path.parent)


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's names, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """The names in a folder and below it are on the disk when it returns; its files were before."""
    for place, _, _ in os.walk(folder):
        sync(Path(place))


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Lets an OSError that does not tell its file name this one: a full disk is told by its place."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
