"""`hotline backup` and `hotline restore`: everything that a city needs to go on elsewhere."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hotline.cli_calls import kept_store
from hotline.cli_export import Noting
from hotline.failing import CannotGoOn, plain_errors
from hotline.folders import Folders
from hotline.options import CONFIG, DATA, ConfigFolder, DataFolder
from recordings import backup as backups
from recordings.backup import About, Places
from recordings.backup_parts import BackupTooNew, BackupWrong, Manifest, names
from recordings.fresh import AlreadyThere
from recordings.schema import StoreTooNew
from recordings.store import Store
from settings.check import SettingsWrong, load

_EXPECTED: tuple[type[Exception], ...] = (SettingsWrong, StoreTooNew, BackupWrong, BackupTooNew, sqlite3.Error)
_POLITE = 10
"""How much more urgent calls are than a back-up."""

Backup = Annotated[Path, typer.Argument(metavar="BACKUP", help="A folder, or one file that ends in .tar.")]


def backup(
    out: Backup,
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    former: Annotated[
        Path | None, typer.Option("--previous", help="A former back-up (a folder): audio in it is shared with it.")
    ] = None,
    without_secrets: Annotated[
        bool, typer.Option("--without-secrets", help="Leave out passwords, PINs and tokens.")
    ] = False,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="With the key of encrypted recordings: guard it as the recordings.")
    ] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Make none: say whether BACKUP is whole.")] = False,
) -> None:
    """Back up settings, records and recordings, while the hotline runs or not."""
    with plain_errors(*_EXPECTED):
        if verify:
            typer.echo(f"{out} is whole: {told(backups.verify(out))}")
            return
        if out.resolve().is_relative_to(data.resolve()):
            raise CannotGoOn(f"{out} is in the data folder itself", "give a folder on another disk")
        if former is not None and not former.is_dir():
            raise CannotGoOn(f"{former} is no folder", "give a back-up that is a folder with --previous")
        os.nice(_POLITE)
        folders = Folders(data.resolve())
        left_out = (*(("secrets",) if without_secrets else ()), *(() if with_key else ("key",)))
        settings = load(config)
        about = About(settings.city.name.zh, settings.city.node, left_out)
        with kept_store(data) as store:
            _noted(store, "backup", {"to": str(out.resolve())})
            try:
                manifest = backups.back_up(store, _places(folders, config, left_out), about, out, former)
            except AlreadyThere as there:
                raise CannotGoOn(f"{there.path} is there already", "give another name") from None
            _noted(store, "backed_up", {"to": str(out.resolve()), "calls": str(manifest.calls), "head": manifest.head})
        typer.echo(f"{out}: {told(manifest)}")
        _warn(folders, left_out)


def restore(
    source: Backup,
    data: Annotated[Path, typer.Option("--data", help="The data folder to be made.")],
    config: Annotated[Path | None, typer.Option("--config", help="The folder to be made for the settings.")] = None,
) -> None:
    """Build a data folder, and one with the settings, from a back-up. Nothing is made unless all of it is whole."""
    with plain_errors(*_EXPECTED):
        try:
            manifest = backups.restore(source, data, config)
        except AlreadyThere as there:
            raise CannotGoOn(
                f"{there.path} is in use: it is not empty", "give a new folder; a city is never restored over another"
            ) from None
        with Store(Folders(data).records) as store:
            Noting(store).add("restored", {"from": str(source.resolve()), "head": manifest.head})
        typer.echo(f"{data}: {told(manifest)}")
        if "secrets" in manifest.left_out:
            typer.echo("passwords are not in it: 'run' makes new ones, and asks for those of trunks", err=True)
        settings = config if config is not None else "DIR"
        typer.echo(f"start it with: hotline run --config {settings} --data {data}")


def told(manifest: Manifest) -> str:
    """What a back-up holds, in a sentence."""
    recordings = len(names(manifest.parts, backups.RECORDINGS))
    megabytes = sum(part.bytes for part in manifest.parts) / 1_000_000
    made = f"{datetime.fromtimestamp(manifest.made_utc_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{manifest.city} as of {made}: {manifest.calls} calls, {recordings} recordings, {megabytes:.1f} MB"


def _places(folders: Folders, config: Path, left_out: tuple[str, ...]) -> Places:
    single = [("asterisk/settings.json", folders.installed)]
    if "secrets" not in left_out:
        single += [("secrets.yaml", folders.secrets), ("tokens.json", folders.tokens)]
    if "key" not in left_out:
        single += [("recordings.key", folders.recordings_key)]
    return Places(folders.recordings, folders.spool / "monitor", folders.journal, config, tuple(single))


def _noted(store: Store, did: str, what: dict[str, str]) -> None:
    """A full disk must not keep anybody from backing up."""
    try:
        Noting(store).add(did, what)
    except sqlite3.OperationalError as error:
        typer.echo(f"this back-up is not noted in the audit ({error})", err=True)


def _warn(folders: Folders, left_out: tuple[str, ...]) -> None:
    if "secrets" not in left_out and folders.secrets.is_file():
        typer.echo("passwords are in it: guard it as you guard secrets.yaml, or use --without-secrets", err=True)
    if "key" in left_out and folders.recordings_key.is_file():
        typer.echo(
            f"the key of the recordings is not in it: keep a copy of {folders.recordings_key} elsewhere, "
            "or nobody will hear them again",
            err=True,
        )


COMMANDS = (backup, restore)
