"""`python -m bench`: what a day would be like, and how many seats it needs."""

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.day import HOUR_S, ORDINARY_DAY, Traffic, generated
from bench.erlang import mean_wait_s, seats_needed, service_level
from bench.simulate import ANSWER_MS, Simulation
from calls.live import Seat

GENERAL = frozenset({"general"})


def day(
    calls: Annotated[int, typer.Option(min=1, help="Calls in the whole day.")] = 20_000,
    seats: Annotated[int, typer.Option(min=0, help="Seats on duty all day; 0: as many as the busiest hour needs.")] = 0,
    handling_s: Annotated[float, typer.Option(min=1, help="Mean talking and wrapping up, in seconds.")] = 180.0,
    patience_s: Annotated[float, typer.Option(min=1, help="Mean patience, in seconds.")] = 600.0,
    within_s: Annotated[float, typer.Option(min=0, help="Calls should be answered within so many seconds.")] = 15.0,
    level: Annotated[float, typer.Option(min=0.01, max=0.999, help="… so large a part of them.")] = 0.8,
    seed: int = 1,
) -> None:
    """Simulate an office day of one skill over the real matcher, with Erlang C beside it."""
    occupied_s = handling_s + ANSWER_MS / 1000
    load = calls * max(ORDINARY_DAY) / HOUR_S * occupied_s
    needed = seats_needed(load, occupied_s, within_s=within_s, level=level)
    staffed = seats or needed
    began_s = time.perf_counter()
    simulation = Simulation({Seat(str(8000 + number)): GENERAL for number in range(staffed)})
    traffic = Traffic(calls, {GENERAL: 1.0}, handling_s, patience_s)
    outcome = simulation.run(generated(traffic, seed))
    took_s = time.perf_counter() - began_s
    table = Table(title=f"A day of {calls} calls, {staffed} seats", header_style="bold")
    for heading in ("", "simulated, whole day", "Erlang C, busiest hour"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("calls", str(outcome.calls), f"{calls * max(ORDINARY_DAY):.0f}")
    table.add_row(
        f"answered within {within_s:g} s",
        f"{outcome.service_level(within_s):.1%}",
        f"{service_level(load, staffed, occupied_s, within_s):.1%}",
    )
    table.add_row("mean wait", f"{outcome.mean_wait_s:.2f} s", f"{mean_wait_s(load, staffed, occupied_s):.2f} s")
    table.add_row("gave up", str(outcome.abandoned), "(nobody does)")
    table.add_row("passed a longer waiter", str(outcome.passed), "")
    table.add_row(f"seats for {level:.0%} within {within_s:g} s", "", str(needed))
    table.add_row("a simulated call took", f"{took_s / max(1, outcome.calls) * 1e6:.0f} µs", "")
    Console().print(table)


typer.run(day)
