"""Call-backs that settle themselves, are tried, closed, or taken over by a new controller."""

from pathlib import Path

import pytest

from calls.cel import parse
from recordings.callbacks import CallBacks, NoSuchCallBack, NotOpen
from recordings.missed import STUCK_MS
from recordings.schema import MIGRATIONS
from recordings.store import Store
from recordings.tail import Batch, Place
from tests.support.journal_lines import ref_of
from tests.support.keeping import Surroundings
from tests.support.missed_calls import NOW_MS, WANG, abandoned, answered, call_at, keep, only, wants


@pytest.fixture
def path(around: Surroundings) -> Path:
    return around.database


@pytest.fixture
def list_(store: Store) -> CallBacks:
    return CallBacks(store)


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
