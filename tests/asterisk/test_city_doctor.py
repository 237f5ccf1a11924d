"""A city that runs is healthy, the doctor says; each fault that is planted is named, and is gone when it is mended."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hotline.doctor import clock
from hotline.doctor.case import Case
from hotline.doctor.examine import SUBJECTS, Subject, examine
from hotline.doctor.findings import Finding, Weight
from hotline.ports import free_ports
from hotline.stage import until
from recordings.audit import Audit
from recordings.drills import ANSWERED, Drills, Planned
from recordings.store import Store
from settings.emergencies import routes
from settings.listening import Http, Tls
from settings.shapes import Settings
from tests.support.certificates import certificate as made
from tests.support.city_command import HOTLINE
from tests.support.city_folder import write_city
from tests.support.city_watch import (
    GENERAL,
    City,
    controller,
    no_controller,
    unannounced,
    watched,
    with_capacity,
    with_seats,
)
from tests.support.quick_city import quick_city

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


def machine_clock(synchronised: bool | None) -> Subject:
    """The one thing that cannot be planted: the clock of the machine that the tests run on."""
    return lambda case: clock.judge(clock.Clock(synchronised, "the test", case.settings.city.timezone, zone_known=True))


@dataclass(slots=True)
class Patient:
    """A city that runs, its operators' folder, and who looks at it."""

    city: City
    config: Path
    key: Path
    certificate: Path
    clock: bool | None = True
    stop_below_mb: int = 20

    @property
    def data(self) -> Path:
        return self.city.stage.instance.folders.data

    async def findings(self) -> tuple[Finding, ...]:
        subjects = {**SUBJECTS, "the clock": machine_clock(self.clock)}
        case = Case.of(self.data, self.config)
        recording = case.settings.server.recording.model_copy(update={"stop_below_mb": self.stop_below_mb})
        server = case.settings.server.model_copy(update={"recording": recording})
        case = replace(case, settings=case.settings.model_copy(update={"server": server}))
        return await asyncio.to_thread(examine, case, subjects)

    async def until_told(self, code: str) -> Finding:
        """The finding with this code, which may take a moment to show."""
        told: list[Finding] = []

        async def look() -> bool:
            told[:] = await self.findings()
            return any(one.code == code for one in told)

        await until(f"the doctor says {code}", look, seen=lambda: told)
        return next(one for one in told if one.code == code)

    async def until_well(self, code: str = "") -> None:
        """Waits until nothing is wrong, and nothing has this code."""
        told: list[Finding] = []

        async def look() -> bool:
            told[:] = [one for one in await self.findings() if one.weight is not Weight.WARNING or one.code == code]
            return not told

        await until("the doctor finds nothing", look, seen=lambda: told)

    def install(self, change: Callable[[dict[str, Any]], None]) -> str:
        """Changes what is written down as installed; what it was before."""
        installed = self.city.stage.instance.folders.installed
        before = installed.read_text("utf-8")
        told = json.loads(before)
        change(told)
        installed.write_text(json.dumps(told), "utf-8")
        return before


def settings(tls: Tls) -> Settings:
    city = with_seats(unannounced(quick_city()), {"7001": ("general",)}, ring_s=3.0, rest_s=1.0)
    city = with_capacity(city, 40)  # Other cities on this machine have some of the media ports.
    server = city.server.model_copy(update={"http": Http(port=8080, tls=tls)})
    # Nobody signs on here.
    return city.model_copy(update={"server": server, "shifts": city.shifts.model_copy(update={"cover": ()})})


def cared_for(store: Store, of: Settings) -> None:
    """Every emergency line was tried, and there is a back-up."""
    now_utc_ms = time.time_ns() // 1_000_000
    lines = [(route, trunk) for route in routes(of.emergencies) for trunk in route.trunks]
    calls = [Planned(route.number, trunk, route.drill, f"ref{n}") for n, (route, trunk) in enumerate(lines)]
    drills = Drills(store)
    for row in drills.plan("tests", calls, now_utc_ms):
        drills.end(row.id, ANSWERED)
    Audit(store).add("tests", "command", "backed_up", {}, now_utc_ms)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patient(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[Patient]:
    folder = tmp_path_factory.mktemp("city")
    tls = made(folder, days=365)
    data = folder / "data"
    data.mkdir()
    async with watched(settings(tls), data, sounds=sounds) as city:
        write_city(city.stage.instance.settings, folder / "config")
        cared_for(city.store, city.stage.instance.settings)
        (caller,) = city.citizens(1)
        serving = city.agent("7001", 1)
        await city.calls(GENERAL, caller)
        assert await serving == [caller]
        await city.kept(caller)
        found = Patient(city, folder / "config", Path(tls.key), Path(tls.certificate))
        await found.until_well()
        yield found


async def test_a_city_that_runs_is_healthy(patient: Patient) -> None:
    assert {one.code for one in await patient.findings()} <= {"D012"}, "some prompts are in one language here"


async def test_the_command_says_so_and_changes_nothing(patient: Patient) -> None:
    def files() -> set[Path]:
        return {path for path in patient.data.rglob("*") if path.suffix != ".new"}

    told: list[dict[str, Any]] = []

    async def look() -> bool:
        """On a machine that has no time at all for it, something may not answer soon enough."""
        process = await asyncio.create_subprocess_exec(
            HOTLINE, "doctor", "--json", "--data", str(patient.data), "--config", str(patient.config),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        told[:] = [json.loads(line) for line in output.splitlines()]
        return process.returncode == 0

    before = files()
    await until("the command says that all is well", look, within_s=200, seen=lambda: told)
    assert files() == before
    # The clock of this machine may be anything.
    assert {one["code"] for one in told[:-1]} <= {"D012", "D050", "D051"}
    assert told[-1]["verdict"] == "healthy"


Planting = Callable[[Patient], AbstractAsyncContextManager[None]]


def mode(choose: Callable[[Patient], Path], bits: int) -> Planting:
    """A file with other rights."""

    @asynccontextmanager
    async def planted(patient: Patient) -> AsyncIterator[None]:
        path = choose(patient)
        before = path.stat().st_mode
        path.chmod(bits)
        try:
            yield
        finally:
            path.chmod(before)

    return planted


def content(choose: Callable[[Patient], Path], write: Callable[[Path], object]) -> Planting:
    """A file with something else in it, or one that was not there."""

    @asynccontextmanager
    async def planted(patient: Patient) -> AsyncIterator[None]:
        path = choose(patient)
        before = path.read_bytes() if path.exists() else None
        write(path)
        try:
            yield
        finally:
            path.unlink() if before is None else path.write_bytes(before)

    return planted


def installed(change: Callable[[dict[str, Any]], None]) -> Planting:
    """Something else is written down as installed."""

    @asynccontextmanager
    async def planted(patient: Patient) -> AsyncIterator[None]:
        before = patient.install(change)
        try:
            yield
        finally:
            patient.city.stage.instance.folders.installed.write_text(before, "utf-8")

    return planted


def _ended(path: Path) -> None:
    path.write_bytes(Path(made(path.parent, days=-1, stem="other").certificate).read_bytes())


def _another(path: Path) -> None:
    path.write_bytes(Path(made(path.parent, stem="other").key).read_bytes())


def _cut_off(path: Path) -> None:
    path.touch(0o600)
    path.write_text("{")


def no_such_host(told: dict[str, Any]) -> None:
    told["trunks"]["tax_centre"]["host"] = "tax-centre.invalid"


def no_postgresql(told: dict[str, Any]) -> None:
    (port,) = free_ports("127.0.0.1", 1)
    told["server"]["records"]["postgresql"] = {"host": "127.0.0.1", "port": port}


@asynccontextmanager
async def silent_line(patient: Patient) -> AsyncIterator[None]:
    line = patient.city.stage.trunks["emergency_a"]
    await line.die()
    try:
        yield
    finally:
        await line.__aenter__()


@asynccontextmanager
async def changed_record(patient: Patient) -> AsyncIterator[None]:
    def talked(by_ms: int) -> None:
        with closing(sqlite3.connect(patient.data / "records.db", timeout=30)) as store, store:
            store.execute("UPDATE records SET talk_ms = talk_ms + ?", (by_ms,))

    talked(1000)
    try:
        yield
    finally:
        talked(-1000)


@asynccontextmanager
async def hung_controller(patient: Patient) -> AsyncIterator[None]:
    pid = await controller(patient.city)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def strange_program(patient: Patient) -> AsyncIterator[None]:
    """The controller died, and something else has its port."""
    http = patient.city.stage.instance.settings.server.http
    async with no_controller(patient.city):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind((str(http.address), http.port))
            other.listen()
            yield


@asynccontextmanager
async def low_disk(patient: Patient) -> AsyncIterator[None]:
    """More should be free than any disk has."""
    before, patient.stop_below_mb = patient.stop_below_mb, 10**12
    try:
        yield
    finally:
        patient.stop_below_mb = before


@asynccontextmanager
async def wrong_clock(patient: Patient) -> AsyncIterator[None]:
    patient.clock = False
    try:
        yield
    finally:
        patient.clock = True


FAULTS: dict[str, tuple[str, Planting]] = {
    "others can read the passwords": ("D030", mode(lambda one: one.data / "secrets.yaml", 0o644)),
    "others can read the records": ("D031", mode(lambda one: one.data / "records.db", 0o640)),
    "the journal cannot be read": ("D032", mode(lambda one: one.city.stage.instance.folders.journal, 0)),
    "tokens are not what was written": (
        "D034",
        content(lambda one: one.data / "tokens.json", _cut_off),
    ),
    "a certificate that has ended": (
        "D042",
        content(lambda one: one.certificate, _ended),
    ),
    "a key that does not fit": ("D041", content(lambda one: one.key, _another)),
    "a name that leads nowhere": ("D080", installed(no_such_host)),
    "a disk that is nearly full": ("D060", low_disk),
    "PostgreSQL is away": ("D094", installed(no_postgresql)),
    "an emergency line is dead": ("D071", silent_line),
    "a record was changed": ("D090", changed_record),
    "settings that are not live": (
        "D011",
        content(lambda one: one.config / "city.yaml", lambda path: _edited(path, "zh: 示例市", "zh: 另一市")),
    ),
    "settings that cannot be used": (
        "D010",
        content(lambda one: one.config / "skills.yaml", lambda path: path.write_text("general: {}\n")),
    ),
    "the controller hangs": ("D005", hung_controller),
    "a strange program has a port": ("D021", strange_program),
    "the clock is not synchronised": ("D050", wrong_clock),
}
"""What is planted → the code that names it, and how."""


def _edited(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_named_and_is_gone_when_it_is_mended(patient: Patient, fault: str) -> None:
    code, planted = FAULTS[fault]
    async with planted(patient):
        found = await patient.until_told(code)
        assert found.mend
    await patient.until_well(code)
