"""Keys for audio that is encrypted on the disk: from the environment, or from a file that only its owner can read."""

import binascii
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE
from typing import Self

import structlog

KEY_BYTES = 32
VARIABLE = "HOTLINE_RECORDINGS_KEY"
"""The environment's: keys in base64, separated by blanks or line breaks."""

_HEAD = (
    "# Keys of the recordings, one a line; the first one encrypts, the others still decrypt.\n"
    "# Without them no encrypted recording can be heard again: keep a copy of this file elsewhere.\n"
)
_log = structlog.get_logger()


class KeysOpenToOthers(PermissionError):
    """Others could read the keys: they are not used."""

    def __init__(self, path: Path, mode: int) -> None:
        self.path = path
        self.mode = mode
        super().__init__(f"{path} can be used by others (mode {mode:04o}): run chmod 600 {path}")


class KeysWrong(ValueError):
    """A key is not what it must be; nothing of it is shown."""

    def __init__(self, where: str, line: int) -> None:
        self.where = where
        self.line = line
        super().__init__(f"{where}: key {line} is not 32 bytes in base64: write one as 'openssl rand -base64 32' does")


class KeyMissing(LookupError):
    """No key on the ring can read, or write, this."""

    def __init__(self, ident: bytes | None) -> None:
        self.ident = ident
        what = "there is no key for recordings" if ident is None else f"the recording's key {ident.hex()} is not here"
        super().__init__(f"{what}: bring back recordings.key, or set {VARIABLE}")


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `ident` tells it apart and tells nothing of it."""

    secret: bytes = field(repr=False)

    @property
    def ident(self) -> bytes:
        """8 bytes."""
        return sha256(b"hotline key" + self.secret).digest()[:8]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that are known: the first one encrypts, each can decrypt what it encrypted."""

    keys: tuple[Key, ...] = ()

    @classmethod
    def load(cls, path: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """The environment's keys, then those of the file; none where neither is there.

        Raises KeysOpenToOthers, KeysWrong, OSError.
        """
        written = _parsed(VARIABLE, environment.get(VARIABLE, "").split())
        return cls((*written, *_parsed(str(path), _lines(path))))

    @classmethod
    def load_or_create(cls, path: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """As `load`; where there is no key yet, one is made and written into the file."""
        ring = cls.load(path, environment)
        if not ring.keys:
            with suppress(FileExistsError):  # Another process was faster.
                _create(path)
                _log.warning("recordings_key_made", file=str(path))
            ring = cls.load(path, environment)
        return ring

    @property
    def first(self) -> Key:
        """The one that encrypts. Raises KeyMissing."""
        if not self.keys:
            raise KeyMissing(None)
        return self.keys[0]

    def find(self, ident: bytes) -> Key:
        """The key with this id. Raises KeyMissing."""
        for key in self.keys:
            if key.ident == ident:
                return key
        raise KeyMissing(ident)


def _lines(path: Path) -> Iterator[str]:
    try:
        mode = S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return
    if mode & 0o077:
        raise KeysOpenToOthers(path, mode)
    for line in path.read_text("utf-8", errors="replace").splitlines():
        if text := line.partition("#")[0].strip():
            yield text


def _parsed(where: str, texts: Iterable[str]) -> Iterator[Key]:
    for line, text in enumerate(texts, start=1):
        try:
            secret = b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise KeysWrong(where, line) from None
        if len(secret) != KEY_BYTES:
            raise KeysWrong(where, line)
        yield Key(secret)


def _create(path: Path) -> None:
    """Wholly on the disk when it returns: what is encrypted from now on needs it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{_HEAD}{b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)  # Unlike renaming, it never replaces a key that is there.
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
