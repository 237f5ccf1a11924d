"""`hotline restart` and `hotline restarts`."""

import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hotline.control import Wish, ask
from hotline.failing import CannotGoOn, plain_errors
from hotline.folders import Folders
from hotline.options import DATA, AsJson, DataFolder
from hotline.somebody import os_user
from recordings.restarts import Part, Restart, Restarts
from recordings.schema import StoreTooNew
from recordings.store import Store

UP_S = 60.0
"""So long it is waited for that calls are steered again."""


def restart(
    part: Annotated[Part, typer.Argument(help="asterisk or controller.")],
    data: DataFolder = DATA,
    why: Annotated[str, typer.Option(help="The reason, for the list of restarts.")] = "",
    now: Annotated[bool, typer.Option("--now", help="Do not wait some seconds for calls in progress to end.")] = False,
) -> None:
    """Start Asterisk or the controller of a running hotline again.

    Without the controller calls go on. A restart of Asterisk ends them: it waits some seconds for those in
    progress, lets new ones in meanwhile, and then goes ahead.
    """
    with plain_errors(StoreTooNew, sqlite3.DatabaseError):
        folders = Folders(data.resolve())
        wish = Wish(part=part, why=why, who=os_user(), now=now)
        answer = asyncio.run(ask(folders.control, wish))
        if not answer.done:
            raise CannotGoOn(f"{part.value} was not started again", answer.matter)
        if answer.entry is None:
            raise CannotGoOn(f"{part.value} runs again, but that is not written down yet", "free the disk")
        done = _up(folders, answer.entry)
        took_s = (done.took_ms or 0) / 1000
        typer.echo(f"{part.value} is back, and calls are steered, after {took_s:.1f} s; {done.calls} were in progress")


def _up(folders: Folders, entry: int) -> Restart:
    """Waits until calls are steered again. Raises CannotGoOn."""
    deadline_s = time.monotonic() + UP_S
    with Store(folders.records) as store:
        restarts = Restarts(store)
        while time.monotonic() < deadline_s:
            found = restarts.get(entry)
            if found is not None and found.up_utc_ms is not None:
                return found
            time.sleep(0.1)
    raise CannotGoOn(f"calls are not steered again after {UP_S:g} s", "look at the log of 'hotline run'")


def restarts(
    data: DataFolder = DATA,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was started again: when, why, by whom, and how long it took."""
    with plain_errors(StoreTooNew, sqlite3.DatabaseError):
        folders = Folders(data)
        if not folders.records.exists():
            raise CannotGoOn(f"nothing was ever served in {data}", "run 'hotline run' first, or give --data")
        with Store(folders.records) as store:
            found = Restarts(store).newest(limit)
        if as_json:
            for one in found:
                typer.echo(one.as_json())
        else:
            Console().print(_table(found))


def _table(found: tuple[Restart, ...]) -> Table:
    table = Table("ended (UTC)", "part", "after", "calls", "by", "why", box=None, padding=(0, 2, 0, 0))
    for one in found:
        ended = datetime.fromtimestamp(one.ended_utc_ms / 1000, UTC)
        took = "not yet" if one.took_ms is None else f"{one.took_ms / 1000:.1f} s"
        table.add_row(
            f"{ended:%Y-%m-%d %H:%M:%S}", one.part.value, took, str(one.calls), Text(one.who or "-"), Text(one.why)
        )
    return table


COMMANDS = (restart, restarts)
