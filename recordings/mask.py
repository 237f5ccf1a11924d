"""Personal data made unreadable, where people or programs need not know it."""

import re
from dataclasses import replace

from calls.record import CallRecord, Key
from calls.timeline import Entry
from recordings.blocks import Blocked, BlockedCall

_HIDDEN_KEY = "•"
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z.-])\+?[0-9]{9,20}(?!\.?[0-9A-Za-z-])")
"""So many digits are nobody's seat, agent or hotline number, and no part of a call's id or of a channel's."""


def number(digits: str) -> str:
    """`13812345678` as `138****5678`; a short one keeps only its ends."""
    if len(digits) < 3:
        return "*" * len(digits)
    begin, end = (3, 4) if len(digits) > 8 else (1, 1)
    return f"{digits[:begin]}{'*' * (len(digits) - begin - end)}{digits[-end:]}"


def goal(to: str) -> str:
    """Where a call is passed on to: a number outside is hidden, a seat, a skill, a centre or 110 is not."""
    return number(to) if len(to.lstrip("+")) > 8 and to.lstrip("+").isdigit() else to


def numbers_in(text: str) -> str:
    """A text without the telephone numbers in it: of 9 digits or more, for shorter ones may be ours."""
    return _LONG_NUMBER.sub(lambda found: number(found[0]), text)


def record(call: CallRecord) -> CallRecord:
    """Without numbers of the caller and of others outside, and the keys pressed."""
    return replace(
        call,
        caller=number(call.caller),
        call_back_to=None if call.call_back_to is None else number(call.call_back_to),
        transfers=tuple(goal(to) for to in call.transfers),
        keys=tuple(Key(key.where, _HIDDEN_KEY) for key in call.keys),
    )


def entry(told: Entry) -> Entry:
    """Without such numbers, the key pressed, and what an agent noted."""
    details = dict(told.details)
    for name, hidden in (("caller", number), ("to", number if told.kind == "CALLBACK" else goal), ("dial", goal)):
        if name in details:
            details[name] = hidden(str(details[name]))
    for name in ("key", "note"):
        if details.get(name):
            details[name] = _HIDDEN_KEY
    return replace(told, details=details)


def blocked(one: Blocked) -> Blocked:
    """Without the caller's number."""
    return replace(one, number=number(one.number))


def blocked_call(one: BlockedCall) -> BlockedCall:
    """Without the caller's number."""
    return replace(one, caller=number(one.caller))
