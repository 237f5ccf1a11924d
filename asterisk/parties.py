"""Who takes part in a call: rows of Asterisk's `Status` → `asterisk.port.Party`."""

import re
from collections.abc import Sequence

from asterisk.message import AmiMessage
from asterisk.port import Party
from calls.live import CallRef, Channel

PARTY_VARIABLES = ("CONTEXT", "HL_REF")
"""What each channel is asked for."""

_SEAT = re.compile(r"[0-9]{3,8}")
_OUTGOING = "(Outgoing Line)"
"""Data of a channel that was dialled and runs no dialplan."""
_UP = "6"


def parties_of(rows: Sequence[AmiMessage], ref: CallRef, node: str) -> tuple[Party, ...]:
    """The caller first, then everybody whose channel has to do with the caller's; () when it is gone.

    A channel that waits to be answered is one of them. Raises HeaderMissing, HeaderDoubled.
    """
    caller = next((row for row in rows if _variable(row, "HL_REF") == ref and not _dialled(row)), None)
    if caller is None:
        return ()
    linked = caller.required("Linkedid")
    others = [row for row in rows if row is not caller and row.required("Linkedid") == linked]
    return (_party(caller, node, caller=True), *(_party(row, node, caller=False) for row in others))


def _party(row: AmiMessage, node: str, *, caller: bool) -> Party:
    name = row.required("Channel")
    endpoint = name.partition("/")[2].rpartition("-")[0]
    return Party(
        channel=Channel(node, name),
        context="" if _dialled(row) else _variable(row, "CONTEXT"),
        endpoint=endpoint,
        seat=not caller and _SEAT.fullmatch(endpoint) is not None,
        caller=caller,
        answered=row.required("ChannelState") == _UP,
    )


def _dialled(row: AmiMessage) -> bool:
    return row.optional("Data") == _OUTGOING


def _variable(row: AmiMessage, name: str) -> str:
    begin = f"{name}="
    return next((line.removeprefix(begin) for line in row.every("Variable") if line.startswith(begin)), "")
