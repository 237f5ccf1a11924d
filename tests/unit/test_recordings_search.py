"""Searching kept calls: what is found, and that no search reads all calls."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database
from typer.testing import CliRunner

from calls.fold import fold
from calls.live import CallRef
from calls.record import CallRecord, Outcome, plain
from hotline.cli import app
from recordings import schema
from recordings.queries import BY_REF, MOST, SearchWrong, Wanted, begin_ms, find, search
from recordings.store import Store
from recordings.writing import row_of
from tests.support.journal_lines import answered_call, ref_of
from tests.support.keeping import CITY

FIRST, SECOND, THIRD = (date(2026, 3, day) for day in (1, 2, 3))
NOBODY = ""
"""The caller of calls of which the carrier told none."""

WANTED: dict[str, tuple[Any, ...]] = {
    "caller": ("13800000001", NOBODY),
    "number": ("12345", "12333"),
    "outcome": (Outcome.ANSWERED, Outcome.CLOSED),
    "seat": ("8001", "8002"),
    "agent": ("1001",),
}
DAYS: tuple[dict[str, Any], ...] = (
    {},
    {"day": FIRST},
    {"since": SECOND},
    {"until": SECOND},
    {"since": FIRST, "until": SECOND},
)


def insert(database: Database, record: CallRecord, **more: Any) -> None:
    """As any writer of the table does it."""
    known = database.table("records").columns_dict
    row = {name: value for name, value in (row_of(plain(record)) | {"revision": 1} | more).items() if name in known}
    marks = ", ".join(f":{name}" for name in row)
    database.conn.execute(f"INSERT INTO records ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - our words
    database.conn.commit()


def kept() -> Iterator[CallRecord]:
    """A call for each combination of what is looked for; four of each in the same ms."""
    like = fold("node1", answered_call().rows)
    assert like is not None
    numbers = (("12345", "12345"), ("12345", "12333"), ("12333", "12333"), ("12333", None))
    who: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
        (("8001",), ("1001",)),
        (("8002", "8001"), ()),
        ((), ()),
    )
    all_of = product(numbers, WANTED["caller"], WANTED["outcome"], who, (FIRST, SECOND, THIRD))
    for serial, ((dialled, number), caller, outcome, (seats, agents), day) in enumerate(all_of):
        yield replace(
            like,
            ref=CallRef(ref_of(1000 - serial)),
            dialled=dialled,
            number=number,
            caller=caller,
            outcome=outcome,
            seats=seats,
            agents=agents,
            arrived_utc_ms=begin_ms(day, CITY) + serial // 12,
        )


KEPT = tuple(sorted(kept(), key=lambda one: (-one.arrived_utc_ms, one.ref)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("search") / "records.db") as opened:
        for record in KEPT:
            insert(opened.database, record)
        yield opened


def is_wanted(record: CallRecord, wanted: Wanted) -> bool:
    begin, end = wanted.span_ms(CITY)
    return (
        begin <= record.arrived_utc_ms < end
        and (wanted.caller is None or record.caller == wanted.caller)
        and (wanted.number is None or wanted.number in (record.dialled, record.number))
        and (wanted.outcome is None or record.outcome is wanted.outcome)
        and (wanted.seat is None or wanted.seat in record.seats)
        and (wanted.agent is None or wanted.agent in record.agents)
    )


def searches() -> Iterator[Wanted]:
    """Every combination of conditions, with every value."""
    names = tuple(WANTED)
    for values in product(*((None, *WANTED[name]) for name in names)):
        for span in DAYS:
            yield Wanted(**dict(zip(names, values, strict=True)), **span, limit=MOST)


def test_every_search_finds_what_a_look_at_every_call_finds_in_the_same_order(store: Store) -> None:
    for wanted in searches():
        assert find(store, wanted, CITY) == [one for one in KEPT if is_wanted(one, wanted)], wanted


def test_the_newest_are_found_first(store: Store) -> None:
    for wanted in (Wanted(limit=7), Wanted(number="12345", limit=7), Wanted(seat="8001", number="12333", limit=7)):
        every = [one.arrived_utc_ms for one in KEPT if is_wanted(one, wanted)]
        assert [one.arrived_utc_ms for one in find(store, wanted, CITY)] == every[:7]


# --- what is read --------------------------------------------------------------------------------


def plan(store: Store, sql: str, *values: Any) -> list[str]:
    return [row["detail"] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}", *values)]


def scanned(steps: list[str]) -> list[str]:
    """Steps that read a whole table or index of ours."""
    return [step for step in steps if step.startswith("SCAN ") and not step.startswith("SCAN (")]


@pytest.mark.parametrize("analyzed", [False, True], ids=["as it is", "analyzed"])
def test_no_search_reads_all_calls(store: Store, analyzed: bool) -> None:
    store.database.conn.execute("ANALYZE" if analyzed else "SELECT 1")
    for wanted in searches():
        sql, values = search(wanted, CITY)
        steps = plan(store, sql, *values)
        assert steps
        assert scanned(steps) == [], wanted
    assert scanned(plan(store, BY_REF, "a", "b")) == []


def test_no_search_sorts_more_than_it_finds(store: Store) -> None:
    for wanted in searches():
        sql, values = search(wanted, CITY)
        steps = store.rows(f"EXPLAIN QUERY PLAN {sql}", *values)
        walked = {row["parent"] for row in steps if "arrived_utc_ms>" in row["detail"]}
        assert walked
        assert not [row for row in steps if row["parent"] in walked and "TEMP B-TREE" in row["detail"]], wanted


def test_a_scan_would_be_seen(store: Store) -> None:
    assert scanned(plan(store, "SELECT * FROM records WHERE substr(ref, 1, 1) = 'a'")) == ["SCAN records"]


# --- what cannot be looked for -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"limit": 0}, "ask for 1 to 10000"),
        ({"limit": MOST + 1}, "10001 calls cannot be asked for at once"),
        ({"day": FIRST, "since": FIRST}, "give the one or the other"),
        ({"since": SECOND, "until": FIRST}, "2026-03-02 is after 2026-03-01: give the earlier day"),
    ],
)
def test_a_search_that_cannot_be_made_says_how_to_mend_it(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(SearchWrong, match=told):
        Wanted(**wrong)


def test_calls_before_a_moment_are_the_next_page(store: Store) -> None:
    last = KEPT[9].arrived_utc_ms
    assert find(store, Wanted(before_utc_ms=last), CITY) == [one for one in KEPT if one.arrived_utc_ms < last][:100]


def test_the_first_of_all_days_can_be_looked_for(store: Store) -> None:
    assert find(store, Wanted(since=date.min, limit=MOST), CITY) == list(KEPT[:MOST])
    assert find(store, Wanted(day=date.min), CITY) == []


def test_the_last_of_all_days_can_be_looked_for(store: Store) -> None:
    assert find(store, Wanted(since=THIRD, until=date.max, limit=1), CITY)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--limit", "10001"], "ask for 1 to 10000"),
        (["--day", "2026-03-01", "--until", "2026-03-02"], "give the one or the other"),
        (["--since", "yesterday"], "write it as 2026-11-21"),
    ],
)
def test_the_command_says_what_is_wrong_with_a_search(store: Store, words: list[str], told: str) -> None:
    said = CliRunner().invoke(app, ["calls", "--data", str(store.path.parent), *words])
    assert said.exit_code == 1
    assert told in said.stderr


def test_the_command_finds_by_seat_agent_and_days(store: Store) -> None:
    words = ["--seat", "8001", "--agent", "1001", "--since", "2026-03-02", "--until", "2026-03-02", "--json"]
    said = CliRunner().invoke(app, ["calls", "--data", str(store.path.parent), *words])
    assert said.exit_code == 0, said.output
    wanted = Wanted(seat="8001", agent="1001", day=SECOND)
    assert [json.loads(line)["ref"] for line in said.output.splitlines()] == [
        one.ref for one in KEPT if is_wanted(one, wanted)
    ]


# --- seats and agents as rows --------------------------------------------------------------------


def people(database: Database) -> list[tuple[str, ...]]:
    with closing(
        database.execute(
            "SELECT seat, outcome, ref FROM record_seats UNION ALL SELECT agent, outcome, ref FROM record_agents"
        )
    ) as found:
        return sorted(found)


@pytest.fixture
def one_kept(tmp_path: Path) -> Iterator[tuple[Database, CallRecord]]:
    record = replace(KEPT[0], seats=("8001",), agents=("1001",), outcome=Outcome.INTERRUPTED)
    with Store(tmp_path / "records.db") as opened:
        insert(opened.database, record)
        yield opened.database, record


def test_seats_and_agents_follow_whatever_becomes_of_the_record(one_kept: tuple[Database, CallRecord]) -> None:
    database, record = one_kept
    assert people(database) == [("1001", "interrupted", record.ref), ("8001", "interrupted", record.ref)]
    database.conn.execute("""UPDATE records SET outcome = 'answered', seats = '["8001", "8002"]', agents = '[]'""")
    assert people(database) == [("8001", "answered", record.ref), ("8002", "answered", record.ref)]
    database.conn.execute("UPDATE records SET revision = 2")
    assert len(people(database)) == 2
    database.conn.execute("DELETE FROM records")
    assert people(database) == []


def test_a_call_is_found_by_its_seat_and_what_its_record_says_now(one_kept: tuple[Database, CallRecord]) -> None:
    database, _ = one_kept
    said = "SELECT dialled, number, caller FROM record_seats"
    for values in (("12300", None, "13900000000"), ("12300", "12345", "13900000000"), ("12301", "12345", "")):
        database.conn.execute("UPDATE records SET dialled = ?, number = ?, caller = ?", values)
        assert database.conn.execute(said).fetchall() == [values]


def test_a_seat_that_was_written_twice_is_one(one_kept: tuple[Database, CallRecord]) -> None:
    database, _ = one_kept
    database.conn.execute("""UPDATE records SET seats = '["8001", "8001"]', agents = '[]'""")
    assert len(people(database)) == 1


def test_the_seats_of_calls_from_before_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "records.db"
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
    old = Database(sqlite3.connect(path))
    try:
        schema.migrate(old, path)
        for record in KEPT:
            insert(old, record)
    finally:
        old.close()
    monkeypatch.undo()
    with Store(path) as store:
        for wanted in (Wanted(seat="8002", limit=MOST), Wanted(agent="1001", limit=MOST)):
            assert find(store, wanted, CITY) == [one for one in KEPT if is_wanted(one, wanted)]
