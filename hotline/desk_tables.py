"""Seats, the line, call-backs and duty for people's eyes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Item = Mapping[str, Any]
"""One entry as the interface shows it; `docs/api.md` says what each part means."""

STATES = {
    "idle": "free",
    "ringing": "rings",
    "talking": "talks",
    "wrap_up": "takes notes",
    "paused": "paused",
    "busy": "on a call of its own",
    "unreachable": "telephone not reached",
    "offline": "nobody",
    "off": "nobody",
    "unclear": "not known now",
}
LINE_STATES = {
    "waiting": "waits",
    "offered": "rings at a seat",
    "leaving": "goes elsewhere",
    "returning": "comes back",
    "surviving": "waits in Asterisk",
    "unclear": "not known now",
    "call_back": "hung up, keeps its place",
}
CALL_BACK_STATES = {
    "waiting": "keeps its place",
    "listed": "to be called",
    "dialling": "is dialled now",
    "reached": "reached",
    "given_up": "given up",
    "dismissed": "dismissed",
}
REASONS = {
    "wanted": "asked for it",
    "abandoned": "gave up waiting",
    "refused_full": "found all lines taken",
    "interrupted": "was cut off",
    "by_hand": "put on the list",
}
_STYLES = {"talking": "green", "ringing": "cyan", "paused": "yellow", "wrap_up": "yellow", "unreachable": "red"}


def seats(items: Sequence[Item], now_utc_ms: int) -> RenderableType:
    """One line a seat, and how many are in each state."""
    table = _table("seat", "state", "since", "agent", "serves", "caller", "number")
    counts: dict[str, int] = {}
    for seat in sorted(items, key=lambda one: str(one["seat"])):
        state = STATES.get(seat["state"], str(seat["state"]))
        counts[state] = counts.get(state, 0) + 1
        reason = f" ({seat['reason']})" if seat["reason"] else ""
        table.add_row(
            Text(seat["seat"]),
            Text(state + reason, style=_STYLES.get(seat["state"], "")),
            _since(seat["since_utc_ms"], now_utc_ms),
            Text(seat["agent"] or "-"),
            Text(", ".join(f"{skill} {level}" for skill, level in sorted(seat["skills"].items())) or "-"),
            Text(seat["caller"] or "-"),
            Text(seat["number"] or "-"),
        )
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return _with_caption(table, told, "there are no seats")


def waiting(items: Sequence[Item], now_utc_ms: int) -> RenderableType:
    """One line a caller, the next one first."""
    table = _table("#", "caller", "number", "for", "waits since", "about", "state", "call")
    line = sorted(items, key=lambda one: int(one["position"]))
    for entry in line:
        wanted = " + ".join(entry["skills"]) + f" ({entry['language']}, priority {entry['priority']})"
        about = "-" if entry["estimate_ms"] is None else f"{duration(entry['estimate_ms'])} more"
        table.add_row(
            str(entry["position"] or "-"),  # 0: it has left the line, to a seat perhaps.
            Text(entry["caller"] or "-"),
            Text(entry["number"]),
            Text(wanted),
            _since(entry["since_utc_ms"], now_utc_ms),
            Text(about),
            Text(LINE_STATES.get(entry["state"], str(entry["state"]))),
            Text(str(entry["call"])[:8], style="dim"),
        )
    longest = max((now_utc_ms - entry["since_utc_ms"] for entry in line), default=0)
    return _with_caption(table, f"{len(line)} in the line, the longest for {duration(longest)}", "nobody waits")


def call_backs(items: Sequence[Item], now_utc_ms: int) -> RenderableType:
    """One line a caller who is to be called back."""
    table = _table("id", "caller", "number", "for", "state", "why", "since", "tries", "next try", "note")
    for entry in items:
        next_ms = entry["next_utc_ms"]
        table.add_row(
            str(entry["id"]),
            Text(entry["caller"]),
            Text(entry["number"]),
            Text(" + ".join(entry["skills"]) or "-"),
            Text(CALL_BACK_STATES.get(entry["state"], str(entry["state"]))),
            Text(", ".join(REASONS.get(reason, str(reason)) for reason in entry["reasons"]) or "-"),
            _since(entry["since_utc_ms"], now_utc_ms),
            str(entry["attempts"]),
            Text("-" if next_ms is None else f"in {duration(max(0, next_ms - now_utc_ms))}"),
            Text(entry["note"] or "-"),
        )
    return _with_caption(table, f"{len(items)} listed", "nobody is to be called back")


def duty(items: Sequence[Item], now_utc_ms: int) -> RenderableType:
    """Who should be on duty and who is, and where too few are."""
    parts: list[RenderableType] = []
    for now in items:
        people = Table.grid(padding=(0, 2))
        for name, who in (
            ("shift", now["shifts"]),
            ("planned", now["planned"]),
            ("on duty", now["present"]),
            ("missing", now["missing"]),
            ("not planned", now["unplanned"]),
        ):
            style = "red" if name == "missing" and who else ""
            people.add_row(Text(name, style="dim"), Text(", ".join(who) or "-", style=style))
        parts.append(people)
        if now["cover"]:
            parts.append(_cover(now["cover"], now_utc_ms))
    return Group(*parts)


def _cover(rules: Sequence[Item], now_utc_ms: int) -> Table:
    table = _table("rule", "at least", "on duty", "planned", "enough")
    for rule in rules:
        low_ms = rule["low_from_utc_ms"]
        what = f"shift {rule['shift']}" if rule["shift"] else "every shift"
        enough = Text("yes", style="green")
        if low_ms is not None:
            told = "no" if low_ms <= now_utc_ms else f"not in {duration(low_ms - now_utc_ms)}"
            enough = Text(told, style="red")
        table.add_row(
            Text(what + (f", {rule['skill']}" if rule["skill"] else "")),
            str(rule["least"]),
            str(rule["on_duty"]),
            str(rule["planned"]),
            enough,
        )
    return table


def duration(length_ms: int) -> str:
    """`45s`, `3m05s`, `2h07m` or `3d04h`."""
    total_s = max(0, length_ms) // 1000
    minutes, seconds = divmod(total_s, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{seconds:02}s" if minutes else f"{seconds}s"


def _since(since_utc_ms: int | None, now_utc_ms: int) -> Text:
    return Text("-" if since_utc_ms is None else duration(now_utc_ms - since_utc_ms))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for name in columns:
        # Numbers are never broken over two lines.
        table.add_column(name, no_wrap=name in ("#", "seat", "caller", "number", "call", "id"), overflow="fold")
    return table


def _with_caption(table: Table, told: str, nothing: str) -> RenderableType:
    return Group(table, Text(), Text(told, style="dim")) if table.row_count else Text(nothing)


Draw = Callable[[Sequence[Item], int], RenderableType]
"""Draws entries as of a moment, in ms since the epoch."""
