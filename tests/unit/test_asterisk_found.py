"""Which Asterisk is taken, and what is said when there is none."""

from pathlib import Path

import pytest

from asterisk.found import NoAsterisk, TooOld, find, new_enough


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def root(
    folder: Path,
    loader: str = "usr/lib64/ld-linux-x86-64.so.2",
    triplet: str = "x86_64-linux-gnu",
    version: str = "22.10.1",
) -> Path:
    """A root folder whose loader is a script: it says the version that the real one would."""
    script(folder / loader, f'[ "$4" = -V ] && echo "Asterisk {version}~dfsg-1"')
    script(folder / "usr/sbin/asterisk", "")
    modules = folder / "usr/lib" / triplet / "asterisk/modules"
    modules.mkdir(parents=True)
    (modules / "app_dial.so").touch()
    (folder / "usr/share/asterisk/documentation").mkdir(parents=True)
    return folder


def machine(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """A machine whose own Asterisk says `version`."""
    script(folder / "sbin/asterisk", f'echo "Asterisk {version}"')
    modules = folder / "lib/x86_64-linux-gnu/asterisk/modules"
    modules.mkdir(parents=True)
    (modules / "app_dial.so").touch()
    (folder / "share/asterisk/documentation").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{folder}/sbin:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("20.11.1", False),
        ("20.12.0", True),
        ("21.6.0", False),
        ("21.7", True),
        ("22.1.1", False),
        ("22.2.0~rc1", True),
        ("22.10.1+dfsg", True),
        ("23.0.0", True),
        ("19.99", False),
        ("18.24", False),
        ("GIT-22-abc", False),
        ("", False),
    ],
)
def test_the_minimum_of_each_major_version_is_known(version: str, enough: bool) -> None:
    assert new_enough(version) is enough


@pytest.mark.parametrize(
    ("loader", "triplet"),
    [
        ("usr/lib64/ld-linux-x86-64.so.2", "x86_64-linux-gnu"),
        ("usr/lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu"),
    ],
)
def test_the_unpacked_one_runs_by_its_own_loader_with_its_own_libraries(
    tmp_path: Path, loader: str, triplet: str
) -> None:
    folder = root(tmp_path / "root", loader, triplet)
    found = find(folder, machine=False)
    libraries = str(folder / "usr/lib" / triplet)
    assert found.version == "22.10.1~dfsg-1"
    assert found.command == (str(folder / loader), "--library-path", libraries, str(folder / "usr/sbin/asterisk"))
    assert found.modules_dir == folder / "usr/lib" / triplet / "asterisk/modules"
    assert found.data_dir == folder / "usr/share/asterisk"


def test_the_machines_own_is_taken_when_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path / "usr", monkeypatch, "22.5.0~dfsg-1")
    found = find(root(tmp_path / "root"))
    assert found.command == (str(tmp_path / "usr/sbin/asterisk"),)
    assert found.modules_dir == tmp_path / "usr/lib/x86_64-linux-gnu/asterisk/modules"


def test_a_machine_with_an_old_one_uses_the_root_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path / "usr", monkeypatch, "20.6.0~dfsg-1")
    assert find(root(tmp_path / "root")).version.startswith("22.10.1")


def test_an_old_one_alone_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path / "usr", monkeypatch, "certified/20.7-cert3")
    with pytest.raises(TooOld, match=r"Asterisk 20\.7-cert3 is too old, 20\.12.*make setup"):
        find(tmp_path / "nowhere")


def test_none_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoAsterisk, match="make setup"):
        find(tmp_path / "nowhere", machine=False)


def test_one_without_its_modules_is_no_asterisk(tmp_path: Path) -> None:
    folder = root(tmp_path / "root")
    (folder / "usr/lib/x86_64-linux-gnu/asterisk/modules/app_dial.so").unlink()
    with pytest.raises(NoAsterisk, match="lacks its modules"):
        find(folder, machine=False)


def test_one_that_does_not_run_is_no_asterisk(tmp_path: Path) -> None:
    folder = root(tmp_path / "root")
    script(folder / "usr/lib64/ld-linux-x86-64.so.2", "echo 'libxml2.so.16: cannot open' >&2; exit 127")
    with pytest.raises(NoAsterisk, match=r"libxml2\.so\.16: cannot open"):
        find(folder, machine=False)


def test_the_environment_may_name_the_root_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_ASTERISK_ROOT", str(root(tmp_path / "elsewhere")))
    assert str(tmp_path / "elsewhere") in find(machine=False).command[0]
