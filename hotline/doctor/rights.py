"""Whether the hotline alone can use its files, and can use them all."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain, islice
from pathlib import Path
from stat import S_IMODE, S_ISDIR

from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import CannotLook
from hotline.folders import Folders
from recordings.keys import VARIABLE, KeyRing, KeysOpenToOthers, KeysWrong
from web.tokens import Tokens, TokensWrong, command_token

NEWEST = 2_000
"""So many recordings are looked at, those of the newest days first: all of them may be millions."""
_OTHERS = 0o077


class Kind(Enum):
    """What a file or folder holds."""

    SECRET = auto()
    CALLS = auto()
    """What is kept of calls."""
    OURS = auto()
    """Nothing that others may not see, but the hotline must be able to write there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One file or folder as it is."""

    path: Path
    kind: Kind
    needed: bool
    """Whether the hotline cannot do without it."""
    mode: int | None
    """Its rights; None: it is not there."""
    uid: int = 0
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What was seen."""

    files: tuple[Seen, ...]
    uid: int
    """Of the user that the data folder belongs to: the hotline runs as this one."""
    unusable: tuple[str, ...] = ()
    """Why files of secrets cannot be used; each text has its mend."""


def look(case: Case) -> Rights:
    """Raises CannotLook, OSError."""
    folders = case.folders
    wanted = chain(_single(folders, encrypted=case.settings.server.recording.encrypted), _many(folders))
    try:
        files = tuple(_seen(*one) for one in wanted)
    except PermissionError as error:
        mend = "run this as the user that the hotline runs as"
        raise CannotLook(f"{error.filename} is another user's", mend) from None
    return Rights(files, folders.data.stat().st_uid, tuple(_unusable(folders)))


def judge(seen: Rights) -> Iterator[Finding]:
    for one in seen.files:
        if one.mode is None and one.needed:
            mend = "bring it back ('hotline restore'), or stop and start 'hotline run', which makes most anew"
            yield Finding("D033", f"{one.path} is missing", mend)
    there = [one for one in seen.files if one.mode is not None]
    yield from _open(there, Kind.SECRET, "D030")
    yield from _open(there, Kind.CALLS, "D031")
    strange = [one for one in there if one.uid != seen.uid]
    if strange:
        matter = f"{_told(strange)} not the data folder's user's (user {seen.uid})"
        yield Finding("D032", matter, f"chown {seen.uid} {_all(strange)}")
    shut = [one for one in there if not _usable(one)]
    if shut:
        yield Finding("D032", f"{_told(shut)} not for its own user to read and write", f"chmod u+rwX {_all(shut)}")
    for why in seen.unusable:
        matter, _, mend = why.rpartition(": ")
        yield Finding("D034", matter, mend)


def findings(case: Case) -> Iterator[Finding]:
    return judge(look(case))


def _open(there: Iterable[Seen], kind: Kind, code: str) -> Iterator[Finding]:
    """A folder shows names only, and these are ids."""
    found = [one for one in there if one.kind is kind and not one.folder and (one.mode or 0) & _OTHERS]
    if found:
        yield Finding(code, f"{_told(found)} open to other users", f"chmod go= {_all(found)}")


def _usable(one: Seen) -> bool:
    wanted = 0o700 if one.folder else 0o600
    return (one.mode or 0) & wanted == wanted


def _told(found: list[Seen]) -> str:
    first = f"{found[0].path} (mode {found[0].mode or 0:04o})"
    return f"{first} is" if len(found) == 1 else f"{first} and {len(found) - 1} more are"


def _all(found: list[Seen]) -> str:
    """For a command: the file itself, or every file below their common folder."""
    if len(found) == 1:
        return str(found[0].path)
    return f"-R {os.path.commonpath([one.path.parent for one in found])}"


def _single(folders: Folders, *, encrypted: bool) -> Iterator[tuple[Path, Kind, bool]]:
    key_needed = encrypted and not os.environ.get(VARIABLE)
    yield folders.data, Kind.OURS, True
    yield folders.secrets, Kind.SECRET, True
    yield folders.tokens, Kind.SECRET, False
    yield command_token(folders.data), Kind.SECRET, False
    yield folders.recordings_key, Kind.SECRET, key_needed
    yield folders.records, Kind.CALLS, True
    for end in ("-wal", "-shm"):
        yield folders.records.with_name(folders.records.name + end), Kind.CALLS, False
    yield folders.recordings, Kind.CALLS, False
    yield folders.spool / "monitor", Kind.CALLS, True
    yield folders.journal.parent, Kind.CALLS, True
    yield folders.etc, Kind.SECRET, True
    yield folders.prompts, Kind.OURS, False


def _many(folders: Folders) -> Iterator[tuple[Path, Kind, bool]]:
    yield from ((path, Kind.SECRET, False) for path in sorted(folders.etc.glob("*.conf")))
    journals = sorted(folders.journal.parent.glob(f"{folders.journal.name}*"))
    yield from ((path, Kind.CALLS, False) for path in journals)
    for folder in (folders.recordings, folders.spool / "monitor"):
        yield from ((path, Kind.CALLS, False) for path in islice(_newest(folder), NEWEST))


def _newest(folder: Path) -> Iterator[Path]:
    """Every file below, folders by their names from the last one on: these are years, months, days."""
    for root, below, names in os.walk(folder):
        below.sort(reverse=True)
        yield from (Path(root) / name for name in names)


def _seen(path: Path, kind: Kind, needed: bool) -> Seen:  # noqa: FBT001 - a row of the tables above
    try:
        found = path.stat()
    except FileNotFoundError:
        return Seen(path, kind, needed, None)
    return Seen(path, kind, needed, S_IMODE(found.st_mode), found.st_uid, S_ISDIR(found.st_mode))


def _unusable(folders: Folders) -> Iterator[str]:
    """What cannot be used though its rights are as they should be."""
    try:
        Tokens.of(folders.tokens).every()
    except (TokensWrong, OSError) as error:
        yield str(error)
    try:
        KeyRing.load(folders.recordings_key)
    except (KeysOpenToOthers, KeysWrong, OSError) as error:
        yield str(error)
