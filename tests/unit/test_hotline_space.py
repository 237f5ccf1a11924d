"""How the disks are looked after: what follows from how much is free."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from asterisk.console import NotRunning
from hotline import space as space_module
from hotline.folders import Folders
from hotline.space import Space, SpaceWatch, space_at, watched

MARK = 1_000_000


class Machine:
    """A disk with so much free, and an Asterisk with these channels."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.free = 10 * MARK
        self.channels = ["PJSIP/carrier-00000001", "Local/s@x-1;1"]
        self.stopped: list[str] = []
        self.runs = True

    def statvfs(self, _path: object) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=self.free, f_frsize=1)

    async def console(self, _found: object, _conf: object, command: str) -> str:
        if not self.runs:
            raise NotRunning(command, "none")
        if command.startswith("mixmonitor stop "):
            self.stopped.append(command.rpartition(" ")[2])
            return ""
        return "\n".join(f"{name}!room!s!1!Up" for name in self.channels)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(Folders(tmp_path))
    for folder in watched(made.folders):
        folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(os, "statvfs", made.statvfs)
    monkeypatch.setattr(space_module, "console", made.console)
    return made


def watch(machine: Machine) -> SpaceWatch:
    asterisk = SimpleNamespace(found=None, conf=None)
    return SpaceWatch(asterisk, machine.folders, MARK)  # type: ignore[arg-type]  # Only these two are looked at.


def test_space_that_was_low_is_enough_again_when_there_is_a_tenth_more(machine: Machine) -> None:
    folders = watched(machine.folders)
    found: list[Space] = []
    for free in (MARK, MARK - 1, MARK, MARK * 11 // 10, MARK // 10, MARK // 10 - 1):
        machine.free = free
        found.append(space_at(folders, MARK, found[-1] if found else Space.ENOUGH))
    assert found == [Space.ENOUGH, Space.LOW, Space.LOW, Space.ENOUGH, Space.LOW, Space.FULL]


async def test_with_little_space_recorders_are_stopped_those_of_new_calls_too(machine: Machine) -> None:
    looks = watch(machine)
    assert await looks.look() is Space.ENOUGH
    assert machine.stopped == []
    machine.free = MARK - 1
    with capture_logs() as logs:
        await looks.look()
        machine.channels.append("PJSIP/carrier-00000002")
        await looks.look()
        await looks.look()
        machine.free = 2 * MARK
        await looks.look()
    assert machine.stopped == ["PJSIP/carrier-00000001", "PJSIP/carrier-00000002"]
    assert [entry["event"] for entry in logs] == ["disk_low", "disk_well"]


async def test_the_reserve_is_given_up_for_the_records_and_made_again(machine: Machine) -> None:
    looks, reserve = watch(machine), machine.folders.reserve
    await looks.look()
    assert reserve.stat().st_size == MARK // 10
    machine.free = MARK // 10 - 1
    with capture_logs() as logs:
        await looks.look()
    assert not reserve.exists()
    assert [entry["event"] for entry in logs] == ["disk_full"]
    machine.free = MARK // 2
    await looks.look()
    assert not reserve.exists()
    machine.free = 2 * MARK
    await looks.look()
    assert reserve.exists()


async def test_an_asterisk_that_is_away_is_asked_at_the_next_look(machine: Machine) -> None:
    looks = watch(machine)
    machine.free, machine.runs = MARK - 1, False
    assert await looks.look() is Space.LOW
    machine.runs = True
    await looks.look()
    assert machine.stopped == ["PJSIP/carrier-00000001"]
