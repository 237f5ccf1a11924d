"""The journal file: how Asterisk writes a call's events (CEL), and how one of its lines is read.

Asterisk quotes every column and doubles the quotes inside. Reading is as strict as that writing:
a caller who smuggles line breaks and commas into a dialled number gets lines that are refused.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from calls import journal
from calls.journal import Step, StepWrong

COLUMNS: tuple[tuple[str, str], ...] = (
    ("kind", "${eventtype}"),
    ("at", "${eventtime}"),
    ("channel", "${CHANNEL(channame)}"),
    ("uniqueid", "${CHANNEL(uniqueid)}"),
    ("linkedid", "${CHANNEL(linkedid)}"),
    ("context", "${CHANNEL(context)}"),
    ("exten", "${CHANNEL(exten)}"),
    ("peer", "${BRIDGEPEER}"),
    ("extra", "${eventextra}"),
)
"""The columns of the journal file, in order: our name, and Asterisk's expression for it."""

CHANNEL_KINDS = frozenset(
    {
        "CHAN_START",
        "CHAN_END",
        "ANSWER",
        "HANGUP",
        "BRIDGE_ENTER",
        "BRIDGE_EXIT",
        "BLINDTRANSFER",
        "ATTENDEDTRANSFER",
        "LINKEDID_END",
    }
)
"""What Asterisk itself says about channels; every other kind is a step of `calls.journal`."""

_LINE = re.compile(",".join(['"((?:[^"]|"")*)"'] * len(COLUMNS)))
_TIME = re.compile(r"(\d{1,12})\.(\d{6})", re.ASCII)
_decode = json.JSONDecoder().decode


class RowWrong(ValueError):
    """A line that Asterisk would not have written so; `matter` says what is wrong with it."""

    def __init__(self, matter: str) -> None:
        self.matter = matter
        super().__init__(f"journal line: {matter}")


@dataclass(frozen=True, slots=True)
class Row:
    """One event of one channel."""

    kind: str
    at_us: int
    """Microseconds since the epoch."""
    channel: str
    uniqueid: str
    """The channel's own id, unique over nodes: it begins with the node's name, or bears a call back's ref."""
    linkedid: str
    """The uniqueid of the oldest channel that this one has to do with."""
    context: str
    exten: str
    peer: str
    extra: str
    """As written: JSON or empty."""
    step: Step | None = field(default=None, compare=False, kw_only=True)
    """What the dialplan wrote, when it was the dialplan."""
    q850_cause: int | None = field(default=None, compare=False, kw_only=True)
    """In a HANGUP row: why the channel ended; Asterisk writes 0 where it does not know."""
    hung_up_by: str | None = field(default=None, compare=False, kw_only=True)
    """In a HANGUP row: the channel that hung up, `dialplan/builtin`, or empty when unknown."""


def parse(line: str) -> Row:
    """The row that a line (without its line break) holds. Raises RowWrong."""
    kind, at, *columns = _columns(line)
    time = _TIME.fullmatch(at)
    if time is None:
        raise RowWrong(f"its time is {at!r}, not seconds with six decimals")
    return build(kind, int(time[1]) * 1_000_000 + int(time[2]), columns)


def _columns(line: str) -> Sequence[str]:
    pieces = line[1:-1].split('","', len(COLUMNS) - 1)
    extra = pieces[-1]
    # Most lines have quotes in their last column alone. Where those come in pairs, there is no other way to read it.
    plain = len(pieces) == len(COLUMNS) and line.count('"') - extra.count('"') == 2 * len(COLUMNS)
    if plain and line[0] == line[-1] == '"' and '"' not in extra.replace('""', ""):
        pieces[-1] = extra.replace('""', '"')
        return pieces
    found = _LINE.fullmatch(line)
    if found is None:
        raise RowWrong(f"it does not hold {len(COLUMNS)} quoted columns")
    return [column.replace('""', '"') for column in found.groups()]


def build(kind: str, at_us: int, columns: Sequence[str]) -> Row:
    """The row with these further columns, in the order of COLUMNS. Raises RowWrong."""
    channel, uniqueid, linkedid, *_ = columns
    if not (channel and uniqueid and linkedid):
        raise RowWrong("it names no channel")
    details = _object(columns[-1]) if columns[-1] else {}
    if kind not in CHANNEL_KINDS:
        return Row(kind, at_us, *columns, step=_step(kind, details))
    if kind != "HANGUP":
        return Row(kind, at_us, *columns)
    cause, source = details.get("hangupcause"), details.get("hangupsource")
    if not (type(cause) is int and isinstance(source, str)):
        raise RowWrong("a HANGUP without its cause and source")
    return Row(kind, at_us, *columns, q850_cause=cause, hung_up_by=source)


def _object(extra: str) -> dict[str, object]:
    try:
        found = _decode(extra)
    except (ValueError, RecursionError):
        raise RowWrong("its details are not JSON") from None
    if not isinstance(found, dict):
        raise RowWrong("its details are not a JSON object")
    return found


def _step(kind: str, details: dict[str, object]) -> Step:
    text = details.get("extra", "")
    if not isinstance(text, str):
        raise RowWrong(f"step {kind} has no text")
    try:
        step = journal.read(kind, text)
    except StepWrong as wrong:
        raise RowWrong(str(wrong)) from None
    if isinstance(step, journal.Arrived) and not _is_uuid(step.ref):
        raise RowWrong("step ARRIVED: field 'ref' is no UUID")
    return step


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
