"""What is exported comes back as it was, and what is no export is refused with its place."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.record import CallRecord
from recordings import export_csv, export_parquet, export_vcon
from recordings.export import SUMS, Format, export
from recordings.export_columns import COLUMNS, Kept, Kind, RecordWrong, kept
from recordings.fresh import AlreadyThere
from recordings.importing import CannotImport, bring_in, files_of
from recordings.queries import Wanted, find
from recordings.store import Store
from tests.support.journal_lines import MadeCall, answered_call
from tests.support.keeping import CITY, Surroundings
from tests.support.record_strategies import kept_calls, other_than

LISTS_OF_CALLS = st.lists(kept_calls(), min_size=1, max_size=4, unique_by=lambda one: one.record.ref)
EVER = Wanted(since=date(2000, 1, 1), until=date(2100, 1, 1))


def write_csv(calls: Sequence[Kept], folder: Path) -> list[Path]:
    path = folder / "calls.csv"
    with path.open("wb", buffering=0) as file:
        export_csv.write(calls, file, CITY)
    return [path]


def write_parquet(calls: Sequence[Kept], folder: Path) -> list[Path]:
    path = folder / "calls.parquet"
    with path.open("wb", buffering=0) as file:
        export_parquet.write(calls, file)
    return [path]


def write_vcons(calls: Sequence[Kept], folder: Path) -> list[Path]:
    paths = []
    for one in calls:
        paths.append(folder / f"{one.record.ref}.vcon")
        paths[-1].write_text(export_vcon.text(one, (), {}, 1_800_000_000_000, masked=False), encoding="utf-8")
    return paths


WRITERS = (write_csv, write_parquet, write_vcons)
READERS: dict[str, Callable[[Path], Iterator[tuple[str, Kept | RecordWrong]]]] = {
    ".csv": export_csv.read,
    ".parquet": export_parquet.read,
    ".vcon": export_vcon.read,
}


@pytest.mark.parametrize("write", WRITERS)
@settings(max_examples=25)
@given(calls=LISTS_OF_CALLS)
def test_what_was_written_is_read_as_it_was(
    write: Callable[[Sequence[Kept], Path], list[Path]], calls: list[Kept]
) -> None:
    with TemporaryDirectory() as folder:
        found = [one for path in write(calls, Path(folder)) for _, one in READERS[path.suffix](path)]
    assert found == calls


@settings(max_examples=25)
@given(calls=LISTS_OF_CALLS)
def test_no_cell_of_a_table_is_a_formula(calls: list[Kept]) -> None:
    with TemporaryDirectory() as folder:
        (path,) = write_csv(calls, Path(folder))
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))] == []
    assert [cell for cell in cells if cell.startswith("-") and not cell[1:].isdigit()] == []


@pytest.fixture
async def store(tmp_path: Path) -> Iterator[Store]:  # type: ignore[misc] # An asynchronous generator, to pytest.
    around = Surroundings(tmp_path)
    running = MadeCall(3)
    running.arrive()
    around.write([*answered_call(1).lines, *answered_call(2).lines, *running.lines])
    await around.caught_up()
    with Store(around.database) as opened:
        yield opened


@pytest.mark.parametrize("form", list(Format))
async def test_an_export_brings_the_same_ended_calls_into_another_store(
    store: Store, tmp_path: Path, form: Format
) -> None:
    out = tmp_path / f"out.{form.value}"
    done = export(store, EVER, CITY, form, out)
    with Store(tmp_path / "other.db") as other:
        imported = bring_in(other, files_of([out]))
        assert (done.calls, imported.added, imported.replaced, imported.same) == (2, 2, 0, 0)
        ended = [record for record in find(store, Wanted(), CITY) if not record.running]
        assert find(other, Wanted(), CITY) == ended
        assert bring_in(other, files_of([out])).same == 2
        assert other.rows("SELECT ref, revision FROM records ORDER BY ref") == store.rows(
            "SELECT ref, revision FROM records WHERE running = 0 ORDER BY ref"
        )
        assert other.rows("SELECT DISTINCT looked_at FROM records") == [{"looked_at": 1}]
        if form is Format.VCON:
            assert other.events(ended[0].ref) == store.events(ended[0].ref)


async def test_a_vcon_tells_the_call_as_the_draft_wants_it(store: Store, tmp_path: Path) -> None:
    export(store, EVER, CITY, Format.VCON, tmp_path / "out")
    paths = sorted((tmp_path / "out").rglob("*.vcon"))
    told = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    assert {one["vcon"] for one in told} == {"0.4.0"}
    assert {one["uuid"] for one in told} == {path.stem for path in paths}
    for one in told:
        assert one["parties"][0] == {"tel": "tel:13812345678", "type": "person"}
        assert [dialog["type"] for dialog in one["dialog"]] == ["recording"]
        assert all({"start", "party", "dialog"} <= attachment.keys() for attachment in one["attachments"])
    sums = (tmp_path / "out" / SUMS).read_text(encoding="utf-8")
    assert all(path.name in sums for path in paths)


async def test_a_masked_export_hides_the_caller_and_cannot_be_imported(store: Store, tmp_path: Path) -> None:
    for form in Format:
        out = tmp_path / f"masked.{form.value}"
        export(store, EVER, CITY, form, out, masked=True)
        everything = b"".join(path.read_bytes() for path in ([out] if out.is_file() else out.rglob("*.vcon")))
        assert b"13812345678" not in everything
        with Store(tmp_path / "other.db") as other, pytest.raises(CannotImport, match="--mask"):
            bring_in(other, files_of([out]))


async def test_a_higher_revision_wins_and_a_contradiction_changes_nothing(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "calls.csv"
    export(store, EVER, CITY, Format.CSV, out)
    first, second = [one for _, one in export_csv.read(out) if isinstance(one, Kept)]
    newer = Kept(first.revision + 1, replace(first.record, rating=5))
    folder = tmp_path / "changed"
    folder.mkdir()
    before = find(store, Wanted(), CITY)
    with pytest.raises(CannotImport, match=f"line 3: call {second.record.ref} is kept with the same revision"):
        bring_in(store, write_csv([newer, other_than(second)], folder))
    assert find(store, Wanted(), CITY) == before
    assert bring_in(store, write_csv([newer, second], folder)).replaced == 1
    assert {record.rating for record in find(store, Wanted(), CITY)} == {5, None}


def test_two_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    one = example()
    for name, call in (("a", one), ("b", other_than(one))):
        (tmp_path / name).mkdir()
        write_vcons([call], tmp_path / name)
    with Store(tmp_path / "records.db") as store:
        with pytest.raises(CannotImport, match="twice"):
            bring_in(store, files_of([tmp_path / "a", tmp_path / "b"]))
        assert store.rows("SELECT * FROM records") == []


def example() -> Kept:
    """A call with a value in every field that may have one."""
    values = {
        column.name: {
            Kind.TEXT: "a",
            Kind.NUMBER: 1,
            Kind.MOMENT: 1_800_000_000_000,
            Kind.FLAG: False,
            Kind.TEXTS: ["a"],
            Kind.KEYS: [{"where": "a", "key": "1"}],
        }[column.kind]
        for column in COLUMNS
    }
    ref = "11111111-2222-4333-8444-555555555555"
    values |= {"ref": ref, "outcome": "left", "hung_up_by": "caller", "recording_file": None, "message_file": None}
    return kept(values, 1)


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "a control character": ({"caller": "138\n1234"}, "control character"),
    "a line separator": ({"dialled": "\u2028"}, "control character"),
    "audio of another call": ({"recording_file": "2026/11/22/22222222.wav"}, "no file of this call"),
    "audio elsewhere": ({"recording_file": "../11111111-2222-4333-8444-555555555555.wav"}, "no file of this call"),
    "a running call": ({"running": True}, "still running"),
    "an unknown outcome": ({"outcome": "lost"}, "lost"),
    "no id": ({"ref": "1"}, "not a UUID"),
    "a text for a number": ({"talk_ms": "1"}, "not a whole number"),
    "a number for a flag": ({"survived": 1}, "not true or false"),
    "nothing where something must be": ({"node": None}, "is empty"),
    "a field that nobody knows": ({"colour": "red"}, "no field colour"),
    "keys of another shape": ({"keys": [{"where": "a"}]}, "'where' and 'key'"),
}


@pytest.mark.parametrize(("change", "told"), WRONG.values(), ids=WRONG)
def test_what_is_no_record_is_refused(change: dict[str, object], told: str, tmp_path: Path) -> None:
    (path,) = write_vcons([example()], tmp_path)
    vcon = json.loads(path.read_text(encoding="utf-8"))
    vcon["attachments"][0]["body"]["record"] |= change
    path.write_text(json.dumps(vcon), encoding="utf-8")
    with Store(tmp_path / "records.db") as store, pytest.raises(CannotImport) as refused:
        bring_in(store, [path])
    assert told in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("name", ["calls.csv", "calls.parquet", "call.vcon", "calls.txt", "calls"])
@pytest.mark.parametrize("content", [b"", b"hello\n", b"\xff\xfe\x00", b"ref,revision\nx,1\n", b"PAR1PAR1"])
def test_a_file_that_is_no_export_is_refused_by_name(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with Store(tmp_path / "records.db") as store, pytest.raises(CannotImport) as refused:
        bring_in(store, [path])
    assert str(path) in str(refused.value)


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    (path,) = write_parquet([example()] * 1, tmp_path)
    whole = bytearray(path.read_bytes())
    whole[40:80] = bytes(40)
    path.write_bytes(whole)
    with Store(tmp_path / "records.db") as store, pytest.raises(CannotImport):
        bring_in(store, [path])


def test_an_older_export_may_lack_fields_that_came_later(tmp_path: Path) -> None:
    (path,) = write_vcons([example()], tmp_path)
    vcon = json.loads(path.read_text(encoding="utf-8"))
    values = vcon["attachments"][0]["body"]["record"]
    for column in ("message_ms", "seen_live"):
        del values[column]
    path.write_text(json.dumps(vcon), encoding="utf-8")
    ((_, one),) = export_vcon.read(path)
    assert isinstance(one, Kept)
    assert (one.record.message_ms, one.record.seen_live) == (None, None)


def missing(_: Kept) -> export_vcon.Sounds:
    raise KeyError


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "vcons" in path.name]


async def test_nothing_is_written_over_and_nothing_half_is_left(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "calls.csv"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(AlreadyThere):
        export(store, EVER, CITY, Format.CSV, out)
    assert out.read_text(encoding="utf-8") == "mine"
    with pytest.raises(KeyError):
        export(store, EVER, ZoneInfo("Asia/Shanghai"), Format.VCON, tmp_path / "vcons", sounds=missing)
    assert left_over(tmp_path) == []


def test_every_field_has_a_kind() -> None:
    assert {column.name for column in COLUMNS} == set(CallRecord.__annotations__)
    kinds = {column.name: (column.kind, column.optional) for column in COLUMNS}
    assert kinds["ref"] == (Kind.TEXT, False)
    assert kinds["number"] == (Kind.TEXT, True)
    assert kinds["ended_utc_ms"] == (Kind.MOMENT, True)
    assert kinds["keys"] == (Kind.KEYS, False)
    assert kinds["hung_up_by"] == (Kind.TEXT, True)
