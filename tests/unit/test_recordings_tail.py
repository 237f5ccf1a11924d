"""How the journal file is followed."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from recordings import tail as tail_module
from recordings.tail import Batch, JournalFolderMissing, Place, Tail
from tests.support.journal_lines import answered_call

LINES = answered_call().lines


def read(tail: Tail) -> tuple[list[str], list[str]]:
    """The kinds of all rows that are new, and why lines were put aside."""
    with closing(tail.batches()) as batches:
        found = list(batches)
    return [row.kind for batch in found for row in batch.rows], [bad.why for batch in found for bad in batch.unreadable]


def kinds(lines: list[str]) -> list[str]:
    return [line.split('"')[1] for line in lines]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.csv"


def append(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def test_a_missing_file_is_nothing_new_and_a_missing_folder_is_said(tmp_path: Path) -> None:
    assert read(Tail(tmp_path / "journal.csv", [])) == ([], [])
    with pytest.raises(JournalFolderMissing, match="create it"):
        read(Tail(tmp_path / "away" / "journal.csv", []))


def test_a_half_written_line_is_left_until_it_is_whole(journal: Path) -> None:
    tail = Tail(journal, [])
    append(journal, LINES[0] + "\n" + LINES[1][:50])
    assert read(tail) == (kinds(LINES[:1]), [])
    assert read(tail) == ([], [])
    append(journal, LINES[1][50:] + "\n")
    assert read(tail) == (kinds(LINES[1:2]), [])


def test_a_batch_that_was_not_kept_is_read_again(journal: Path) -> None:
    tail = Tail(journal, [])
    append(journal, LINES[0] + "\n")
    with closing(tail.batches()) as batches:
        next(batches)
    assert read(tail) == (kinds(LINES[:1]), [])


def test_reading_goes_on_at_the_place_that_was_kept(journal: Path) -> None:
    append(journal, LINES[0] + "\n")
    with closing(Tail(journal, []).batches()) as batches:
        place = next(batches).place
    append(journal, LINES[1] + "\n")
    assert read(Tail(journal, [place])) == (kinds(LINES[1:2]), [])


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(journal: Path) -> None:
    tail = Tail(journal, [])
    append(journal, LINES[0] + "\n")
    read(tail)
    append(journal, LINES[1] + "\n")
    journal.rename(journal.with_name("journal.csv.1"))
    append(journal, LINES[2] + "\n")
    append(journal.with_name("journal.csv.1"), LINES[3] + "\n")
    assert read(tail) == (kinds([LINES[1], LINES[3], LINES[2]]), [])


def test_files_that_were_renamed_while_nobody_read_are_read_too(journal: Path) -> None:
    for number in (1, 2):
        append(journal, LINES[number] + "\n")
        journal.rename(journal.with_name(f"journal.csv.{number}"))
        os.utime(journal.with_name(f"journal.csv.{number}"), ns=(number, number))
    append(journal, LINES[3] + "\n")
    append(journal.with_name("journal.csv.0.gz"), b"\x1f\x8b")
    assert read(Tail(journal, [])) == (kinds(LINES[1:4]), [])


def test_a_file_that_was_cut_off_or_whose_inode_is_used_again_is_read_anew(journal: Path) -> None:
    tail = Tail(journal, [])
    append(journal, "\n".join(LINES[:3]) + "\n")
    read(tail)
    os.truncate(journal, 0)
    assert read(tail) == ([], [])
    append(journal, LINES[4] + "\n")
    assert read(tail) == (kinds(LINES[4:5]), [])
    status = journal.stat()
    other = Place(status.st_dev, status.st_ino, b'"CHAN_START","17000', 10)
    assert read(Tail(journal, [other])) == (kinds(LINES[4:5]), [])


def test_a_file_that_lost_its_end_is_read_anew(journal: Path) -> None:
    tail = Tail(journal, [])
    append(journal, "\n".join(LINES[:3]) + "\n")
    read(tail)
    os.truncate(journal, len(LINES[0]) + 1)
    append(journal, LINES[4] + "\n")
    assert read(tail) == (kinds([LINES[0], LINES[4]]), [])


def test_bad_lines_are_put_aside_and_the_rest_goes_on(journal: Path) -> None:
    tail = Tail(journal, [])
    append(journal, b"nonsense\n\xff\xfe\n" + LINES[0].encode() + b"\n")
    with closing(tail.batches()) as batches:
        batch = next(batches)
    assert [(bad.offset, bad.line, bad.file) for bad in batch.unreadable] == [
        (0, "nonsense", "journal.csv"),
        (9, "\\xff\\xfe", "journal.csv"),
    ]
    assert [row.kind for row in batch.rows] == ["CHAN_START"]


def test_a_hole_of_zeros_after_a_power_failure_hides_no_line(journal: Path) -> None:
    append(journal, LINES[0].encode() + b"\n" + b"\0" * 3000 + LINES[1].encode() + b"\n\n")
    assert read(Tail(journal, [])) == (kinds(LINES[:2]), [])


def test_much_is_read_in_pieces_and_a_line_without_end_is_put_aside(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "BATCH_BYTES", 1000)
    append(journal, "\n".join(LINES) + "\n" + "x" * 1500)
    tail = Tail(journal, [])
    with closing(tail.batches()) as batches:
        found: list[Batch] = list(batches)
    assert [row.kind for batch in found for row in batch.rows] == kinds(LINES)
    assert len(found) > 3
    append(journal, "\n" + LINES[0] + "\n")
    rows, put_aside = read(tail)
    assert (rows, len(put_aside)) == (kinds(LINES[:1]), 1)


def test_a_file_that_lost_its_end_and_grew_past_the_place_since_is_read_anew(journal: Path) -> None:
    tail = Tail(journal, [])
    append(journal, "\n".join(LINES[:4]) + "\n")
    read(tail)
    os.truncate(journal, len(LINES[0]) + 1)
    append(journal, "\n".join(LINES[4:12]) + "\n")
    assert read(tail) == (kinds([LINES[0], *LINES[4:12]]), [])


def test_a_line_behind_one_that_was_cut_off_is_read(journal: Path) -> None:
    tail = Tail(journal, [])
    append(journal, LINES[0][:70])
    assert read(tail) == ([], [])
    append(journal, LINES[1] + "\n" + LINES[2][:-3] + "\0" * 100 + LINES[3] + "\n" + LINES[4] + "\n")
    assert read(tail) == (kinds([LINES[1], LINES[3], LINES[4]]), ["it was cut off"] * 2)


def test_a_caller_cannot_smuggle_a_line_into_another_one(journal: Path) -> None:
    columns = LINES[0].split('","')
    for place in range(2, len(columns)):
        forged = [*columns]
        forged[place] = LINES[1].replace('"', '""') + forged[place]
        append(journal, '","'.join(forged) + "\n" + '","'.join(forged)[:-3] + "\n")
        forged[place] = columns[place] + "\n" + LINES[1].replace('"', '""')
        append(journal, '","'.join(forged) + "\n")
    rows, _ = read(Tail(journal, []))
    assert set(rows) == {kinds(LINES[:1])[0]}


def test_a_file_is_on_the_disk_before_its_lines_are_handed_on(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, int]] = []

    def sync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced.append((status.st_ino, status.st_size))

    monkeypatch.setattr(tail_module, "fdatasync", sync)
    append(journal, LINES[0] + "\n")
    with closing(Tail(journal, []).batches()) as batches:
        place = next(batches).place
    assert synced == [(place.inode, place.offset)]
