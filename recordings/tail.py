"""Follows the journal file over rotations and restarts, and loses and doubles nothing.

A file is known by its device and inode, and by its first line, because inodes are used again.
Asterisk opens the file anew for each line, so it is rotated by renaming it to a name that begins
with its own; a renamed file is read to its end, too, and must not be compressed before.

What is read is on the disk: a file is synced before its lines are handed on. So a machine that loses
its power forgets no line that is kept, and no place lies beyond a file's end. Where it does all the
same (a disk that lies, a file brought back), or where other bytes stand before it, the whole file is
read again; lines that are kept already change nothing.
"""

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from os import fdatasync, fstat
from pathlib import Path
from typing import BinaryIO

from calls.cel import Row, RowWrong, parse

BATCH_BYTES = 1_000_000
"""As much is read at once; a longer line is no line."""

_HEAD_BYTES = 200
_LAST_BYTES = 200
_KEPT_BYTES = 4_000
_LINE_BEGINS = re.compile(rb'"[A-Z_]{1,40}","[0-9]{1,12}\.[0-9]{6}","')
"""Not within a column: the quotes there are doubled."""
_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".zst"})


class JournalFolderMissing(FileNotFoundError):
    """Asterisk has nowhere to write what happens to calls, and says so only once in its log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"the folder {folder} is missing, so that nothing is kept of calls: create it")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file has been read."""

    device: int
    inode: int
    head: bytes
    """Its first line, or the beginning of it."""
    offset: int
    """Bytes; always the beginning of a line."""
    last: bytes = b""
    """What stands right before it, or the end of that; empty: not known."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that was put aside."""

    file: str
    offset: int
    line: str
    """Its first 4,000 bytes; those that are no UTF-8 are written as \\xNN."""
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read at once, and the place that is reached when it has been kept."""

    rows: tuple[Row, ...]
    unreadable: tuple[Unreadable, ...]
    place: Place


class Tail:
    """The reader of one node's journal file."""

    def __init__(self, path: Path, places: Iterable[Place]) -> None:
        self._path = path
        self._places = {(place.device, place.inode): place for place in places}

    def batches(self) -> Generator[Batch, None, None]:
        """What is new, oldest file first. Asking for the next batch says that the last one is kept.

        Raises JournalFolderMissing, OSError.
        """
        for path in self._files():
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue  # Renamed a moment ago; the next round finds it under its new name.
            with file:
                while (batch := self._read(path.name, file)) is not None:
                    fdatasync(file.fileno())
                    yield batch
                    self._places[batch.place.device, batch.place.inode] = batch.place

    def _files(self) -> list[Path]:
        """The files that may hold something new: the journal's own comes last."""
        own = self._path
        try:
            found = [
                (path == own, path.stat().st_mtime_ns, path)
                for path in own.parent.iterdir()
                if path.name.startswith(own.name) and path.suffix not in _COMPRESSED
            ]
        except FileNotFoundError:
            if not own.parent.is_dir():
                raise JournalFolderMissing(own.parent) from None
            return []  # One was renamed while we looked: the next round finds all of them.
        return [path for *_, path in sorted(found)]

    def _read(self, name: str, file: BinaryIO) -> Batch | None:
        status = fstat(file.fileno())
        place = self._places.get((status.st_dev, status.st_ino))
        if place is not None and place.offset == status.st_size:
            return None
        if place is None or not _continues(place, file, status.st_size):
            place = Place(status.st_dev, status.st_ino, b"", 0)
        file.seek(place.offset)
        chunk = file.read(BATCH_BYTES)
        end = chunk.rfind(b"\n") + 1
        if end == 0 and len(chunk) < BATCH_BYTES:
            return None  # Nothing, or a line that is still being written.
        lines = chunk[:end].split(b"\n")[:-1] if end else [chunk]
        rows, unreadable, offset = [], [], place.offset
        for line in lines:
            for read in _told(name, offset, line):
                if isinstance(read, Row):
                    rows.append(read)
                else:
                    unreadable.append(read)
            offset += len(line) + 1
        read_bytes = end or len(chunk)
        head = place.head or lines[0][:_HEAD_BYTES]
        last = chunk[:read_bytes][-_LAST_BYTES:]
        reached = Place(place.device, place.inode, head, place.offset + read_bytes, last)
        return Batch(tuple(rows), tuple(unreadable), reached)


def _continues(place: Place, file: BinaryIO, size: int) -> bool:
    """Whether it is still the file that was read so far, neither cut off nor another one."""
    file.seek(0)
    if size < place.offset or file.read(len(place.head)) != place.head:
        return False
    # A file that lost its end may have grown past the place since.
    file.seek(place.offset - len(place.last))
    return file.read(len(place.last)) == place.last


def _told(name: str, offset: int, line: bytes) -> list[Row | Unreadable]:
    """What a line tells. Behind one that was cut off in the midst, by a full disk or a power failure, the
    next one follows without a line break: it is read all the same.
    """
    written = line.lstrip(b"\0")  # A power failure can leave a hole of zeros before the next line.
    if not written:
        return []
    offset += len(line) - len(written)
    read = _row(name, offset, written)
    if isinstance(read, Row):
        return [read]
    for begin in _LINE_BEGINS.finditer(written, 1):
        row = _row(name, offset, written[begin.start() :])
        if isinstance(row, Row):
            return [Unreadable(name, offset, _shown(written[: begin.start()]), "it was cut off"), row]
    return [read]


def _row(name: str, offset: int, written: bytes) -> Row | Unreadable:
    try:
        return parse(written.decode("utf-8"))
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except RowWrong as wrong:
        why = wrong.matter
    return Unreadable(name, offset, _shown(written), why)


def _shown(written: bytes) -> str:
    return written[:_KEPT_BYTES].decode("utf-8", "backslashreplace")
