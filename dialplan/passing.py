"""A talk is passed on blindly: by the controller's redirect, or by the REFER of a seat's telephone.

Only goals of `routing.goals` are extensions of `transfer`, so that no telephone can send a call
anywhere else: Asterisk refuses a REFER to what is not there. The seat's leg has gone when a call comes here.
"""

from calls.journal import EmergencyChosen, Transferred
from dialplan.emergencies import dialled, star, to_emergency
from dialplan.guard import astray, crossed, entered, guarded
from dialplan.handover import noted
from dialplan.journal import said, wrote
from dialplan.names import CONNECT, HELD, LANGUAGE, LANGUAGES, PASSED, ROOM, TRANSFER, by_language, skills_text
from dialplan.numbers import CENTRE_RING_S
from dialplan.recording import recorded_on, recorded_past
from dialplan.tens import dialled_as, seat_names, typed
from dialplan.values import At, Code, Context, Do, Extension, Goto, GotoIf, Here, Move, Pattern, Put, Target, code
from settings.demands import demand
from settings.emergencies import EmergencyRoute, routes
from settings.shapes import Settings

OUTSIDE_RING_S = 45
OUTSIDE_NUMBER = code("${FILTER(0-9,${HL_GOAL})}")
"""Asterisk's patterns overlook dashes in what was dialled."""

_SEAT = Target(PASSED, "seat")
_LEAVES = Target(PASSED, "leaves")


def outside_patterns(settings: Settings) -> tuple[Pattern, ...]:
    """The numbers outside that may be dialled."""
    outside = settings.service.outside
    texts = outside.allowed if outside is not None else ()
    return tuple(typed(text) for text in texts)


def passing_contexts(settings: Settings) -> tuple[Context, ...]:
    return (_transfer(settings), _passed(settings))


def _transfer(settings: Settings) -> Context:
    """Extension = goal. The least of steps for each: there may be thousands of seats."""
    begin = (*entered(), Put("HL_GOAL", code("${EXTEN}")))
    seats = seat_names(settings.answering.seats)
    goals: list[Extension] = [
        Extension(route.number, (*begin, Goto(Target(PASSED, f"emergency_{route.number}"))))
        for route in routes(settings.emergencies)
    ]
    goals += [Extension(seat, (*entered(), Put("HL_GOAL", dialled_as(seat)), Goto(_SEAT))) for seat in seats]
    goals += [
        Extension(f"{kind}_{ident}", (*begin, Goto(Target(PASSED, f"{kind}_{ident}"))))
        for kind, idents in (("skill", settings.skills), ("centre", settings.service.centres))
        for ident in idents
    ]
    goals += [Extension(pattern, (*begin, Goto(Target(PASSED, "outside")))) for pattern in outside_patterns(settings)]
    # Only who was held can be astray here: held again, as before.
    return Context(TRANSFER, (*goals, crossed(Target(HELD))))


def _passed(settings: Settings) -> Context:
    """What follows, by the kind of the goal. HL_THEN names the part after a prompt."""
    service = settings.service
    parts = [
        *(_emergency(settings, route) for route in routes(settings.emergencies)),
        Extension("seat", (*_begun(settings), *_to_seat())),
        *(Extension(f"skill_{ident}", (*_begun(settings), *_to_skill(settings, ident))) for ident in settings.skills),
    ]
    for ident, centre in service.centres.items():
        parts += _outwards(settings, f"centre_{ident}", centre.trunk, centre.dial, CENTRE_RING_S)
    if service.outside is not None:
        parts += _outwards(settings, "outside", service.outside.trunk, OUTSIDE_NUMBER, OUTSIDE_RING_S)
    parts += [
        Extension("unreachable", _say("unreachable", "room")),
        Extension("room", (Goto(Target(ROOM)),)),
        Extension("end", (Do("Hangup", (16,)),)),
    ]
    then = Target(PASSED, code("${HL_THEN}"), among=tuple(Target(PASSED, part.text) for part in parts))
    return Context(
        PASSED,
        (
            *parts,
            star(settings, "waiting", "waiting", then),
            *astray(settings),
        ),
    )


def _begun(settings: Settings) -> tuple[Move | At, ...]:
    """Only a caller of ours is passed on: a telephone may also REFER whoever it called itself."""
    return (
        *guarded(settings),
        GotoIf(code('"${HL_REF}" = ""'), Target(PASSED, "end")),
        Put("GROUP(seat)"),
        # Whoever else was in a conversation of more than two is not left in it alone.
        GotoIf(code("${CONFBRIDGE_INFO(parties,${HL_REF})} = 0"), Here("alone")),
        Do("ConfKick", (code("${HL_REF}"), "all")),
        At("alone", wrote(Transferred, to=code("${HL_GOAL}"), how="blind")),
        *recorded_on(settings),
    )


def _to_seat() -> tuple[Move, ...]:
    return (
        Do("UserEvent", ("Sent", code("Ref: ${HL_REF}"), code("Seat: ${HL_GOAL}"))),
        Goto(Target(CONNECT, code("${HL_GOAL}"), among=(Target(CONNECT, "_X."),))),
    )


def _to_skill(settings: Settings, skill: str) -> tuple[Move, ...]:
    """It waits since it first did: whoever has talked before is ahead of those who came later."""
    texts = {language: skills_text(demand(settings, skill, language)) for language in LANGUAGES}
    return Put("HL_SKILLS", by_language(texts)), Goto(Target(ROOM))


def _emergency(settings: Settings, route: EmergencyRoute) -> Extension:
    return Extension(
        f"emergency_{route.number}",
        (
            *_begun(settings),
            Put("HL_EMERGENCY", route.number),
            *_left(),
            wrote(EmergencyChosen, number=route.number, by="transfer"),
            *noted(route.number),
            Put("HL_TELLS", "yes"),
            Goto(to_emergency(settings, route.number)),
        ),
    )


def _outwards(settings: Settings, part: str, trunk: str, number: str | Code, ring_s: int) -> tuple[Extension, ...]:
    return (
        Extension(part, (*_begun(settings), *_left(), *_say("transferring", f"{part}_dial"))),
        Extension(
            f"{part}_dial",
            (
                *dialled(trunk, number, ring_s),
                GotoIf(code('"${DIALSTATUS}" = "ANSWER"'), Target(PASSED, "end")),
                *recorded_past(settings),
                Goto(Target(PASSED, "unreachable")),
            ),
        ),
    )


def _left() -> tuple[Move, ...]:
    """No seat of ours has the caller any more."""
    return Put("HL_SEAT"), Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: transfer")))


def _say(prompt: str, then: str) -> tuple[Move, ...]:
    """A prompt in which emergency keys count, and the part after it."""
    return (Put("HL_THEN", then), *said(prompt, LANGUAGE), Goto(Target(PASSED, then)))
