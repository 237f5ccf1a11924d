"""A call as a vCon: the IETF's container for conversations (draft-ietf-vcon-vcon-core-04, syntax 0.4.0).

Whoever reads vCons finds parties, dialogs and times where the draft puts them. Our own record is an
attachment, whole, so that a vCon that was exported can be imported.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from calls.cel import COLUMNS, RowWrong
from calls.record import CallRecord, Outcome, plain
from calls.timeline import Entry
from recordings.export_columns import Kept, RecordWrong, kept
from recordings.store import events_of

SYNTAX = "0.4.0"
ENDING = ".vcon"
RECORD = "hotline-record"
"""The purpose of the attachment that holds the record."""
TIMELINE = "hotline-timeline"
EVENTS = "hotline-events"
"""The purpose of the attachment with the events that the timeline is made of."""

_MASKED = UUID("6f1c1b0e-0d3c-4f0a-9a59-5b6a3d1f7c12")
"""Makes the id of a masked vCon from the call's."""
_NO_TALK = {
    Outcome.ABANDONED: "hung-up",
    Outcome.LEFT: "hung-up",
    Outcome.CALL_BACK: "hung-up",
    Outcome.REFUSED_FULL: "congestion",
}
"""Why nobody talked, in the draft's words; `failed` where it has none."""

Sounds = dict[str, bytes]
"""`recording` and `message`: the plain WAV, where it is wanted and there."""


def text(one: Kept, entries: Sequence[Entry], sounds: Sounds, now_utc_ms: int, *, masked: bool) -> str:
    """The call as one JSON document. masked: record and entries were masked already, which the vCon says."""
    record = one.record
    told: dict[str, Any] = {
        "vcon": SYNTAX,
        "uuid": str(uuid5(_MASKED, record.ref)) if masked else record.ref,
        "created_at": _date(now_utc_ms),
        "subject": f"call to {record.dialled}: {record.outcome.value}",
    }
    if masked:
        told["redacted"] = {"uuid": record.ref, "type": "telephone numbers and keys"}
    told["parties"] = _parties(record)
    told["dialog"] = [_talk(record, sounds.get("recording")), *_message(record, sounds.get("message"))]
    told["attachments"] = [
        _attachment(record, RECORD, {"revision": one.revision, "record": plain(record)}),
        _attachment(record, TIMELINE, [_entry(entry) for entry in entries]),
        *([] if masked else [_attachment(record, EVENTS, one.events)]),
    ]
    return json.dumps(told, ensure_ascii=False)


def read(path: Path) -> Iterator[tuple[str, Kept | RecordWrong]]:
    """The vCon's call. Raises RecordWrong when it is none of ours, OSError."""
    try:
        told = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RecordWrong(f"it is not JSON: {error}") from None
    found = told.get("attachments") if isinstance(told, dict) else None
    if not isinstance(found, list) or "uuid" not in told:
        raise RecordWrong("it is no vCon with attachments")
    held = {one.get("purpose"): one.get("body") for one in reversed(found) if isinstance(one, dict)}
    ours = held.get(RECORD)
    if not isinstance(ours, dict) or not isinstance(ours.get("record"), dict):
        raise RecordWrong(f"it holds no record of this program (an attachment with the purpose {RECORD!r})")
    try:
        one = kept(ours["record"], ours.get("revision"))
        if told["uuid"] != one.record.ref:
            raise RecordWrong(f"the vCon is {told['uuid']}, but its record is that of {one.record.ref}")
        yield "the vCon", replace(one, events=_events(held.get(EVENTS, [])))
    except RecordWrong as wrong:
        yield "the vCon", wrong


def _events(body: object) -> tuple[tuple[Any, ...], ...]:
    """Raises RecordWrong for what are no events."""
    if not isinstance(body, list) or not all(_is_event(one) for one in body):
        raise RecordWrong(f"its attachment {EVENTS!r} does not hold a call's events")
    events = tuple(tuple(one) for one in body)
    try:
        events_of(events)
    except RowWrong as wrong:
        raise RecordWrong(str(wrong)) from None
    return events


def _is_event(one: object) -> bool:
    """A kind, a time in µs, and the further columns of `calls.cel.Row`, all texts."""
    if not isinstance(one, list) or len(one) != len(COLUMNS):
        return False
    kind, at_us, *columns = one
    return type(at_us) is int and all(isinstance(text, str) for text in (kind, *columns))


def _parties(record: CallRecord) -> list[dict[str, str]]:
    """The caller, then each seat that answered, with the agent who was signed on there."""
    caller = {"tel": f"tel:{record.caller}"} if record.caller else {}
    agents = list(record.agents) if len(record.agents) == len(record.seats) else []
    seats = [{"name": f"seat {seat}", "type": "person"} for seat in record.seats]
    for seat, agent in zip(seats, agents, strict=False):
        seat["uuid"] = f"agent {agent}"
    return [{**caller, "type": "person"}, *seats]


def _talk(record: CallRecord, sound: bytes | None) -> dict[str, Any]:
    """The talk itself; one that never was is `incomplete`."""
    everybody = list(range(len(record.seats) + 1))
    if record.talk_began_utc_ms is None and record.recording_file is None:
        return {
            "type": "incomplete",
            "start": _date(record.arrived_utc_ms),
            "parties": everybody,
            "disposition": _NO_TALK.get(record.outcome, "failed"),
        }
    began = record.talk_began_utc_ms or record.answered_utc_ms or record.arrived_utc_ms
    length_ms = record.recording_ms if record.recording_ms is not None else record.talk_ms
    duration_s = max(0, length_ms) / 1000
    told = {"type": "recording", "start": _date(began), "duration": duration_s, "parties": everybody}
    return {**told, **_sound(record.recording_file, sound)}


def _message(record: CallRecord, sound: bytes | None) -> list[dict[str, Any]]:
    """What the caller said after the mark."""
    if record.message_file is None:
        return []
    start = _date(record.ended_utc_ms or record.arrived_utc_ms)
    told: dict[str, Any] = {"type": "recording", "start": start, "parties": [0]}
    if record.message_ms is not None:
        told["duration"] = max(0, record.message_ms) / 1000
    return [{**told, **_sound(record.message_file, sound)}]


def _sound(file: str | None, sound: bytes | None) -> dict[str, str]:
    if file is None:
        return {}
    told = {"mediatype": "audio/x-wav", "filename": file}
    if sound is not None:
        told |= {"encoding": "base64url", "body": base64.urlsafe_b64encode(sound).rstrip(b"=").decode("ascii")}
    return told


def _attachment(record: CallRecord, purpose: str, body: object) -> dict[str, Any]:
    return {
        "purpose": purpose,
        "start": _date(record.arrived_utc_ms),
        "party": 0,
        "dialog": 0,
        "mediatype": "application/json",
        "encoding": "json",
        "body": body,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {"at_utc_ms": entry.at_utc_ms, "who": entry.who, "kind": entry.kind, "details": dict(entry.details)}


def _date(utc_ms: int) -> str:
    """As RFC 3339 has it."""
    seconds, rest_ms = divmod(utc_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ms:03d}Z"
