"""What callers meet, key by key."""

from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from calls.journal import (
    Arrived,
    CallBackWanted,
    Closed,
    EmergencyChosen,
    KeyMissed,
    KeyPressed,
    LanguageChosen,
    MenuEntered,
    RecordingStarted,
    Refused,
    RoomEntered,
    Said,
    Served,
    Step,
    TrunkEnded,
    TrunkTried,
)
from ivr.graph import graph
from ivr.steps import Person, ToEmergency
from ivr.walk import ANY, MENUS_AT_MOST, SILENCE, Press, blank, walk
from routing.hours import moment
from settings.shapes import Settings
from tests.support.full_service import FULL_SERVICE
from tests.support.settings_maker import PLAIN, city
from tests.support.settings_strategies import cities

TUESDAY_10 = datetime.fromisoformat("2025-11-18T10:00:00+08:00")
TUESDAY_20 = datetime.fromisoformat("2025-11-18T20:00:00+08:00")
NOBODY = {"emergency_a": "CHANUNAVAIL", "emergency_b": "NOANSWER"}
FRONT: list[Step] = [Arrived(ANY, "12345", "", ANY), RecordingStarted(ANY), Served("12345", "primary", "dialled")]
OPENING: list[Step] = [*FRONT, Said("hello", "zh"), Said("recorded", "zh")]
MAIN = [MenuEntered("main", 1), Said("main", "zh")]
PERSON = [Said("to_person", "zh"), RoomEntered("general", 5, 0), Said("please_wait", "zh")]


def called(
    dialled: str, *presses: Press | str, at: datetime = TUESDAY_10, settings: Settings | None = None, **more: Any
) -> list[Step]:
    script = [Press(press) if isinstance(press, str) else press for press in presses]
    told = settings or city()
    return walk(told, dialled, script, moment(told, at), **more)


def after_main(*presses: Press | str, **more: Any) -> list[Step]:
    """What follows after 12345's greeting, announcement and menu prompt."""
    steps = called("12345", *presses, **more)
    assert steps[:7] == [*OPENING, *MAIN]
    return steps[7:]


def changed(field: str, path: tuple[str, ...], value: Any) -> Settings:
    """The small city with one value of one file changed."""
    data = deepcopy(PLAIN[field])
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return city(**{field: data})


def test_a_number_without_a_menu_leads_to_its_people() -> None:
    assert called("12333") == [
        Arrived(ANY, "12333", "", ANY),
        RecordingStarted(ANY),
        Served("12333", "parallel", "dialled"),
        Said("hello_social", "zh"),
        Said("recorded", "zh"),
        RoomEntered("social", 4, 0),
        Said("please_wait", "zh"),
    ]


def test_zero_reaches_a_person() -> None:
    assert after_main("0") == [KeyPressed("main", "0"), *PERSON]


def test_a_key_leads_to_another_number_which_does_not_greet() -> None:
    assert after_main("1") == [
        KeyPressed("main", "1"),
        Served("12333", "parallel", "menu"),
        RoomEntered("social", 4, 0),
        Said("please_wait", "zh"),
    ]


def test_a_key_leads_to_a_queue_with_its_own_priority() -> None:
    assert after_main("2")[:2] == [KeyPressed("main", "2"), RoomEntered("social", 3, 0)]


def test_a_queue_without_a_priority_has_that_of_the_number() -> None:
    settings = changed("numbers", ("12345", "priority"), 2)
    assert RoomEntered("general", 2, 0) in after_main("3", "1", settings=settings)


def test_a_submenu_leads_back() -> None:
    assert after_main("3", "#", "0") == [
        KeyPressed("main", "3"),
        MenuEntered("more", 1),
        Said("more", "zh"),
        KeyPressed("more", "#"),
        *MAIN,
        KeyPressed("main", "0"),
        *PERSON,
    ]


def test_back_in_the_outermost_menu_says_it_again() -> None:
    settings = changed("menus", ("main", "keys", "7"), "back")
    assert after_main("7", "0", settings=settings)[:3] == [KeyPressed("main", "7"), *MAIN]


def test_a_prompt_is_said_and_then_the_menu_again() -> None:
    assert after_main("4", "0")[:4] == [KeyPressed("main", "4"), Said("hint", "zh"), *MAIN]


def test_a_chosen_language_is_spoken_and_demanded() -> None:
    assert after_main("8", "0") == [
        KeyPressed("main", "8"),
        LanguageChosen("en"),
        MenuEntered("main", 1),
        Said("main", "en"),
        KeyPressed("main", "0"),
        Said("to_person", "en"),
        RoomEntered("english+general", 5, 0),
        Said("please_wait", "en"),
    ]


def test_silence_and_wrong_keys_lead_to_a_person_after_three_attempts() -> None:
    assert after_main(SILENCE, "5") == [
        KeyMissed("main", "silence"),
        Said("no_key", "zh"),
        MenuEntered("main", 2),
        Said("main", "zh"),
        KeyMissed("main", "wrong", "5"),
        Said("wrong_key", "zh"),
        MenuEntered("main", 3),
        Said("main", "zh"),
        KeyMissed("main", "silence"),
        *PERSON,
    ]


def test_a_good_key_makes_earlier_attempts_forgotten() -> None:
    steps = after_main("5", "9", SILENCE)
    assert [step.attempt for step in steps if isinstance(step, MenuEntered)] == [2, 1, 2, 3]


def test_endless_repeats_end_with_a_person() -> None:
    steps = called("12345", *["9"] * 50)
    assert Counter(type(step) for step in steps)[MenuEntered] == MENUS_AT_MOST
    assert steps[-4:] == [KeyPressed("main", "9"), *PERSON]


def test_a_key_during_the_greeting_is_the_menu_s_first_one() -> None:
    assert called("12345", Press("2", during="hello"))[3:6] == [
        Said("hello", "zh"),
        MenuEntered("main", 1),
        KeyPressed("main", "2"),
    ]


def test_a_key_during_the_announcement_is_the_menu_s_first_one() -> None:
    assert called("12345", Press("5", during="recorded"), "0")[4:8] == [
        Said("recorded", "zh"),
        MenuEntered("main", 1),
        KeyMissed("main", "wrong", "5"),
        Said("wrong_key", "zh"),
    ]


def test_a_key_while_the_mistake_is_told_is_the_next_attempt_s() -> None:
    assert after_main("5", Press("0", during="wrong_key"))[2:4] == [MenuEntered("main", 2), KeyPressed("main", "0")]


def test_a_plain_key_during_a_greeting_without_a_menu_means_nothing() -> None:
    assert called("12333", Press("1", during="hello_social")) == called("12333")


EMERGENCY = [Said("emergency", "zh"), TrunkTried("emergency_a", "119"), TrunkEnded("emergency_a", "ANSWER")]


def test_an_emergency_number_is_put_through_before_anything_else() -> None:
    assert called("119", caller="13900000000", full=True) == [
        Arrived(ANY, "119", "13900000000", ANY),
        EmergencyChosen("119", "dialled"),
        *EMERGENCY[1:],
    ]


def test_an_emergency_that_no_trunk_takes_reaches_an_operator_first() -> None:
    assert called("120", trunks=NOBODY)[2:] == [
        TrunkTried("emergency_b", "120"),
        TrunkEnded("emergency_b", "NOANSWER"),
        TrunkTried("emergency_a", "120"),
        TrunkEnded("emergency_a", "CHANUNAVAIL"),
        Said("emergency_operator", "zh"),
        RoomEntered("general", 0, 0),
        Said("please_wait", "zh"),
    ]


def test_an_emergency_key_is_obeyed_in_a_menu() -> None:
    assert after_main("*2") == [KeyPressed("main", "*2"), EmergencyChosen("119", "menu"), *EMERGENCY]


@pytest.mark.parametrize("dialled", ["12333", "12329", "12366"])
def test_an_emergency_key_is_obeyed_during_prompts_without_a_menu(dialled: str) -> None:
    prompt = {"12333": "hello_social", "12329": "closed_office", "12366": "to_tax"}[dialled]
    steps = called(dialled, Press("*2", during=prompt), at=TUESDAY_20)
    assert steps[-6:] == [Said(prompt, "zh"), KeyPressed("greeting", "*2"), EmergencyChosen("119", "menu"), *EMERGENCY]


def test_an_emergency_key_is_obeyed_while_waiting_and_nobody_is_welcomed_twice() -> None:
    assert called("12333", "7", "*2", trunks=NOBODY)[-9:] == [
        KeyPressed("waiting", "*2"),
        EmergencyChosen("119", "waiting"),
        Said("emergency", "zh"),
        TrunkTried("emergency_a", "119"),
        TrunkEnded("emergency_a", "CHANUNAVAIL"),
        TrunkTried("emergency_b", "119"),
        TrunkEnded("emergency_b", "NOANSWER"),
        Said("emergency_operator", "zh"),
        RoomEntered("general", 0, 0),
    ]


CITIZEN = "13800138000"


def waiting(*presses: Press | str, caller: str = CITIZEN, **more: Any) -> list[Step]:
    """What follows after 12333's people are waited for, where waiting callers have keys."""
    steps = called("12333", *presses, settings=city(**FULL_SERVICE), caller=caller, **more)
    assert steps[5:7] == [RoomEntered("social", 4, 0), Said("please_wait", "zh")]
    return steps[7:]


@pytest.mark.parametrize("during", [None, "please_wait", "still_waiting"])
def test_who_waits_can_ask_to_be_called_back_and_then_the_call_ends(during: str | None) -> None:
    assert waiting(Press("1", during), "*1", "3") == [
        KeyPressed("waiting", "1"),
        CallBackWanted(CITIZEN),
        Said("call_back_kept", "zh"),
    ]


@pytest.mark.parametrize("caller", ["", "12", "+12", "119", "12345", "0085212345678", "+14155550100"])
def test_nobody_is_called_back_at_no_number_an_emergency_s_ours_or_abroad(caller: str) -> None:
    refused = [KeyPressed("waiting", "1"), Said("call_back_no_number", "zh")]
    assert waiting("1", Press("1", during="call_back_no_number"), caller=caller) == 2 * refused


def test_an_emergency_key_is_obeyed_while_a_call_back_is_promised() -> None:
    assert waiting("1", Press("*2", during="call_back_kept"))[3:] == [
        KeyPressed("waiting", "*2"),
        EmergencyChosen("119", "waiting"),
        *EMERGENCY,
    ]


def test_who_waits_can_choose_other_people_and_is_not_welcomed_again() -> None:
    assert waiting("4", "3", language="zh") == [
        KeyPressed("waiting", "4"),
        RoomEntered("general", 2, 0),
        KeyPressed("waiting", "3"),
        RoomEntered("social", 2, 0),
    ]
    assert RoomEntered("english+general", 2, 0) in called("12333", "4", settings=city(**FULL_SERVICE), language="en")


def test_who_waits_can_hear_a_prompt_or_the_place_and_other_keys_change_nothing() -> None:
    assert waiting("5", "2", Press("9", during="hint"), "#", "*9") == [
        KeyPressed("waiting", "2"),
        Said("hint", "zh"),
        KeyPressed("waiting", "9"),
        Said("still_waiting", "zh"),
    ]


def test_without_a_line_to_call_back_on_the_key_means_nothing() -> None:
    service = {**FULL_SERVICE["service"], "call_back": None}
    assert CallBackWanted(CITIZEN) not in called("12333", "1", settings=city(service=service), caller=CITIZEN)
    assert called("12333", "1", settings=city(service=service)) == called("12333", settings=city(service=service))


def test_a_star_that_is_no_emergency_is_a_wrong_key() -> None:
    assert after_main("*9", "*")[0] == KeyMissed("main", "wrong", "*9")
    assert KeyMissed("main", "wrong", "*") in after_main("*9", "*")


def test_a_cancelled_number_says_so_and_ends() -> None:
    assert called("12301")[2:] == [
        Served("12301", "whole", "dialled"),
        Said("cancelled", "zh"),
        Refused("cancelled"),
    ]


def test_a_merged_number_says_so_and_goes_on_as_the_other_from_its_day_on() -> None:
    merged = called("12318", "0", at=datetime(2025, 12, 31, 16, tzinfo=UTC))
    assert merged[2:7] == [
        Served("12318", "whole", "dialled"),
        Said("moved", "zh"),
        Served("12345", "primary", "merged"),
        Said("hello", "zh"),
        Said("recorded", "zh"),
    ]
    before = called("12318", at=datetime(2025, 12, 31, 15, 59, tzinfo=UTC))
    assert before[2] == Served("12318", "parallel", "dialled")


def test_a_sub_centre_is_called_and_our_people_answer_when_it_does_not() -> None:
    tried_centre = [Said("to_tax", "zh"), TrunkTried("tax_centre", "12366")]
    assert called("12366")[3:] == [*tried_centre, TrunkEnded("tax_centre", "ANSWER")]
    assert called("12366", trunks={"tax_centre": "CONGESTION"})[3:] == [
        *tried_centre,
        TrunkEnded("tax_centre", "CONGESTION"),
        Said("unreachable", "zh"),
        RoomEntered("general", 5, 0),
        Said("please_wait", "zh"),
    ]


def test_out_of_hours_a_notice_is_said_and_the_call_ends_or_a_person_takes_it() -> None:
    closed = [Closed("12329", "office"), Said("closed_office", "zh")]
    assert called("12329", at=TUESDAY_20)[3:] == closed
    person = changed("numbers", ("12329", "closed", "then"), "person")
    assert called("12329", at=TUESDAY_20, settings=person)[3:] == [
        *closed,
        RoomEntered("general", 5, 0),
        Said("please_wait", "zh"),
    ]
    assert Closed("12329", "office") not in called("12329", at=TUESDAY_10)


def test_who_cannot_be_served_is_told_why() -> None:
    assert called("12399")[1:] == [Refused("unknown"), Said("unknown_number", "zh")]
    assert called("12333", at=datetime(2021, 5, 31, tzinfo=UTC))[1:] == called("12399")[1:]
    assert called("12345", full=True)[1:] == [Refused("full"), Said("full", "zh")]
    assert called("12345", caller="13900000000")[1:] == [Refused("blocked"), Said("blocked", "zh")]


def test_a_blocked_caller_is_served_again_after_the_last_day() -> None:
    settings = city(blocked=[{"number": "13900000000", "reason": "占线", "author": "8001", "until": "2025-11-17"}])
    assert called("12333", caller="13900000000", settings=settings)[1] == RecordingStarted(ANY)


def test_an_unrecorded_call_is_told_of_no_recording() -> None:
    settings = changed("server", ("recording", "enabled"), value=False)
    steps = called("12333", settings=settings)
    assert RecordingStarted(ANY) not in steps
    assert Said("recorded", "zh") not in steps


def test_a_call_may_begin_in_another_language() -> None:
    assert called("12333", language="en")[-2:] == [RoomEntered("english+social", 4, 0), Said("please_wait", "en")]


def test_a_real_call_s_steps_compare_without_what_only_it_can_know() -> None:
    real: list[Step] = [
        Arrived("7f", "12333", "", "carrier"),
        RecordingStarted("7f.wav"),
        RoomEntered("social", 4, 1_700_000),
    ]
    assert [blank(step) for step in real] == [
        Arrived(ANY, "12333", "", ANY),
        RecordingStarted(ANY),
        RoomEntered("social", 4, 0),
    ]


def test_every_menu_has_a_person_and_every_emergency_key() -> None:
    made = graph(city())
    for menu in made.menus.values():
        assert menu.keys["0"] == Person()
        assert menu.keys["*3"] == ToEmergency("120")
        assert menu.keys["*5"] == ToEmergency("96333")
    assert [dated.mode for dated in made.numbers["12318"].dated] == ["parallel", "whole"]


KEYS = st.lists(st.sampled_from([*"0123456789#", "", "*1", "*9"]).map(Press), max_size=30)


@given(cities(), KEYS, st.datetimes(datetime(2020, 1, 1), datetime(2031, 1, 1)), st.data())  # noqa: DTZ001
@tried(deadline=None)
def test_every_call_ends_well_whatever_is_pressed(
    settings: Settings, presses: list[Press], at: datetime, data: st.DataObject
) -> None:
    dialled = data.draw(st.sampled_from([*settings.numbers, "119", "12399"]))
    steps = walk(settings, dialled, presses, moment(settings, at.replace(tzinfo=UTC)))
    assert sum(isinstance(step, MenuEntered) for step in steps) <= MENUS_AT_MOST
    served = any(isinstance(step, RoomEntered | TrunkEnded) for step in steps)
    dismissed = any(isinstance(step, Refused | Closed) for step in steps)
    assert served or dismissed
    pressed = [step for step in steps if isinstance(step, KeyPressed) and step.key == "*1"]
    assert bool(pressed) == any(isinstance(step, EmergencyChosen) and step.number == "110" for step in steps)
