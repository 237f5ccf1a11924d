"""`hotline export`, `import`, `backup` and `restore` as their users meet them."""

import json
import pwd
from os import getuid
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hotline.cli import app
from hotline.folders import Folders
from recordings.audit import Audit, AuditEntry
from recordings.queries import Wanted, find
from recordings.store import Store
from tests.support.journal_lines import MadeCall, answered_call
from tests.support.keeping import CITY, Surroundings

runner = CliRunner()
DAYS = ("--from", "2023-11-01", "--to", "2023-11-30")


class City:
    """A data folder with two calls that have ended, and one that runs."""

    def __init__(self, folder: Path, project: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = project / "config"

    def hotline(self, *words: str, data: Path | None = None) -> Result:
        """Runs a command on it."""
        return runner.invoke(app, [*words, "--config", str(self.config), "--data", str(data or self.data)])

    def audit(self) -> list[AuditEntry]:
        """The oldest first."""
        with Store(Folders(self.data).records) as store:
            return list(reversed(Audit(store).newest(100)))


@pytest.fixture
async def city(tmp_path: Path, project: Path) -> City:
    made = City(tmp_path, project)
    around = Surroundings(made.data / "asterisk")
    around.database = Folders(made.data).records
    running = MadeCall(3)
    running.arrive()
    around.write([*answered_call(1).lines, *answered_call(2).lines, *running.lines])
    await around.caught_up()
    return made


def calls_in(data: Path) -> list[str]:
    with Store(Folders(data).records) as store:
        return sorted(record.ref for record in find(store, Wanted(), CITY) if not record.running)


@pytest.mark.parametrize(("form", "name"), [("csv", "calls.csv"), ("parquet", "calls.parquet"), ("vcon", "calls")])
async def test_an_export_is_noted_before_and_after_and_can_be_imported(city: City, form: str, name: str) -> None:
    out = city.folder / name
    told = city.hotline("export", *DAYS, "--format", form, "--out", str(out), "--outcome", "answered")
    assert told.exit_code == 0, told.output
    assert "2 calls in" in told.output
    assert "1 calls have not ended" not in told.output  # The filter leaves the running one out.
    before, after = city.audit()
    assert (before.did, before.role, before.who) == ("export", "command", pwd.getpwuid(getuid()).pw_name)
    assert before.what == {
        "format": form,
        "file": str(out),
        "masked": "no",
        "audio": "no",
        "from": "2023-11-01",
        "to": "2023-11-30",
        "outcome": "answered",
    }
    assert (after.did, after.what["calls"], after.what["file"]) == ("exported", "2", str(out))
    assert after.what["sha256"] in told.output
    new = city.folder / "new"
    imported = city.hotline("import", str(out), data=new)
    assert "2 calls added, 0 replaced by a newer record, 0 known already" in imported.output
    assert calls_in(new) == calls_in(city.data)
    assert city.hotline("audit", data=new).exit_code == 0
    again = city.hotline("import", str(out), data=new)
    assert "0 calls added, 0 replaced by a newer record, 2 known already" in again.output


async def test_calls_that_run_are_left_out_and_told(city: City) -> None:
    told = city.hotline("export", *DAYS, "--format", "csv", "--out", str(city.folder / "calls.csv"))
    assert "1 calls have not ended, and are left out" in told.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--format", "csv", "--out", "{0}/calls.txt"), "calls.txt does not end in .csv"),
        (("--format", "csv", "--out", "{0}/a.csv", "--audio"), "csv holds no audio"),
        (("--format", "vcon", "--out", "{0}/a", "--audio", "--mask"), "cannot be masked"),
        (("--format", "vcon", "--out", "{0}/data"), "is there already"),
        (("--format", "csv", "--out", "{0}/a.csv", "--outcome", "lost"), "no outcome is called 'lost'"),
        (("--format", "csv", "--out", "{0}/a.csv", "--to", "2023-10-01"), "2023-11-01 is after 2023-10-01"),
        (("--format", "csv", "--out", "{0}/a.csv", "--to", "today"), "'today' is no day"),
    ],
)
async def test_an_export_that_makes_no_sense_is_refused_with_a_mend(
    city: City, words: tuple[str, ...], told: str
) -> None:
    refused = city.hotline("export", *DAYS, *(word.format(city.folder) for word in words))
    assert refused.exit_code == 1
    assert told in refused.output.replace("\n", "")
    assert [path.name for path in sorted(city.folder.iterdir())] == ["data"]


async def test_a_wrong_file_is_refused_with_its_place_and_nothing_is_imported(city: City) -> None:
    out = city.folder / "calls.csv"
    city.hotline("export", *DAYS, "--format", "csv", "--out", str(out))
    text = out.read_text(encoding="utf-8").replace(",answered,", ",lost,")
    out.write_text(text, encoding="utf-8")
    refused = city.hotline("import", str(out), data=city.folder / "new")
    assert refused.exit_code == 1
    assert f"{out}, line 2: 'lost' is not a valid Outcome" in refused.output
    assert "nothing was imported" in refused.output
    assert calls_in(city.folder / "new") == []
    missing = city.hotline("import", str(city.folder / "nowhere.csv"), data=city.folder / "new")
    assert "there is no such file" in missing.output


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
async def test_a_back_up_is_made_verified_and_restored(city: City, name: str) -> None:
    out, new = city.folder / name, city.folder / "new"
    made = city.hotline("backup", str(out))
    assert made.exit_code == 0, made.output
    assert "3 calls, 0 recordings" in made.output
    assert [entry.did for entry in city.audit()] == ["backup", "backed_up"]
    assert "is whole" in city.hotline("backup", str(out), "--verify").output
    words = ["restore", str(out), "--data", str(new / "data"), "--config", str(new / "config")]
    restored = runner.invoke(app, words)
    assert restored.exit_code == 0, restored.output
    assert f"hotline run --config {new / 'config'} --data {new / 'data'}" in restored.output.replace("\n", "")
    assert calls_in(new / "data") == calls_in(city.data)
    head = json.loads(city.hotline("audit", "--json", data=new / "data").output.splitlines()[-1])["head"]
    assert head in city.hotline("audit", "--head", head).output
    example = sorted(path.relative_to(city.config) for path in city.config.rglob("*") if path.is_file())
    assert sorted(path.relative_to(new / "config") for path in (new / "config").rglob("*") if path.is_file()) == example
    again = runner.invoke(app, words)
    assert again.exit_code == 1
    assert "it is not empty" in again.output


async def test_what_is_secret_is_told_and_can_be_left_out(city: City) -> None:
    folders = Folders(city.data)
    for path in (folders.secrets, folders.tokens, folders.recordings_key):
        path.touch(mode=0o600)
    with_secrets = city.hotline("backup", str(city.folder / "a"))
    assert "passwords are in it" in with_secrets.output
    assert f"keep a copy of {folders.recordings_key} elsewhere" in with_secrets.output.replace("\n", "")
    city.hotline("backup", str(city.folder / "b"), "--without-secrets", "--with-key")
    names = {
        name: {path.name for path in (city.folder / name / "data").iterdir() if path.is_file()} for name in ("a", "b")
    }
    assert names == {"a": {"records.db", "secrets.yaml", "tokens.json"}, "b": {"records.db", "recordings.key"}}
    manifest = json.loads((city.folder / "b" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["left_out"] == ["secrets"]


async def test_a_back_up_in_the_wrong_place_is_refused(city: City) -> None:
    assert "is in the data folder itself" in city.hotline("backup", str(city.data / "backup")).output
    out = city.folder / "backup"
    city.hotline("backup", str(out))
    assert "is there already" in city.hotline("backup", str(out)).output
    (out / "manifest.json").unlink()
    wrong = city.hotline("backup", str(out), "--verify")
    assert wrong.exit_code == 1
    assert "not a finished one" in wrong.output
