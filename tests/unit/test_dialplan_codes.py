"""What seats may dial: emergency numbers and the agents' codes, and nothing else."""

from calls.live import DeskCode
from dialplan.codes import REPLIES, seat_contexts
from dialplan.values import Ask, At, Extension, GotoIf, Play
from settings.emergencies import routes
from settings.shapes import Settings
from settings.system_prompts import SYSTEM_PROMPTS
from tests.support.compiled_city import compiled
from tests.support.settings_maker import PLAIN, city

BREAK = {"zh": "小休", "en": "Break"}


def extension(settings: Settings, name: str) -> Extension:
    return next(one for context in seat_contexts(settings) for one in context.extensions if one.text == name)


def asked(settings: Settings, name: str) -> list[tuple[str, int]]:
    return [(step.prompt, step.most) for step in extension(settings, name).steps if isinstance(step, Ask)]


def section(settings: Settings, name: str) -> str:
    return compiled(settings).files["extensions.conf"].split(f"[{name}]\n", 1)[1].split("\n\n", 1)[0]


def test_a_seat_dials_emergency_numbers_and_codes_and_nothing_else() -> None:
    seat, _ = seat_contexts(city())
    names = [one.text for one in seat.extensions]
    assert names == [*(route.number for route in routes(city().emergencies)), *(code.value for code in DeskCode)]


def test_signing_on_asks_for_the_number_and_the_pin_and_forgets_it_when_it_is_told() -> None:
    assert asked(city(), "*11") == [("desk_agent", 9), ("desk_pin", 9)]
    lines = section(city(), "seat").split("exten => *11,1,")[1].split("exten =>")[0].splitlines()
    told = next(place for place, line in enumerate(lines) if "UserEvent(Desk," in line)
    assert "Seat: ${CHANNEL(endpoint)},Code: *11,Keyed: ${FILTER(0-9,${HL_KEYED})}" in lines[told]
    assert lines[told + 1].endswith("Set(HL_PIN=)")


def test_a_pause_asks_for_the_reason_only_where_there_is_a_choice() -> None:
    assert asked(city(), "*13") == [("desk_reason", 1)]
    assert asked(city(agents={**PLAIN["agents"], "pauses": {"break": BREAK}}), "*13") == []
    many = {f"reason_{number}": BREAK for number in range(12)}
    assert asked(city(agents={**PLAIN["agents"], "pauses": many}), "*13") == [("desk_reason", 2)]


def test_only_known_answers_are_said_and_silence_means_that_the_controller_is_away() -> None:
    _, desk = seat_contexts(city())
    played = {step.prompt for one in desk.extensions for step in one.steps if isinstance(step, Play)}
    assert played == {*REPLIES, "desk_away"}
    wanted = {prompt for prompt in SYSTEM_PROMPTS if prompt.startswith("desk_")}
    assert wanted == played | {"desk_agent", "desk_pin", "desk_reason"}
    steps = [step.step if isinstance(step, At) else step for step in extension(city(), "s").steps]
    assert sum(isinstance(step, GotoIf) for step in steps) == len(REPLIES) + 2
    assert section(city(), "desk").split("exten => desk_on")[0].rstrip().endswith("Goto(desk,desk_away,1)")


def test_a_caller_blocked_at_the_desk_is_looked_up_by_the_filtered_number_after_the_settings_own() -> None:
    lines = section(city(), "admission").splitlines()
    place = next(place for place, line in enumerate(lines) if "DB(" in line)
    own = next(place for place, line in enumerate(lines) if "${HL_TODAY} <= ${GOSUB_RETVAL}" in line)
    assert own < place
    assert lines[place - 1].endswith('GotoIf($["${CALLERID(num)}" = ""]?let_in)'), "an anonymous caller has no entry"
    assert "<= 0${FILTER(0-9,${DB(blocked/${CALLERID(num)})})}]?refused,blocked,1)" in lines[place]
