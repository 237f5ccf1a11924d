"""`hotline seats`, `waiting`, `callbacks` and `duty`: what happens now; `hotline token`: who may ask over HTTP."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hotline import desk_tables
from hotline.asking import Running
from hotline.desk_tables import Draw
from hotline.failing import CannotGoOn, error_console, plain_errors
from hotline.folders import Folders
from hotline.options import DATA, DataFolder
from recordings import mask as masks
from web.desk import Role
from web.tokens import TokenRefused, Tokens, TokensWrong

AGAIN_S = 1.0
"""How soon a hotline that is away is asked again."""
TICK_S = 1.0
"""How often the times on the screen grow."""

Watched = Annotated[bool, typer.Option("--watch", help="Go on showing what changes, until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs (docs/api.md).")]
Masked = Annotated[bool, typer.Option("--mask", help="Hide callers' numbers.")]


@dataclass(frozen=True, slots=True)
class _List:
    """A list of the interface: where it is, how it changes, how it is drawn."""

    path: str
    kind: str
    """Of its events."""
    key: str
    """What tells its entries apart; empty: there is one entry, which is the whole answer."""
    draw: Draw


_SEATS = _List("/seats", "seats", "seat", desk_tables.seats)
_WAITING = _List("/waiting", "waiting", "call", desk_tables.waiting)
_CALL_BACKS = _List("/call-backs", "call_backs", "id", desk_tables.call_backs)
_EVERY_CALL_BACK = _List("/call-backs?every=true", "call_backs", "id", desk_tables.call_backs)
_DUTY = _List("/shifts", "cover", "", desk_tables.duty)


def seats(data: DataFolder = DATA, watch: Watched = False, mask: Masked = False, as_json: AsJson = False) -> None:
    """Show each seat: who is signed on, what it does and since when."""
    _show(_SEATS, data, watch=watch, mask=mask, as_json=as_json)


def waiting(data: DataFolder = DATA, watch: Watched = False, mask: Masked = False, as_json: AsJson = False) -> None:
    """Show who waits, over all numbers, the next one first."""
    _show(_WAITING, data, watch=watch, mask=mask, as_json=as_json)


def callbacks(
    data: DataFolder = DATA,
    every: Annotated[bool, typer.Option("--every", help="Also those that are done.")] = False,
    watch: Watched = False,
    mask: Masked = False,
    as_json: AsJson = False,
) -> None:
    """Show who is to be called back, and why."""
    with plain_errors():
        if every and watch:
            raise CannotGoOn("those that are done do not change", "give one of --every and --watch")
    _show(_EVERY_CALL_BACK if every else _CALL_BACKS, data, watch=watch, mask=mask, as_json=as_json)


def duty(data: DataFolder = DATA, watch: Watched = False, as_json: AsJson = False) -> None:
    """Show who should be on duty now by the plan, who is, and where too few are."""
    _show(_DUTY, data, watch=watch, mask=False, as_json=as_json)


def _show(what: _List, data: Path, *, watch: bool, mask: bool, as_json: bool) -> None:
    with plain_errors(TokensWrong):
        running = Running.of(data)
        try:
            if not watch:
                items = asyncio.run(_all(running, what, mask=mask))
                _print(what, items, as_json=as_json)
            elif as_json:
                asyncio.run(_print_events(running, what, mask=mask))
            else:
                asyncio.run(_watch(data, what, mask=mask))
        except KeyboardInterrupt:  # As it is meant to end.
            raise typer.Exit(0) from None


async def _all(running: Running, what: _List, *, mask: bool) -> list[Mapping[str, Any]]:
    told = await running.get(what.path)
    return _shown(told["items"] if what.key else [told], mask=mask)


def _print(what: _List, items: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for item in items:
            typer.echo(json.dumps(item, ensure_ascii=False))
    else:
        Console().print(what.draw(items, _now_utc_ms()))


async def _print_events(running: Running, what: _List, *, mask: bool) -> None:
    async with aclosing(running.events(what.kind)) as events:
        async for name, data in events:
            told = {"event": name, **data}
            for part in ("items", "changed"):
                if part in told:
                    told[part] = _shown(told[part], mask=mask)
            typer.echo(json.dumps(told, ensure_ascii=False))
    raise CannotGoOn("the hotline ended", "start it with 'hotline run'")


@dataclass(slots=True)
class _Picture:
    """What is on the screen."""

    what: _List
    items: dict[object, Mapping[str, Any]] = field(default_factory=dict)
    away: str = ""
    """Why nothing is heard; empty: all is well."""

    def hear(self, name: str, data: Mapping[str, Any], *, mask: bool) -> None:
        self.away = ""
        if name == "state":
            self.items.clear()
        for item in _shown(data["items" if name == "state" else "changed"], mask=mask):
            self.items[item.get(self.what.key)] = item
        for key in data.get("gone", ()):
            self.items.pop(key, None)

    def __rich__(self) -> RenderableType:
        drawn = self.what.draw(list(self.items.values()), _now_utc_ms())
        return Group(Text(f"{self.away}; trying again", style="red"), drawn) if self.away else drawn


async def _watch(data_folder: Path, what: _List, *, mask: bool) -> None:
    picture = _Picture(what)
    known = await _all(Running.of(data_folder), what, mask=mask)
    picture.items |= {item.get(what.key): item for item in known}
    with Live(picture, console=Console(), refresh_per_second=1 / TICK_S) as screen:
        async with aclosing(_again_and_again(data_folder, what.kind)) as events:
            async for name, data in events:
                if name == "away":
                    picture.away = data
                else:
                    picture.hear(name, data, mask=mask)
                screen.refresh()


async def _again_and_again(data: Path, kind: str) -> AsyncGenerator[tuple[str, Any], None]:
    """Events for ever; `away` with the reason while the hotline does not answer."""
    while True:
        try:
            # Looked up anew: a controller that was started again has made another token.
            async with aclosing(Running.of(data).events(kind)) as events:
                async for event in events:
                    yield event
            yield "away", "the hotline ended the connection"
        except CannotGoOn as error:
            yield "away", error.matter
        await asyncio.sleep(AGAIN_S)


def _shown(items: Sequence[Mapping[str, Any]], *, mask: bool) -> list[Mapping[str, Any]]:
    if not mask:
        return list(items)
    return [{**item, "caller": masks.number(item["caller"])} if "caller" in item else item for item in items]


def _now_utc_ms() -> int:
    return time.time_ns() // 1_000_000


# --- tokens ------------------------------------------------------------------------------------

token = typer.Typer(help="Make, list and remove the tokens of the HTTP interface.", no_args_is_help=True)

_ROLES = ", ".join(role.value for role in Role)


@token.command("add")
def token_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; the audit names it.")],
    role: Annotated[str, typer.Option(help=f"What it may do: {_ROLES}.")],
    agent: Annotated[str | None, typer.Option(help="The agent whose token it is.")] = None,
    data: DataFolder = DATA,
) -> None:
    """Make a token and print it. It is shown this once; a running hotline knows it at once."""
    with plain_errors(TokenRefused, TokensWrong):
        chosen = next((one for one in Role if one.value == role), None)
        if chosen is None:
            raise CannotGoOn(f"no role is called {role!r}", f"choose {_ROLES}")
        secret = Tokens.of(Folders(data).tokens).add(name, chosen, agent, _now_utc_ms())
        typer.echo(secret)
        error_console().print("Keep it now: it is not shown again. Send it as 'Authorization: Bearer TOKEN'.")


@token.command("list")
def token_list(data: DataFolder = DATA, as_json: AsJson = False) -> None:
    """List the tokens: names and roles, never the tokens themselves."""
    with plain_errors(TokensWrong):
        known = Tokens.of(Folders(data).tokens).every()
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for column in ("name", "role", "agent", "made (UTC)"):
            table.add_column(column)
        for one in known:
            made = datetime.fromtimestamp(one.created_utc_ms / 1000, UTC)
            told = {"name": one.name, "role": one.role.value, "agent": one.agent, "created_utc_ms": one.created_utc_ms}
            if as_json:
                typer.echo(json.dumps(told, ensure_ascii=False))
            table.add_row(Text(one.name), one.role.value, one.agent or "-", f"{made:%Y-%m-%d %H:%M}")
        if not as_json:
            Console().print(table if known else "there are no tokens; 'hotline token add' makes one")


@token.command("remove")
def token_remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As 'token list' shows it.")], data: DataFolder = DATA
) -> None:
    """Remove a token. Whoever uses it is let in no more."""
    with plain_errors(TokenRefused, TokensWrong):
        Tokens.of(Folders(data).tokens).remove(name)
        typer.echo(f"removed {name}")


COMMANDS = (seats, waiting, callbacks, duty)
"""`token` is a group of its own."""
