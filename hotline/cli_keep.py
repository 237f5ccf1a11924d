"""`hotline audit`, `hold`, `release`, `confidential`, `retention` and `play`: what is kept stays what it was,
for as long as it may."""

import asyncio
import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from hotline.cli_calls import kept_store
from hotline.failing import CannotGoOn, error_console, plain_errors
from hotline.folders import Folders
from hotline.options import CONFIG, DATA, AsJson, ConfigFolder, DataFolder
from hotline.somebody import ROLE, os_user
from recordings import show
from recordings.audit import Audit, By
from recordings.keys import KeyMissing, KeyRing, KeysOpenToOthers, KeysWrong
from recordings.marks import MarkKind, Marks
from recordings.playback import NoAudio, open_audio
from recordings.proof import Proof
from recordings.pulse import PROVED
from recordings.queries import NoSuchCall, SeveralCalls, get
from recordings.removal import Remover, now_utc_ms, survey
from recordings.retention import DAY_MS, Part, Terms
from recordings.schema import StoreTooNew
from recordings.store import AUDIOS
from recordings.vault import AudioBroken
from settings.check import SettingsWrong, load

Ref = Annotated[str, typer.Argument(metavar="ID", help="The call's id, or the beginning of it.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the audit.")]

_EXPECTED = (SettingsWrong, StoreTooNew, NoSuchCall, SeveralCalls, KeysOpenToOthers, KeysWrong, sqlite3.DatabaseError)
_SOON_DAYS = 30
_HEAD_CHARACTERS = 64


def audit(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    audio: Annotated[bool, typer.Option("--audio", help="Read each recording, too, and compare its hash.")] = False,
    head: Annotated[
        list[str] | None,
        typer.Option("--head", metavar="HEX", help="A head that was noted earlier: it must still be in the chain."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that no kept record was changed, removed or put in, call by call."""
    with plain_errors(*_EXPECTED), kept_store(data) as store:
        timezone = ZoneInfo(load(config).city.timezone)
        folders = Folders(data)
        proof = Proof(tuple(_head(text) for text in head or ()))
        wanted = (folders.recordings, KeyRing.load(folders.recordings_key)) if audio else None
        found = 0
        with closing(proof.faults(store, wanted)) as faults:
            for fault in faults:
                found += 1
                if as_json:
                    typer.echo(json.dumps(asdict(fault), ensure_ascii=False))
                else:
                    at = "" if fault.at_utc_ms is None else f"{show.local(fault.at_utc_ms, timezone):%Y-%m-%d %H:%M:%S}"
                    typer.echo(" ".join(part for part in (at, fault.ref, fault.kind) if part) + f": {fault.matter}")
        told = {"links": proof.links, "records": proof.records, "removed": proof.removed, "audio": proof.audio}
        noted = {name: str(count) for name, count in {**told, "faults": found}.items()}
        Audit(store).add(os_user(), ROLE, PROVED, noted, now_utc_ms())
        if as_json:
            typer.echo(json.dumps({"kind": "sum", **told, "faults": found, "head": proof.head.hex()}))
        else:
            typer.echo(", ".join(f"{name}: {count}" for name, count in told.items()) + f", faults: {found}")
            typer.echo(f"head: {proof.head.hex()}")
        if found:
            raise typer.Exit(1)


def _head(text: str) -> bytes:
    try:
        head = bytes.fromhex(text)
    except ValueError:
        head = b""
    if len(head) * 2 != _HEAD_CHARACTERS:
        raise CannotGoOn(f"{text!r} is no head", f"give the {_HEAD_CHARACTERS} characters that 'audit' printed")
    return head


def hold(ref: Ref, reason: Reason, data: DataFolder = DATA) -> None:
    """Keep a call until it is released, whatever its time (legal hold)."""
    _mark(ref, MarkKind.HELD, reason, data)


def release(ref: Ref, data: DataFolder = DATA) -> None:
    """End a hold: the call is kept as others are."""
    _unmark(ref, MarkKind.HELD, data)


def confidential(
    ref: Ref,
    reason: Annotated[str | None, typer.Option(help="Why; it stands in the audit.")] = None,
    end: Annotated[bool, typer.Option("--end", help="It is no longer confidential.")] = False,
    data: DataFolder = DATA,
) -> None:
    """Mark a call as confidential: only supervisors hear it, and it is kept as retention.yaml says of such calls."""
    with plain_errors():
        if end == (reason is not None):
            raise CannotGoOn("a mark has a reason, and its end has none", "give one of --reason and --end")
    if reason is None:
        _unmark(ref, MarkKind.CONFIDENTIAL, data)
    else:
        _mark(ref, MarkKind.CONFIDENTIAL, reason, data)


def _mark(ref: str, kind: MarkKind, reason: str, data: Path) -> None:
    with plain_errors(*_EXPECTED), kept_store(data) as store:
        if not reason.strip():
            raise CannotGoOn("nothing is given as the reason", "write why, for whoever reads the audit")
        record = get(store, ref)
        added = Marks(store).add(record.ref, kind, reason.strip(), _by(), now_utc_ms())
        typer.echo(f"{record.ref} is {kind.value}" + ("" if added else " already: the older reason stays"))


def _unmark(ref: str, kind: MarkKind, data: Path) -> None:
    with plain_errors(*_EXPECTED), kept_store(data) as store:
        record = get(store, ref)
        if not Marks(store).end(record.ref, kind, _by(), now_utc_ms()):
            raise CannotGoOn(f"{record.ref} is not {kind.value}", "look at the audit for what was done")
        typer.echo(f"{record.ref} is no longer {kind.value}")


def retention(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    now: Annotated[bool, typer.Option("--now", help="Remove what is due, instead of waiting for the hotline.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what of the kept calls is due to be removed, and when."""
    with plain_errors(*_EXPECTED), kept_store(data) as store:
        settings = load(config)
        terms, folders = Terms.of(settings), Folders(data)
        if now:
            records = settings.server.records
            forwards = records.copy_to is not None or records.postgresql is not None
            removed = asyncio.run(Remover(folders.records, folders.recordings, terms, forwards=forwards).remove())
            typer.echo(f"removed: records {removed.records}, audio of further calls {removed.audio}")
            return
        now_ms = now_utc_ms()
        counts: Counter[tuple[str, str, str]] = Counter()
        for due in survey(store, terms, now_ms + _SOON_DAYS * DAY_MS):
            call = due.call
            when = "held" if call.held else "now" if due.due_utc_ms <= now_ms else "soon"
            counts[call.number or call.dialled, due.part.value, when] += 1
            if as_json:
                said = {"ref": call.ref, "part": due.part.value, "due_utc_ms": due.due_utc_ms, "held": call.held}
                typer.echo(json.dumps(said))
        if not as_json:
            _print_due(counts, terms)


def _print_due(counts: Counter[tuple[str, str, str]], terms: Terms) -> None:
    if not counts:
        typer.echo(f"nothing is due within {_SOON_DAYS} days")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("number")
    table.add_column("removed")
    for name in ("kept for", "due now", f"in {_SOON_DAYS} days", "held"):
        table.add_column(name, justify="right")
    for number, part in sorted({key[:2] for key in counts}):
        term = terms.of_number(number)
        days = term.audio if part == Part.AUDIO.value else term.records
        told = (counts[number, part, when] for when in ("now", "soon", "held"))
        table.add_row(number, part, f"{days}d", *(str(count) for count in told))
    Console().print(table)


def play(
    ref: Ref,
    out: Annotated[Path | None, typer.Option(help="The WAV file to write; ID.wav here unless given.")] = None,
    message: Annotated[bool, typer.Option("--message", help="The message left after the talk.")] = False,
    data: DataFolder = DATA,
) -> None:
    """Write a call's recording as a plain WAV file. The audit tells who did."""
    with plain_errors(*_EXPECTED, NoAudio, AudioBroken, KeyMissing), kept_store(data) as store:
        folders = Folders(data)
        record, audio = get(store, ref), AUDIOS[1 if message else 0]
        target = out or Path(f"{record.ref}{audio.ending}")
        if target.exists():
            raise CannotGoOn(f"{target} is there already", "give another file with --out")
        beside = target.with_name(f".{target.name}.part")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                keys, folder = KeyRing.load(folders.recordings_key), folders.recordings
                for part in open_audio(store, record, audio, _by(), folder=folder, keys=keys, now_utc_ms=now_utc_ms()):
                    file.write(part)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        error_console().print(f"{target}: whoever can read this file can hear the call; remove it after use")


def _by() -> By:
    return By(os_user(), ROLE)


COMMANDS = (audit, hold, release, confidential, retention, play)
