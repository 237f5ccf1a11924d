"""What a back-up is made of: files in a folder or in one tar file, and the manifest with the hash of each."""

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from recordings.fresh import Hashed, named

MANIFEST = "manifest.json"
"""Written last: what has none is no back-up."""
FORMAT = 1
MANIFEST_BYTES = 1_000_000_000
"""A longer one is none of ours."""

_CHUNK_BYTES = 1_000_000


class BackupWrong(ValueError):
    """It is no whole back-up; `matter` says what is wrong with it."""

    def __init__(self, backup: Path, matter: str) -> None:
        self.backup = backup
        self.matter = matter
        super().__init__(f"{backup}: {matter}: take another back-up")


class BackupTooNew(RuntimeError):
    """A newer version of this program made the back-up."""

    def __init__(self, backup: Path, version: int) -> None:
        self.backup = backup
        self.version = version
        super().__init__(f"{backup} has format {version}, this program knows {FORMAT}: restore it with the newer one")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a back-up."""

    name: str
    """Its place: `config/…` or `data/…`."""
    bytes: int
    sha256: str
    mode: int
    mtime_ns: int
    """When its source was changed last."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a back-up holds."""

    format: int
    made_utc_ms: int
    """When its records stood so."""
    city: str
    node: str
    tables: int
    """The version of the store's tables."""
    calls: int
    head: str
    """The last link of the chain of records, in hexadecimal."""
    left_out: tuple[str, ...]
    """Of `secrets` and `key`."""
    parts: tuple[Part, ...]

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)


class Source(Protocol):
    """A file that is read once."""

    def read(self, size: int = -1, /) -> bytes: ...


class Target(Protocol):
    """Where parts are put."""

    def known(self, name: str, size: int, mtime_ns: int) -> Part | None:
        """The part, where a former back-up has it and it was taken over from there."""
        ...

    def add(self, name: str, source: Source, size: int, mode: int, mtime_ns: int) -> Part:
        """Puts the next `size` bytes of the source there. Raises OSError, and EOFError when it is shorter."""
        ...


class FolderTarget:
    """A folder; what did not change since a former back-up is the same file in both (a hard link)."""

    def __init__(self, folder: Path, former: tuple[Path, Manifest] | None = None) -> None:
        self._folder = folder
        self._former = former[0] if former else None
        self._parts = {part.name: part for part in former[1].parts} if former else {}

    def known(self, name: str, size: int, mtime_ns: int) -> Part | None:
        part = self._parts.get(name)
        if self._former is None or part is None or (part.bytes, part.mtime_ns) != (size, mtime_ns):
            return None
        path = self._made(name)
        try:
            path.hardlink_to(self._former / name)
        except OSError:  # It is on another disk, or gone: it is copied as if it were new.
            return None
        return part

    def add(self, name: str, source: Source, size: int, mode: int, mtime_ns: int) -> Part:
        path = self._made(name)
        with named(path), path.open("xb") as file:
            path.chmod(mode)
            hashed = Hashed(file)
            _copy(source, hashed, size)
            file.flush()
            os.fsync(file.fileno())
        os.utime(path, ns=(mtime_ns, mtime_ns))
        return Part(name, size, hashed.sha256(), mode, mtime_ns)

    def _made(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


class TarTarget:
    """A tar file, written from its beginning to its end."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def known(self, name: str, size: int, mtime_ns: int) -> Part | None:
        return None

    def add(self, name: str, source: Source, size: int, mode: int, mtime_ns: int) -> Part:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, mode, mtime_ns // 1_000_000_000
        hashing = _Hashing(source, size)
        self._tar.addfile(member, hashing)
        return Part(name, size, hashing.sha256(), mode, mtime_ns)


class _Hashing:
    """Hands on what is read, of exactly as many bytes as were promised."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._left = size
        self._hash = sha256()

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        part = self._source.read(wanted)
        if len(part) < wanted:
            raise EOFError("a file became shorter while it was read")
        self._left -= len(part)
        self._hash.update(part)
        return part

    def sha256(self) -> str:
        return self._hash.hexdigest()


def _copy(source: Source, out: Hashed, size: int) -> None:
    left = size
    while left:
        part = source.read(min(left, _CHUNK_BYTES))
        if not part:
            raise EOFError("a file became shorter while it was read")
        out.write(part)
        left -= len(part)


# --- and back ---------------------------------------------------------------------------------------


def manifest_of(backup: Path, raw: bytes) -> Manifest:
    """Reads a manifest strictly. Raises BackupWrong, BackupTooNew."""
    try:
        told = json.loads(raw)
        version = told["format"]
        if type(version) is int and version > FORMAT:
            raise BackupTooNew(backup, version)
        parts = tuple(Part(**one) for one in told["parts"])
        found = Manifest(**{**told, "left_out": tuple(told["left_out"]), "parts": parts})
        _require_types(found)
        for part in parts:
            _require_types(part)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BackupWrong(backup, f"its {MANIFEST} cannot be read") from None
    for part in parts:
        require_place(backup, part.name)
    return found


def _require_types(value: Any) -> None:
    for field in fields(value):
        if isinstance(field.type, type) and type(getattr(value, field.name)) is not field.type:
            raise TypeError(field.name)


def require_place(backup: Path, name: str) -> None:
    """Raises BackupWrong for a name that would lead out of where it belongs."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or path.parts[:1] not in (("config",), ("data",)):
        raise BackupWrong(backup, f"it has a file at {name!r}, where none belongs")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a back-up that is a folder. Raises BackupWrong, BackupTooNew, OSError."""
    try:
        raw = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise BackupWrong(folder, "it is no back-up, or not a finished one") from None
    return manifest_of(folder, raw)


Sink = Callable[[str], IO[bytes]]
"""Opens the place for a part with this name."""


def walk(backup: Path, sink: Sink) -> Manifest:
    """Reads a whole back-up into the sink and holds every byte against the manifest.

    Raises BackupWrong, BackupTooNew, OSError.
    """
    manifest, found = _walk_folder(backup, sink) if backup.is_dir() else _walk_tar(backup, sink)
    wanted = {part.name: (part.bytes, part.sha256) for part in manifest.parts}
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            raise BackupWrong(backup, f"{name} is missing")
        if name not in wanted:
            raise BackupWrong(backup, f"{name} is in no list")
        if wanted[name] != found[name]:
            raise BackupWrong(backup, f"{name} is not what was backed up")
    return manifest


Found = Mapping[str, tuple[int, str]]
"""Name → bytes and hash, as they were read."""


def _walk_folder(backup: Path, sink: Sink) -> tuple[Manifest, Found]:
    manifest = read_manifest(backup)
    there = {path.relative_to(backup).as_posix() for path in backup.rglob("*") if not path.is_dir()} - {MANIFEST}
    found: dict[str, tuple[int, str]] = dict.fromkeys(there - {part.name for part in manifest.parts}, (0, ""))
    for part in manifest.parts:
        if part.name in there:
            with (backup / part.name).open("rb") as source, sink(part.name) as out:
                found[part.name] = _hash_into(source, out)
    return manifest, found


def _walk_tar(backup: Path, sink: Sink) -> tuple[Manifest, Found]:
    manifest: Manifest | None = None
    found: dict[str, tuple[int, str]] = {}
    try:
        with tarfile.open(backup, "r:") as tar:
            for member, source in _members(backup, tar):
                if member.name == MANIFEST:
                    manifest = manifest_of(backup, source.read(MANIFEST_BYTES))
                    continue
                require_place(backup, member.name)
                if member.name in found:
                    raise BackupWrong(backup, f"{member.name} is in it twice")
                with sink(member.name) as out:
                    found[member.name] = _hash_into(source, out)
    except (tarfile.TarError, EOFError) as error:
        raise BackupWrong(backup, f"it is no whole tar file ({error})") from None
    if manifest is None:
        raise BackupWrong(backup, "it is no back-up, or not a finished one")
    return manifest, found


def _members(backup: Path, tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for member in tar:
        source = tar.extractfile(member) if member.isreg() else None
        if source is None:
            raise BackupWrong(backup, f"{member.name!r} is no ordinary file")
        yield member, source


def _hash_into(source: IO[bytes], out: IO[bytes]) -> tuple[int, str]:
    hashed = Hashed(out)
    while part := source.read(_CHUNK_BYTES):
        hashed.write(part)
    return hashed.written, hashed.sha256()


def nowhere(_name: str) -> IO[bytes]:
    """A sink for whoever only wants to know whether the back-up is whole."""
    return _Nowhere()


class _Nowhere(io.BytesIO):
    def write(self, part: object, /) -> int:
        return memoryview(part).nbytes  # type: ignore[arg-type] # Whatever has bytes in it.


def names(parts: Iterable[Part], begin: str) -> set[str]:
    """The names of the parts below a folder."""
    return {part.name for part in parts if part.name.startswith(begin)}
