"""Personal data made unreadable, where people or programs need not know it."""

from dataclasses import replace

from calls.record import CallRecord, Key
from calls.timeline import Entry
from recordings.blocks import Blocked, BlockedCall

_HIDDEN_KEY = "•"


def number(digits: str) -> str:
    """`13812345678` as `138****5678`; a short one keeps only its ends."""
    if len(digits) < 3:
        return "*" * len(digits)
    begin, end = (3, 4) if len(digits) > 8 else (1, 1)
    return f"{digits[:begin]}{'*' * (len(digits) - begin - end)}{digits[-end:]}"


def goal(to: str) -> str:
    """Where a call is passed on to: a number outside is hidden, a seat, a skill, a centre or 110 is not."""
    return number(to) if len(to.lstrip("+")) > 8 and to.lstrip("+").isdigit() else to


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
    """Without such numbers and the key pressed."""
    details = dict(told.details)
    for name, hidden in (("caller", number), ("to", number if told.kind == "CALLBACK" else goal), ("dial", goal)):
        if name in details:
            details[name] = hidden(str(details[name]))
    if details.get("key"):
        details["key"] = _HIDDEN_KEY
    return replace(told, details=details)


def blocked(one: Blocked) -> Blocked:
    """Without the caller's number."""
    return replace(one, number=number(one.number))


def blocked_call(one: BlockedCall) -> BlockedCall:
    """Without the caller's number."""
    return replace(one, caller=number(one.caller))
