"""Callers who come one after the other and stay: SIPp plays them, the journal tells where they are."""

import asyncio
import csv
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.rounds import CARRIER_ADDRESS
from bench.telephones import SCENARIOS
from bench.traced import WAITS
from calls.cel import COLUMNS
from calls.journal import PlaceTold, SurvivalEntered
from hotline.ports import free_ports

_NAMES = [name for name, _ in COLUMNS]
_ENDS = ("HANGUP", "CHAN_END")


@dataclass(frozen=True, slots=True)
class Line:
    """What the journal says of the callers. Times are microseconds since the epoch."""

    waits: int
    """How many have come so far as to wait."""
    gone: int
    """Of these, how many are not there any more."""
    first_us: int | None
    """When the first of all came to Asterisk; None: nobody yet."""
    last_us: int | None
    """When the wait began of who was the last to wait; None: nobody waits yet."""
    told_us: tuple[int, ...]
    """Each time that a place was told. Asterisk's own queues do not write it down."""
    surviving: int
    """How many of those who wait went on in a survival queue."""


def line(rows: Iterable[str], number: str, waits_by: str = WAITS) -> Line:
    """Reads a journal, or the part of it that is written. `waits_by`: the step with which a caller waits."""
    came: dict[str, int] = {}
    waits: dict[str, int] = {}
    gone: set[str] = set()
    surviving: set[str] = set()
    told: list[int] = []
    for row in csv.DictReader(rows, _NAMES):
        kind, ident, at_us = row["kind"], row["uniqueid"], round(float(row["at"]) * 1e6)
        if kind == "CHAN_START" and row["exten"] == number:
            came[ident] = at_us
        elif kind == waits_by and ident in came:
            waits.setdefault(ident, at_us)
        elif kind in _ENDS:
            gone.add(ident)
        elif kind == PlaceTold.kind:
            told.append(at_us)
        if kind == SurvivalEntered.kind:
            surviving.add(ident)
    return Line(
        len(waits),
        len(waits.keys() & gone),
        min(came.values(), default=None),
        max(waits.values(), default=None),
        tuple(told),
        len(surviving & waits.keys()),
    )


@asynccontextmanager
async def crowd(
    server: tuple[str, int], number: str, sink: int, folder: Path, *, size: int, a_second: int
) -> AsyncIterator[None]:
    """So many callers begin to come. At the end SIPp is ended, not they."""
    (port,) = free_ports(CARRIER_ADDRESS, 1)
    with (folder / "waiting.out").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            "sipp", "-sf", SCENARIOS / "waiting.xml", "-s", number, "-key", "sink", str(sink),
            "-i", CARRIER_ADDRESS, "-p", str(port), "-nostdin", "-trace_err",
            "-m", str(size), "-l", str(size), "-r", str(a_second), "{}:{}".format(*server),
            cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def dropped(port: int, table: str) -> int:
    """What the socket at 127.0.0.1:`port` could not hold, in packets; `table`: the text of /proc/net/udp.

    Nobody reads that socket: once its buffer is full, every packet that comes is one of these.
    Raises LookupError when no socket is bound there.
    """
    wanted = f"0100007F:{port:04X}"
    for row in table.splitlines():
        fields = row.split()
        if len(fields) > 2 and fields[1] == wanted:
            return int(fields[-1])
    raise LookupError(f"no socket at 127.0.0.1:{port} in /proc/net/udp")
