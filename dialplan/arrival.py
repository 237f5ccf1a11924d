"""A call comes in: emergencies first, then whether it can be served at all."""

from calls.journal import Arrived, EmergencyChosen, Refused
from dialplan.clock import day_number, today
from dialplan.emergencies import star, to_emergency
from dialplan.journal import named_in_log, said, wrote
from dialplan.names import (
    ADMISSION,
    ARRIVAL,
    BLOCKED,
    CALLER,
    LANGUAGE,
    MUSIC,
    RECEIVED,
    REFUSED,
    number_context,
)
from dialplan.recording import recorded
from dialplan.values import (
    At,
    Context,
    Do,
    Extension,
    Gosub,
    Goto,
    GotoIf,
    Here,
    Move,
    Pattern,
    Put,
    PutAll,
    Return,
    Target,
    code,
)
from settings.emergencies import routes
from settings.shapes import Settings

LONGEST_NUMBER = 20
"""Digits. A longer dialled number, or one with anything else in it, gets a 404 and no dialplan at all."""
NEVER = "99999999"
"""Later than any day."""
_BLOCKED_AT_THE_DESK = code("${FILTER(0-9,${DB(blocked/${CALLERID(num)})})}")
"""The last day on which a caller is blocked who is not in the settings; empty for everybody else."""


def arrival_contexts(settings: Settings) -> tuple[Context, ...]:
    return (
        _arrival(settings),
        _admission(settings),
        _received(settings),
        _blocked(settings),
        _refused(settings),
    )


def _arrival(settings: Settings) -> Context:
    """Emergency numbers stand before everything that an operator can edit."""
    served = [
        Extension(
            number,
            (
                Put("HL_SINCE", day_number(min(mode.since for mode in entry.modes))),
                Goto(Target(ADMISSION, number, among=(Target(ADMISSION, "_X."),))),
            ),
        )
        for number, entry in settings.numbers.items()
    ]
    admission = Target(ADMISSION, code("${EXTEN}"), among=(Target(ADMISSION, "_X."),))
    unknown = [
        Extension(Pattern("_" + "X" * digits), (Put("HL_SINCE", NEVER), Goto(admission)))
        for digits in range(2, LONGEST_NUMBER + 1)
    ]
    return Context(ARRIVAL, (*emergency_numbers(settings), *served, *unknown))


def emergency_numbers(settings: Settings) -> tuple[Extension, ...]:
    """What comes first wherever somebody dials, a citizen or a seat."""
    return tuple(
        Extension(
            route.number,
            (
                Gosub(Target(RECEIVED), (route.number,)),
                wrote(EmergencyChosen, number=route.number, by="dialled"),
                Goto(to_emergency(settings, route.number)),
            ),
        )
        for route in routes(settings.emergencies)
    )


def _received(settings: Settings) -> Context:
    """A subroutine (argument: the number dialled) that every call begins with.

    No caller id is taken over from the network by itself (no module for that is loaded): it would
    stand unescaped in events before the dialplan could filter it. Here its digits are picked out of
    the From header `"name" <sip:user@host>`.
    """
    return Context(
        RECEIVED,
        (
            Extension(
                "s",
                (
                    Put("HL_REF", code("${UUID()}")),
                    named_in_log(),
                    PutAll((Put("HL_LANG", settings.city.language), Put("CHANNEL(musicclass)", MUSIC))),
                    Put("HL_FROM", code("${CHANNEL(pjsip,remote_uri)}")),
                    Put("HL_FROM", code("${CUT(HL_FROM,<sign>,${FIELDQTY(HL_FROM,<sign>)})}", sign=code("<"))),
                    Put("HL_FROM", code("${CUT(HL_FROM,:,2)}")),
                    Put("HL_FROM", code("${CUT(HL_FROM,@,1)}")),
                    Put("HL_FROM", code("${CUT(HL_FROM,;,1)}")),
                    Put("HL_FROM", code("${URIDECODE(${HL_FROM})}")),
                    Put("CALLERID(num)", code("${FILTER(0-9+,${HL_FROM})}")),
                    # A step of its own: a bracket in the number could take the `:0:20` for itself.
                    Put("CALLERID(num)", code("${CALLERID(num):0:20}")),
                    Put("HL_FROM"),
                    wrote(
                        Arrived,
                        ref=code("${HL_REF}"),
                        dialled=code("${ARG1}"),
                        caller=CALLER,
                        trunk=code("${HL_TRUNK}"),
                    ),
                    Return(),
                ),
            ),
        ),
    )


def _admission(settings: Settings) -> Context:
    """Extension = number dialled. Lets a call in, or refuses it and says why."""
    served = code("number_${EXTEN}")
    among = tuple(Target(number_context(number), "dialled") for number in settings.numbers)
    capacity = settings.server.capacity.ordinary
    return Context(
        ADMISSION,
        (
            Extension(
                Pattern("_X."),
                (
                    Gosub(Target(RECEIVED), (code("${EXTEN}"),)),
                    Put("GROUP(load)", "ordinary"),
                    GotoIf(code("${GROUP_COUNT(ordinary@load)} > <most>", most=capacity), Target(REFUSED, "full")),
                    Put("HL_TODAY", today(settings)),
                    GotoIf(code("${HL_TODAY} < ${HL_SINCE}"), Target(REFUSED, "unknown")),
                    Gosub(Target(BLOCKED, code("c${CALLERID(num)}"), among=(Target(BLOCKED, "_c!"),))),
                    GotoIf(code("${HL_TODAY} <= ${GOSUB_RETVAL}"), Target(REFUSED, "blocked")),
                    # Asterisk complains of a question without a number in it.
                    GotoIf(code('"${CALLERID(num)}" = ""'), Here("let_in")),
                    GotoIf(code("${HL_TODAY} <= 0<until>", until=_BLOCKED_AT_THE_DESK), Target(REFUSED, "blocked")),
                    At("let_in", Do("Answer")),
                    *recorded(settings),
                    Goto(Target(served, "dialled", among=among)),
                ),
            ),
        ),
    )


def _blocked(settings: Settings) -> Context:
    """A subroutine: extension = `c` and the caller's number, answer = last day on which it is blocked."""
    until: dict[str, str] = {}
    for entry in settings.blocked:
        until[entry.number] = max(until.get(entry.number, ""), day_number(entry.until))
    listed = [Extension(f"c{number}", (Return(last),)) for number, last in sorted(until.items())]
    return Context(BLOCKED, (*listed, Extension(Pattern("_c!"), (Return(0),))))


def full_listeners(settings: Settings) -> int:
    """So many refused callers at a time hear why; further ones are hung up on without a word.

    Otherwise a flood of calls would take the room that is kept for emergencies.
    """
    return max(1, settings.server.capacity.reserve // 4)


def _refused(settings: Settings) -> Context:
    """Extension = why. Emergency keys work here too: nobody is blocked from them."""
    listeners = full_listeners(settings)
    full: tuple[Move | At, ...] = (
        wrote(Refused, why="full"),
        Put("GROUP(load)", "refused"),
        Put("HL_THEN", "end_full"),
        GotoIf(code("${GROUP_COUNT(refused@load)} > <most>", most=listeners), Target(REFUSED, "end_full")),
        *_told("full", "full"),
    )
    ends = {"full": 42, "unknown": 1, "blocked": 21}
    then = tuple(Target(REFUSED, f"end_{why}") for why in ends)
    return Context(
        REFUSED,
        (
            Extension("full", full),
            *(_refusal(why, prompt) for why, prompt in (("unknown", "unknown_number"), ("blocked", "blocked"))),
            *(Extension(f"end_{why}", (Do("Hangup", (cause,)),)) for why, cause in ends.items()),
            star(settings, "greeting", "menu", Target(REFUSED, code("${HL_THEN}"), among=then)),
        ),
    )


def _refusal(why: str, prompt: str) -> Extension:
    return Extension(why, (wrote(Refused, why=why), Put("HL_THEN", f"end_{why}"), *_told(why, prompt)))


def _told(why: str, prompt: str) -> tuple[Move, ...]:
    return (Do("Answer"), *said(prompt, LANGUAGE), Goto(Target(REFUSED, f"end_{why}")))
