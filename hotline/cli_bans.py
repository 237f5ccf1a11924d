"""`hotline bans`: who is refused at the SIP port."""

import json
import sqlite3
import time
from dataclasses import asdict
from datetime import UTC, datetime
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hotline.cli_calls import kept_store
from hotline.failing import CannotGoOn, plain_errors
from hotline.options import DATA, AsJson, DataFolder
from hotline.somebody import ROLE, os_user
from recordings.audit import By
from recordings.bans import Ban, Bans
from recordings.schema import StoreTooNew


def bans(
    data: DataFolder = DATA,
    lift: Annotated[str | None, typer.Option(metavar="ADDRESS", help="End this address's ban.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the addresses that are refused at the SIP port, because they failed to sign in too often; or lift a ban.

    A running hotline follows within two seconds.
    """
    with plain_errors(StoreTooNew, sqlite3.DatabaseError), kept_store(data) as store:
        kept = Bans(store)
        if lift is not None:
            _lift(kept, lift)
        elif as_json:
            for one in kept.all():
                typer.echo(json.dumps(asdict(one), ensure_ascii=False))
        else:
            Console().print(_table(kept.all()))


def _lift(kept: Bans, address: str) -> None:
    try:
        wanted = str(IPv4Address(address))
    except AddressValueError:
        raise CannotGoOn(f"{address!r} is no address", "write one as 'bin/hotline bans' lists it") from None
    if not kept.lift(wanted, "lifted", By(os_user(), ROLE), time.time_ns() // 1_000_000):
        raise CannotGoOn(f"{wanted} is not banned", "look at 'bin/hotline bans' for those that are")
    typer.echo(f"{wanted} is not banned any more")


def _table(found: tuple[Ban, ...]) -> Table:
    table = Table("address", "since (UTC)", "until (UTC)", "failures", "last account", box=None, padding=(0, 2, 0, 0))
    for one in found:
        since, until = (datetime.fromtimestamp(at / 1000, UTC) for at in (one.since_utc_ms, one.until_utc_ms))
        moments = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (since, until))
        table.add_row(one.address, *moments, str(one.failures), Text(one.account))
    return table


COMMANDS = (bans,)
