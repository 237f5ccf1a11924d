"""`hotline drill`: marked test calls over the lines of the emergency numbers, and the evidence of them."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hotline.asking import Running
from hotline.failing import CannotGoOn, plain_errors
from hotline.folders import Folders
from hotline.options import CONFIG, DATA, AsJson, ConfigFolder, DataFolder
from hotline.views import drill as shown
from recordings.drills import ANSWERED, LOST, OPEN, PUT_OFF, Drills
from recordings.schema import StoreTooNew
from recordings.store import Store
from settings.check import SettingsWrong, load
from web.tokens import TokensWrong

LOOK_S = 0.5
LIST_MOST = 1000

RESULTS = {
    "planned": "not called yet",
    "placed": "is called now",
    ANSWERED: "answered",
    "busy": "busy",
    "no_answer": "no answer",
    "unreachable": "not reached",
    PUT_OFF: "put off: emergencies need the lines",
    LOST: "not known: look at the call",
}
"""What became of a test call, in plain words."""


def drill(
    number: Annotated[str | None, typer.Option(help="Only this emergency number, such as 110.")] = None,
    trunk: Annotated[str | None, typer.Option(help="Only this line, as trunks.yaml names it.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Call nobody; show the drills so far.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIST_MOST, help="With --list: at most so many.")] = 100,
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    as_json: AsJson = False,
) -> None:
    """Place a marked test call over each line of each emergency number, and keep what became of it."""
    with plain_errors(TokensWrong, SettingsWrong, StoreTooNew, sqlite3.DatabaseError):
        timezone = ZoneInfo(load(config).city.timezone)
        found = _kept(data, limit, number, trunk) if listed else asyncio.run(_called(data, number, trunk))
        if as_json:
            for one in found:
                typer.echo(json.dumps(one, ensure_ascii=False))
        else:
            Console().print(_drawn(found, timezone) if found else "there was no drill yet")
        if not listed and any(one["result"] != ANSWERED for one in found):
            raise typer.Exit(1)


def _kept(data: Path, limit: int, number: str | None, trunk: str | None) -> list[dict[str, Any]]:
    """From the store itself: it can be asked while the hotline stands still."""
    path = Folders(data).records
    if not path.exists():
        raise CannotGoOn(f"nothing is kept in {data}", "run 'hotline run' first, or give --data")
    with Store(path) as store:
        rows = Drills(store).newest(LIST_MOST)
    wanted = [row for row in rows if number in (None, row.number) and trunk in (None, row.trunk)]
    return [asdict(shown(row)) for row in wanted[:limit]]


async def _called(data: Path, number: str | None, trunk: str | None) -> list[dict[str, Any]]:
    """Begins a drill and waits for its end."""
    running = Running.of(data)
    wanted = {name: value for name, value in (("number", number), ("trunk", trunk)) if value is not None}
    begun = (await running.post("/drills", wanted))["items"]
    idents = {one["id"] for one in begun}
    longest_s = 120.0 * len(idents)
    until_s = time.monotonic() + longest_s
    while True:
        items = (await running.get(f"/drills?limit={LIST_MOST}"))["items"]
        found = [one for one in reversed(items) if one["id"] in idents]
        if all(one["result"] not in OPEN for one in found):
            return found
        if time.monotonic() > until_s:
            raise CannotGoOn(f"the drill has not ended within {longest_s:.0f} s", "look into the hotline's log")
        await asyncio.sleep(LOOK_S)


def _drawn(found: Sequence[dict[str, Any]], timezone: ZoneInfo) -> RenderableType:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("began", "number", "trunk", "dialled", "result"):
        table.add_column(name, no_wrap=name != "result")
    table.add_column("after", justify="right")
    table.add_column("cause", justify="right")
    for name in ("by", "call"):
        table.add_column(name)
    for one in found:
        began = datetime.fromtimestamp(one["began_utc_ms"] / 1000, UTC).astimezone(timezone)
        after = "-" if one["answered_ms"] is None else f"{one['answered_ms'] / 1000:.1f}s"
        style = {ANSWERED: "green", **dict.fromkeys(OPEN, "")}.get(one["result"], "red")
        table.add_row(
            f"{began:%Y-%m-%d %H:%M:%S}",
            one["number"],
            Text(one["trunk"]),
            one["dialled"],
            Text(RESULTS.get(one["result"], one["result"]), style=style),
            after,
            "-" if one["q850_cause"] is None else str(one["q850_cause"]),
            Text(one["who"]),
            Text(one["call"][:8], style="dim"),
        )
    return table


COMMANDS = (drill,)
