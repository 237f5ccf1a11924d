"""Listening to what was recorded: nobody hears anything before that is noted in the audit."""

import errno
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from calls.record import CallRecord
from recordings.audit import Audit, By
from recordings.keys import KeyRing
from recordings.store import Audio, Store
from recordings.vault import ENDING, FRAME_BYTES, AudioBroken, unseal


class NoAudio(LookupError):
    """The call has no such audio; `why` says why not."""

    def __init__(self, ref: str, why: str, *, removed: bool = False) -> None:
        """removed: there was some, and its time is over."""
        self.ref = ref
        self.why = why
        self.removed = removed
        super().__init__(f"nothing can be heard of call {ref}: {why}")


def open_audio(
    store: Store, record: CallRecord, audio: Audio, by: By, *, folder: Path, keys: KeyRing, now_utc_ms: int
) -> Iterator[bytes]:
    """The plain WAV file of a call, part by part. That `by` listens is in the audit when this returns.

    `folder`: the one of the recordings. Raises NoAudio, AudioBroken, KeyMissing, OSError, sqlite3.Error;
    AudioBroken also between the parts, at the latest behind the last one: then it is not what was kept.
    """
    file: str | None = getattr(record, f"{audio.fields}_file")
    kept: str | None = getattr(record, f"{audio.fields}_sha256")
    if file is None:
        raise NoAudio(record.ref, _why(record, audio, kept), removed=kept is not None)
    parts = plain_audio(folder, file, keys)
    first = next(parts, b"")  # What cannot be heard at all is told before anybody is said to have listened.
    Audit(store).add(by.who, by.role, "play", {"call": record.ref, "audio": audio.fields}, now_utc_ms)
    return _proven(chain((first,), parts), file, kept)


def plain_audio(folder: Path, file: str, keys: KeyRing) -> Iterator[bytes]:
    """What a file below `folder` holds, decrypted if need be. Raises AudioBroken, KeyMissing, OSError."""
    path = PurePosixPath(file)
    with _opened(folder, path) as opened:
        if path.suffix == ENDING:
            yield from unseal(opened, path.stem, keys)
            return
        while part := opened.read(FRAME_BYTES):
            yield part


def _opened(folder: Path, path: PurePosixPath) -> BinaryIO:
    """A file below `folder`, which may be a link itself; no other link is followed. Raises AudioBroken, OSError."""
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in str(path):
        raise AudioBroken(str(path), "its name leads out of the folder of the recordings")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in path.parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        handle = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except FileNotFoundError:
        raise AudioBroken(str(path), "the file is missing") from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise AudioBroken(str(path), "a link leads away from it") from None
        raise
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise AudioBroken(str(path), "it is no file")
    return os.fdopen(handle, "rb")


def sha256_of(folder: Path, file: str, keys: KeyRing) -> str:
    """The hash that the record should tell, in hexadecimal. Raises as `plain_audio`."""
    hashed = sha256()
    for part in plain_audio(folder, file, keys):
        hashed.update(part)
    return hashed.hexdigest()


def _proven(parts: Iterator[bytes], file: str, kept: str | None) -> Iterator[bytes]:
    hashed = sha256()
    for part in parts:
        hashed.update(part)
        yield part
    if hashed.hexdigest() != kept:
        raise AudioBroken(file, "its hash is not that of the record")


def _why(record: CallRecord, audio: Audio, kept: str | None) -> str:
    if kept is not None:
        return "its audio was removed when its time was over"
    if getattr(record, audio.wanted):
        return "its audio has not been put away yet, or there was none"
    return "nothing was recorded" if audio.fields == "recording" else "no message was left"
