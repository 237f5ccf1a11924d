"""Brings exported calls into a store: every file is read and checked whole before anything is written."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

from calls.record import CallRecord, plain
from recordings import export_csv, export_vcon
from recordings.export_columns import Kept, RecordWrong
from recordings.store import AUDIOS, Audio, Store, record_of
from recordings.writing import row_of

LOT = 500
"""So many records are one transaction: the running hotline waits no longer for the store."""
MOST_MISTAKES = 20
"""More are not told at once."""

_NAMES = (*(field.name for field in fields(CallRecord)), *(audio.state for audio in AUDIOS), "revision")
_PUT = f"""
    INSERT INTO records ({", ".join(_NAMES)}, looked_at) VALUES ({", ".join(f":{name}" for name in _NAMES)}, 1)
    ON CONFLICT (ref) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES)}, looked_at = 1
"""  # noqa: S608 - names of our own columns


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that cannot be imported."""

    file: Path
    where: str
    """A line, a row; empty: the whole file."""
    matter: str

    def __str__(self) -> str:
        return f"{self.file}{', ' if self.where else ''}{self.where}: {self.matter}"


class CannotImport(ValueError):
    """Nothing was imported; `mistakes` are the first reasons."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        told = "\n".join(str(mistake) for mistake in mistakes)
        super().__init__(f"{told}\nnothing was imported: export these calls anew, or leave these files out")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    replaced: int
    """A lower revision was known."""
    same: int
    """Known already, or at a higher revision."""


def files_of(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files, and the vCons in those that are folders, in order. Raises CannotImport."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob(f"*{export_vcon.ENDING}")) if path.is_dir() else [path]
        if not inside or not path.exists():
            matter = f"no file ending in {export_vcon.ENDING} is in it" if path.exists() else "there is no such file"
            raise CannotImport([Mistake(path, "", matter)])
        found += inside
    return tuple(found)


def hashes(files: Iterable[Path]) -> str:
    """One hash for all of the files, whatever they are called."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def bring_in(store: Store, files: Sequence[Path]) -> Imported:
    """Imports the files' calls. A higher revision replaces a lower one.

    A call that differs at the same revision is refused. Safe to repeat: what an interrupted import left out
    comes with the next. Raises CannotImport before anything is written, OSError, sqlite3.Error.
    """
    _require_good(store, files)
    added = replaced = same = 0
    calls = (one for path in files for _, one in _read(path) if isinstance(one, Kept))
    while lot := list(islice(calls, LOT)):
        known = _revisions(store, [one.record.ref for one in lot])
        with store.writing() as connection:
            for one in lot:
                revision = known.get(one.record.ref, 0)
                if revision >= one.revision:
                    same += 1
                    continue
                _put(store, connection, one)
                known[one.record.ref] = one.revision
                added, replaced = added + (not revision), replaced + bool(revision)
    return Imported(added, replaced, same)


def _put(store: Store, connection: sqlite3.Connection, one: Kept) -> None:
    """Nobody is called back for an imported call: `looked_at`."""
    values = plain(one.record)
    states = {audio.state: _state(values, audio) for audio in AUDIOS}
    connection.execute(_PUT, {**row_of(values), **states, "revision": one.revision})
    for event in one.events:
        store.keep_event(connection, one.record.ref, one.record.node, event)
    store.changed(connection, one.record.ref)


def _state(values: dict[str, object], audio: Audio) -> str | None:
    """Where the audio is said to be; that which was still due cannot come any more."""
    if values[f"{audio.fields}_file"] is not None:
        return "kept"
    if values[f"{audio.fields}_sha256"] is not None:
        return "removed"
    return "none" if values[audio.wanted] else None


def _require_good(store: Store, files: Sequence[Path]) -> None:
    """Raises CannotImport for files that cannot be read, and for calls that contradict the store or each other."""
    mistakes: list[Mistake] = []
    seen: dict[int, int] = {}
    for path in files:
        found = _read(path)
        while lot := list(islice(found, LOT)):
            known = _known(store, [one.record.ref for _, one in lot if isinstance(one, Kept)])
            for where, one in lot:
                matter = one.matter if isinstance(one, RecordWrong) else _contradicts(one, known, seen)
                if matter:
                    mistakes.append(Mistake(path, where, matter))
            if len(mistakes) >= MOST_MISTAKES:
                raise CannotImport(mistakes[:MOST_MISTAKES])
    if mistakes:
        raise CannotImport(mistakes)


def _contradicts(one: Kept, known: dict[str, Kept], seen: dict[int, int]) -> str:
    """Why the call cannot be believed; empty: it can. seen: digests of what came before, and of its records."""
    ref, there = one.record.ref, known.get(one.record.ref)
    if there is not None and there.revision == one.revision and there.record != one.record:
        return f"call {ref} is kept with the same revision {one.revision}, but differs"
    digest = _digest(repr(one.record))
    if seen.setdefault(_digest(f"{ref} {one.revision}"), digest) != digest:
        return f"call {ref} is in these files twice with revision {one.revision}, and differs"
    return ""


def _digest(text: str) -> int:
    """64 bits, so that a million calls need little memory."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _read(path: Path) -> Iterator[tuple[str, Kept | RecordWrong]]:
    """What is in a file, whatever its format; where the whole file is wrong, that alone."""
    try:
        yield from _reader(path)(path)
    except RecordWrong as wrong:
        yield "", wrong


def _reader(path: Path) -> Callable[[Path], Iterator[tuple[str, Kept | RecordWrong]]]:
    match path.suffix.lower():
        case ".csv":
            return export_csv.read
        case ".parquet":
            from recordings import export_parquet  # noqa: PLC0415 - pyarrow is large, and wanted for this alone.

            return export_parquet.read
        case export_vcon.ENDING | ".json":
            return export_vcon.read
        case ending:
            raise RecordWrong(f"a file ending in {ending or 'nothing'} is no export: .csv, .parquet and .vcon are")


def _revisions(store: Store, refs: Sequence[str]) -> dict[str, int]:
    return {ref: one.revision for ref, one in _known(store, refs).items()}


def _known(store: Store, refs: Sequence[str]) -> dict[str, Kept]:
    marks = ", ".join("?" * len(refs))
    rows = store.rows(f"SELECT * FROM records WHERE ref IN ({marks})", *refs)  # noqa: S608 - question marks alone
    return {row["ref"]: Kept(row["revision"], record_of(row)) for row in rows}
