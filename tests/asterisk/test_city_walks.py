"""`ivr.walk` and the real Asterisk, given the same keys, write the same journal."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from hotline.instance import Instance
from hotline.stage import Stage, staged
from ivr.walk import SILENCE, Press
from phones.behaviour import Answers, Rejects
from settings.shapes import Do, Menu, Settings, Speak, ToMenu, ToNumber, ToQueue
from tests.support.quick_city import quick_city
from tests.support.walking import Script, Walkers, script

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMPILED = date(2026, 9, 1)
"""The day on which the city is compiled: its table of holidays begins here."""
TUESDAY = datetime.fromisoformat("2026-11-24T10:00:00+08:00")
BLOCKED = "13900000000"
TREE, HASTY = "12340", "12341"
"""Numbers of this city alone: with a menu above the main menu, and with one that waits for nobody long."""


def walking_city() -> Settings:
    """The example city, and menus that lead deeper than its own."""
    city = quick_city()
    spare = city.numbers["12319"]
    numbers = {TREE: spare.model_copy(update={"menu": "tree"}), HASTY: spare.model_copy(update={"menu": "hasty"})}
    main = city.menus["main"]
    menus = {
        "main": main.model_copy(update={"keys": {**main.keys, "#": Do(do="back")}}),
        "tree": Menu(
            prompt="menu_report",
            keys={
                "1": ToMenu(menu="main"),
                "2": ToNumber(number="12345"),
                "3": ToNumber(number="12366"),
                "4": ToQueue(queue="social", priority=2),
                "5": Do(do="person"),
                "6": ToNumber(number="12301"),
                "7": Speak(language="zh"),
                "8": Speak(language="en"),
                "9": Do(do="repeat"),
                "#": Do(do="back"),
            },
        ),
        "hasty": Menu(prompt="menu_report", wait="1s"),
    }
    trunks = {ident: trunk.model_copy(update={"qualify": 1.0}) for ident, trunk in city.trunks.items()}
    added = {"numbers": city.numbers | numbers, "menus": city.menus | menus, "trunks": trunks}
    return city.model_copy(update=added)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walkers(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[Walkers]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Instance, "today", lambda _: COMPILED)
        data = tmp_path_factory.mktemp("walks")
        async with staged(walking_city(), data, seats=[], prompts=sounds) as stage:
            answering(stage)
            found = Walkers(stage)
            await found.until_lines_work()
            yield found


def answering(stage: Stage, *rejecting: str) -> None:
    """Trunks answer and soon hang up, but for those that reject."""
    for name, trunk in stage.trunks.items():
        answers = Answers(after_s=0.1, hangs_up_after_s=0.3)
        trunk.behave = Rejects(486) if name in rejecting else answers


async def all_agree(walkers: Walkers, at: datetime, *scripts: Script) -> None:
    """Places all of the calls at once; every call must leave the journal that the walk in Python leaves."""
    await walkers.set_clock(at)
    found = await asyncio.gather(*(walkers.walk(told, at) for told in scripts), return_exceptions=True)
    failed = [(told, one) for told, one in zip(scripts, found, strict=True) if isinstance(one, BaseException)]
    assert failed == []
    for real, expected in (one for one in found if not isinstance(one, BaseException)):
        assert real == expected


async def test_every_number_is_served_by_its_mode(walkers: Walkers) -> None:
    numbers = ("12345", "12333", "12315", "12318", "12301", "12366", "12319", "12320", "12328", "12329")
    dialled = [script(number, "0") for number in numbers]
    strange = [script("12399"), script("12345678901234567890"), script("99")]
    callers = [script("12333", caller="+8613800138000"), script("12333", caller="")]
    blocked = [script("12345", caller=BLOCKED), script("119", caller=BLOCKED), script("12399", caller=BLOCKED)]
    emergencies = [script(number) for number in ("110", "119", "120", "122", "96333")]
    await all_agree(walkers, TUESDAY, *dialled, *strange, *callers, *blocked, *emergencies)


async def test_every_key_of_a_menu_means_the_same(walkers: Walkers) -> None:
    main = [script("12345", key, "0") for key in "0123456789#"]
    report = [script("12345", "4", key, "0") for key in "0123456789#"]
    tree = [script(TREE, key, "0") for key in "0123456789#"]
    stars = [script("12345", f"*{key}", "0") for key in "0123456789*#"]
    await all_agree(walkers, TUESDAY, *main, *report, *tree, *stars, script("12345", "*", "*", "*"))


async def test_longer_ways_through_menus_agree(walkers: Walkers) -> None:
    await all_agree(
        walkers,
        TUESDAY,
        # To submenus and back, further than there is a way back.
        script(TREE, "1", "4", "#", "#", "#", "9", "0"),
        script(TREE, "2", "4", "#", "#", "5"),
        # A language is kept, and demanded.
        script("12345", "8", "4", "3", "#", "1"),
        script(TREE, "8", "1", "7", "7", "#", "7", "4"),
        script(TREE, "8", "4", "*2"),
        # Attempts are counted anew after a key with a meaning.
        script("12345", "7", SILENCE, "9", "5", "0"),
        script("12345", "5", "6", "7"),
        script("12345", "4", "5", "#", "5", "7", "*9"),
        script(HASTY, SILENCE, SILENCE, SILENCE),
        script(HASTY),
        # Nobody is kept in menus for ever.
        script("12345", *"9" * 25),
        script("12345", *"4#" * 12),
        script(TREE, *"13#" * 8),
        # While waiting only emergency keys mean anything.
        script("12345", "0", "1", "#", "*9", "**", "*#", "*3"),
        script("12333", *(f"*{key}" for key in "05")),
        *(script("12329", f"*{key}") for key in "1234"),
    )


async def test_fifteen_scripts_by_chance_agree(walkers: Walkers) -> None:
    await all_agree(walkers, TUESDAY, *scripts_by_chance(15))


def scripts_by_chance(count: int) -> list[Script]:
    """The same ones every time, each longer than the last. What ends a menu is rare in them."""
    dice = random.Random(12345)  # noqa: S311 - no secret
    keys = {"1": 4, "4": 4, "#": 6, "8": 3, "9": 3, "7": 2, "6": 2, "3": 2, "2": 2, "5": 1, "0": 1, "*6": 1, "*2": 1}
    found = [dice.choices([*keys], weights=[*keys.values()], k=length) for length in range(1, count + 1)]
    return [script(dice.choice([TREE, "12345"]), *presses, "0") for presses in found]


async def test_keys_count_while_prompts_play(walkers: Walkers) -> None:
    during = {
        "greeting_12345": [script("12345", Press(key, during="greeting_12345"), "0") for key in ("2", "7", "*9", "*4")],
        "recorded": [script("12333", Press("*1", during="recorded"))],
        "notice_12366": [script("12366", Press("*5", during="notice_12366"))],
        "notice_12301": [script("12301", Press(key, during="notice_12301")) for key in ("*2", "*9")],
        "unknown_number": [script("12399", Press("*2", during="unknown_number"))],
        "blocked": [script("12345", Press("*1", during="blocked"), caller=BLOCKED)],
    }
    async with walkers.endless(*during):
        await all_agree(walkers, TUESDAY, *(told for scripts in during.values() for told in scripts))


async def test_keys_count_while_the_system_speaks(walkers: Walkers) -> None:
    during = {
        "recorded": [script("12345", Press(key, during="recorded"), "0") for key in ("2", "9", "*2")],
        "wrong_key": [
            script("12345", Press("5", during="recorded"), *(Press(key, during="wrong_key") for key in keys))
            for keys in ("0", "5*")
        ],
    }
    async with walkers.endless(*during):
        await all_agree(walkers, TUESDAY, *(told for scripts in during.values() for told in scripts))


async def test_a_line_that_fails_is_replaced(walkers: Walkers) -> None:
    rejecting = {"tax_centre": "BUSY", "emergency_a": "BUSY"}
    answering(walkers.stage, *rejecting)
    dialled = [script(number, trunks=rejecting) for number in ("12366", "110", "120", "96333")]
    keys = [script("12345", "*1", trunks=rejecting), script(TREE, "3", "*2", trunks=rejecting)]
    try:
        await all_agree(walkers, TUESDAY, *dialled, *keys)
    finally:
        answering(walkers.stage)


async def test_an_operator_answers_an_emergency_that_no_line_takes(walkers: Walkers) -> None:
    rejecting = {"emergency_a": "BUSY", "emergency_b": "BUSY"}
    answering(walkers.stage, *rejecting)
    dialled = [script(number, trunks=rejecting) for number in ("110", "120")]
    keys = [script("12345", "8", "*1", trunks=rejecting), script("12333", "*3", "*4", "7", trunks=rejecting)]
    try:
        await all_agree(walkers, TUESDAY, *dialled, *keys)
    finally:
        answering(walkers.stage)


@pytest.mark.parametrize(
    "at",
    [
        pytest.param("2026-11-24T22:00:00+08:00", id="at night"),
        pytest.param("2026-11-24T12:00:00+08:00", id="at the end of the morning's hours"),
        pytest.param("2026-11-24T13:30:00+08:00", id="at the beginning of the afternoon's hours"),
        pytest.param("2026-09-20T17:10:00+08:00", id="on a Sunday that is worked"),
        pytest.param("2026-09-13T17:10:00+08:00", id="on any other Sunday"),
        pytest.param("2026-10-01T14:00:00+08:00", id="on National Day"),
        pytest.param("2027-05-20T14:00:00+08:00", id="on the city's own holiday"),
        pytest.param("2026-12-31T23:55:00+08:00", id="on the last day before a number is merged"),
        pytest.param("2027-01-01T00:00:00+08:00", id="on the day from which a number is merged"),
    ],
)
async def test_days_and_hours_decide(walkers: Walkers, at: str) -> None:
    numbers = ("12320", "12328", "12318", "12345")
    await all_agree(walkers, datetime.fromisoformat(at), *(script(number, "0") for number in numbers))
