"""Calls that end before anybody of ours was reached, and what is to be done about them."""

from calls.cel import parse
from recordings.callbacks import CallBackRow, CallBacks
from recordings.store import Store
from recordings.tail import Batch, Place
from tests.support.journal_lines import BEGIN_US, MadeCall, ref_of

BEGIN_MS = BEGIN_US // 1000
MINUTE_MS = 60_000
NOW_MS = BEGIN_MS + 60 * MINUTE_MS
WANG = "13812345678"


def keep(store: Store, *calls: MadeCall, node: str = "node1") -> None:
    for call in calls:
        rows = tuple(parse(line) for line in call.lines)
        store.keep(node, Batch(rows, (), Place(0, 0, b"", 0)), 0)


def call_at(minute: int, serial: int, caller: str = WANG, node: str = "node1") -> MadeCall:
    call = MadeCall(serial, begin_us=BEGIN_US + minute * MINUTE_MS * 1000, node=node)
    call.arrive(caller=caller)
    return call


def abandoned(minute: int, serial: int = 1, caller: str = WANG, node: str = "node1") -> MadeCall:
    call = call_at(minute, serial, caller, node)
    call.enter_room("english+social")
    call.end()
    return call


def answered(minute: int, serial: int, caller: str = WANG, first: str | None = None) -> MadeCall:
    call = call_at(minute, serial, caller)
    if first is not None:
        call.step("CALLED_BACK", attempt=1, first=first)
    call.enter_room()
    call.talk()
    call.end()
    return call


def wish_in(minute: int, serial: int, caller: str = WANG) -> MadeCall:
    call = call_at(minute, serial, caller)
    call.enter_room()
    call.step("CALLBACK", to=caller)
    call.end()
    return call


def wants(list_: CallBacks, serial: int, *, t0_utc_ms: int = BEGIN_MS, caller: str = WANG) -> CallBackRow:
    return list_.wanted(
        ref=ref_of(serial),
        caller=caller,
        number="12345",
        language="zh",
        skills=frozenset({"social", "english"}),
        priority=5,
        t0_utc_ms=t0_utc_ms,
        now_utc_ms=t0_utc_ms + MINUTE_MS,
    )


def by_hand(list_: CallBacks, caller: str = WANG, note: str = "rang at the door") -> CallBackRow:
    return list_.add(
        caller=caller, number="12345", note=note, language="zh", skills=("general",), priority=5, now_utc_ms=NOW_MS
    )


def only(list_: CallBacks) -> CallBackRow:
    (row,) = list_.open()
    return row
