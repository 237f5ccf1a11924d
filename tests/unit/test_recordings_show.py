"""Finding calls, showing them, hiding personal data, and the documents that tell their fields."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import MISSING, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from calls.cel import COLUMNS
from calls.fold import fold
from calls.journal import STEPS
from calls.record import CallRecord, Key, Outcome
from calls.timeline import CHANNEL_ENTRIES, Entry, tell
from recordings import mask, show
from recordings.queries import NoSuchCall, SeveralCalls, Wanted, find, get, timeline
from recordings.store import Store
from tests.support.journal_lines import MadeCall, answered_call
from tests.support.keeping import CITY, Surroundings


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    around = Surroundings(tmp_path)
    answered = answered_call(1, begin_us=at("2026-03-01T15:59:00"))
    gave_up = MadeCall(2, begin_us=at("2026-03-01T16:00:00"))  # The 2nd in Shanghai.
    gave_up.arrive(caller="02166668888", dialled="12333")
    gave_up.step("SERVED", number="12345", mode="primary", by="merged")
    gave_up.enter_room()
    gave_up.end()
    around.write(answered.lines + gave_up.lines)
    await around.caught_up()
    with Store(around.database) as opened:
        yield opened


def refs(store: Store, wanted: Wanted) -> list[int]:
    return [int(record.ref[-1]) for record in find(store, wanted, CITY)]


async def test_calls_are_found_by_day_number_outcome_and_caller_newest_first(store: Store) -> None:
    assert refs(store, Wanted()) == [2, 1]
    assert refs(store, Wanted(limit=1)) == [2]
    assert refs(store, Wanted(day=date(2026, 3, 1))) == [1]
    assert refs(store, Wanted(day=date(2026, 3, 2))) == [2]
    assert refs(store, Wanted(day=date(2026, 3, 3))) == []
    assert refs(store, Wanted(number="12333")) == [2]
    assert refs(store, Wanted(number="12345")) == [2, 1]
    assert refs(store, Wanted(outcome=Outcome.ABANDONED)) == [2]
    assert refs(store, Wanted(caller="13812345678", outcome=Outcome.ANSWERED)) == [1]
    assert refs(store, Wanted(caller="1' OR '1'='1")) == []


async def test_a_call_is_found_by_the_beginning_of_its_id_if_no_other_begins_so(store: Store) -> None:
    first, second = answered_call(1).ref, answered_call(2).ref
    assert get(store, first.upper()).ref == first
    with pytest.raises(SeveralCalls, match="give more of it") as several:
        get(store, first[:8])
    assert several.value.refs == (first, second)
    for begin in ("f", "", "%"):
        with pytest.raises(NoSuchCall, match="bin/hotline calls"):
            get(store, begin)


async def test_the_kept_timeline_is_that_of_the_journal(store: Store) -> None:
    call = answered_call(1, begin_us=at("2026-03-01T15:59:00"))
    assert timeline(store, call.ref) == tell(call.rows)


# --- shown ---------------------------------------------------------------------------------------


def record_of(call: MadeCall) -> CallRecord:
    record = fold("node1", call.rows)
    assert record is not None
    return record


def seen(what: RenderableType, width: int = 150) -> str:
    console = Console(width=width, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115 - closed below
    try:
        console.print(what)
        return console.export_text()
    finally:
        console.file.close()


def test_the_table_of_calls_has_one_line_a_call() -> None:
    running = MadeCall(2)
    running.arrive(caller="[bold]", dialled="12333")
    lines = seen(show.table([record_of(answered_call()), record_of(running)], CITY)).splitlines()
    assert len(lines) == 3
    assert re.search(r"2023-11-15 06:13:20 .*13812345678 .*12345 .*answered .*8001 .*0\.3s .*3\.0s", lines[1])
    assert re.search(r"\[bold\] .*12333 .*running", lines[2])


@pytest.mark.parametrize("outcome", list(Outcome))
def test_on_80_columns_no_call_loses_anything_by_which_it_is_known(outcome: Outcome) -> None:
    record = replace(record_of(answered_call()), number="12333", outcome=outcome, seats=("8001", "8002"))
    head, *lines = seen(show.table([record] * 2, CITY), width=80).splitlines()
    assert head.split() == ["arrived", "id", "caller", "dialled", "outcome", "seat", "wait", "talk"]
    for word in (record.ref[:8], record.caller, "12345→12333", outcome.value, "8001", "8002", "2023-11-15", "06:13:20"):
        assert " ".join(lines).split().count(word) == 2


def test_a_call_is_drawn_with_its_times_and_who_did_what() -> None:
    call = answered_call()
    text = seen(show.draw(record_of(call), tell(call.rows), CITY))
    assert call.ref in text
    assert re.search(r"06:13:20\.700 +\+0\.500s . caller +presses 2 in main", text)
    assert re.search(r"caller +is connected with the hotline", text)
    assert re.search(r"seat 8001 +answers", text)
    assert re.search(r"hung up by +seat, cause 16", text)


def test_every_kind_of_entry_has_its_phrase() -> None:
    assert set(show.PHRASES) == set(STEPS) | CHANNEL_ENTRIES
    for kind, step in STEPS.items():
        show.phrase(Entry(0, "caller", kind, {field.name: "x" for field in fields(step)}))
    assert show.phrase(Entry(0, "caller", "ENDED", {})) == "ends"


@pytest.mark.parametrize(
    ("who", "kind", "details", "phrase"),
    [
        ("caller", "OFFER", {"seat": "8011", "agent": "1001"}, "is offered to seat 8011 (agent 1001)"),
        ("caller", "OFFER", {"seat": "8001", "agent": ""}, "is offered to seat 8001"),
        ("seat 8011", "OFFER", {"seat": "8001", "agent": ""}, "asks seat 8001"),
        ("caller", "TRANSFER", {"to": "8002", "how": "blind"}, "is passed on to 8002"),
        ("seat 8011", "TRANSFER", {"to": "8002", "how": "attended"}, "leaves the caller with 8002"),
        ("caller", "PLACE", {"position": 3, "minutes": 5}, "is told place 3, about 5 min"),
        ("caller", "PLACE", {"position": 3, "minutes": -1}, "is told place 3, how long is not known"),
    ],
)
def test_an_entry_says_who_does_what(who: str, kind: str, details: dict[str, str | int], phrase: str) -> None:
    assert show.phrase(Entry(0, who, kind, details)) == phrase


def test_masked_calls_show_neither_numbers_nor_keys() -> None:
    call = answered_call()
    masked = mask.record(record_of(call))
    assert (masked.caller, masked.keys) == ("138****5678", (Key("main", "•"),))
    text = seen(show.draw(masked, [mask.entry(entry) for entry in tell(call.rows)], CITY))
    assert "13812345678" not in text
    assert "presses • in main" in text
    assert "13812345678" not in show.as_json(masked)


@pytest.mark.parametrize(
    ("number", "masked"),
    [("13812345678", "138****5678"), ("02166668888", "021****8888"), ("12345", "1***5"), ("12", "**"), ("", "")],
)
def test_numbers_are_masked_whatever_their_length(number: str, masked: str) -> None:
    assert mask.number(number) == masked


# --- documents -----------------------------------------------------------------------------------


def documented(path: Path, heading: str) -> dict[str, list[str]]:
    """First column of the table under a heading → what is in backticks in the second."""
    section = path.read_text("utf-8").split(heading, 1)[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows}


def test_each_field_and_outcome_of_a_record_is_documented_in_order(project: Path) -> None:
    page = project / "docs" / "records.md"
    printed = json.loads(show.as_json(record_of(answered_call())))
    assert list(documented(page, "# Records")) == [field.name for field in fields(CallRecord)] == list(printed)
    assert list(documented(page, "## Outcomes")) == [outcome.value for outcome in Outcome]


def test_each_column_step_and_entry_of_the_journal_is_documented(project: Path) -> None:
    page = project / "docs" / "journal.md"
    assert list(documented(page, "## Columns")) == [name for name, _ in COLUMNS]
    assert documented(page, "## Steps") == {
        kind: [field.name for field in fields(step)] for kind, step in STEPS.items()
    }
    assert set(documented(page, "## What Asterisk says")) == CHANNEL_ENTRIES
    optional = {kind for kind, step in STEPS.items() for field in fields(step) if field.default is not MISSING}
    assert optional == {"MISSED", "OFFER"}
