"""A back-up holds what a city needs to go on elsewhere, and is proven before anything is made of it."""

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from calls.record import CallRecord
from recordings.backup import RECORDS, About, Places, back_up, restore, verify
from recordings.backup_parts import MANIFEST, BackupWrong, Manifest
from recordings.fresh import AlreadyThere
from recordings.queries import Wanted, find
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, answered_call
from tests.support.keeping import CITY, Surroundings

ABOUT = About("示例市", "node1", ("key",))
KINDS = ["folder", "whole.tar"]


class Town:
    """A city's folders without a city: settings, records, audio, journal."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.around = Surroundings(self.data / "asterisk")
        self.around.database = self.data / "records.db"
        self.around.recordings = self.data / "recordings"
        self.around.journal = self.data / "asterisk" / "log" / "cel-custom" / "journal.csv"
        self.config = folder / "config"
        (self.config / "sounds").mkdir(parents=True)
        (self.config / "city.yaml").write_text("name: 示例市\n", encoding="utf-8")
        (self.config / "sounds" / "hello.wav").write_bytes(b"RIFF")
        self.secrets = self.data / "secrets.yaml"
        self.secrets.touch(mode=0o600)
        self.secrets.write_text("ami: {password: x}\n", encoding="utf-8")

    @property
    def places(self) -> Places:
        around = self.around
        single = (("secrets.yaml", self.secrets), ("tokens.json", self.data / "tokens.json"))
        return Places(around.recordings, around.monitor, around.journal, self.config, single)

    def records(self, name: str) -> Path:
        """A recording that is kept."""
        path = self.around.recordings / "2026" / "11" / "22" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(2000))
        return path

    async def calls(self, *serials: int) -> list[CallRecord]:
        for serial in serials:
            self.around.write(answered_call(serial, begin_us=BEGIN_US + serial * 10_000_000).lines)
        return await self.around.caught_up()

    def back_up(self, out: Path, former: Path | None = None) -> Manifest:
        with Store(self.around.database) as store:
            return back_up(store, self.places, ABOUT, out, former)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "town")


def restored(data: Path) -> Surroundings:
    """A keeper's surroundings in a restored data folder."""
    around = Surroundings(data / "asterisk")
    around.database = data / "records.db"
    around.recordings = data / "recordings"
    return around


@pytest.mark.parametrize("kind", KINDS)
async def test_a_restored_city_has_the_same_calls_audio_and_settings(town: Town, tmp_path: Path, kind: str) -> None:
    before = await town.calls(1, 2)
    heard = town.records("a.wav").read_bytes()
    manifest = town.back_up(tmp_path / kind)
    assert (manifest.calls, manifest.city, manifest.node) == (2, "示例市", "node1")
    assert verify(tmp_path / kind) == manifest
    await town.calls(3)
    restore(tmp_path / kind, tmp_path / "new" / "data", tmp_path / "new" / "config")
    assert await restored(tmp_path / "new" / "data").caught_up() == before
    assert (tmp_path / "new/data/recordings/2026/11/22/a.wav").read_bytes() == heard
    assert (tmp_path / "new/config/city.yaml").read_text(encoding="utf-8") == "name: 示例市\n"
    secrets = tmp_path / "new/data/secrets.yaml"
    assert (secrets.read_text(encoding="utf-8"), secrets.stat().st_mode & 0o777) == ("ami: {password: x}\n", 0o600)
    assert not (tmp_path / "new/data/tokens.json").exists()


async def test_lines_that_were_not_yet_read_come_with_the_back_up(town: Town, tmp_path: Path) -> None:
    await town.calls(1)
    late = answered_call(2, begin_us=BEGIN_US + 20_000_000).lines
    town.around.journal.rename(town.around.journal.with_name("journal.csv.1"))
    town.around.write(late)
    with town.around.journal.open("a", encoding="utf-8") as file:
        file.write('"HANGUP","half a li')
    town.back_up(tmp_path / "out")
    kept = sorted(path.name for path in (tmp_path / "out/data/asterisk/log/cel-custom").iterdir())
    assert kept == ["journal.csv"]
    restore(tmp_path / "out", tmp_path / "new", None)
    around = restored(tmp_path / "new")
    assert [record.ref for record in await around.caught_up()] == [answered_call(1).ref, answered_call(2).ref]
    with Store(around.database) as store:
        assert store.rows("SELECT * FROM unreadable") == []


async def test_audio_that_did_not_change_is_shared_with_the_former_back_up(town: Town, tmp_path: Path) -> None:
    await town.calls(1)
    town.records("a.wav")
    town.back_up(tmp_path / "first")
    town.records("b.wav")
    manifest = town.back_up(tmp_path / "second", tmp_path / "first")
    shared = "data/recordings/2026/11/22/a.wav"
    assert (tmp_path / "second" / shared).samefile(tmp_path / "first" / shared)
    assert not (tmp_path / "second" / RECORDS).samefile(tmp_path / "first" / RECORDS)
    assert {part.name for part in manifest.parts} >= {shared, "data/recordings/2026/11/22/b.wav"}
    shutil.rmtree(tmp_path / "first")
    assert verify(tmp_path / "second") == manifest


async def test_half_a_recording_does_not_replace_the_whole_one(town: Town, tmp_path: Path) -> None:
    await town.calls(1)
    whole = town.records("call.wav").read_bytes()
    (town.around.monitor / "call.wav").write_bytes(whole[:100])
    (town.around.monitor / "other.wav").write_bytes(b"so far")
    town.back_up(tmp_path / "out")
    restore(tmp_path / "out", tmp_path / "new", None)
    assert sorted(path.name for path in (tmp_path / "new/asterisk/spool/monitor").iterdir()) == ["other.wav"]
    assert (tmp_path / "new/recordings/2026/11/22/call.wav").read_bytes() == whole


AUDIO = "data/recordings/2026/11/22/a.wav"


def longer(path: Path, more: bytes) -> None:
    path.write_bytes(path.read_bytes() + more)


def lead_out(manifest: Path) -> None:
    manifest.write_text(manifest.read_text("utf-8").replace("data/records.db", "data/../../x"), "utf-8")


def spoil_folder(name: str, change: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda out: change(out / name)


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed audio": (spoil_folder(AUDIO, lambda path: path.write_bytes(b"x" * 2000)), "a.wav is not what was"),
    "missing audio": (spoil_folder(AUDIO, Path.unlink), "a.wav is missing"),
    "a file too many": (spoil_folder("data/more", Path.touch), "data/more is in no list"),
    "changed records": (spoil_folder(RECORDS, lambda path: longer(path, b"x")), "records.db is not"),
    "no manifest": (spoil_folder(MANIFEST, Path.unlink), "not a finished one"),
    "half a manifest": (spoil_folder(MANIFEST, lambda path: os.truncate(path, 100)), "cannot be read"),
    "a manifest that leads out": (spoil_folder(MANIFEST, lead_out), "where none belongs"),
}


@pytest.mark.parametrize(("spoil", "told"), SPOILED.values(), ids=SPOILED)
async def test_nothing_is_made_of_a_back_up_that_is_not_whole(
    town: Town, tmp_path: Path, spoil: Callable[[Path], object], told: str
) -> None:
    await town.calls(1)
    town.records("a.wav")
    town.back_up(tmp_path / "out")
    spoil(tmp_path / "out")
    with pytest.raises(BackupWrong, match=told):
        verify(tmp_path / "out")
    with pytest.raises(BackupWrong, match=told):
        restore(tmp_path / "out", tmp_path / "new", tmp_path / "config")
    assert made_in(tmp_path) == {"out", "town"}


def made_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("cut", [200, 20_000])
async def test_nothing_is_made_of_a_tar_file_that_was_cut_off(town: Town, tmp_path: Path, cut: int) -> None:
    await town.calls(1)
    out = tmp_path / "out.tar"
    town.back_up(out)
    whole = out.read_bytes()
    out.write_bytes(whole[: len(whole) - cut] if cut > 200 else whole[:cut])
    with pytest.raises(BackupWrong):
        restore(out, tmp_path / "new", None)
    assert made_in(tmp_path) == {"out.tar", "town"}


async def test_a_tar_file_with_a_link_or_a_foreign_name_is_refused(town: Town, tmp_path: Path) -> None:
    link = tarfile.TarInfo("data/records.db")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    for number, member in enumerate((link, tarfile.TarInfo("../out"), tarfile.TarInfo("/etc/x"), tarfile.TarInfo("x"))):
        out = tmp_path / f"{number}.tar"
        with tarfile.open(out, "w") as tar:
            tar.addfile(member)
        with pytest.raises(BackupWrong):
            restore(out, tmp_path / "new", None)
        out.unlink()
    assert made_in(tmp_path) == {"town"}


async def test_a_folder_that_is_in_use_is_not_restored_over(town: Town, tmp_path: Path) -> None:
    await town.calls(1)
    town.back_up(tmp_path / "out")
    with pytest.raises(AlreadyThere):
        restore(tmp_path / "out", town.data, None)
    with pytest.raises(AlreadyThere):
        restore(tmp_path / "out", tmp_path / "new", town.config)
    assert made_in(tmp_path) == {"out", "town"}
    (tmp_path / "new").mkdir()
    restore(tmp_path / "out", tmp_path / "new", None)
    assert (tmp_path / "new" / "records.db").exists()


async def test_a_store_that_is_written_meanwhile_is_backed_up_as_it_was_at_one_moment(
    town: Town, tmp_path: Path
) -> None:
    await town.calls(*range(1, 20))
    other = sqlite3.connect(town.around.database, timeout=30)
    with Store(town.around.database) as store:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE records SET caller = 'half'")
        manifest = back_up(store, town.places, ABOUT, tmp_path / "out")
        other.execute("ROLLBACK")
    other.close()
    restore(tmp_path / "out", tmp_path / "new", None)
    with Store(tmp_path / "new" / "records.db") as store:
        found = find(store, Wanted(), CITY)
    assert manifest.calls == len(found) == 19
    assert {record.caller for record in found} == {"13812345678"}


SLOW_BACKUP = """
import sys
from pathlib import Path
from recordings import backup
from recordings.store import Store
from tests.contract.test_records_backup import ABOUT, Town

def stop(*_):
    print("half way", flush=True)
    sys.stdin.read()

town = Town.__new__(Town)
town.data = Path(sys.argv[1]) / "data"
backup._tree = stop
with Store(town.data / "records.db") as store:
    folder = Path(sys.argv[1])
    journal = town.data / "asterisk/log/cel-custom/journal.csv"
    places = backup.Places(town.data, town.data, journal, folder / "config", ())
    backup.back_up(store, places, ABOUT, Path(sys.argv[2]))
"""


def kill_half_way(town: Town, out: Path, project: Path) -> None:
    words = [sys.executable, "-c", SLOW_BACKUP, str(town.data.parent), str(out)]
    with subprocess.Popen(words, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half way\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_back_up_that_is_killed_leaves_nothing_that_looks_finished(
    town: Town, tmp_path: Path, kind: str, project: Path
) -> None:
    await town.calls(1)
    out = tmp_path / kind
    kill_half_way(town, out, project)
    assert not out.exists()
    assert made_in(tmp_path) - {"town"} == {f".{kind}.part"}
    with pytest.raises((BackupWrong, FileNotFoundError)):
        verify(tmp_path / f".{kind}.part")
    manifest = town.back_up(out)
    assert verify(out) == manifest
    assert made_in(tmp_path) == {"town", kind}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_full_disk_is_told_with_the_place_and_leaves_nothing(
    town: Town, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.calls(1)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as told:
        town.back_up(tmp_path / kind)
    assert str(told.value.filename).startswith(str(tmp_path))
    assert made_in(tmp_path) == {"town"}
