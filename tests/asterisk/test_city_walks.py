"""`ivr.walk` and the real Asterisk, given the same keys, write the same journal."""

import itertools
import random
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from hotline.instance import Instance
from hotline.stage import staged
from ivr.walk import SILENCE, Press
from phones.behaviour import Answers, Rejects
from settings.actions import Do, Menu, Say, Speak, ToMenu, ToNumber, ToQueue, WaitDo
from settings.service import Announce, CallBack, ServiceFile
from settings.shapes import Emergency, Settings, SubCentre, Trunk, Whole
from settings.staff import ShiftsFile
from tests.support.quick_city import quick_city
from tests.support.walking import Script, Walked, Walkers, script

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMPILED = date(2026, 9, 1)
"""The day on which the city is compiled: its table of holidays begins here."""
TUESDAY = datetime.fromisoformat("2026-11-24T10:00:00+08:00")
BLOCKED = "13900000000"
TREE, HASTY, UNREACHED, MERGED = "12340", "12341", "12342", "12343"
"""Numbers of this city alone: with a menu above the main menu; with one that soon goes on; with a centre
that does not answer; merged into 12345."""
SECOND_LINE, NO_LINE = "96110", "96119"
"""Emergency numbers of this city alone: the first line fails, or both do."""
SINCE = {"from": date(2022, 7, 1)}
REJECTING = {"busy": Rejects(486), "dead": Rejects(503)}
STATUSES = {"busy": "BUSY", "dead": "CONGESTION"}


def walking_city() -> Settings:
    """The example city, and menus that lead deeper than its own."""
    city = quick_city()
    spare = city.numbers["12319"]
    numbers = {
        TREE: spare.model_copy(update={"menu": "tree"}),
        HASTY: spare.model_copy(update={"menu": "hasty"}),
        UNREACHED: spare.model_copy(
            update={"modes": (SubCentre(mode="sub_centre", trunk="busy", dial="12366", **SINCE),)}
        ),
        MERGED: spare.model_copy(update={"modes": (Whole(mode="whole", notice="notice_12318", to="12345", **SINCE),)}),
    }
    emergencies = city.emergencies.model_copy(
        update={
            "numbers": {
                **city.emergencies.numbers,
                SECOND_LINE: Emergency(key="*6", trunks=("busy", "emergency_b")),
                NO_LINE: Emergency(key="*7", trunks=("busy", "dead")),
            }
        }
    )
    main = city.menus["main"]
    menus = {
        "main": main.model_copy(update={"keys": {**main.keys, "#": Do(do="back")}}),
        "tree": Menu(
            prompt="menu_report",
            keys={
                "1": ToMenu(menu="main"),
                "2": ToNumber(number="12345"),
                "3": ToNumber(number=UNREACHED),
                "4": ToQueue(queue="social", priority=2),
                "5": Do(do="person"),
                "6": ToNumber(number=MERGED),
                "7": Speak(language="zh"),
                "8": Speak(language="en"),
                "9": Do(do="repeat"),
                "#": Do(do="back"),
            },
        ),
        "hasty": Menu(prompt="menu_report", keys={"1": Do(do="repeat"), "2": ToNumber(number="12301")}, wait="1s"),
    }
    service = ServiceFile(
        # Nobody waits so long here; and the walk knows no controller that could tell a place.
        announce=Announce(first="10m", every="10m", position=False, estimate=False),
        keys={
            "1": WaitDo(do="call_back"),
            "2": Say(prompt="what_to_say"),
            "3": ToQueue(queue="social"),
            "6": ToQueue(queue="general", priority=2),
        },
        call_back=CallBack(trunk="carrier"),
    )
    trunks = {ident: trunk.model_copy(update={"qualify": 1.0}) for ident, trunk in city.trunks.items()}
    rejecting = {ident: Trunk(host=f"127.0.0.{place}", qualify="1s") for place, ident in enumerate(REJECTING, 6)}
    return city.model_copy(
        update={
            "numbers": city.numbers | numbers,
            "emergencies": emergencies,
            "menus": city.menus | menus,
            "service": service,
            "shifts": ShiftsFile(),
            "trunks": trunks | rejecting,
        }
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walkers(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[Walkers]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Instance, "today", lambda _: COMPILED)
        data = tmp_path_factory.mktemp("walks")
        async with staged(walking_city(), data, seats=[], prompts=sounds) as stage:
            for name, trunk in stage.trunks.items():
                trunk.behave = REJECTING.get(name) or Answers(after_s=0.1, hangs_up_after_s=0.3)
            found = Walkers(stage, STATUSES)
            await found.until_lines_work()
            yield found


def check(calls: list[Walked]) -> None:
    """Every real call must leave the journal that the walk in Python leaves."""
    for call in calls:
        assert call.real == call.expected, call.told


def scripts_by_chance(count: int) -> list[Script]:
    """The same ones every time, each longer than the last. What ends a menu is rare in them."""
    dice = random.Random(12345)  # noqa: S311 - no secret
    keys = {"1": 4, "4": 4, "#": 6, "8": 3, "9": 3, "7": 2, "6": 2, "3": 2, "2": 2, "5": 1, "0": 1, "*9": 1, "*2": 1}
    found = [dice.choices([*keys], weights=[*keys.values()], k=length) for length in range(1, count + 1)]
    return [script(dice.choice([TREE, "12345"]), *presses, "0") for presses in found]


EXAMPLE_NUMBERS = ("12345", "12333", "12315", "12318", "12301", "12366", "12319", "12320", "12328", "12329")
KEYS = "0123456789#"
WAYS = {
    "nobody is kept in menus for ever": [
        script("12345", *"9" * 25, hurried=True),
        script(TREE, *"14##" * 8, hurried=True),
    ],
    "silence leads to a person": [
        script("12345", "7", SILENCE, "9", "5", "0"),
        script(HASTY, SILENCE, SILENCE, SILENCE),
        script(HASTY),
    ],
    "a star waits for its digit": [
        *(script("12345", f"*{key}", "0") for key in "0123456789*#"),
        script("12345", "*", "*9", "*"),
    ],
    "every number is served by its mode": [
        *(script(number, "0") for number in EXAMPLE_NUMBERS),
        *(script(number) for number in ("110", "119", "120", "122", "96333")),
        *(script(number) for number in ("12399", "99", "12345678901234567890")),
        *(script("12333", caller=caller) for caller in ("+8613800138000", "anonymous")),
        *(script(number, caller=BLOCKED) for number in ("12345", "119", "12399")),
    ],
    "every key means the same": [script(*way, key, "0") for way in (["12345"], ["12345", "4"], [TREE]) for key in KEYS],
    "there is a way back from submenus": [
        script(TREE, "1", "4", "#", "#", "#", "9", "0"),
        script(TREE, "2", "4", "#", "#", "5"),
    ],
    "a language is kept, and demanded": [
        script("12345", "8", "4", "3", "#", "1"),
        script(TREE, "8", "1", "5", "7", "#", "7", "4"),
        script(TREE, "8", "4", "*2"),
    ],
    "attempts are counted for each menu": [
        script("12345", "5", "6", "7"),
        script("12345", "4", "5", "#", "5", "7", "*9"),
    ],
    "keys without a meaning change nothing while waiting": [
        script("12345", "0", "9", "#", "*9", "**", "*#", "*3"),
        *(script("12333", f"*{key}") for key in "012345"),
    ],
    "who waits can ask to be called back": [
        script("12333", "1"),
        script("12345", "8", "0", "6", "1", "3"),
        *(script("12333", "1", "2", "1", caller=caller) for caller in ("anonymous", "12", "110", "12345")),
        script("12333", "1", caller="+8613800138001"),
    ],
    "who waits can choose other people, or hear a prompt": [
        script("12333", "6", "3", "2", "5", "6", "*4"),
        script(TREE, "8", "4", "3", "2", "6"),
        script("12345", "*7", "2", "3", "6"),
    ],
    "a line that fails is replaced": [
        *(script(number) for number in (UNREACHED, SECOND_LINE, NO_LINE)),
        script(TREE, "3", "*6"),
        script("12345", "8", "*7"),
        script("12333", "*7", "*7", "1", "*6"),
    ],
    "keys may be pressed ahead": [
        script("12345", *"4#42", hurried=True),
        script(TREE, *"14##2824", "1", hurried=True),
        script(TREE, *"1499#9#8977", "4", hurried=True),
        script("12345", "9", "*9", Press("4", during="wrong_key"), "*2", hurried=True),
    ],
    "fifteen scripts by chance": scripts_by_chance(15),
}
"""What callers do on a working day. Those who take long come first."""

Ways = dict[str, list[Walked]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ways(walkers: Walkers) -> Ways:
    """All of these calls, at once, to save time."""
    calls = iter(await walkers.walk(TUESDAY, (told for scripts in WAYS.values() for told in scripts)))
    return {way: list(itertools.islice(calls, len(scripts))) for way, scripts in WAYS.items()}


@pytest.mark.parametrize("way", WAYS)
async def test_the_same_keys_leave_the_same_journal(walkers: Walkers, ways: Ways, way: str) -> None:
    # A second try places these calls again.
    check(ways.pop(way, []) or await walkers.walk(TUESDAY, WAYS[way]))


async def test_keys_count_while_prompts_play(walkers: Walkers) -> None:
    during = {
        "greeting_12345": [script("12345", Press(key, during="greeting_12345"), "0") for key in ("2", "9", "*4")],
        "recorded": [
            *(script(TREE, Press(key, during="recorded"), "0") for key in ("2", "9", "*2")),
            script("12333", Press("*1", during="recorded")),
            script(HASTY, Press("2", during="recorded"), Press("*1", during="notice_12301")),
        ],
        "wrong_key": [
            script(number, Press("*9", during=prompt), *(Press(key, during="wrong_key") for key in keys))
            for number, prompt in (("12345", "greeting_12345"), (TREE, "recorded"))
            for keys in (["0"], ["*8", "*"], ["*3"])
        ],
        "no_key": [script(HASTY, Press("1", during="recorded"), SILENCE, Press("0", during="no_key"))],
        "what_to_say": [
            script("12345", Press("4", during="greeting_12345"), "3", Press(key, during="what_to_say"))
            for key in ("1", "*1")
        ]
        + [script("12333", Press("2", during="please_wait"), Press(key, during="what_to_say")) for key in ("6", "*1")]
        + [
            script(
                "12345",
                Press("4", during="greeting_12345"),
                "4",
                Press("3", during="wrong_key"),
                Press("4", during="what_to_say"),
                Press("0", during="wrong_key"),
            )
        ],
        "notice_12318": [script(MERGED, Press("*2", during="notice_12318"))],
        "please_wait": [
            script("12345", Press("2", during="greeting_12345"), Press(key, during="please_wait"))
            for key in ("*1", "1", "3", "2")
        ],
        "call_back_kept": [
            script("12333", Press("1", during="please_wait"), Press("*2", during="call_back_kept")),
        ],
        "unreachable": [script(UNREACHED, Press("*2", during="unreachable"))],
        "notice_12366": [script("12366", Press("*5", during="notice_12366"))],
        "notice_12301": [script("12301", Press(key, during="notice_12301")) for key in ("*2", "*9")],
        "unknown_number": [script("12399", Press("*2", during="unknown_number"))],
        "blocked": [script("12345", Press("*1", during="blocked"), caller=BLOCKED)],
    }
    english = script("12345", Press("8", during="greeting_12345"), "0", Press("*1", during="to_person"))
    async with walkers.endless(*((prompt, "zh") for prompt in during), ("to_person", "en")):
        check(await walkers.walk(TUESDAY, (english, *(told for scripts in during.values() for told in scripts))))


async def test_emergency_keys_count_while_callers_hear_that_nobody_is_there(walkers: Walkers) -> None:
    during = {"12320": "closed_12320", "12328": "closed_12328", "12318": "notice_12318"}
    async with walkers.endless(*((prompt, "zh") for prompt in during.values())):
        scripts = [script(number, Press("*3", during=prompt)) for number, prompt in during.items()]
        check(await walkers.walk(datetime.fromisoformat("2027-05-20T22:00:00+08:00"), scripts))


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
    numbers = ("12320", "12328", "12318")
    check(await walkers.walk(datetime.fromisoformat(at), [script(number, "0") for number in numbers]))
