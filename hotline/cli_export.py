"""`hotline export` and `hotline import`: calls as files for others, and back."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from hotline.cli_calls import Masked, day_of, kept_store, outcome_of
from hotline.failing import CannotGoOn, plain_errors
from hotline.folders import Folders
from hotline.options import CONFIG, DATA, ConfigFolder, DataFolder
from hotline.somebody import ROLE, os_user
from recordings import importing
from recordings.audit import Audit, By
from recordings.export import Format, count, export
from recordings.export_columns import Kept
from recordings.export_vcon import Sounds
from recordings.fresh import AlreadyThere
from recordings.importing import CannotImport
from recordings.keys import KeyMissing, KeyRing, KeysOpenToOthers, KeysWrong
from recordings.playback import open_audio
from recordings.queries import SearchWrong, Wanted
from recordings.schema import StoreTooNew
from recordings.store import AUDIOS, Store
from recordings.vault import AudioBroken
from settings.check import SettingsWrong, load

_EXPECTED: tuple[type[Exception], ...] = (
    SettingsWrong,
    StoreTooNew,
    AudioBroken,
    KeyMissing,
    KeysOpenToOthers,
    KeysWrong,
    CannotImport,
    SearchWrong,
    sqlite3.Error,
)


def export_(
    since: Annotated[str, typer.Option("--from", help="The first day, in the city's time: 2026-11-01.")],
    until: Annotated[str, typer.Option("--to", help="The last day.")],
    form: Annotated[Format, typer.Option("--format", help="vcon: a folder with one file a call.")],
    out: Annotated[Path, typer.Option(help="The file, or for vcon the folder, to be made.")],
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    number: Annotated[str | None, typer.Option(help="Only calls that dialled, or came to, this number.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only calls that ended so: answered, abandoned, …")] = None,
    caller: Annotated[str | None, typer.Option(help="Only calls from this number.")] = None,
    seat: Annotated[str | None, typer.Option(help="Only calls that this seat answered.")] = None,
    audio: Annotated[bool, typer.Option("--audio", help="With what was said, in vCons.")] = False,
    mask: Masked = False,
) -> None:
    """Write calls that have ended as CSV, Parquet or vCon. Each export is noted in the audit."""
    with plain_errors(*_EXPECTED):
        wanted = Wanted(
            since=day_of(since),
            until=day_of(until),
            number=number,
            outcome=outcome_of(outcome),
            caller=caller,
            seat=seat,
        )
        _require_sense(form, out, audio=audio, mask=mask)
        timezone = ZoneInfo(load(config).city.timezone)
        with kept_store(data) as store:
            said = {"format": form.value, "file": str(out.resolve()), "masked": _yes(mask), "audio": _yes(audio)}
            said |= _said(wanted)
            note = Noting(store)
            note.add("export", said)
            sounds = _sounds(store, Folders(data)) if audio else (lambda _: {})
            try:
                done = export(store, wanted, timezone, form, out, masked=mask, sounds=sounds)
            except AlreadyThere as there:
                raise CannotGoOn(f"{there.path} is there already", "give another name with --out") from None
            note.add("exported", {"file": said["file"], "calls": str(done.calls), "sha256": done.sha256})
            running = count(store, wanted, timezone, running=True)
        typer.echo(f"{done.calls} calls in {out} (sha256 {done.sha256})")
        if running:
            typer.echo(f"{running} calls have not ended, and are left out", err=True)


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Exports, or folders with vCons.")],
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
) -> None:
    """Bring exported calls back. All files are checked before anything is written."""
    with plain_errors(*_EXPECTED):
        found = importing.files_of(files)
        records = load(config).server.records
        forwards = records.copy_to is not None or records.postgresql is not None
        with Store(Folders(data).records, forwards=forwards) as store:
            note = Noting(store)
            said = {"files": ", ".join(str(path.resolve()) for path in files), "sha256": importing.hashes(found)}
            note.add("import", said)
            done = importing.bring_in(store, found)
            note.add("imported", {**said, **{name: str(number) for name, number in asdict(done).items()}})
        typer.echo(f"{done.added} calls added, {done.replaced} replaced by a newer record, {done.same} known already")


class Noting:
    """Notes in the audit what the user of this command does."""

    def __init__(self, store: Store) -> None:
        self._audit = Audit(store)

    def add(self, did: str, what: dict[str, str]) -> None:
        """Is on the disk when it returns. Raises sqlite3.Error."""
        self._audit.add(os_user(), ROLE, did, what, time.time_ns() // 1_000_000)


def _sounds(store: Store, folders: Folders) -> Callable[[Kept], Sounds]:
    """Reads a call's audio; each is noted in the audit, as every playback is."""
    keys = KeyRing.load(folders.recordings_key)
    by = By(os_user(), ROLE)

    def read(one: Kept) -> Sounds:
        found = [audio for audio in AUDIOS if getattr(one.record, f"{audio.fields}_file") is not None]
        now_ms = time.time_ns() // 1_000_000
        return {
            audio.fields: b"".join(
                open_audio(store, one.record, audio, by, folder=folders.recordings, keys=keys, now_utc_ms=now_ms)
            )
            for audio in found
        }

    return read


def _require_sense(form: Format, out: Path, *, audio: bool, mask: bool) -> None:
    if audio and form is not Format.VCON:
        raise CannotGoOn(f"{form.value} holds no audio", "leave --audio out, or take --format vcon")
    if audio and mask:
        raise CannotGoOn("what was said cannot be masked", "leave out --audio or --mask")
    ending = f".{form.value}"
    if form is not Format.VCON and out.suffix.lower() != ending:
        raise CannotGoOn(f"{out} does not end in {ending}, by which it is known again", f"call it {out.name}{ending}")


def _said(wanted: Wanted) -> dict[str, str]:
    """What is wanted, for the audit."""
    outcome = None if wanted.outcome is None else wanted.outcome.value
    said = {"from": wanted.since, "to": wanted.until, "number": wanted.number, "outcome": outcome}
    said |= {"caller": wanted.caller, "seat": wanted.seat}
    return {name: str(value) for name, value in said.items() if value is not None}


def _yes(flag: bool) -> str:  # noqa: FBT001 - the flag is all there is.
    return "yes" if flag else "no"


export_.__name__, import_.__name__ = "export", "import"
COMMANDS = (export_, import_)
