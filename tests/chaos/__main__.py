"""Every fault in turn, and a table of what it cost: `python -m tests.chaos`, or `make chaos`."""

import asyncio
import json
import platform
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.chaos.faults import EVERY, Fault
from tests.chaos.ordeal import Toll, ordeal
from tests.chaos.scene import Scene, scene, settings, small_settings
from tests.chaos.tmpfs import DISK_MB, MARK_MB, NoSmallDisk, small_disk
from tests.support import postgres_server

RESULTS = Path(__file__).resolve().parent.parent.parent / "bench" / "results" / "chaos.json"


def main(
    ordinary: Annotated[int, typer.Option(min=1, help="So many ordinary calls are in progress.")] = 44,
    emergencies: Annotated[int, typer.Option(min=1, help="And so many emergencies.")] = 6,
    only: Annotated[str, typer.Option(help="Only faults with these words in their name.")] = "",
    out: Annotated[Path, typer.Option(help="The file that the results are written to.")] = RESULTS,
) -> None:
    """Lets everything fail that can fail, in a city full of calls. Exit code 1: something was lost that must not be."""
    console = Console(file=sys.stdout)  # Not what stands for it later.
    faults = [fault for fault in EVERY if only in fault.name]
    tolls = asyncio.run(_all(faults, ordinary, emergencies, console))
    console.print(_table(tolls))
    for toll in tolls:
        for what in toll.unexpected:
            console.print(f"[red]{toll.fault}:[/red] {what}", soft_wrap=True, highlight=False)
    if not only:
        told = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": platform.platform(),
            "faults": [asdict(toll) for toll in tolls],
        }
        out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sys.exit(any(toll.unexpected for toll in tolls))


async def _all(faults: list[Fault], ordinary: int, emergencies: int, console: Console) -> list[Toll]:
    # A short path: Asterisk's control socket is in it.
    with tempfile.TemporaryDirectory(prefix="hotline.", dir="/tmp") as folder:
        top = Path(folder)
        for name in ("city", "archived", "disk"):
            (top / name).mkdir()
        # What the city said is shown by tests that fail; here it is of use to nobody.
        with (top / "said.log").open("w", encoding="utf-8") as said, redirect_stdout(said):
            plain = [fault for fault in faults if not fault.small_disk and not fault.archived]
            archived = [fault for fault in faults if fault.archived]
            small = [fault for fault in faults if fault.small_disk]
            tolls = []
            if plain:
                async with scene(top / "city", top / "sounds", settings()) as running:
                    tolls += [await _tried(running, fault, ordinary, emergencies, console) for fault in plain]
            if archived:
                with postgres_server.running() as server:
                    async with scene(top / "archived", top / "sounds", settings(), postgres=server) as running:
                        tolls += [await _tried(running, fault, ordinary, emergencies, console) for fault in archived]
            if small:
                try:
                    with small_disk(top / "disk", DISK_MB) as disk:
                        (disk / "city").mkdir()
                        async with scene(disk / "city", top / "sounds", small_settings(MARK_MB)) as running:
                            tolls += [await _tried(running, fault, ordinary, emergencies, console) for fault in small]
                except NoSmallDisk as error:
                    console.print(f"{', '.join(fault.name for fault in small)}: not tried ({error})")
    return tolls


async def _tried(running: Scene, fault: Fault, ordinary: int, emergencies: int, console: Console) -> Toll:
    """What it cost; a city that does not come back at all is a result, too."""
    console.print(f"{fault.name}: ", end="", highlight=False)
    try:
        toll = await ordeal(running, fault, ordinary=ordinary, emergencies=emergencies)
    except (AssertionError, OSError) as error:  # What did not happen in time, and refused telephones, are OSErrors.
        whole = ordinary + emergencies
        toll = Toll(fault.name, whole, whole, whole, emergencies, -1.0, (str(error),))
    console.print(f"{toll.calls_lost} calls, {toll.records_lost} records lost, {toll.recovered_s} s", highlight=False)
    return toll


def _table(tolls: list[Toll]) -> Table:
    found = Table("fault", box=None, padding=(0, 2, 0, 0), header_style="bold")
    heads = ("calls in progress", "calls lost", "records lost", "emergencies lost", "seconds to recover")
    for head in heads:
        found.add_column(head, justify="right")
    for toll in tolls:
        cells = (toll.in_progress, toll.calls_lost, toll.records_lost, toll.emergencies_lost, toll.recovered_s)
        found.add_row(toll.fault, *map(str, cells))
    return found


if __name__ == "__main__":
    typer.run(main)
