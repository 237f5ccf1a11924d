"""Personal data made unreadable, where people or programs need not know it."""

from dataclasses import replace

from calls.record import CallRecord, Key
from calls.timeline import Entry

_HIDDEN_KEY = "•"


def number(digits: str) -> str:
    """`13812345678` as `138****5678`; a short one keeps only its ends."""
    if len(digits) < 3:
        return "*" * len(digits)
    begin, end = (3, 4) if len(digits) > 8 else (1, 1)
    return f"{digits[:begin]}{'*' * (len(digits) - begin - end)}{digits[-end:]}"


def record(call: CallRecord) -> CallRecord:
    """Without the caller's number and the keys pressed."""
    return replace(call, caller=number(call.caller), keys=tuple(Key(key.where, _HIDDEN_KEY) for key in call.keys))


def entry(told: Entry) -> Entry:
    """Without the caller's number and the key pressed."""
    details = dict(told.details)
    if "caller" in details:
        details["caller"] = number(str(details["caller"]))
    if details.get("key"):
        details["key"] = _HIDDEN_KEY
    return replace(told, details=details)
