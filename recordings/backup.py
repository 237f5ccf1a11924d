"""Makes a back-up of a city that goes on serving, and builds a city from one.

The order is what makes it whole: first the records as they stood at one moment, then the lines of the journal that
they lack, then the audio. What Asterisk writes in between is in the journal's part or belongs to a later back-up.
"""

import os
import sqlite3
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from stat import S_IMODE
from typing import IO, BinaryIO

from recordings import chain
from recordings.backup_parts import (
    FORMAT,
    MANIFEST,
    BackupWrong,
    FolderTarget,
    Manifest,
    Part,
    Target,
    TarTarget,
    names,
    nowhere,
    read_manifest,
    walk,
)
from recordings.fresh import FreshFile, FreshFolder, named
from recordings.store import Store

RECORDS = "data/records.db"
RECORDINGS = "data/recordings/"
SPOOL = "data/asterisk/spool/monitor/"
JOURNAL = "data/asterisk/log/cel-custom/"
TAR = ".tar"
"""A back-up whose name ends so is one file."""

_TAIL_BYTES = 65_536
_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".zst"})


@dataclass(frozen=True, slots=True)
class Places:
    """Where a city's things are."""

    recordings: Path
    monitor: Path
    """Asterisk's spool of audio that has not been put away."""
    journal: Path
    config: Path
    """The operator's settings."""
    single: tuple[tuple[str, Path], ...]
    """Further files: where they go below `data/`, and where they are; those that are not there are left out."""


@dataclass(frozen=True, slots=True)
class About:
    """What the manifest tells of a city."""

    city: str
    node: str
    left_out: tuple[str, ...]


def back_up(store: Store, places: Places, about: About, out: Path, former: Path | None = None) -> Manifest:
    """Makes the back-up `out`, a folder or a tar file; it appears when it is whole.

    former: an earlier back-up (a folder) with which it shares audio that did not change. Raises AlreadyThere,
    BackupWrong, BackupTooNew, OSError, sqlite3.Error.
    """
    if out.suffix.lower() == TAR:
        with FreshFile(out) as file, tarfile.open(mode="w|", fileobj=file, format=tarfile.PAX_FORMAT) as tar:
            return _fill(store, places, about, TarTarget(tar), out)
    known = (former, read_manifest(former)) if former is not None else None
    with FreshFolder(out) as folder:
        return _fill(store, places, about, FolderTarget(folder, known), out)


def _fill(store: Store, places: Places, about: About, target: Target, out: Path) -> Manifest:
    snapshot = out.with_name(f".{out.name}.records.part")
    try:
        made_utc_ms = time.time_ns() // 1_000_000
        with named(snapshot):
            _snapshot(store, snapshot)
        with closing(sqlite3.connect(snapshot)) as frozen:
            (calls,) = frozen.execute("SELECT count(*) FROM records").fetchone()
            head = chain.head(frozen).hex()
            (tables,) = frozen.execute("PRAGMA user_version").fetchone()
            read = {(row[0], row[1]): row[2] for row in frozen.execute("SELECT device, inode, offset FROM places")}
        parts = [_add(target, RECORDS, snapshot)]
    finally:
        snapshot.unlink(missing_ok=True)
    parts += _journal(target, places.journal, read)
    parts += _tree(target, SPOOL, places.monitor)
    parts += _tree(target, RECORDINGS, places.recordings)
    parts += _tree(target, "config/", places.config)
    parts += [_add(target, f"data/{name}", path) for name, path in places.single if path.is_file()]
    manifest = Manifest(FORMAT, made_utc_ms, about.city, about.node, tables, calls, head, about.left_out, tuple(parts))
    raw = manifest.text().encode()
    target.add(MANIFEST, BytesIO(raw), len(raw), 0o600, time.time_ns())
    return manifest


def _snapshot(store: Store, path: Path) -> None:
    """The store as it stands at one moment, in one file; whoever writes into it goes on."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as copy:
        store.database.conn.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def _add(target: Target, name: str, path: Path) -> Part:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        return target.add(name, file, status.st_size, S_IMODE(status.st_mode), status.st_mtime_ns)


def _tree(target: Target, begin: str, folder: Path) -> Iterator[Part]:
    """All files below a folder; one that disappears meanwhile is left out."""
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                yield _shared(target, f"{begin}{path.relative_to(folder).as_posix()}", path)
        except FileNotFoundError:
            continue


def _shared(target: Target, name: str, path: Path) -> Part:
    status = path.stat()
    return target.known(name, status.st_size, status.st_mtime_ns) or _add(target, name, path)


def _journal(target: Target, journal: Path, read: dict[tuple[int, int], int]) -> Iterator[Part]:
    """The whole lines that the records lack; read: file → how far it was read."""
    for path in sorted(journal.parent.glob(f"{journal.name}*")):
        if path.suffix in _COMPRESSED:
            continue
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue
        with file:
            status = os.fstat(file.fileno())
            begin = read.get((status.st_dev, status.st_ino), 0)
            begin = begin if begin <= status.st_size else 0
            size = _whole_lines(file, begin, status.st_size) - begin
            if size > 0:
                file.seek(begin)
                yield target.add(f"{JOURNAL}{path.name}", file, size, 0o600, status.st_mtime_ns)


def _whole_lines(file: BinaryIO, begin: int, size: int) -> int:
    """Where the last whole line ends."""
    end = size
    while end > begin:
        first = max(begin, end - _TAIL_BYTES)
        file.seek(first)
        found = file.read(end - first).rfind(b"\n")
        if found >= 0:
            return first + found + 1
        end = first
    return begin


def verify(backup: Path) -> Manifest:
    """The manifest of a back-up that is whole. Raises BackupWrong, BackupTooNew, OSError."""
    return walk(backup, nowhere)


def restore(backup: Path, data: Path, config: Path | None) -> Manifest:
    """Builds a data folder, and a folder with settings where one is wanted; both appear when all is proven.

    Raises AlreadyThere for a folder that is not empty, BackupWrong, BackupTooNew, OSError, sqlite3.Error.
    """
    with ExitStack() as opened:
        new_data = opened.enter_context(FreshFolder(data))
        new_config = None if config is None else opened.enter_context(FreshFolder(config))
        restoring = _Restoring({"data": new_data, "config": new_config})
        manifest = walk(backup, restoring.place)
        for part in manifest.parts:
            if (path := restoring.path(part.name)) is not None:
                path.chmod(part.mode & 0o777)
        _drop_halves(new_data, manifest.parts)
        _require_sound(backup, new_data / RECORDS.removeprefix("data/"))
    return manifest


class _Restoring:
    """Where the parts of a back-up go: `data` and `config` to folders, or nowhere."""

    def __init__(self, folders: dict[str, Path | None]) -> None:
        self._folders = folders

    def path(self, name: str) -> Path | None:
        top, _, rest = name.partition("/")
        folder = self._folders[top]
        return None if folder is None else folder / rest

    def place(self, name: str) -> IO[bytes]:
        path = self.path(name)
        if path is None:
            return nowhere(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        return _Synced(path)


class _Synced(BytesIO):
    """A file that is on the disk when it is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file = path.open("wb")

    def write(self, part: object, /) -> int:
        with named(self._path):
            return self._file.write(part)  # type: ignore[arg-type] # Whatever has bytes in it.

    def close(self) -> None:
        if not self._file.closed:
            with named(self._path), self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
        super().close()


def _drop_halves(data: Path, parts: Sequence[Part]) -> None:
    """Audio that was put away while the back-up was made is there twice: in the spool it may be half of it."""
    whole = {name.rpartition("/")[2].partition(".")[0] for name in names(parts, RECORDINGS)}
    for name in names(parts, SPOOL):
        if name.rpartition("/")[2].partition(".")[0] in whole:
            (data / name.removeprefix("data/")).unlink()


def _require_sound(backup: Path, records: Path) -> None:
    """Raises BackupWrong when the records cannot be read."""
    try:
        with closing(sqlite3.connect(records)) as connection:
            (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        told = str(error)
    if told != "ok":
        raise BackupWrong(backup, f"its records cannot be read ({told})")
