"""Calls for people's eyes, and for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from calls.record import CallRecord, Outcome, plain
from calls.timeline import Entry
from recordings.blocks import Blocked, BlockedCall
from routing.estimate import NOT_KNOWN

PHRASES = {
    "ARRIVED": "calls {dialled} from {caller} over {trunk}",
    "SERVED": "is served as {number} ({mode}, {by})",
    "SAID": "hears {prompt} ({language})",
    "MENU": "is offered menu {menu}, attempt {attempt}",
    "KEY": "presses {key} in {where}",
    "MISSED": "menu {menu}: {why} {key}",
    "LANGUAGE": "chooses language {language}",
    "CLOSED": "{number} is closed now (hours: {hours})",
    "REFUSED": "is refused: {why}",
    "EMERGENCY": "wants emergency number {number} ({by})",
    "NOTE": "{number} is told: {note}",
    "DRILL": "tests the line {trunk} of {number}",
    "TRUNK": "is put through to {dial} over {trunk}",
    "TRUNK_END": "{trunk}: {status}",
    "ROOM": "waits for {skills}, priority {priority}",
    "SURVIVAL": "waits in Asterisk's queue {queue}: no controller",
    "OFFER": "is offered to seat {seat} {agent}",
    "TOOK": "takes the caller from Asterisk's queue {agent}",
    "BACK": "comes back from seat {seat}: {why}",
    "TALKED": "the talk with seat {seat} ended, cause {q850_cause}",
    "RECORDING": "is recorded while connected",
    "PLACE": "is told place {position}, {minutes}",
    "CALLBACK": "wants to be called back at {to}",
    "CALLED_BACK": "is called back for call {first}, try {attempt}",
    "OVERFLOW": "leaves the line for {to}",
    "TRANSFER": "{how} {to}",
    "HELD": "is held by seat {seat}",
    "JOINED": "talks with everybody in the call",
    "RATED": "gives the talk mark {mark}",
    "MESSAGE": "may leave a message",
    "RINGS": "rings",
    "ANSWERED": "answers",
    "ENDED": "ends, cause {q850_cause}",
    "BLINDTRANSFER": "transfers the caller",
    "ATTENDEDTRANSFER": "transfers the caller after asking",
}
"""What each kind of entry says; what is in braces are its details."""

_HOW = {"blind": "is passed on to", "attended": "leaves the caller with"}

_STYLES = {Outcome.ANSWERED: "green", Outcome.TRANSFERRED: "green", Outcome.EMERGENCY: "red", Outcome.LEFT: "yellow"}
_STYLES |= {Outcome.CALL_BACK: "yellow", Outcome.ABANDONED: "yellow", Outcome.INTERRUPTED: "magenta"}


def as_json(record: CallRecord) -> str:
    """The record on one line; `docs/records.md` says what each entry means."""
    return json.dumps(plain(record), ensure_ascii=False)


def entry_as_json(entry: Entry) -> str:
    """The entry on one line."""
    details = dict(entry.details)
    told = {"at_utc_ms": entry.at_utc_ms, "who": entry.who, "kind": entry.kind, "details": details}
    return json.dumps(told, ensure_ascii=False)


def table(records: Iterable[CallRecord], timezone: ZoneInfo) -> Table:
    """One line a call; on 80 columns at most the time of arrival is broken over two, and nothing is cut."""
    found = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    found.add_column("arrived")
    for name in ("id", "caller", "dialled", "outcome"):
        found.add_column(name, no_wrap=True)
    found.add_column("seat")
    for name in ("wait", "talk"):
        found.add_column(name, justify="right", no_wrap=True)
    for call in records:
        found.add_row(
            f"{local(call.arrived_utc_ms, timezone):%Y-%m-%d %H:%M:%S}",
            call.ref[:8],
            Text(call.caller or "-"),
            Text(_served(call)),
            _outcome(call),
            Text(" ".join(call.seats) or "-"),
            _duration(call.wait_ms),
            _duration(call.talk_ms),
        )
    return found


def draw(record: CallRecord, entries: Sequence[Entry], timezone: ZoneInfo) -> RenderableType:
    """One call: its head, its timeline and where its recording is."""
    title = Text.assemble((f"call {record.ref}", "bold"), "  ", _outcome(record))
    head = Table.grid(padding=(0, 2))
    for name, value in _facts(record, timezone):
        head.add_row(Text(name, style="dim"), Text(value))
    line = Table.grid(padding=(0, 1))
    previous_ms = record.arrived_utc_ms
    for entry in entries:
        since_ms, pause_ms = entry.at_utc_ms - record.arrived_utc_ms, entry.at_utc_ms - previous_ms
        previous_ms = entry.at_utc_ms
        mark = "●" if entry.kind in ("ARRIVED", "ANSWERED", "ENDED") else "│"
        line.add_row(
            Text(f"{local(entry.at_utc_ms, timezone):%H:%M:%S.%f}"[:-3], style="dim"),
            Text(f"{since_ms / 1000:+9.3f}s"),
            Text(mark, style="red" if pause_ms < 0 else "cyan"),
            Text(entry.who, style="bold" if entry.who != "caller" else ""),
            Text(phrase(entry)),
        )
    return Group(title, head, Text(), line)


def blocked(entries: Iterable[tuple[str, Blocked]]) -> Table:
    """Who is blocked: (where that is written, entry)."""
    found = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", title="blocked now", title_justify="left")
    for name in ("number", "until", "source", "author"):
        found.add_column(name, no_wrap=True)
    found.add_column("reason")
    for source, one in entries:
        found.add_row(one.number, one.until_day, source, Text(one.author), Text(one.reason))
    return found


def refused(found: Iterable[BlockedCall], timezone: ZoneInfo) -> Table:
    """The calls of blocked callers, and on whose word they were refused."""
    lines = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", title="refused calls", title_justify="left")
    for name in ("arrived", "id", "caller", "dialled", "author"):
        lines.add_column(name, no_wrap=name != "arrived")
    lines.add_column("reason")
    for call in found:
        at = f"{local(call.at_utc_ms, timezone):%Y-%m-%d %H:%M:%S}"
        lines.add_row(at, call.call[:8], Text(call.caller), Text(call.dialled), Text(call.author), Text(call.reason))
    return lines


def phrase(entry: Entry) -> str:
    """What the entry says in a sentence."""
    if entry.kind == "ENDED" and not entry.details:
        return "ends"
    if entry.kind == "ANSWERED" and entry.who == "caller":
        return "is connected with the hotline"
    if entry.kind == "OFFER" and entry.who != "caller":
        return f"asks seat {entry.details['seat']}"
    details = {**entry.details, **_words(entry.details)}
    return PHRASES[entry.kind].format_map(details).strip()


def _words(details: Mapping[str, str | int]) -> dict[str, str]:
    """What some details are called in a sentence."""
    agent, minutes = details.get("agent"), details.get("minutes")
    return {
        "caller": str(details.get("caller") or "an unknown number"),
        "agent": f"(agent {agent})" if agent else "",
        "minutes": "how long is not known" if minutes == NOT_KNOWN else f"about {minutes} min",
        "how": _HOW.get(str(details.get("how")), ""),
    }


def _facts(record: CallRecord, timezone: ZoneInfo) -> list[tuple[str, str]]:
    keys = " ".join(f"{key.where}:{key.key}" for key in record.keys)
    recording = _audio(record.recording_file, record.recording_ms, record.recording_sha256)
    message = _audio(record.message_file, record.message_ms, record.message_sha256)
    ended = f"{record.hung_up_by.value}, cause {record.q850_cause or '?'}" if record.hung_up_by else ""
    facts = [
        ("arrived", f"{local(record.arrived_utc_ms, timezone):%Y-%m-%d %H:%M:%S %Z}, node {record.node}"),
        ("caller", f"{record.caller or 'unknown'} over {record.trunk_in}"),
        ("dialled", f"{record.dialled}" + (f", served as {record.number}" if record.number else "")),
        ("menus", " → ".join(record.menus)),
        ("keys", keys),
        ("language", record.language or ""),
        ("waited", f"{_duration(record.wait_ms)} for {'+'.join(record.skills)}" if record.wait_ms is not None else ""),
        ("survival", "Asterisk answered it with no controller" if record.survived else ""),
        ("called back", "" if record.call_back_of is None else f"for call {record.call_back_of or 'noted by hand'}"),
        ("wants call", f"back at {record.call_back_to}" if record.call_back_to else ""),
        ("talked", f"{_duration(record.talk_ms)} with {', '.join(record.seats)}" if record.seats else ""),
        ("agents", ", ".join(record.agents)),
        ("transfers", " → ".join(record.transfers)),
        ("overflowed", f"to {record.overflowed_to}" if record.overflowed_to else ""),
        ("emergency", record.emergency_number or ""),
        ("put through", record.trunk_out or ""),
        ("hung up by", ended),
        ("rating", f"{record.rating} of 5" if record.rating is not None else ""),
        ("recording", recording),
        ("message", message),
    ]
    return [(name, value) for name, value in facts if value]


def _audio(file: str | None, duration_ms: int | None, sha256: str | None) -> str:
    if sha256 is None:
        return ""
    return f"{file or 'removed when its time was over'} ({_duration(duration_ms)}, sha256 {sha256})"


def _outcome(record: CallRecord) -> Text:
    return Text("running" if record.running else record.outcome.value, style=_STYLES.get(record.outcome, ""))


def _served(record: CallRecord) -> str:
    """The number that was dialled, and the one that it led to if that is another."""
    led_on = record.number is not None and record.number != record.dialled
    return f"{record.dialled}→{record.number}" if led_on else record.dialled


def _duration(duration_ms: int | None) -> str:
    return "-" if duration_ms is None else f"{duration_ms / 1000:.1f}s"


def local(utc_ms: int, timezone: ZoneInfo) -> datetime:
    """That moment in the city's time."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(timezone)
