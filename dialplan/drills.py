"""A marked test call over each line of each emergency number.

The controller lets one begin at a time, as a Local channel; its other half only waits. Far ends know it by
the caller's name, by a header, and by other digits where the settings agree on them.
"""

from calls.journal import Arrived, Drilled, Refused, Said, TrunkEnded, TrunkTried
from dialplan.emergencies import RING_S
from dialplan.journal import named_in_log, wrote
from dialplan.names import DRILL, DRILL_MARKED, DRILL_SAID, LANGUAGES
from dialplan.values import At, Context, Do, Extension, GotoIf, Here, Move, Play, Put, Return, Target, code
from settings.emergencies import EmergencyRoute, routes
from settings.shapes import Primary, Settings

MARK = "TEST"
"""What stands for the caller's name."""


def drill_goal(number: str, trunk: str) -> str:
    """Which extension of the context `drill` calls this number over this line."""
    return f"{number}_{trunk}"


def drill_contexts(settings: Settings) -> tuple[Context, ...]:
    return (_drill(settings), _marked(), _said(settings))


def drill_entries(settings: Settings) -> tuple[Target, ...]:
    """Where the controller lets drills begin."""
    return tuple(Target(DRILL, goal) for goal in _goals(settings))


def _goals(settings: Settings) -> dict[str, tuple[EmergencyRoute, str]]:
    return {
        drill_goal(route.number, trunk): (route, trunk)
        for route in routes(settings.emergencies)
        for trunk in route.trunks
    }


def _drill(settings: Settings) -> Context:
    return Context(
        DRILL,
        tuple(Extension(goal, _called(settings, route, trunk)) for goal, (route, trunk) in _goals(settings).items()),
    )


def _called(settings: Settings, route: EmergencyRoute, trunk: str) -> tuple[Move | At, ...]:
    """HL_REF: the test call's id. It takes no place that an emergency could need."""
    dial = code("PJSIP/<number>@<trunk>", number=route.drill, trunk=trunk)
    options = code("gib(<marked>^s^1)U(<said>)", marked=DRILL_MARKED, said=DRILL_SAID)
    own = next((number for number, entry in settings.numbers.items() if isinstance(entry.modes[0], Primary)), "")
    return (
        named_in_log(),
        Put("GROUP(load)", "drill"),
        Put("CALLERID(num)", own),
        Put("CALLERID(name)", MARK),
        wrote(Arrived, ref=code("${HL_REF}"), dialled=route.number, caller="", trunk=""),
        wrote(Drilled, number=route.number, trunk=trunk),
        Do("Answer"),
        GotoIf(code("${GROUP_COUNT(drill@load)} > 1"), Here("put_off")),
        GotoIf(
            code("${GROUP_COUNT(emergency@load)} * 2 > <reserve>", reserve=settings.server.capacity.reserve),
            Here("put_off"),
        ),
        wrote(TrunkTried, trunk=trunk, dial=route.drill),
        Do("Dial", (dial, RING_S, options), reaches=(Target(DRILL_MARKED), Target(DRILL_SAID))),
        wrote(TrunkEnded, trunk=trunk, status=code("${DIALSTATUS}")),
        Do("Hangup", (16,)),
        At("put_off", wrote(Refused, why="full")),
        Do("Hangup", (42,)),
    )


def _marked() -> Context:
    """Runs on the leg to the centre before it is called."""
    mark = Put("PJSIP_HEADER(add,X-Hotline-Drill)", code("${HL_REF}"))
    return Context(DRILL_MARKED, (Extension("s", (mark, Return())),))


def _said(settings: Settings) -> Context:
    """Runs on the leg to the centre once it has answered, and ends it: nobody talks in a drill."""
    first = settings.city.language
    steps: list[Move] = []
    for language in (first, *(one for one in LANGUAGES if one != first)):
        steps += [wrote(Said, prompt="drill", language=language), Play("drill", language, deaf=True)]
    return Context(DRILL_SAID, (Extension("s", (*steps, Put("GOSUB_RESULT", "CONTINUE"), Return())),))
