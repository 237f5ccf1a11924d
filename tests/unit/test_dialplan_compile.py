"""Settings become a dialplan that leads somewhere, whatever valid settings they are."""

import ast
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits

from calls.journal import STEPS
from dialplan.compile import Compiled, SoundMissing, check_jumps, city_contexts, compile_city
from dialplan.jumps import missing_jumps
from dialplan.render import Unsafe
from dialplan.survival import combinations
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Move, Play, Target, code
from settings.demands import demands
from settings.emergencies import routes
from settings.shapes import Blocked, Hours, Settings
from tests.support.compiled_city import PLACES, TODAY, compiled, some_secrets, some_sounds
from tests.support.full_service import FULL_SERVICE
from tests.support.settings_maker import PLAIN, city
from tests.support.settings_strategies import cities


def section(text: str, name: str) -> list[str]:
    """The lines of one section of a file."""
    return text.split(f"[{name}]\n", 1)[1].split("\n\n", 1)[0].splitlines()


@given(cities())
@limits(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_valid_settings_compile_to_a_dialplan_whose_every_jump_exists(settings: Settings) -> None:
    made = compiled(settings)
    assert check_jumps(made) == []
    queues = made.files["queues.conf"]
    assert all(f"[survival_{'_'.join(sorted(skills))}]" in queues for skills in demands(settings))


@given(cities())
@limits(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_where_keys_are_heard_every_key_leads_somewhere(settings: Settings) -> None:
    heard = {"BackGround", "WaitExten"}
    for context in city_contexts(settings, TODAY):
        apps = {_app(step) for extension in context.extensions for step in extension.steps}
        if apps & heard:
            names = {extension.text for extension in context.extensions}
            assert "*" in names, f"{context.name} does not know the star"
            assert "WaitExten" not in apps or {"_[0-9A-D#]", "i"} & names, f"{context.name} would hang up on some keys"


def test_the_same_settings_give_the_same_text() -> None:
    assert compiled(city()).files == compiled(city()).files


def test_a_jump_that_leads_nowhere_is_named() -> None:
    lost = Extension("s", (Goto(Target("c", "s", 2)), Goto(Target(code("${X}"), among=(Target("nowhere"),)))))
    assert [str(jump) for jump in missing_jumps([Context("c", (lost,))])] == [
        "c,s jumps to nowhere,s,1, which is not there"
    ]
    assert missing_jumps([Context("c", (Extension("s", (Goto(Target(code("${X}"))),)),))])
    assert missing_jumps([], [Target("room")])


def test_emergency_numbers_stand_first_and_are_not_shadowed() -> None:
    arrival = [line for line in section(compiled(city()).files["extensions.conf"], "arrival") if "exten" in line]
    numbers = [route.number for route in routes(city().emergencies)]
    assert [line.split()[2].split(",")[0] for line in arrival[: len(numbers)]] == numbers
    assert section(compiled(city()).files["extensions.conf"], "emergency")[0].startswith("exten => 110,1,")


def test_a_dialled_number_with_anything_but_digits_reaches_no_dialplan() -> None:
    lines = section(compiled(city()).files["extensions.conf"], "arrival")
    patterns = [line.split()[2].split(",")[0] for line in lines if line.startswith("exten => _")]
    assert patterns
    assert all(set(pattern) == {"_", "X"} for pattern in patterns)


def test_a_caller_blocked_twice_is_blocked_until_the_later_day() -> None:
    twice = tuple(
        Blocked(number="13900000000", reason="r", author="a", until=until)
        for until in (date(2027, 1, 2), date(2026, 12, 1))
    )
    lines = section(compiled(city(blocked=twice)).files["extensions.conf"], "blocked")
    assert lines == ["exten => c13900000000,1,Return(20270102)", "exten => _c!,1,Return(0)"]


def test_only_days_unlike_their_weekday_are_listed_as_such() -> None:
    days = section(compiled(city(), today=date(2026, 9, 1)).files["extensions.conf"], "day")
    assert "exten => 20261001,1,Return(holiday)" in days
    assert not any("20260902" in line for line in days)


def test_a_span_that_ends_at_midnight_ends_after_its_last_minute() -> None:
    late = {"office": Hours.model_validate({"weekends": ["20:00-24:00"]})}
    lines = section(compiled(city(hours=late)).files["extensions.conf"], "hours_office")
    assert "exten => weekend,1,GotoIf($[${HL_TIME} >= 2000 & ${HL_TIME} < 2400]?hours_office,open,1)" in lines


def test_the_newest_mode_is_asked_for_first() -> None:
    lines = section(compiled(city()).files["extensions.conf"], "number_12318")
    asked = [line for line in lines if "${HL_TODAY} >=" in line]
    assert [line.split(">= ")[1][:8] for line in asked] == ["20260101", "20210601"]


def test_every_combination_of_skills_has_a_queue_with_the_seats_that_have_them_all() -> None:
    assert set(demands(city())) <= set(combinations(city()))
    queue = section(compiled(city()).files["queues.conf"], "survival_english_social")
    assert [line for line in queue if line.startswith("member")] == ["member = PJSIP/8001,0,8001,PJSIP/8001"]


def test_a_seat_where_somebody_must_sign_on_is_in_no_queue_of_its_own_accord() -> None:
    seats = {**PLAIN["answering"]["seats"], "8011": {}}
    queues = compiled(city(answering={**PLAIN["answering"], "seats": seats})).files["queues.conf"]
    assert "8011" not in queues
    assert "persistentmembers = yes" in section(queues, "general")


def test_what_a_key_in_the_waiting_room_demands_has_a_queue() -> None:
    skills = {**PLAIN["skills"], "tax": {"name": {"zh": "税务", "en": "Tax"}}}
    found = combinations(city(skills=skills, service={"keys": {"3": {"queue": "tax"}}}))
    assert {frozenset({"tax"}), frozenset({"tax", "english"})} <= set(found)


@pytest.mark.parametrize(
    ("shifts", "dial", "left_when"),
    [
        ({}, "PJSIP/{seat}", "no"),
        ({"duty_officer": {"seat": "8001"}}, "PJSIP/{seat}", "penalty,paused,unavailable,invalid"),
        ({"duty_officer": {"seat": "8001"}}, "PJSIP/edge/sip:{seat}@10.0.0.1", "penalty,paused"),
    ],
)
def test_callers_leave_a_deserted_queue_only_where_there_is_a_duty_officer(
    shifts: dict[str, Any], dial: str, left_when: str
) -> None:
    made = compiled(city(shifts=shifts, answering={**PLAIN["answering"], "dial": dial}))
    assert f"leavewhenempty = {left_when}" in section(made.files["queues.conf"], "survival_social")
    assert check_jumps(made) == []
    assert ("overflow,duty,1" in made.files["extensions.conf"]) == bool(shifts)


def test_every_way_out_of_the_waiting_room_is_there_and_guarded_against_a_key_that_crosses_it() -> None:
    made = compiled(city(**FULL_SERVICE))
    assert check_jumps(made) == []
    ways = [entry for entry in made.entries if entry.context in ("connect", "overflow")]
    assert {entry.extension for entry in ways} == {"_X.", "centre_tax", "duty"}
    for entry in ways:
        lines = section(made.files["extensions.conf"], str(entry.context))
        first = next(place for place, line in enumerate(lines) if line.startswith(f"exten => {entry.extension},1,"))
        assert [line.partition(",")[2] for line in lines[first : first + 2]] == ["1,NoOp()", "NoOp()"]
        assert "HL_EMERGENCY" in lines[first + 2]
        assert "HL_CALLBACK" in lines[first + 3]


def test_wherever_a_waiting_or_held_callers_jump_leads_a_redirect_that_crosses_it_ends_no_call() -> None:
    """The jump then leads to a step that is not there, which is the end of a call in a context without a `t`."""
    contexts = {context.name: context for context in compiled(city(**FULL_SERVICE)).contexts}
    waiting = ("room", "kept", "survival", "survival_keys", "overflow", "held", "party", "transfer", "passed")
    places = {
        str(place.context)
        for name in waiting
        for extension in contexts[name].extensions
        for step in extension.steps
        if isinstance(move := step.step if isinstance(step, At) else step, Goto | GotoIf)
        for place in ([] if isinstance(move.to, Here) else (move.to.among or (move.to,)))
    }
    assert {"room", "emergency", "kept", "survival", "connect", "overflow", "party", "talked"} <= places
    without = {name for name in {*places, *waiting} if "t" not in {part.text for part in contexts[name].extensions}}
    assert without == set()


@pytest.mark.parametrize("officer", [True, False])
def test_keys_of_waiting_callers_count_in_survival_but_for_the_position(officer: bool) -> None:
    shifts = FULL_SERVICE["shifts"] if officer else {}
    made = compiled(city(service=FULL_SERVICE["service"], shifts=shifts))
    assert check_jumps(made) == []
    lines = section(made.files["extensions.conf"], "survival_keys")
    found = [line.split()[2].partition(",")[0] for line in lines if line.startswith("exten => ")]
    assert found == ["*", "1", "2", "3", "4", "call_back", "t"]


def test_a_call_back_key_without_a_line_to_call_on_means_nothing() -> None:
    lines = section(compiled(city(service={"keys": {"1": "call_back"}})).files["extensions.conf"], "room")
    assert not [line for line in lines if line.startswith("exten => 1,")]


def test_a_seat_behind_a_proxy_is_dialled_by_its_template_and_not_asked_for_its_state() -> None:
    plain = city().answering.model_copy(update={"dial": "PJSIP/edge/sip:{seat}@10.0.0.1:5060"})
    text = compiled(city(answering=plain)).files["extensions.conf"]
    assert "Set(GROUP(seat)=${DIALEDPEERNUMBER:9:-14})" in text  # Of edge/sip:8001@10.0.0.1:5060.
    assert "Dial(PJSIP/edge/sip:${HL_SEAT}@10.0.0.1:5060,15,gim(hold)U(seat_leg))" in text
    assert "DEVICE_STATE" not in text


def test_nothing_is_recorded_or_announced_where_recording_is_off() -> None:
    server = city().server
    off = server.model_copy(update={"recording": server.recording.model_copy(update={"enabled": False})})
    text = compiled(city(server=off)).files["extensions.conf"]
    assert "MixMonitor" not in text
    assert "prompt=recorded" not in text


def test_a_prompt_without_a_sound_is_named() -> None:
    sounds = some_sounds(city())
    del sounds["main", "en"]
    with pytest.raises(SoundMissing, match="'main' has no sound for 'en'"):
        compile_city(city(), some_secrets(city()), PLACES, sounds, TODAY)


def test_every_step_of_the_journal_is_written_somewhere() -> None:
    text = compiled(city(**FULL_SERVICE)).files["extensions.conf"]
    assert [kind for kind in STEPS if f"CELGenUserEvent({kind}," not in text] == []


def test_code_is_only_ever_a_literal_of_ours(project: Path) -> None:
    """A value that is pasted into code would pass the renderer unseen."""
    for path in sorted((project / "dialplan").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "code":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"


def test_everything_listens_where_the_settings_say() -> None:
    files = compiled(city()).files
    assert "bind = 127.0.0.1:15060" in files["pjsip.conf"]
    assert files["pjsip.conf"].count("transport = udp\n") == files["pjsip.conf"].count("type = endpoint\n")
    assert files["manager.conf"].count("permit = 127.0.0.0/255.0.0.0\n") == 2
    assert "enabled = no" in files["http.conf"]


@pytest.mark.parametrize("hostile", ["${SHELL(x)}", "1\n[evil]", "]", "a,b", "a;b", 'a"b'])
def test_settings_that_slipped_past_their_check_inject_nothing(hostile: str) -> None:
    settings = city()
    main = settings.menus["main"]
    primary = settings.numbers["12345"]
    slipped: list[dict[str, Any]] = [
        {"numbers": {hostile: primary}},
        {"numbers": {"12345": primary.model_copy(update={"skill": hostile})}},
        {"menus": {hostile: main}},
        {"menus": {"main": main.model_copy(update={"prompt": hostile})}},
        {"menus": {"main": main.model_copy(update={"keys": {hostile: main.keys["9"]}})}},
        {"city": settings.city.model_copy(update={"timezone": hostile})},
        {"trunks": {**settings.trunks, "carrier": settings.trunks["carrier"].model_copy(update={"host": hostile})}},
        {"answering": settings.answering.model_copy(update={"seats": {hostile: settings.answering.seats["8001"]}})},
        {"answering": settings.answering.model_copy(update={"dial": "PJSIP/{seat}" + hostile})},
        {"emergencies": settings.emergencies.model_copy(update={"operator": hostile})},
        {"blocked": (settings.blocked[0].model_copy(update={"number": hostile}),)},
    ]
    for change in slipped:
        with pytest.raises((Unsafe, SoundMissing)):
            _compiled_blindly(settings.model_copy(update=change))


def test_a_number_that_is_a_pattern_is_refused() -> None:
    with pytest.raises(Unsafe):
        _compiled_blindly(city().model_copy(update={"numbers": {"_X.": city().numbers["12333"]}}))


def _compiled_blindly(settings: Settings) -> Compiled:
    sounds = some_sounds(settings)
    return compile_city(settings, some_secrets(settings), PLACES, sounds, TODAY)


def _app(step: Move | At) -> str:
    move = step.step if isinstance(step, At) else step
    if isinstance(move, Do):
        return str(move.app)
    return "BackGround" if isinstance(move, Play) and not move.deaf and move.keys is None else ""
