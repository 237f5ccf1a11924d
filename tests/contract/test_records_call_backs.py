"""Who is called back: nobody twice, nobody forgotten, whatever order things are learned in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from calls.cel import parse
from recordings.callbacks import CallBackRow, CallBacks, NoSuchCallBack, NotOpen
from recordings.missed import STUCK_MS
from recordings.schema import MIGRATIONS
from recordings.store import Store
from recordings.tail import Batch, Place
from tests.support.journal_lines import BEGIN_US, MadeCall, ref_of

BEGIN_MS = BEGIN_US // 1000
MINUTE_MS = 60_000
NOW_MS = BEGIN_MS + 60 * MINUTE_MS
WANG = "13812345678"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        yield opened


@pytest.fixture
def list_(store: Store) -> CallBacks:
    return CallBacks(store)


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


# --- what settles itself -------------------------------------------------------------------------


def test_who_talks_with_us_in_a_later_call_is_reached(store: Store, list_: CallBacks) -> None:
    keep(store, abandoned(0))
    list_.sync(NOW_MS)
    keep(store, answered(5, serial=2))
    list_.sync(NOW_MS)
    assert list_.open() == ()
    (row,) = list_.every(10)
    assert (row.state, row.reached_by) == ("reached", ref_of(2))


def test_who_talks_with_us_just_now_is_not_called_meanwhile(store: Store, list_: CallBacks) -> None:
    row = wants(list_, 1)
    talks = call_at(65, serial=2)
    talks.enter_room()
    keep(store, talks)
    list_.sync(NOW_MS)
    assert only(list_).state == "waiting"
    talks.lines.clear()
    talks.answered_by()
    keep(store, talks)
    list_.sync(NOW_MS)
    assert (list_.get(row.id).state, list_.get(row.id).reached_by) == ("reached", ref_of(2))


def test_a_missed_call_that_is_learned_after_the_later_talk_is_not_listed(store: Store, list_: CallBacks) -> None:
    keep(store, answered(5, serial=2))
    list_.sync(NOW_MS)
    keep(store, abandoned(0, node="node2"), node="node2")
    list_.sync(NOW_MS)
    assert list_.every(10) == ()


def test_a_talk_before_the_missed_call_settles_nothing(store: Store, list_: CallBacks) -> None:
    keep(store, answered(0, serial=2), abandoned(5))
    list_.sync(NOW_MS)
    assert only(list_).state == "listed"


def test_a_caller_who_was_reached_and_is_missed_again_gets_a_new_entry(store: Store, list_: CallBacks) -> None:
    for call in (abandoned(0), answered(5, serial=2), abandoned(10, serial=3)):
        keep(store, call)
        list_.sync(NOW_MS)
    assert only(list_).calls == (ref_of(3),)
    assert [row.state for row in list_.every(10)] == ["listed", "reached"]


def test_an_entry_that_is_being_dialled_is_not_settled_by_another_call(store: Store, list_: CallBacks) -> None:
    row = wants(list_, 1)
    list_.dialling(row.id)
    keep(store, answered(5, serial=2))
    list_.sync(NOW_MS)
    assert only(list_).state == "dialling"


def test_a_call_of_ours_that_was_answered_reaches_even_while_it_counts_as_dialled(
    store: Store, list_: CallBacks
) -> None:
    row = wants(list_, 1)
    list_.dialling(row.id)
    keep(store, answered(5, serial=2, first=ref_of(1)))
    list_.sync(NOW_MS)
    assert (list_.get(row.id).state, list_.get(row.id).reached_by) == ("reached", ref_of(2))


def test_a_caller_whom_we_called_and_let_wait_too_long_is_listed_for_somebody(store: Store, list_: CallBacks) -> None:
    row = wants(list_, 1)
    list_.dialling(row.id)
    call = call_at(5, 2)
    call.step("CALLED_BACK", first=ref_of(1), attempt=1)
    call.enter_room()
    call.end()
    keep(store, call)
    list_.sync(NOW_MS)
    row = only(list_)
    assert (row.state, row.reasons, row.attempts) == ("listed", ("wanted", "abandoned"), 1)


def test_calls_from_before_the_list_was_kept_are_nobodys_reason(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(path) as newest:
        columns = [row["name"] for row in newest.rows("PRAGMA table_info(records)")]
    path.unlink()
    with monkeypatch.context() as patched:
        patched.setattr("recordings.schema.MIGRATIONS", MIGRATIONS[:1])
        with Store(path) as old, old.writing() as connection:
            for ref, running in (("ended", 0), ("runs", 1)):
                connection.execute(
                    "INSERT INTO records (ref, node, dialled, caller, outcome, running, arrived_utc_ms, ended_utc_ms, "
                    "talk_ms, menus, keys, skills, seats, waiting_since_utc_ms, survived, recorded, trunk_in, "
                    "revision) "
                    "VALUES (?, 'node1', '12345', ?, 'abandoned', ?, 1, 2, 0, '[]', '[]', '[]', '[]', 1, 0, 0, 'a', 1)",
                    (ref, f"1380000000{running}", running),
                )
    with Store(path) as store:
        assert [row["name"] for row in store.rows("PRAGMA table_info(records)")] == columns
        store.database.execute("UPDATE records SET running = 0")
        CallBacks(store).sync(NOW_MS)
        assert [row.calls for row in CallBacks(store).open()] == [("runs",)]


# --- how it goes on ------------------------------------------------------------------------------


def test_a_try_that_reaches_nobody_is_made_again_until_it_is_given_up(list_: CallBacks) -> None:
    ident = wants(list_, 1).id
    assert list_.dialling(ident).state == "dialling"
    row = list_.not_reached(ident, "busy", NOW_MS)
    assert (row.state, row.attempts, row.next_utc_ms, row.why) == ("waiting", 1, NOW_MS, "busy")
    list_.dialling(ident)
    row = list_.not_reached(ident, "no answer", None)
    assert (row.state, row.attempts, row.next_utc_ms, row.why) == ("given_up", 2, None, "no answer")
    assert list_.open() == ()
    assert wants(list_, 2).id != ident


def test_a_listed_caller_whom_somebody_tried_in_vain_is_listed_again(store: Store, list_: CallBacks) -> None:
    keep(store, abandoned(0))
    list_.sync(NOW_MS)
    ident = only(list_).id
    list_.dialling(ident)
    assert list_.not_reached(ident, "busy", NOW_MS).state == "listed"


def test_a_wish_while_the_caller_is_being_dialled_keeps_the_place(store: Store, list_: CallBacks) -> None:
    keep(store, abandoned(0))
    list_.sync(NOW_MS)
    ident = only(list_).id
    list_.dialling(ident)
    assert wants(list_, 2).state == "dialling"
    assert list_.not_reached(ident, "busy", NOW_MS).state == "waiting"


def test_what_is_closed_stays_closed(list_: CallBacks) -> None:
    ident = wants(list_, 1).id
    list_.dialling(ident)
    reached = list_.reached(ident, ref_of(9))
    assert (reached.state, reached.reached_by) == ("reached", ref_of(9))
    assert list_.not_reached(ident, "busy", NOW_MS) == list_.dialling(ident) == list_.reached(ident, "x") == reached
    with pytest.raises(NotOpen, match="call-back 1 is reached"):
        list_.dismiss(ident, "")


def test_an_entry_is_dismissed_with_a_note_but_not_while_it_is_dialled(list_: CallBacks) -> None:
    ident = wants(list_, 1).id
    list_.dialling(ident)
    with pytest.raises(NotOpen) as refused:
        list_.dismiss(ident, "settled by letter")
    assert refused.value.state == "dialling"
    list_.not_reached(ident, "busy", NOW_MS)
    row = list_.dismiss(ident, "settled by letter")
    assert (row.state, row.note, row.next_utc_ms) == ("dismissed", "settled by letter", None)
    with pytest.raises(NotOpen, match="dismissed"):
        list_.dismiss(ident, "again")
    with pytest.raises(NoSuchCallBack, match="hotline callbacks"):
        list_.get(99)


def test_a_call_back_that_is_dialled_for_ever_is_put_back(list_: CallBacks) -> None:
    ident = wants(list_, 1).id
    list_.dialling(ident)
    list_.sync(NOW_MS)
    list_.sync(NOW_MS + STUCK_MS)
    assert list_.get(ident).state == "dialling"
    list_.sync(NOW_MS + STUCK_MS + 1)
    assert list_.get(ident).state == "waiting"


def test_a_new_controller_takes_back_what_its_predecessor_dialled_but_leaves_talks_alone(
    store: Store, list_: CallBacks
) -> None:
    for serial, caller in enumerate(("13800000001", "13800000002", "13800000003"), start=1):
        list_.dialling(wants(list_, serial, caller=caller).id)
    talks, rings = call_at(5, 4, "13800000002"), call_at(5, 5, "13800000003")
    for call, first in ((talks, 2), (rings, 3)):
        call.step("CALLED_BACK", first=ref_of(first), attempt=1)
    talks.answered_by()
    rings.step("OFFER", seat="8001")
    keep(store, talks, rings)
    list_.reborn(NOW_MS)
    list_.sync(NOW_MS)
    assert [list_.get(ident).state for ident in (1, 2, 3)] == ["dialling", "reached", "dialling"]
    list_.sync(NOW_MS + 1)
    assert [list_.get(ident).state for ident in (1, 2, 3)] == ["waiting", "reached", "dialling"]


def test_what_was_kept_is_there_after_a_restart(path: Path) -> None:
    with Store(path) as store:
        row = wants(CallBacks(store), 1)
    with Store(path) as store:
        assert CallBacks(store).open() == (row,)


def test_a_crash_in_the_midst_of_looking_leaves_everything_to_be_looked_at(
    store: Store, list_: CallBacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, abandoned(0), abandoned(1, serial=2, caller="02166668888"))
    seen: list[str] = []

    def crash(*arguments: object) -> bool:
        seen.append(str(arguments[1]))
        if len(seen) == 2:
            raise OSError("power failure")
        return False

    with monkeypatch.context() as patched:
        patched.setattr("recordings.missed._talked_since", crash)
        with pytest.raises(OSError, match="power failure"):
            list_.sync(NOW_MS)
    assert list_.every(10) == ()
    list_.sync(NOW_MS)
    assert [row.caller for row in list_.open()] == [WANG, "02166668888"]


def test_more_calls_than_fit_into_one_transaction_are_all_looked_at(store: Store, list_: CallBacks) -> None:
    calls = [abandoned(0, serial=serial, caller=f"138{serial:08d}") for serial in range(450)]
    rows = tuple(parse(line) for call in calls for line in call.lines)
    store.keep("node1", Batch(rows, (), Place(0, 0, b"", 0)), 0)
    list_.sync(NOW_MS)
    assert len(list_.open()) == 450


def test_each_look_uses_an_index(store: Store) -> None:
    looks = (
        "SELECT * FROM records WHERE looked_at = 0 AND running = 0 ORDER BY ended_utc_ms, ref LIMIT 200",
        "SELECT id FROM call_backs WHERE caller = '1' AND state IN ('waiting', 'listed', 'dialling')",
        "SELECT * FROM call_backs WHERE state IN ('waiting', 'listed', 'dialling')",
        "SELECT ref FROM records WHERE outcome = 'refused_blocked' ORDER BY arrived_utc_ms DESC",
    )
    for look in looks:
        plan = " ".join(row["detail"] for row in store.rows(f"EXPLAIN QUERY PLAN {look}"))
        assert "USING INDEX" in plan or "USING COVERING INDEX" in plan, plan
