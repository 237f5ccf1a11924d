"""`hotline calls`, `hotline call` and `hotline blocked`: what was kept."""

import csv
import json
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.text import Text

from calls.record import Outcome
from hotline.archives import find_archived, get_archived
from hotline.failing import CannotGoOn, plain_errors
from hotline.folders import Folders
from hotline.options import CONFIG, DATA, AsJson, ConfigFolder, DataFolder
from recordings import mask as masks
from recordings import show
from recordings.archive import ReceiverAway
from recordings.blocks import Blocked, BlockedCall, Blocks
from recordings.queries import MOST, NoSuchCall, SearchWrong, SeveralCalls, Wanted, find, get, timeline
from recordings.schema import StoreTooNew
from recordings.store import Store
from settings.check import SettingsWrong, load
from settings.secrets import SecretsOpenToOthers, SecretsWrong

Archived = Annotated[bool, typer.Option("--archive", help="Look into the archive, where all nodes' calls are.")]
Masked = Annotated[bool, typer.Option("--mask", help="Hide callers' numbers and the keys they pressed.")]

_OF_ARCHIVES = (ReceiverAway, SecretsWrong, SecretsOpenToOthers)


def kept_store(data: Path) -> Store:
    """The store of that data folder. Raises CannotGoOn."""
    path = Folders(data).records
    if not path.exists():
        raise CannotGoOn(f"no calls are kept in {data}", "run 'hotline run' or 'hotline demo' first, or give --data")
    try:
        return Store(path)
    except sqlite3.DatabaseError as error:
        raise CannotGoOn(f"{path} cannot be read ({error})", "put it aside or bring back a copy") from error


def day_of(text: str | None) -> date | None:
    """The day that was written as 2026-11-21, if any. Raises CannotGoOn."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CannotGoOn(f"{text!r} is no day", "write it as 2026-11-21") from None


def outcome_of(text: str | None) -> Outcome | None:
    """The outcome that was named, if any. Raises CannotGoOn."""
    if text is None:
        return None
    try:
        return Outcome(text)
    except ValueError:
        raise CannotGoOn(
            f"no outcome is called {text!r}", f"choose {', '.join(one.value for one in Outcome)}"
        ) from None


def calls(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    day: Annotated[str | None, typer.Option(help="Only this day, in the city's time: 2026-11-21.")] = None,
    number: Annotated[str | None, typer.Option(help="Only calls that dialled, or came to, this number.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only calls that ended so: answered, abandoned, …")] = None,
    caller: Annotated[str | None, typer.Option(help="Only calls from this number.")] = None,
    seat: Annotated[str | None, typer.Option(help="Only calls that this seat answered.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only calls that this agent answered.")] = None,
    since: Annotated[str | None, typer.Option(help="Only this day and later ones.")] = None,
    until: Annotated[str | None, typer.Option(help="Only this day and earlier ones.")] = None,
    limit: Annotated[int, typer.Option(help=f"At most so many, the newest; 1 to {MOST}.")] = 100,
    archive: Archived = False,
    mask: Masked = False,
    as_json: AsJson = False,
) -> None:
    """List the calls that were kept, the newest first."""
    with plain_errors(SettingsWrong, StoreTooNew, SearchWrong, sqlite3.DatabaseError, *_OF_ARCHIVES):
        settings = load(config)
        timezone = ZoneInfo(settings.city.timezone)
        wanted = Wanted(
            day_of(day),
            number,
            outcome_of(outcome),
            caller,
            limit,
            seat,
            agent,
            since=day_of(since),
            until=day_of(until),
        )
        if archive:
            kept = find_archived(settings, data, wanted)
        else:
            with kept_store(data) as store:
                kept = find(store, wanted, timezone)
        found = [masks.record(one) if mask else one for one in kept]
        if as_json:
            for record in found:
                typer.echo(show.as_json(record))
        else:
            Console().print(show.table(found, timezone))


def call(
    ref: Annotated[str, typer.Argument(metavar="ID", help="The call's id, or the beginning of it.")],
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    archive: Archived = False,
    mask: Masked = False,
    as_json: AsJson = False,
) -> None:
    """Show one call: its record and what happened, step by step."""
    with plain_errors(SettingsWrong, StoreTooNew, NoSuchCall, SeveralCalls, sqlite3.DatabaseError, *_OF_ARCHIVES):
        settings = load(config)
        timezone = ZoneInfo(settings.city.timezone)
        if archive:
            record, entries = get_archived(settings, data, ref)
        else:
            with kept_store(data) as store:
                record = get(store, ref)
                entries = timeline(store, record.ref)
        if mask:
            record, entries = masks.record(record), tuple(masks.entry(one) for one in entries)
        if as_json:
            typer.echo(show.as_json(record))
            for entry in entries:
                typer.echo(show.entry_as_json(entry))
        else:
            Console().print(show.draw(record, entries, timezone))


def blocked(
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    number: Annotated[str | None, typer.Option(help="Only this caller.")] = None,
    mask: Masked = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The refused calls as a table, for the police.")] = False,
    as_json: AsJson = False,
) -> None:
    """List who is blocked, and the calls that were refused for it."""
    with plain_errors(SettingsWrong, StoreTooNew, sqlite3.DatabaseError), kept_store(data) as store:
        settings = load(config)
        timezone = ZoneInfo(settings.city.timezone)
        today = datetime.now(timezone).date().isoformat()
        blocks = Blocks(store)
        written = tuple(Blocked(one.number, one.reason, one.author, one.until.isoformat()) for one in settings.blocked)
        now = [("settings", one) for one in written if one.until_day >= today]
        now += [("desk", one) for one in blocks.active(today)]
        now = [(source, one) for source, one in now if number in (None, one.number)]
        refused = blocks.blocked_calls(number, written, timezone)
        if mask:
            now = [(source, masks.blocked(one)) for source, one in now]
            refused = tuple(masks.blocked_call(one) for one in refused)
        if as_csv:
            _write_csv(refused, timezone)
        elif as_json:
            for source, one in now:
                typer.echo(json.dumps({"kind": "blocked", "source": source, **asdict(one)}, ensure_ascii=False))
            for call in refused:
                typer.echo(json.dumps({"kind": "refused", **asdict(call)}, ensure_ascii=False))
        else:
            Console().print(show.blocked(now), Text(), show.refused(refused, timezone), sep="\n")


def _write_csv(refused: Sequence[BlockedCall], timezone: ZoneInfo) -> None:
    out = csv.writer(sys.stdout)
    out.writerow(("at", "caller", "dialled", "reason", "author", "until", "call"))
    for call in refused:
        at = show.local(call.at_utc_ms, timezone).isoformat(timespec="seconds")
        out.writerow((at, call.caller, call.dialled, call.reason, call.author, call.until, call.call))


COMMANDS = (calls, call, blocked)
