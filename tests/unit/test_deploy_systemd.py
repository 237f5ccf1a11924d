"""The units for systemd, as systemd itself reads them; and what it is told by what it starts."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline.serve import Supervisor, until_told
from hotline.systemd import Systemd
from tests.support.tools import says

CHECKOUT = "/srv/hotline"
EXPOSURE = 20
"""At most, of 100, as `systemd-analyze security` counts it."""


@pytest.fixture
def units(project: Path, tmp_path: Path) -> list[Path]:
    """The units for this checkout."""
    found = []
    for source in sorted((project / "deploy" / "systemd").iterdir()):
        if source.suffix in (".service", ".timer"):
            unit = tmp_path / source.name
            unit.write_text(source.read_text("utf-8").replace(CHECKOUT, str(project)), encoding="utf-8")
            found.append(unit)
    assert {unit.name for unit in found} >= {"hotline.service", "hotline-audit.timer", "hotline-backup.timer"}
    return found


def test_systemd_understands_every_word_of_them(units: list[Path]) -> None:
    code, told = says("systemd-analyze", "verify", *map(str, units))
    ours = [line for line in told.splitlines() if "hotline" in line]
    assert (code, ours) == (0, [])


def test_what_they_may_do_is_little(units: list[Path]) -> None:
    for unit in (unit for unit in units if unit.suffix == ".service"):
        words = ("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(unit))
        code, told = says("systemd-analyze", *words)
        assert code == 0, told


def test_every_timer_has_its_service(units: list[Path]) -> None:
    names = {unit.name for unit in units}
    timers = [unit for unit in units if unit.suffix == ".timer"]
    assert {timer.with_suffix(".service").name for timer in timers} <= names
    for timer in timers:
        moment = re.findall(r"^OnCalendar=(.*)$", timer.read_text("utf-8"), re.MULTILINE)
        assert says("systemd-analyze", "calendar", *moment)[0] == 0


def test_the_supervisor_alone_is_ended_so_that_asterisk_outlives_it(project: Path) -> None:
    text = (project / "deploy" / "systemd" / "hotline.service").read_text("utf-8")
    assert {"KillMode=process", "Restart=always", "Type=notify", "NotifyAccess=main"} <= set(text.splitlines())


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Systemd's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield found


def test_systemd_is_told_when_it_serves_and_when_it_ends(listener: socket.socket) -> None:
    systemd = Systemd.asked()
    systemd.ready()
    systemd.stopping()
    assert [listener.recv(100).split(b"\n")[0] for _ in range(2)] == [b"READY=1", b"STOPPING=1"]


async def test_the_watchdog_hears_of_a_loop_that_turns(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "60000")
    living = asyncio.create_task(Systemd.asked().live())
    try:
        assert [await asyncio.to_thread(listener.recv, 100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    finally:
        living.cancel()


def test_its_children_do_not_speak_for_it(listener: socket.socket) -> None:
    assert Systemd.asked().address is not None
    assert "NOTIFY_SOCKET" not in os.environ
    assert Systemd.asked() == Systemd(None, None)


async def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    systemd = Systemd.asked()
    systemd.ready()
    await systemd.live()  # It ends at once.


def test_the_watchdog_of_another_process_is_not_ours(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "60000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert Systemd.asked().watchdog_s is None


class Quiet(Supervisor):
    """One that has nothing to supervise."""

    def __init__(self) -> None:
        self.did: list[str] = []

    async def start(self) -> None:
        self.did.append("start")

    async def watch(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        self.did.append("stop")


async def test_the_supervisor_says_that_it_serves_when_it_does_and_that_it_ends_before_it_stops(
    listener: socket.socket,
) -> None:
    supervisor = Quiet()
    running = asyncio.create_task(until_told(supervisor, lambda: supervisor.did.append("serves")))
    told = await asyncio.to_thread(listener.recv, 100)
    assert (told.split(b"\n")[0], supervisor.did) == (b"READY=1", ["start", "serves"])
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    assert listener.recv(100).split(b"\n")[0] == b"STOPPING=1"
    assert supervisor.did[-1] == "stop"
