"""A drill in a city that runs: each line is called once, far ends know it for what it is, and the evidence is kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from calls.journal import Drilled, Said
from calls.record import CallRecord, Outcome
from hotline.cli import app
from hotline.stage import until
from phones.behaviour import Answers, Rejects, Rings
from settings.shapes import Emergency, Settings
from tests.support.city_watch import City, watched
from tests.support.desk_client import at_the_desk
from tests.support.quick_city import quick_city
from web.desk import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGREED = "12099"
"""What the ambulance's centre wants drills to dial."""


def settings() -> Settings:
    city = quick_city()
    numbers = {"120": Emergency(trunks=("emergency_b", "emergency_a"), drill=AGREED)}
    emergencies = city.emergencies.model_copy(update={"numbers": numbers})
    capacity = city.server.capacity.model_copy(update={"reserve": 3})
    server = city.server.model_copy(update={"capacity": capacity})
    return city.model_copy(update={"emergencies": emergencies, "server": server})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[City]:
    async with watched(settings(), tmp_path_factory.mktemp("city"), sounds=sounds, seats=[]) as found:
        for trunk in found.stage.trunks.values():
            trunk.behave = Answers()
        yield found


async def drill(city: City, *words: str) -> tuple[int, list[dict[str, Any]], str]:
    """The command: exit code, what it told, its complaint."""
    data = str(city.stage.instance.folders.data)
    result = await asyncio.to_thread(CliRunner().invoke, app, ["drill", *words, "--json", "--data", data])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def record(city: City, ref: str) -> CallRecord:
    return next(one for one in city.records() if one.ref == ref)


async def test_each_line_of_a_number_is_called_once_and_knows_that_it_is_a_test(city: City) -> None:
    code, told, _ = await drill(city, "--number", "120")
    assert code == 0
    assert [(one["trunk"], one["result"]) for one in told] == [("emergency_b", "answered"), ("emergency_a", "answered")]
    for one in told:
        (dialled,) = city.stage.trunks[one["trunk"]].dialled
        assert (dialled.number, dialled.name) == (AGREED, "TEST")
        assert dialled.headers.required("x-hotline-drill") == one["call"]
        kept = record(city, one["call"])
        assert (kept.outcome, kept.trunk_out, kept.dialled, kept.caller) == (Outcome.DRILL, one["trunk"], "120", "")
        assert (kept.emergency_number, kept.running) == (None, False)
        assert 0 <= one["answered_ms"] <= (kept.ended_utc_ms or 0) - kept.arrived_utc_ms
        assert one["q850_cause"] == 16
        steps = [row.step for row in city.store.events(one["call"])]
        assert Drilled("120", one["trunk"]) in steps
        assert [step.language for step in steps if isinstance(step, Said)] == ["zh", "en"]
    _, listed, _ = await drill(city, "--list")
    assert listed == told[::-1]
    async with at_the_desk(city.stage.instance, Role.AUDITOR) as auditor:
        entries = [one for one in await auditor.get("/audit") if one["did"] == "drill"]
    assert [(one["who"], one["what"]["to"]) for one in entries] == [("command line", "120")]


@pytest.mark.parametrize(("behave", "result"), [(Rejects(486), "busy"), (Rejects(503), "unreachable")])
async def test_a_line_that_does_not_answer_is_evidence_too(city: City, behave: Rejects, result: str) -> None:
    line = city.stage.trunks["emergency_a"]
    line.behave = behave
    try:
        code, (told,), _ = await drill(city, "--number", "110", "--trunk", "emergency_a")
    finally:
        line.behave = Answers()
    assert (code, told["result"], told["answered_ms"]) == (1, result, None)
    assert (record(city, told["call"]).outcome, record(city, told["call"]).trunk_out) == (Outcome.DRILL, None)


async def test_one_drill_runs_at_a_time_and_none_without_a_line(city: City) -> None:
    line = city.stage.trunks["emergency_a"]
    line.behave, before = Rings(), len(line.calls)
    try:
        async with at_the_desk(city.stage.instance) as desk:
            await desk.post("/drills", number="110", trunk="emergency_a")
            await until("the line rings", lambda: len(line.calls) > before)
            code, told, complaint = await drill(city, "--number", "119")
            assert (code, told) == (1, [])
            assert "a drill runs already" in complaint
            line.behave = Answers()
            await line.calls[-1].hang_up()
            assert await desk.refused("/drills", number="112") == "not_allowed"
            assert await desk.refused("/drills", trunk="carrier") == "not_allowed"

            async def ended() -> bool:
                return bool((await desk.get("/drills?limit=1"))[0]["result"] != "placed")

            await until("the drill's end", ended)
    finally:
        line.behave = Answers()


async def test_a_drill_waits_for_another_day_while_emergencies_need_the_lines(city: City) -> None:
    """Two at once are more than half of this city's reserve."""
    urgent = [await city.stage.carrier.call("110", caller=f"1390000000{number}") for number in range(2)]
    try:
        for call in urgent:
            await call.answered()
        called = {name: len(trunk.dialled) for name, trunk in city.stage.trunks.items()}
        code, told, _ = await drill(city, "--number", "119")
        assert (code, [one["result"] for one in told]) == (1, ["put_off", "put_off"])
        assert called == {name: len(trunk.dialled) for name, trunk in city.stage.trunks.items()}
        assert [call.up for call in urgent] == [True, True]
    finally:
        for call in urgent:
            await call.hang_up()
