"""Calls for people's eyes, and for programs."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from calls.record import CallRecord, Outcome, plain
from calls.timeline import Entry

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
    "TRUNK": "is put through to {dial} over {trunk}",
    "TRUNK_END": "{trunk}: {status}",
    "ROOM": "waits for {skills}, priority {priority}",
    "SURVIVAL": "waits in Asterisk's queue {queue}: no controller",
    "OFFER": "is offered to seat {seat}",
    "BACK": "comes back from seat {seat}: {why}",
    "TALKED": "the talk with seat {seat} ended, cause {q850_cause}",
    "RECORDING": "is recorded while connected",
    "RINGS": "rings",
    "ANSWERED": "answers",
    "ENDED": "ends, cause {q850_cause}",
    "BLINDTRANSFER": "transfers the caller",
    "ATTENDEDTRANSFER": "transfers the caller after asking",
}
"""What each kind of entry says; what is in braces are its details."""

_STYLES = {Outcome.ANSWERED: "green", Outcome.TRANSFERRED: "green", Outcome.EMERGENCY: "red", Outcome.LEFT: "yellow"}
_STYLES |= {Outcome.ABANDONED: "yellow", Outcome.INTERRUPTED: "magenta"}


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
            f"{_local(call.arrived_utc_ms, timezone):%Y-%m-%d %H:%M:%S}",
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
            Text(f"{_local(entry.at_utc_ms, timezone):%H:%M:%S.%f}"[:-3], style="dim"),
            Text(f"{since_ms / 1000:+9.3f}s"),
            Text(mark, style="red" if pause_ms < 0 else "cyan"),
            Text(entry.who, style="bold" if entry.who != "caller" else ""),
            Text(phrase(entry)),
        )
    return Group(title, head, Text(), line)


def phrase(entry: Entry) -> str:
    """What the entry says in a sentence."""
    if entry.kind == "ENDED" and not entry.details:
        return "ends"
    if entry.kind == "ANSWERED" and entry.who == "caller":
        return "is answered by the hotline"
    details = {**entry.details, "caller": entry.details.get("caller") or "an unknown number"}
    return PHRASES[entry.kind].format_map(details).strip()


def _facts(record: CallRecord, timezone: ZoneInfo) -> list[tuple[str, str]]:
    keys = " ".join(f"{key.where}:{key.key}" for key in record.keys)
    recording = f"{record.recording_file} ({_duration(record.recording_ms)}, sha256 {record.recording_sha256})"
    ended = f"{record.hung_up_by.value}, cause {record.q850_cause or '?'}" if record.hung_up_by else ""
    facts = [
        ("arrived", f"{_local(record.arrived_utc_ms, timezone):%Y-%m-%d %H:%M:%S %Z}, node {record.node}"),
        ("caller", f"{record.caller or 'unknown'} over {record.trunk_in}"),
        ("dialled", f"{record.dialled}" + (f", served as {record.number}" if record.number else "")),
        ("menus", " → ".join(record.menus)),
        ("keys", keys),
        ("language", record.language or ""),
        ("waited", f"{_duration(record.wait_ms)} for {'+'.join(record.skills)}" if record.wait_ms is not None else ""),
        ("survival", "Asterisk answered it with no controller" if record.survived else ""),
        ("talked", f"{_duration(record.talk_ms)} with {', '.join(record.seats)}" if record.seats else ""),
        ("emergency", record.emergency_number or ""),
        ("put through", record.trunk_out or ""),
        ("hung up by", ended),
        ("recording", recording if record.recording_file else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _outcome(record: CallRecord) -> Text:
    return Text("running" if record.running else record.outcome.value, style=_STYLES.get(record.outcome, ""))


def _served(record: CallRecord) -> str:
    """The number that was dialled, and the one that it led to if that is another."""
    led_on = record.number is not None and record.number != record.dialled
    return f"{record.dialled}→{record.number}" if led_on else record.dialled


def _duration(duration_ms: int | None) -> str:
    return "-" if duration_ms is None else f"{duration_ms / 1000:.1f}s"


def _local(utc_ms: int, timezone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(timezone)
