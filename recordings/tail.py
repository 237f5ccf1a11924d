"""Follows the journal file over rotations and restarts, and loses and doubles nothing.

A file is known by its device and inode, and by its first line, because inodes are used again.
Asterisk opens the file anew for each line, so it is rotated by renaming it to a name that begins
with its own; a renamed file is read to its end, too, and must not be compressed before.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from os import fstat
from pathlib import Path
from typing import BinaryIO

from calls.cel import Row, RowWrong, parse

BATCH_BYTES = 1_000_000
"""As much is read at once; a longer line is no line."""

_HEAD_BYTES = 200
_KEPT_BYTES = 4_000
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
            read = _row(name, offset, line)
            if isinstance(read, Row):
                rows.append(read)
            elif read is not None:
                unreadable.append(read)
            offset += len(line) + 1
        head = place.head or lines[0][:_HEAD_BYTES]
        reached = place.offset + (end or len(chunk))
        return Batch(tuple(rows), tuple(unreadable), Place(place.device, place.inode, head, reached))


def _continues(place: Place, file: BinaryIO, size: int) -> bool:
    """Whether it is still the file that was read so far, neither cut off nor another one."""
    file.seek(0)
    return size >= place.offset and file.read(len(place.head)) == place.head


def _row(name: str, offset: int, line: bytes) -> Row | Unreadable | None:
    written = line.lstrip(b"\0")  # A power failure can leave a hole of zeros before the next line.
    if not written:
        return None
    try:
        return parse(written.decode("utf-8"))
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except RowWrong as wrong:
        why = wrong.matter
    return Unreadable(name, offset, written[:_KEPT_BYTES].decode("utf-8", "backslashreplace"), why)
