"""Proving, holding, hearing and removing what was kept, as it is done at the command line."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hotline.cli import app
from hotline.folders import Folders
from hotline.somebody import ROLE, os_user
from recordings.audit import Audit, AuditEntry
from recordings.queries import Wanted, find
from recordings.store import Store
from tests.support.audio_of_calls import encrypting, recorded_call
from tests.support.journal_lines import ref_of
from tests.support.keeping import CITY, Surroundings
from tests.support.settings_maker import write_city

runner = CliRunner()
DAY_US = 86_400_000_000
OLD, NEW = ref_of(0xA0 << 120), ref_of(0xB0 << 120)


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data folder with a call of 400 days ago and one of a minute ago, both with encrypted audio."""
    around = Surroundings(tmp_path / "data")
    now_us = time.time_ns() // 1000
    recorded_call(around, 0xA0 << 120, begin_us=now_us - 400 * DAY_US, dialled="12333")
    recorded_call(around, 0xB0 << 120, begin_us=now_us - 60_000_000)
    with Store(around.database) as store:
        await around.keeper(store, encrypting(around)).catch_up()
    return tmp_path / "data"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    with Store(Folders(data).records) as opened:
        yield opened


def hotline(data: Path, *words: str, config: Path | None = None) -> Result:
    city = ["--config", str(config)] if config is not None else []
    return runner.invoke(app, [*words, "--data", str(data), *city])


def noted(store: Store) -> list[AuditEntry]:
    return [*reversed(Audit(store).newest(9))]


def test_an_audit_finds_nothing_and_tells_the_head_to_note(data: Path, tmp_path: Path) -> None:
    config = write_city(tmp_path / "city")
    told = hotline(data, "audit", "--audio", config=config)
    assert told.exit_code == 0, told.output
    assert "records: 2, removed: 0, audio: 4, faults: 0" in told.output
    head = told.output.split("head: ")[1].strip()
    assert hotline(data, "audit", "--head", head, config=config).exit_code == 0
    told = hotline(data, "audit", "--head", "12", config=config)
    assert (told.exit_code, "'12' is no head" in told.stderr) == (1, True)


def test_an_audit_names_what_is_wrong_call_by_call_and_fails(data: Path, store: Store, tmp_path: Path) -> None:
    config = write_city(tmp_path / "city")
    store.database.execute("UPDATE records SET caller = '13800000000' WHERE ref = ?", (NEW,))
    for path in Folders(data).recordings.rglob(f"{OLD}.wav.enc"):
        path.unlink()
    told = hotline(data, "audit", "--audio", config=config)
    assert told.exit_code == 1
    assert f"{NEW} record_changed: the record is not what was kept" in told.output
    assert f"{OLD} audio_missing" in told.output
    lines = [json.loads(line) for line in hotline(data, "audit", "--json", config=config).output.splitlines()]
    assert [(line["kind"], line.get("ref")) for line in lines] == [("record_changed", NEW), ("sum", None)]
    assert lines[1]["faults"] == 1


def test_a_held_call_is_kept_and_who_did_what_is_in_the_audit(data: Path, store: Store, tmp_path: Path) -> None:
    config = write_city(tmp_path / "city", {"retention": {"records": "300d"}})
    told = hotline(data, "hold", "a0", "--reason", "lawsuit 12")
    assert told.output == f"{OLD} is held\n"
    assert "is held already" in hotline(data, "hold", "a0", "--reason", "again").output
    assert hotline(data, "retention", "--now", config=config).output == (
        "removed: records 0, audio of further calls 0\n"
    )
    assert hotline(data, "release", "a0").output == f"{OLD} is no longer held\n"
    assert "is not held" in hotline(data, "release", "a0").stderr
    told = hotline(data, "retention", config=config)
    assert told.output.split()[-6:] == ["12333", "record", "300d", "1", "0", "0"]
    told = hotline(data, "retention", "--json", config=config)
    assert [json.loads(line)["ref"] for line in told.output.splitlines()] == [OLD]
    assert "records 1" in hotline(data, "retention", "--now", config=config).output
    assert [record.ref for record in find(store, Wanted(), CITY)] == [NEW]
    assert [(entry.did, entry.who, entry.role, entry.what["call"]) for entry in noted(store)] == [
        ("hold_record", os_user(), ROLE, OLD),
        ("hold_record", os_user(), ROLE, OLD),
        ("release_record", os_user(), ROLE, OLD),
    ]
    assert hotline(data, "audit", config=config).exit_code == 0
    assert "nothing is due" in hotline(data, "retention", config=config).output


def test_a_call_is_marked_as_confidential_and_no_longer(data: Path, store: Store) -> None:
    assert hotline(data, "confidential", "b0", "--reason", "a witness").output == f"{NEW} is confidential\n"
    assert hotline(data, "confidential", "b0", "--end").output == f"{NEW} is no longer confidential\n"
    for words in ((), ("--reason", "x", "--end")):
        assert "give one of --reason and --end" in hotline(data, "confidential", "b0", *words).stderr
    assert "write why" in hotline(data, "hold", "b0", "--reason", " ").stderr
    assert [entry.did for entry in noted(store)] == ["mark_confidential", "unmark_confidential"]


@pytest.mark.parametrize("ending", [".wav", "-message.wav"])
def test_a_call_is_heard_and_that_is_noted(data: Path, store: Store, tmp_path: Path, ending: str) -> None:
    out = tmp_path / "heard.wav"
    words = ("--message",) if "message" in ending else ()
    told = hotline(data, "play", "b0", "--out", str(out), *words)
    assert told.exit_code == 0, told.stderr
    assert out.read_bytes()[44:60] == f"{ending:>16}".encode()
    assert out.stat().st_mode & 0o777 == 0o600
    assert [(entry.did, entry.who) for entry in noted(store)] == [("play", os_user())]
    told = hotline(data, "play", "b0", "--out", str(out))
    assert (told.exit_code, "is there already" in told.stderr) == (1, True)


def test_without_the_key_nothing_is_heard_and_nothing_is_left_behind(data: Path, tmp_path: Path) -> None:
    Folders(data).recordings_key.unlink()
    out = tmp_path / "out"
    out.mkdir()
    told = hotline(data, "play", "b0", "--out", str(out / "heard.wav"))
    assert (told.exit_code, list(out.iterdir())) == (1, [])
    assert "bring back recordings.key" in " ".join(told.stderr.split())
