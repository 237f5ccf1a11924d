"""Takes finished recordings out of Asterisk's spool into the folder that is kept.

Each step can be repeated: a crash between any two of them is healed by the next round, because
the record goes on saying that its audio is due until the store knows where it is.
"""

import errno
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from recordings.keys import KeyMissing, KeyRing
from recordings.playback import plain_audio
from recordings.store import AUDIOS, Audio, Store
from recordings.vault import ENDING, AudioBroken, Vault, seal, unseal

PATIENCE_S = 15.0
"""A file that nobody wrote to for so long is finished, whatever its header says."""

_HEADER_BYTES = 44


@dataclass(frozen=True, slots=True)
class _Wave:
    """What a WAV file's header and size tell."""

    audio_bytes: int
    bytes_a_second: int
    closed: bool
    """Asterisk writes the sizes into the header when it closes the file."""


def keep_due(
    store: Store,
    monitor: Path,
    folder: Path,
    vault: Vault,
    *,
    node: str,
    timezone: ZoneInfo,
    now_utc_ms: int,
) -> None:
    """Moves what is finished from `monitor` to `folder`/YYYY/MM/DD and tells the store.

    The day is that of the call's arrival in the city's time. Raises OSError, sqlite3.Error.
    """
    for audio in AUDIOS:
        due = store.rows(
            f"SELECT ref, arrived_utc_ms, ended_utc_ms, {audio.wanted} AS wanted FROM records "  # noqa: S608 - our own columns
            f"WHERE node = ? AND {audio.state} = 'due' AND running = 0",
            node,
        )
        for row in due:
            day = datetime.fromtimestamp(row["arrived_utc_ms"] / 1000, UTC).astimezone(timezone)
            source = monitor / f"{row['ref']}{audio.ending}"
            target = folder / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}" / source.name
            late = (now_utc_ms - row["ended_utc_ms"]) / 1000 >= PATIENCE_S
            try:
                wanted = row["wanted"]
                if _moved(source, target, vault, now_utc_ms, late=late) if wanted else _removed(source, late=late):
                    _tell(store, row["ref"], audio, _put(target), folder, keys=vault.keys)
            except (AudioBroken, KeyMissing) as error:
                raise OSError(str(error)) from error


def _removed(source: Path, *, late: bool) -> bool:
    """Whether the file, that nobody wants, is gone. The line that says it is wanted may come a little later."""
    if late:
        source.unlink(missing_ok=True)
    return late


def _moved(source: Path, target: Path, vault: Vault, now_utc_ms: int, *, late: bool) -> bool:
    """Whether the file is where it belongs, or none will come."""
    if not source.exists():
        return _put(target) is not None or late
    wave = _finished(source, now_utc_ms)
    if wave is None:
        return False
    if wave.audio_bytes == 0:  # Nobody was ever connected.
        source.unlink()
    elif vault.encrypts:
        _seal(source, _sealed(target), vault.keys)
    else:
        _move(source, target)
    return True


def _sealed(target: Path) -> Path:
    return target.with_name(target.name + ENDING)


def _put(target: Path) -> Path | None:
    """The file that is there already, as it is or encrypted; whether to encrypt may have changed since."""
    return next((path for path in (_sealed(target), target) if path.exists()), None)


def _tell(store: Store, ref: str, audio: Audio, put: Path | None, folder: Path, *, keys: KeyRing) -> None:
    if put is None:
        store.keep_audio(ref, audio, None, None, None)
        return
    file = str(put.relative_to(folder))
    hashed, header, size = sha256(), b"", 0
    for part in plain_audio(folder, file, keys):
        hashed.update(part)
        header = header or part[:_HEADER_BYTES]
        size += len(part)
    wave = _wave(header, size)
    duration_ms = wave.audio_bytes * 1000 // wave.bytes_a_second if wave.bytes_a_second else None
    store.keep_audio(ref, audio, file, hashed.hexdigest(), duration_ms)


def _finished(source: Path, now_utc_ms: int) -> _Wave | None:
    """The file's wave, its header mended if Asterisk died; None while it is still being written."""
    wave = _read(source)
    if wave.closed:
        return wave
    if now_utc_ms / 1000 - source.stat().st_mtime < PATIENCE_S:
        return None
    if wave.bytes_a_second:
        with source.open("r+b") as file:
            file.seek(4)
            file.write((wave.audio_bytes + _HEADER_BYTES - 8).to_bytes(4, "little"))
            file.seek(_HEADER_BYTES - 4)
            file.write(wave.audio_bytes.to_bytes(4, "little"))
    return wave


def _read(path: Path) -> _Wave:
    """Reads the header that Asterisk writes: 44 bytes, the data last. Another one tells no duration."""
    with path.open("rb") as file:
        return _wave(file.read(_HEADER_BYTES), os.fstat(file.fileno()).st_size)


def _wave(header: bytes, size: int) -> _Wave:
    if len(header) < _HEADER_BYTES or header[:4] != b"RIFF" or header[36:40] != b"data":
        return _Wave(size, 0, closed=False)
    closed = int.from_bytes(header[4:8], "little") == size - 8
    return _Wave(size - _HEADER_BYTES, int.from_bytes(header[28:32], "little"), closed)


def _seal(source: Path, target: Path, keys: KeyRing) -> None:
    """After it the audio is on the disk, encrypted and read again, and the plain file is gone."""
    _make_folder(target.parent)
    beside = target.with_suffix(".part")
    with source.open("rb") as plain, beside.open("wb") as out:
        beside.chmod(0o600)
        written = seal(plain, out, source.name, keys)
        out.flush()
        os.fsync(out.fileno())
    hashed = sha256()
    with beside.open("rb") as sealed:
        for part in unseal(sealed, source.name, keys):
            hashed.update(part)
    if hashed.hexdigest() != written:
        raise AudioBroken(source.name, "it was not written as it is")
    beside.replace(target)
    for parent in (target.parent, *target.parent.parents[:3]):
        _sync(parent)
    source.unlink()


def _make_folder(folder: Path) -> None:
    for parent in (*reversed(folder.parents[:3]), folder):
        parent.mkdir(mode=0o700, exist_ok=True)


def _move(source: Path, target: Path) -> None:
    """After it the audio is on the disk under its new name."""
    folder = target.parent
    _make_folder(folder)
    try:
        _sync(source)
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_suffix(".part")
        shutil.copyfile(source, beside)
        _sync(beside)
        beside.replace(target)
        _sync(folder)
        source.unlink()
    target.chmod(0o600)
    for parent in (folder, *folder.parents[:3]):
        _sync(parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
