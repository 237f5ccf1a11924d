"""Duty, audit and blocked callers: what the desk keeps beside the calls, and several users of one file."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.cel import parse
from recordings.audit import Audit, AuditEntry
from recordings.blocks import Blocked, Blocks
from recordings.callbacks import CallBacks
from recordings.duty import OFFLINE, Duty, DutyRow, Total, totals_of
from recordings.store import Store
from recordings.tail import Batch, Place
from tests.support.journal_lines import MadeCall
from tests.support.keeping import CITY

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "records.db") as opened:
        yield opened


def row(seat: str, agent: str | None, state: str, at_ms: int, reason: str = "", *, call: str | None = None) -> DutyRow:
    return DutyRow(seat, agent, state, reason, call, at_ms)


# --- duty ----------------------------------------------------------------------------------------

WORKING_DAY = (
    row("8001", "1001", "idle", 8 * HOUR_MS),
    row("8001", "1001", "ringing", 9 * HOUR_MS, call="a"),
    row("8001", "1001", "talking", 9 * HOUR_MS + 5_000, call="a"),
    row("8001", "1001", "wrap_up", 9 * HOUR_MS + 65_000),
    row("8001", "1001", "idle", 9 * HOUR_MS + 75_000),
    row("8001", "1001", "paused", 12 * HOUR_MS, reason="meal"),
    row("8001", "1001", "idle", 13 * HOUR_MS),
    row("8001", "1001", "paused", 15 * HOUR_MS, reason="break"),
    row("8001", "1001", "idle", 15 * HOUR_MS + 600_000),
    row("8001", "1001", OFFLINE, 16 * HOUR_MS),
    row("8001", None, "idle", 16 * HOUR_MS),
)


def spent(totals: tuple[Total, ...], agent: str = "1001") -> dict[tuple[str, str], tuple[int, int]]:
    return {(one.state, one.reason): (one.total_ms, one.times) for one in totals if one.agent == agent}


def test_a_working_day_is_told_by_states_and_reasons(store: Store) -> None:
    duty = Duty(store)
    duty.add(WORKING_DAY[:4])
    duty.add(WORKING_DAY[4:])
    assert spent(duty.totals(0, DAY_MS, 2 * DAY_MS)) == {
        ("idle", ""): (HOUR_MS + 2 * HOUR_MS + 2 * HOUR_MS + HOUR_MS + 2 * HOUR_MS - 75_000 - HOUR_MS - 600_000, 4),
        ("ringing", ""): (5_000, 1),
        ("talking", ""): (60_000, 1),
        ("wrap_up", ""): (10_000, 1),
        ("paused", "meal"): (HOUR_MS, 1),
        ("paused", "break"): (600_000, 1),
        (OFFLINE, ""): (16 * HOUR_MS, 2),
    }


def test_a_state_is_cut_at_the_borders_and_runs_until_now(store: Store) -> None:
    duty = Duty(store)
    duty.add(WORKING_DAY[:2])
    assert spent(duty.totals(8 * HOUR_MS + 60_000, DAY_MS, 9 * HOUR_MS + 1_000)) == {
        ("idle", ""): (HOUR_MS - 60_000, 1),
        ("ringing", ""): (1_000, 1),
    }
    assert duty.totals(DAY_MS, 2 * DAY_MS, 9 * HOUR_MS) == ()


def test_an_agent_who_was_never_there_was_offline_all_day_when_asked_for(store: Store) -> None:
    duty = Duty(store)
    assert duty.totals(0, DAY_MS, DAY_MS) == ()
    assert duty.totals(0, DAY_MS, DAY_MS, "1001") == (Total("1001", OFFLINE, "", DAY_MS, 1),)
    duty.add(WORKING_DAY)
    assert duty.totals(DAY_MS, 2 * DAY_MS, 2 * DAY_MS) == ()


def test_an_agent_who_changes_seats_is_where_the_newest_row_says(store: Store) -> None:
    duty = Duty(store)
    duty.add(
        (
            row("8001", "1001", "idle", HOUR_MS),
            row("8002", "1001", "idle", 2 * HOUR_MS),
            row("8001", "1001", OFFLINE, 2 * HOUR_MS),
            row("8001", "1002", "idle", 3 * HOUR_MS),
            row("8002", None, OFFLINE, 4 * HOUR_MS),
        )
    )
    totals = duty.totals(0, 5 * HOUR_MS, DAY_MS)
    assert spent(totals) == {("idle", ""): (3 * HOUR_MS, 2), (OFFLINE, ""): (2 * HOUR_MS, 2)}
    assert spent(totals, "1002") == {("idle", ""): (2 * HOUR_MS, 1), (OFFLINE, ""): (3 * HOUR_MS, 1)}


def test_the_last_row_of_each_seat_stands_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    with Store(path) as store:
        Duty(store).add((*WORKING_DAY, row("8002", "1002", "paused", 9 * HOUR_MS, reason="meal")))
        assert Duty(store).standing() == {
            "8001": WORKING_DAY[-1],
            "8002": row("8002", "1002", "paused", 9 * HOUR_MS, "meal"),
        }
    with Store(path) as store:
        assert set(Duty(store).standing()) == {"8001", "8002"}


def test_a_store_without_duty_has_nothing_standing(store: Store) -> None:
    assert Duty(store).standing() == {}


SEATS, AGENTS = ("8001", "8002", "8003"), ("1001", "1002", None)
ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(SEATS),
        st.sampled_from(AGENTS),
        st.sampled_from(("idle", "talking", "paused", "wrap_up", OFFLINE)),
        st.integers(0, 1000),
        st.sampled_from(("", "meal")),
    ),
    max_size=30,
).map(lambda rows: sorted(rows, key=lambda one: one.at_utc_ms))


@given(ROWS, st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_the_totals_of_an_agents_day_add_up_to_the_day(rows: list[DutyRow], one: int, other: int, middle: int) -> None:
    begin, cut, end = sorted((one, other, middle))
    for agent in ("1001", "1002"):
        whole, first, second = (
            {(total.state, total.reason): total.total_ms for total in totals_of(_until(rows, upto), since, upto, agent)}
            for since, upto in ((begin, end), (begin, cut), (cut, end))
        )
        assert sum(whole.values()) == end - begin
        parts = {key: first.get(key, 0) + second.get(key, 0) for key in {*first, *second}}
        assert parts == whole


def _until(rows: list[DutyRow], end: int) -> list[DutyRow]:
    return [one for one in rows if one.at_utc_ms < end]


@pytest.fixture(scope="module")
def reused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("duty") / "records.db") as opened:
        yield opened


@given(rows=ROWS, begin=st.integers(0, 500), end=st.integers(501, 1000))
def test_one_agents_totals_are_those_among_all(reused: Store, rows: list[DutyRow], begin: int, end: int) -> None:
    duty = Duty(reused)
    with reused.writing() as connection:
        connection.execute("DELETE FROM duty")
    duty.add(rows)
    everybody = duty.totals(begin, end, 10_000)
    for agent in ("1001", "1002"):
        own = duty.totals(begin, end, 10_000, agent)
        assert own == totals_of(_until(rows, end), begin, end, agent)
        among = tuple(total for total in everybody if total.agent == agent)
        assert among == own or (among == () and {total.state for total in own} == {OFFLINE})


# --- audit ---------------------------------------------------------------------------------------


def test_the_audit_tells_the_newest_first(store: Store) -> None:
    audit = Audit(store)
    audit.add("Li", "supervisor", "listen", {"seat": "8001", "by": "8009"}, 1000)
    audit.add("Li", "supervisor", "block", {"number": "13812345678", "reason": "骚扰"}, 2000)
    assert audit.newest(1) == (
        AuditEntry(2, 2000, "Li", "supervisor", "block", {"number": "13812345678", "reason": "骚扰"}),
    )
    assert [entry.did for entry in audit.newest(10)] == ["block", "listen"]


# --- blocked callers -----------------------------------------------------------------------------

WANG = "13812345678"


def refused_call(day: str, serial: int, caller: str = WANG) -> MadeCall:
    at = datetime.fromisoformat(day).replace(tzinfo=CITY)
    call = MadeCall(serial, begin_us=int(at.timestamp()) * 1_000_000)
    call.arrive(caller=caller, dialled="12333")
    call.step("REFUSED", why="blocked")
    call.end(by="dialplan/builtin")
    return call


def at_ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=CITY).timestamp() * 1000)


def keep(store: Store, *calls: MadeCall) -> None:
    for call in calls:
        store.keep("node1", Batch(tuple(parse(line) for line in call.lines), (), Place(0, 0, b"", 0)), 0)


def test_a_blocked_caller_is_active_until_its_last_day(store: Store) -> None:
    blocks = Blocks(store)
    blocks.add(WANG, "threats", "Li", "2026-03-10", 1000)
    assert blocks.active("2026-03-10") == (Blocked(WANG, "threats", "Li", "2026-03-10"),)
    assert blocks.active("2026-03-11") == ()


def test_a_second_entry_of_a_number_replaces_the_first(store: Store) -> None:
    blocks = Blocks(store)
    blocks.add(WANG, "threats", "Li", "2026-03-10", 1000)
    blocks.add(WANG, "more threats", "Zhao", "2026-12-31", 2000)
    assert blocks.active("2026-01-01") == (Blocked(WANG, "more threats", "Zhao", "2026-12-31"),)
    assert blocks.remove(WANG, "Zhao", 3000)
    assert not blocks.remove(WANG, "Zhao", 4000)
    assert blocks.active("2026-01-01") == ()
    assert blocks.numbers() == (WANG,)


def test_each_refused_call_names_who_had_blocked_its_caller_then(store: Store) -> None:
    blocks = Blocks(store)
    blocks.add(WANG, "threats", "Li", "2026-03-10", at_ms("2026-03-01T00:00"))
    blocks.remove(WANG, "Li", at_ms("2026-03-05T00:00"))
    blocks.add(WANG, "more threats", "Zhao", "2026-03-10", at_ms("2026-03-05T00:00"))
    written = (
        Blocked(WANG, "written", "office", "2026-03-20"),
        Blocked("02166668888", "noise", "office", "2026-03-02"),
    )
    keep(
        store,
        refused_call("2026-03-02T12:00", 1),
        refused_call("2026-03-10T23:59", 2),
        refused_call("2026-03-11T00:01", 3),
        refused_call("2026-03-02T13:00", 4, caller="02166668888"),
        refused_call("2026-03-03T00:00", 5, caller="02166668888"),
    )
    found = blocks.blocked_calls(None, written, CITY)
    assert [(int(call.call[-1]), call.reason, call.author, call.until) for call in found] == [
        (3, "written", "office", "2026-03-20"),
        (2, "more threats", "Zhao", "2026-03-10"),
        (5, "", "", ""),
        (4, "noise", "office", "2026-03-02"),
        (1, "threats", "Li", "2026-03-10"),
    ]
    assert {(call.dialled, call.at_utc_ms) for call in found if call.call.endswith("1")} == {
        ("12333", at_ms("2026-03-02T12:00") + 200)
    }
    assert len(blocks.blocked_calls(WANG, written, CITY)) == 3


# --- several users of one file -------------------------------------------------------------------

_KEEPER = """
import sys
from pathlib import Path
from tests.support.journal_lines import BEGIN_US, answered_call
from recordings.store import Store
from recordings.tail import Batch, Place
with Store(Path(sys.argv[1]), forwards=True) as store:
    for serial in range(300):
        rows = tuple(answered_call(serial, begin_us=BEGIN_US + serial * 1_000_000).rows)
        for begin in range(0, len(rows), 4):
            store.keep("node1", Batch(rows[begin:begin + 4], (), Place(0, 0, b"", serial)), 0)
"""


def test_a_keeper_that_writes_all_the_time_and_the_desk_do_not_lock_each_other_out(
    tmp_path: Path, project: Path
) -> None:
    path = tmp_path / "records.db"
    with Store(path, forwards=True) as store:
        duty, list_, audit, blocks = Duty(store), CallBacks(store), Audit(store), Blocks(store)
        with subprocess.Popen([sys.executable, "-c", _KEEPER, str(path)], cwd=project) as keeper:
            done = 0
            while keeper.poll() is None or done < 20:
                done += 1
                duty.add([row("8001", "1001", "idle" if done % 2 else "talking", done)])
                audit.add("Li", "supervisor", "ready", {"agent": "1001"}, done)
                blocks.add(f"138{done:08d}", "threats", "Li", "2026-12-31", done)
                entry = list_.add(
                    caller=f"139{done:08d}",
                    number="12345",
                    note="",
                    language="zh",
                    skills=(),
                    priority=5,
                    now_utc_ms=done,
                )
                list_.dialling(entry.id)
                list_.sync(done)
                duty.totals(0, DAY_MS, DAY_MS)
            assert keeper.returncode == 0
        assert store.rows("SELECT count(*) AS n FROM records WHERE outcome = 'answered'") == [{"n": 300}]
        assert len(audit.newest(1_000_000)) == len(list_.open()) == len(blocks.active("2026-01-01")) == done
        assert sum(total.times for total in duty.totals(0, done + 1, DAY_MS, "1001")) == done + 1
