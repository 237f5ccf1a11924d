"""How a record is written into its row: whole, or what is new in it."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from calls.record import LISTS, CallRecord, plain
from recordings.growing import FOLDED, Growing

_KEEP_RECORD = f"""
    INSERT INTO records ({", ".join(FOLDED)}, audio, message_audio, looked_at, reconciled, revision)
    VALUES ({", ".join("?" * len(FOLDED))}, ?, ?, 0, 0, 1)
    ON CONFLICT (ref) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in FOLDED)},
        audio = coalesce(audio, excluded.audio), message_audio = coalesce(message_audio, excluded.message_audio),
        looked_at = looked_at AND outcome = excluded.outcome AND running = excluded.running, revision = revision + 1
"""  # noqa: S608 - names of our own columns
_AUDIO_DUE = {
    "recorded": "audio = coalesce(audio, 'due')",
    # Whoever gave a mark may have been recorded without saying anything: that file must go.
    "rating": "message_audio = coalesce(message_audio, 'due')",
    "message_left": "message_audio = coalesce(message_audio, 'due')",
}
"""What follows when these fields come to say something; as long as a call runs, none is taken back."""
_SEEN = "seen_live = coalesce((SELECT 1 FROM seen WHERE seen.ref = records.ref), seen_live)"
_STEPPED = "clock_stepped = 1"


def write(connection: sqlite3.Connection, record: CallRecord, *, stepped: bool) -> None:
    """Makes its row say this, whatever stands there, if there is one. `stepped`: the clock was set."""
    # Whoever gave a mark may have been recorded without saying anything: that file must go.
    due = (record.recorded, record.message_left or record.rating is not None)
    values = row_of(plain(record, FOLDED)).values()
    connection.execute(_KEEP_RECORD, (*values, *("due" if one else None for one in due)))
    follows = [what for what, holds in ((_SEEN, _over(record)), (_STEPPED, stepped)) if holds]
    if follows:
        connection.execute(f"UPDATE records SET {', '.join(follows)} WHERE ref = ?", (record.ref,))  # noqa: S608 - our own words


def write_changes(connection: sqlite3.Connection, call: Growing, record: CallRecord, *, stepped: bool) -> bool:
    """The same where the row is as `call` knows it; whether there was anything to write."""
    changed = call.changes(record)
    follows = {_AUDIO_DUE[name] for name in changed if name in _AUDIO_DUE}
    if "outcome" in changed or "running" in changed:
        follows.add("looked_at = 0")
    if stepped and not call.stepped:
        follows.add(_STEPPED)
    if not (changed or follows):
        return False
    if _over(record):
        follows.add(_SEEN)
    sets = ", ".join((*(f"{name} = ?" for name in changed), *sorted(follows), "revision = revision + 1"))
    connection.execute(
        f"UPDATE records SET {sets} WHERE ref = ?",  # noqa: S608 - names of our own columns
        (*row_of(plain(record, changed)).values(), record.ref),
    )
    return True


def _over(record: CallRecord) -> bool:
    """Whether it tells of a call that waited and has ended."""
    return not record.running and record.waiting_since_utc_ms is not None


def row_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table `records`, of what `calls.record.plain` tells."""
    return {name: _as_json(value) if name in LISTS else value for name, value in values.items()}


def _as_json(values: Sequence[Any]) -> str:
    return json.dumps(values, ensure_ascii=False) if values else "[]"
