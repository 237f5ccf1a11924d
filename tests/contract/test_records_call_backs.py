"""Who is called back: nobody twice, nobody forgotten, whatever order things are learned in."""

from collections.abc import Callable

import pytest

from recordings.callbacks import CallBackRow, CallBacks
from recordings.store import Store
from recordings.tail import Batch, Place
from tests.support.journal_lines import MadeCall, ref_of
from tests.support.missed_calls import (
    BEGIN_MS,
    MINUTE_MS,
    NOW_MS,
    WANG,
    abandoned,
    by_hand,
    call_at,
    keep,
    only,
    wants,
    wish_in,
)


@pytest.fixture
def list_(store: Store) -> CallBacks:
    return CallBacks(store)


# --- who is listed -------------------------------------------------------------------------------


def test_a_caller_who_gave_up_is_listed_with_what_is_needed_to_call_back(store: Store, list_: CallBacks) -> None:
    call = abandoned(0)
    keep(store, call)
    list_.sync(NOW_MS)
    assert only(list_) == CallBackRow(
        id=1,
        caller=WANG,
        number="12345",
        language="",
        skills=("english", "social"),
        priority=5,
        t0_utc_ms=BEGIN_MS + 300,
        state="listed",
        reasons=("abandoned",),
        calls=(call.ref,),
        first=call.ref,
        since_utc_ms=call.now_us // 1000,
        last_utc_ms=call.now_us // 1000,
        attempts=0,
        next_utc_ms=None,
        reached_by=None,
        why="",
        note="",
    )


def _nothing(call: MadeCall) -> None:
    pass


def _in_a_menu(call: MadeCall) -> None:
    call.step("MENU", menu="main", attempt=1)


def _emergency(call: MadeCall) -> None:
    call.enter_room()
    call.step("EMERGENCY", number="120", by="waiting")


def _blocked(call: MadeCall) -> None:
    call.step("REFUSED", why="blocked")


def _full(call: MadeCall) -> None:
    call.step("REFUSED", why="full")


def _talk(call: MadeCall) -> None:
    call.enter_room()
    call.talk()


@pytest.mark.parametrize(
    ("happens", "reasons"),
    [(_nothing, ()), (_in_a_menu, ()), (_emergency, ()), (_blocked, ()), (_talk, ()), (_full, ("refused_full",))],
)
def test_only_missed_callers_are_listed(
    store: Store, list_: CallBacks, happens: Callable[[MadeCall], None], reasons: tuple[str, ...]
) -> None:
    call = call_at(0, 1)
    happens(call)
    call.end()
    keep(store, call)
    list_.sync(NOW_MS)
    assert tuple(row.reasons for row in list_.open()) == ((reasons,) if reasons else ())


@pytest.mark.parametrize("caller", ["", "12", "anonymous"])
def test_a_caller_without_a_number_cannot_be_listed(store: Store, list_: CallBacks, caller: str) -> None:
    keep(store, abandoned(0, caller=caller))
    list_.sync(NOW_MS)
    assert list_.every(10) == ()


def test_a_call_that_runs_is_not_looked_at_before_it_ends(store: Store, list_: CallBacks) -> None:
    call = abandoned(0)
    rows = tuple(call.rows)
    store.keep("node1", Batch(rows[:-3], (), Place(0, 0, b"", 0)), 0)
    list_.sync(NOW_MS)
    assert list_.open() == ()
    keep(store, call)
    list_.sync(NOW_MS)
    assert only(list_).reasons == ("abandoned",)


@pytest.mark.parametrize(
    ("happens", "state", "reason"),
    [
        (lambda call: call.enter_room(), "listed", "interrupted"),
        (lambda call: (call.enter_room(), call.step("CALLBACK", to=WANG)), "waiting", "wanted"),
    ],
)
def test_a_caller_whose_asterisk_died_while_it_waited_is_called_back(
    store: Store, list_: CallBacks, happens: Callable[[MadeCall], object], state: str, reason: str
) -> None:
    call = call_at(0, 1)
    happens(call)
    keep(store, call)
    store.interrupt("node1", NOW_MS)
    list_.sync(NOW_MS)
    assert (only(list_).state, only(list_).reasons) == (state, (reason,))


def test_a_caller_whose_asterisk_died_in_a_greeting_or_a_talk_is_not_listed(store: Store, list_: CallBacks) -> None:
    greeting, talk = call_at(0, 1), call_at(0, 2)
    talk.enter_room()
    talk.answered_by()
    keep(store, greeting, talk)
    store.interrupt("node1", NOW_MS)
    list_.sync(NOW_MS)
    assert list_.open() == ()


# --- nobody twice --------------------------------------------------------------------------------


def test_who_calls_five_times_is_listed_once_with_every_call(store: Store, list_: CallBacks) -> None:
    calls = [abandoned(minute, serial=minute) for minute in range(1, 5)]
    full = call_at(5, 5)
    _full(full)
    full.end()
    keep(store, *reversed([*calls, full]))
    list_.sync(NOW_MS)
    row = only(list_)
    assert row.reasons == ("abandoned", "refused_full")
    assert row.calls == tuple(call.ref for call in (*calls, full))
    assert (row.since_utc_ms, row.last_utc_ms) == (calls[0].now_us // 1000, full.now_us // 1000)
    list_.sync(NOW_MS)
    assert only(list_) == row


def test_calls_that_came_to_two_nodes_make_one_entry(store: Store, list_: CallBacks) -> None:
    keep(store, abandoned(1, serial=1))
    list_.sync(NOW_MS)
    keep(store, abandoned(0, serial=2, node="node2"), node="node2")  # Its lines come late.
    list_.sync(NOW_MS)
    assert only(list_).calls == (ref_of(2), ref_of(1))


def test_a_wish_that_was_heard_is_not_found_a_second_time(store: Store, list_: CallBacks) -> None:
    row = wants(list_, 1)
    keep(store, wish_in(0, 1))
    list_.sync(NOW_MS)
    assert wants(list_, 1) == only(list_) == row
    assert (row.state, row.reasons, row.skills) == ("waiting", ("wanted",), ("english", "social"))


def test_a_wish_that_nobody_heard_is_found_when_its_call_has_ended(store: Store, list_: CallBacks) -> None:
    keep(store, wish_in(0, 1))
    list_.sync(NOW_MS)
    row = only(list_)
    assert (row.state, row.reasons, row.t0_utc_ms) == ("waiting", ("wanted",), BEGIN_MS + 300)


def test_two_wishes_of_one_caller_keep_the_earlier_place(list_: CallBacks) -> None:
    wants(list_, 1, t0_utc_ms=BEGIN_MS + MINUTE_MS)
    wants(list_, 2, t0_utc_ms=BEGIN_MS)
    row = wants(list_, 3, t0_utc_ms=BEGIN_MS + 2 * MINUTE_MS)
    assert only(list_) == row
    assert (row.t0_utc_ms, row.reasons, len(row.calls)) == (BEGIN_MS, ("wanted",), 3)


def test_a_listed_caller_who_asks_gets_the_place_of_that_call(store: Store, list_: CallBacks) -> None:
    keep(store, abandoned(0))
    list_.sync(NOW_MS)
    row = wants(list_, 2, t0_utc_ms=BEGIN_MS + 9 * MINUTE_MS)
    assert (row.state, row.t0_utc_ms) == ("waiting", BEGIN_MS + 9 * MINUTE_MS)
    assert row.reasons == ("abandoned", "wanted")


def test_who_keeps_a_place_and_calls_again_in_vain_keeps_it(store: Store, list_: CallBacks) -> None:
    wants(list_, 1)
    keep(store, abandoned(5, serial=2))
    list_.sync(NOW_MS)
    row = only(list_)
    assert (row.state, row.t0_utc_ms, row.reasons) == ("waiting", BEGIN_MS, ("wanted", "abandoned"))


def test_an_entry_by_hand_joins_the_open_one_and_leaves_its_note(store: Store, list_: CallBacks) -> None:
    keep(store, abandoned(0))
    list_.sync(NOW_MS)
    row = by_hand(list_)
    assert (row.state, row.reasons, row.note) == ("listed", ("abandoned", "by_hand"), "rang at the door")
    other = by_hand(list_, caller="02166668888")
    assert (other.first, other.calls, other.t0_utc_ms) == ("", (), None)
    assert [one.id for one in list_.open()] == [row.id, other.id]
    assert [one.id for one in list_.every(1)] == [other.id]
