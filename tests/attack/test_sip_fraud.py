"""No caller, and nobody who is called, makes the hotline dial for them; a real Asterisk with all its lines.

`tests/unit/test_dialplan_outwards.py` shows the same of the dialplan's values, for every city.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from calls.journal import Arrived, RoomEntered, SeatMissed, SurvivalEntered, TrunkEnded
from phones.behaviour import Answers, Rejects
from phones.placed import PlacedCall
from tests.support.full_service import FULL_SERVICE
from tests.support.hostile_callers import overheard
from tests.support.raw_sip import encoded, stranger
from tests.support.settings_maker import city
from tests.support.town import Town, in_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

PREMIUM = "00881612345678"
ALLOWED = "13912345678"
"""What agents may dial, and nobody else."""
DIALLED = (
    PREMIUM,
    ALLOWED,
    f"#{ALLOWED}",
    f"*72{ALLOWED}",
    f"9,{ALLOWED}",
    f"**21*{ALLOWED}#",
    f"12345&PJSIP/{ALLOWED}@carrier",
    f"{ALLOWED}@carrier",
    f"Local/{ALLOWED}@transfer",
    f"12345,1)&Dial(PJSIP/{ALLOWED}@carrier",
    f"${{SHELL(id)}}{ALLOWED}",
    "transfer",
    "outside",
    "s",
    "h",
    "i",
    "t",
    "8001",
    "skill_general",
    f"12345;phone-context={ALLOWED}",
    f"12345;ext={PREMIUM}",
    f"12345?Replaces={ALLOWED}",
    "１２３４５",
    "-1-3-9-1234-5678",
    "1" * 20,
    "1" * 400,
)
KEYS = f"#1{ALLOWED}**80#"
"""No emergency's key is in it."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    service: dict[str, Any] = {
        **FULL_SERVICE["service"],
        # No key of the waiting room leads to a line, so that each one that is dialled is a fraud.
        "keys": {"9": "position"},
        "outside": {"trunk": "tax_centre", "allowed": ["1XXXXXXXXXX"]},
    }
    async with in_town(city(service=service), tmp_path_factory.mktemp("fraud")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: Town) -> AsyncIterator[Town]:
    """Nobody calls there; afterwards nothing was dialled over any line."""
    await running.clear()
    for line in running.trunks.values():
        line.dialled.clear()
    yield running
    out = {name: [dialled.number for dialled in line.dialled] for name, line in running.trunks.items() if line.dialled}
    assert out == {}, "something was dialled over a line"


async def over(call: PlacedCall) -> None:
    if not call.over:
        await call.hang_up()
    await call.ended()


async def test_nothing_that_is_dialled_leads_to_a_line(town: Town) -> None:
    for dialled in DIALLED:
        call, _ = await town.call(dialled)
        if any(character in dialled for character in ";?") or dialled.replace("-", "").isdigit():
            await asyncio.wait([asyncio.ensure_future(call.ended(5))], timeout=0.3)
            await over(call)
        else:
            assert (await call.ended()).status == 404, dialled
    arrived = [row.step.dialled for row in town.asterisk.rows() if isinstance(row.step, Arrived)]
    # Asterisk overlooks dashes in what is dialled, and finds a number that nobody serves.
    assert all(re.fullmatch("[0-9-]{2,20}", number) for number in arrived), arrived


async def test_a_dialled_uri_of_another_place_leads_to_no_line(town: Town) -> None:
    """The request asks for a far end's own address, or is a tel: URI."""
    places = [f"sip:{PREMIUM}@{line.where[0]}:{line.where[1]}" for line in town.trunks.values()]
    with stranger(town.asterisk.server, "127.0.0.2") as carrier:
        for goal in (*places, f"tel:+{PREMIUM}", f"sips:{PREMIUM}@127.0.0.1", f"sip:{ALLOWED}@127.0.0.1;user=phone"):
            request = carrier.message("INVITE", "13800000000", to=ALLOWED).split(b" ", 2)
            answer = await carrier.ask(b" ".join((request[0], goal.encode(), request[2])))
            assert int(answer.split()[1]) >= 400 or "Content-Length:  0" not in answer, answer


async def test_no_key_dials_in_a_greeting_a_menu_the_room_a_survival_queue_or_a_talk(town: Town) -> None:
    async def pressed(call: PlacedCall) -> None:
        await call.answered()
        await call.press(KEYS)

    async with town.telephone("8001", Answers()) as seat:
        await town.asterisk.beat()
        talking, caller = await town.waits()
        await town.connect(caller, "8001")
        leg = await seat.next_call()
        await leg.answered()
        waiting, _ = await town.waits()
        greeted, _ = await town.call("12345")
        await asyncio.gather(pressed(talking), pressed(waiting), pressed(greeted))
        assert talking.up, "keys of the caller's ended the talk"
        await asyncio.gather(over(greeted), over(talking), over(waiting))
        await town.asterisk.beat(alive=False)
        surviving, caller = await town.call("12333")
        await town.asterisk.wrote(caller, SurvivalEntered)
        await pressed(surviving)
        await over(surviving)


@pytest.mark.parametrize("to", ["12366", "110", ALLOWED, PREMIUM])
async def test_a_seat_that_is_called_cannot_send_the_caller_elsewhere(town: Town, to: str) -> None:
    server = "{}:{}".format(*town.asterisk.server)
    async with town.telephone("8001", Rejects(302, to=f"sip:{to}@{server}")):
        await town.asterisk.beat()
        call, caller = await town.waits()
        await town.connect(caller, "8001")
        await town.asterisk.wrote(caller, SeatMissed)
        await town.asterisk.wrote(caller, RoomEntered, times=2)
        await over(call)


async def test_an_emergency_line_that_sends_the_caller_elsewhere_is_a_line_that_failed(town: Town) -> None:
    town.emergency_a.behave = Rejects(302, to=f"sip:{PREMIUM}@{town.carrier.where[0]}:{town.carrier.where[1]}")
    call, caller = await town.call("110")
    await call.answered()
    ends = [step for step in town.asterisk.steps(caller) if isinstance(step, TrunkEnded)]
    assert [end.trunk for end in ends] == ["emergency_a"]
    assert [one.number for one in town.emergency_b.dialled] == ["110"]
    await over(call)
    for line in (town.emergency_a, town.emergency_b):
        assert {one.number for one in line.dialled} == {"110"}
        line.dialled.clear()


FORGED = (
    ("Diversion", f"<sip:{PREMIUM}@127.0.0.1>;reason=unconditional"),
    ("P-Asserted-Identity", f'"8001" <sip:{PREMIUM}@127.0.0.1>'),
    ("P-Preferred-Identity", f"<sip:{PREMIUM}@127.0.0.1>"),
    ("Remote-Party-ID", f'"boss" <sip:{PREMIUM}@127.0.0.1>;party=calling;screen=yes;privacy=off'),
    ("Referred-By", f"<sip:{PREMIUM}@127.0.0.1>"),
    ("History-Info", f"<sip:{PREMIUM}@127.0.0.1>;index=1"),
    ("X-Hotline-Ref", PREMIUM),
    ("X-Hotline-Drill", PREMIUM),
    ("Alert-Info", f"<http://127.0.0.1/{PREMIUM}>"),
    ("Subject", "${SHELL(id)}"),
)


async def test_forged_headers_are_nobodys_number(town: Town) -> None:
    caller = town.new_caller()
    async with overheard(town.access()) as lines:
        call = await town.carrier.call("110", caller=caller, name='=cmd|"/c calc"!A1', headers=FORGED)
        await call.answered()
        [shown] = town.emergency_a.dialled
        assert (shown.number, shown.caller) == ("110", caller)
        assert PREMIUM not in str(shown.headers)
        await over(call)
        rows = await town.asterisk.ended(caller)
    assert PREMIUM not in str(rows)
    assert "cmd" not in str(rows)
    assert not [line for line in lines if PREMIUM in line or "cmd" in line]
    town.emergency_a.dialled.clear()


async def test_what_strangers_write_begins_no_line_of_asterisks_messages(town: Town) -> None:
    """Line breaks in their names; `test_fail2ban.py` has what they do to the log of security."""
    broken = encoded("a\r\n[2026-01-01 00:00:00.000] ERROR[1]: forged")
    with stranger(town.asterisk.server, "127.0.0.9") as forger:
        for method in ("REGISTER", "INVITE", "OPTIONS"):
            await forger.ask(forger.message(method, broken))
    logs = town.asterisk.places.log
    lines = (logs / "messages.log").read_text().splitlines()
    assert not [line for line in lines if line.startswith("[2026-01-01")]
