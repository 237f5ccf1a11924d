"""The command that plays a day of calls over the real matcher, with Erlang C beside it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from bench.city import EXAMPLE
from bench.day import HOUR_S, Arrival, Traffic, generated
from bench.erlang import mean_wait_s, service_level
from bench.recorded import DayUnreadable, recorded
from bench.simulate import Outcome, Simulation, manned, staffed
from bench.staffing import Goal, Hour, busiest, hours, seats_by_play
from routing.skills import Has
from settings.check import SettingsWrong, load
from settings.shapes import Settings

EXPERT = 5


def day(
    *,
    file: Annotated[
        Path | None,
        typer.Option("--day", help="A recorded day: a table (arrival_s,skills,talk_s), or 'hotline calls --json'."),
    ] = None,
    city: Annotated[
        Path | None, typer.Option(help="A settings folder: its seats and agents in turn, and its rules for waits.")
    ] = None,
    calls: Annotated[int, typer.Option(min=1, help="Calls in a generated day.")] = 20_000,
    share: Annotated[
        list[str] | None, typer.Option(help="Part of a generated day's calls, such as social+english=0.2.")
    ] = None,
    seats: Annotated[int, typer.Option(min=0, help="Seats on duty all day; 0: as many as the busiest hour needs.")] = 0,
    handling_s: Annotated[float, typer.Option(min=1, help="Generated: mean talk and notes, in seconds.")] = 180.0,
    notes_s: Annotated[float, typer.Option(min=0, help="Recorded: notes after each talk, in seconds.")] = 10.0,
    patience_s: Annotated[float, typer.Option(min=1, help="Mean patience, in seconds.")] = 600.0,
    within_s: Annotated[float, typer.Option(min=0, help="Calls should be answered within so many seconds.")] = 15.0,
    level: Annotated[float, typer.Option(min=0.01, max=0.999, help="… so large a part of them.")] = 0.8,
    by_hour: Annotated[bool, typer.Option("--by-hour", help="Tell the seats that each hour needs.")] = False,
    seed: int = 1,
) -> None:
    """Play a generated or recorded day over the real matcher: waits, service level and the seats it needs."""
    goal = Goal(within_s, level)
    try:
        rules = load(city or EXAMPLE)
        arrivals = (
            list(generated(Traffic(calls, _shares(share or ["general=1"]), handling_s, patience_s), seed))
            if file is None
            else recorded(file, zone=ZoneInfo(rules.city.timezone), notes_s=notes_s, patience_s=patience_s, seed=seed)
        )
    except (DayUnreadable, SettingsWrong, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    kinds = _all_round(arrivals) if city is None else _kinds(rules)
    if city is None:
        rules = rules.model_copy(update={"skills": {}})  # No level and no step: whoever has a skill serves it.
    peak = busiest(arrivals)
    needed = seats_by_play(rules, kinds, arrivals, peak, goal)
    on_duty = seats or needed or peak.by_erlang(goal)
    began_s = time.perf_counter()
    outcome = Simulation(manned(rules, staffed(kinds, on_duty))).run(arrivals)
    took_s = time.perf_counter() - began_s
    _print(outcome, peak, goal, seats=on_duty, needed=needed, took_s=took_s)
    if by_hour:
        _print_hours(rules, kinds, arrivals, goal)


def _shares(texts: Sequence[str]) -> dict[frozenset[str], float]:
    try:
        parts = {frozenset(skills.split("+")): float(part) for skills, part in (text.split("=") for text in texts)}
    except ValueError as error:
        raise typer.BadParameter("write a share as social+english=0.2") from error
    total = sum(parts.values())
    if min(parts.values()) < 0 or total <= 0:
        raise typer.BadParameter("shares are not below 0, and not all 0")
    return {skills: part / total for skills, part in parts.items()}


def _all_round(arrivals: Sequence[Arrival]) -> list[Has]:
    return [frozenset((skill, EXPERT) for skill in frozenset().union(*(arrival.skills for arrival in arrivals)))]


def _kinds(city: Settings) -> list[Has]:
    """The agents, and the seats that serve without anybody signing on."""
    agents = [frozenset(agent.skills.items()) for agent in city.agents.agents.values()]
    seats = [frozenset((skill, seat.level) for skill in seat.skills) for seat in city.answering.seats.values()]
    return agents + [has for has in seats if has]


def _print(outcome: Outcome, peak: Hour, goal: Goal, *, seats: int, needed: int | None, took_s: float) -> None:
    in_peak = (peak.begin_s, peak.begin_s + HOUR_S)
    table = Table(title=f"A day of {outcome.calls} calls at {seats} seats, played", header_style="bold")
    for heading in ("", "whole day", "busiest hour", "Erlang C for it"):
        table.add_column(heading, justify="right" if heading else "left")
    came = sum(in_peak[0] <= one.at_s < in_peak[1] for one in outcome.waits)
    table.add_row("calls", str(outcome.calls), str(came), str(peak.calls))
    table.add_row(
        f"answered in {goal.within_s:g} s",
        f"{outcome.service_level(goal.within_s):.1%}",
        f"{outcome.service_level(goal.within_s, *in_peak):.1%}",
        f"{service_level(peak.load_erlang, seats, peak.occupied_s, goal.within_s):.1%}",
    )
    theory_s = mean_wait_s(peak.load_erlang, seats, peak.occupied_s)
    table.add_row(
        "mean wait", f"{outcome.mean_wait_s():.2f} s", f"{outcome.mean_wait_s(*in_peak):.2f} s", f"{theory_s:.2f} s"
    )
    table.add_row("gave up", str(outcome.abandoned), "", "(nobody does)")
    table.add_row("went to a centre", str(outcome.handed_over), "", "")
    table.add_row("passed a longer wait", str(outcome.passed), "", "")
    table.add_row(f"seats for {goal.level:.0%} of them", "", _told(needed), str(peak.by_erlang(goal)))
    table.add_row("time for one call", f"{took_s / max(1, outcome.calls) * 1e6:.0f} µs", "", "")
    table.caption = "Erlang C: as if that hour never ended, nobody gave up and every seat could serve everybody."
    Console().print(table)


def _print_hours(city: Settings, kinds: Sequence[Has], arrivals: Sequence[Arrival], goal: Goal) -> None:
    table = Table(title=f"Seats for {goal.level:.0%} within {goal.within_s:g} s", header_style="bold")
    for heading in ("hour", "calls", "erlang", "played", "Erlang C"):
        table.add_column(heading, justify="right")
    for hour in hours(arrivals):
        played = seats_by_play(city, kinds, arrivals, hour, goal)
        table.add_row(
            f"{hour.begin_s / HOUR_S:.0f}",
            str(hour.calls),
            f"{hour.load_erlang:.1f}",
            _told(played),
            str(hour.by_erlang(goal)),
        )
    Console().print(table)


def _told(seats: int | None) -> str:
    return "not with such seats" if seats is None else str(seats)
