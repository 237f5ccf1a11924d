"""`bin/hotline compile`, as an operator runs it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hotline.cli import app
from hotline.instance import Instance
from tests.support.city_folder import write_city
from tests.support.quick_city import quick_city


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made; its path is short, as Asterisk's console needs it."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_a_rehearsal_boots_a_second_asterisk_and_leaves_nothing_behind(tmp_path: Path, temporary: Path) -> None:
    config, data = tmp_path / "config", tmp_path / "data"
    write_city(quick_city(), config)
    told = CliRunner().invoke(app, ["compile", "--rehearse", "--config", str(config), "--data", str(data)])
    assert told.exit_code == 0, told.output
    assert "booting a second Asterisk" in told.output
    assert not list(temporary.iterdir())
    assert not (data / "asterisk" / "etc").exists()


def test_what_asterisk_complains_about_in_a_rehearsal_is_shown(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, data = tmp_path / "config", tmp_path / "data"
    write_city(quick_city(), config)
    compiled = Instance.compile_to

    def spoilt(instance: Instance, folder: Path) -> tuple[Path, ...]:
        files = compiled(instance, folder)
        modules = folder / "modules.conf"
        modules.write_text(modules.read_text(encoding="utf-8") + "load = app_missing.so\n", encoding="utf-8")
        return files

    monkeypatch.setattr(Instance, "compile_to", spoilt)
    told = CliRunner().invoke(app, ["compile", "--rehearse", "--config", str(config), "--data", str(data)])
    assert told.exit_code == 1
    assert "app_missing" in told.stderr
    assert not list(temporary.iterdir())


def test_compiled_files_can_be_written_elsewhere(tmp_path: Path) -> None:
    config, data, out = tmp_path / "config", tmp_path / "data", tmp_path / "out"
    write_city(quick_city(), config)
    told = CliRunner().invoke(app, ["compile", "--out", str(out), "--config", str(config), "--data", str(data)])
    assert told.exit_code == 0, told.output
    assert {"extensions.conf", "pjsip.conf", "manager.conf"} <= {file.name for file in out.iterdir()}
    assert (out / "pjsip.conf").stat().st_mode & 0o077 == 0
