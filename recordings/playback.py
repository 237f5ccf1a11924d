"""Listening to what was recorded: nobody hears anything before that is noted in the audit."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path

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
    path = folder / file
    try:
        opened = path.open("rb")
    except FileNotFoundError:
        raise AudioBroken(file, "the file is missing") from None
    with opened:
        if path.suffix == ENDING:
            yield from unseal(opened, path.stem, keys)
            return
        while part := opened.read(FRAME_BYTES):
            yield part


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
