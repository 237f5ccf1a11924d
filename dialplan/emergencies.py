"""Emergency calls: two or more trunks, then our own operators; and the star keys that lead there."""

from calls.journal import EmergencyChosen, KeyPressed, TrunkEnded, TrunkTried
from dialplan.journal import said, wrote
from dialplan.names import EMERGENCY, LANGUAGE, ROOM, TOLD
from dialplan.recording import recorded_past
from dialplan.values import (
    Arg,
    At,
    Code,
    Context,
    Do,
    Extension,
    Goto,
    GotoIf,
    Here,
    Move,
    Put,
    Return,
    Target,
    code,
)
from settings.emergencies import EmergencyRoute, routes
from settings.shapes import Settings

RING_S = 20
"""So long an emergency centre may ring before the next trunk is tried."""
SECOND_KEY_S = 2
"""So long a star waits for its digit."""

CHOSEN = code("${HL_CHOSEN}")
TELLING = code("b(<told>^s^1)", told=TOLD)
"""An option of Dial that tells whoever is called of the call and of the note."""
CALLERS_NOTE = code("${FILTER(A-Za-z0-9%,${MASTER_CHANNEL(HL_NOTE)})}")
"""What the agent noted of the call, percent-encoded by the controller; empty: nothing."""
_TELLS = code('${IF($["${HL_TELLS}" = "yes"]?<telling>)}', telling=TELLING)
"""Where an agent passed the call on, the centre is told of it. Whoever calls by itself waits for nothing more."""


def emergency_context(settings: Settings) -> Context:
    """Extension = emergency number. Nothing before the trunk takes time, and nothing is asked."""
    again = Goto(to_emergency(settings, code("${HL_EMERGENCY}")))
    return Context(
        EMERGENCY,
        (
            *(_emergency(settings, route) for route in routes(settings.emergencies)),
            # A redirect that crosses the very jump here leads to the step before the first: see `dialplan.guard`.
            Extension("t", (again,)),
        ),
    )


def _emergency(settings: Settings, route: EmergencyRoute) -> Extension:
    steps: list[Move | At] = [
        Put("GROUP(load)", "emergency"),
        Put("HL_NUMBER", route.number),
        GotoIf(code('"${CHANNEL(state)}" != "Up"'), Here("try")),
        # Who dialled it is connected at once; who pressed a key is told that it was understood.
        *said("emergency", LANGUAGE, deaf=True),
    ]
    for place, trunk in enumerate(route.trunks):
        tried = dialled(trunk, route.dial, RING_S, _TELLS)
        steps += [At("try", tried[0]) if place == 0 else tried[0], *tried[1:]]
        steps.append(GotoIf(code('"${DIALSTATUS}" = "ANSWER"'), Here("done")))
        steps += recorded_past(settings, f"past_{place}")
    steps += [
        Do("Answer"),
        *said("emergency_operator", LANGUAGE, deaf=True),
        Put("HL_SKILLS", settings.emergencies.operator),
        Put("HL_PRIO", 0),
        Put("HL_EMERGENCY"),
        Goto(Target(ROOM)),
        At("done", Do("Hangup", (16,))),
    ]
    return Extension(route.number, tuple(steps))


def told_context() -> Context:
    """Runs on the leg to an emergency centre before it is called."""
    return Context(
        TOLD,
        (
            Extension(
                "s",
                (
                    Put("PJSIP_HEADER(add,X-Hotline-Ref)", code("${MASTER_CHANNEL(HL_REF)}")),
                    GotoIf(code('"<note>" = ""', note=CALLERS_NOTE), Here("end")),
                    Put("PJSIP_HEADER(add,X-Hotline-Note)", CALLERS_NOTE),
                    At("end", Return()),
                ),
            ),
        ),
    )


def dialled(trunk: str, number: str | Code, ring_s: int, more: Code | None = None) -> tuple[Move, ...]:
    """A call outwards and how it ended; the caller goes on after it. more: options of Dial, from `TELLING`.

    Whoever is called cannot send the call elsewhere (i).
    """
    address = code("PJSIP/<number>@<trunk>", number=number, trunk=trunk)
    options, reaches = ("gi", ()) if more is None else (code("gi<more>", more=more), (Target(TOLD),))
    return (
        wrote(TrunkTried, trunk=trunk, dial=number),
        Do("Dial", (address, ring_s, options), reaches=reaches),
        wrote(TrunkEnded, trunk=trunk, status=code("${DIALSTATUS}")),
    )


def to_emergency(settings: Settings, extension: Arg = CHOSEN) -> Target:
    """The part that handles an emergency number; which one is in a variable."""
    if not isinstance(extension, Code):
        return Target(EMERGENCY, extension)
    keyed = [route.number for route in routes(settings.emergencies) if route.key]
    return Target(EMERGENCY, extension, among=tuple(Target(EMERGENCY, number) for number in keyed))


def key_globals(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Which number a digit after the star means."""
    return tuple(
        (f"EMERGENCY_KEY_{route.key[1:]}", route.number) for route in routes(settings.emergencies) if route.key
    )


def star(settings: Settings, where: Arg, by: str, otherwise: Target, *, leaving: tuple[Move, ...] = ()) -> Extension:
    """The star key: with an emergency's digit after it, that emergency; else `otherwise`.

    The star is an extension of its own, so that Asterisk never waits for a second digit itself: it
    would take a call that is redirected in that moment for one that dialled a wrong number.
    """
    return Extension(
        "*",
        (
            # Option e: a hash is a key like any other.
            Do("Read", ("HL_KEY", "", 1, "e", 1, SECOND_KEY_S)),
            Put("HL_MISSED", code("*${HL_KEY}")),
            Put("HL_CHOSEN", code("${EMERGENCY_KEY_${HL_KEY}}")),
            GotoIf(code('"${HL_CHOSEN}" = ""'), otherwise),
            *chosen(settings, where, code("*${HL_KEY}"), by, leaving=leaving),
        ),
    )


def chosen(settings: Settings, where: Arg, key: Arg, by: str, *, leaving: tuple[Move, ...] = ()) -> tuple[Move, ...]:
    """An emergency key was pressed in full. From the first step on no redirect to a seat that is on its
    way can take the call: `connect` sends it back."""
    return (
        Put("HL_EMERGENCY", CHOSEN),
        wrote(KeyPressed, where=where, key=key),
        *leaving,
        wrote(EmergencyChosen, number=CHOSEN, by=by),
        Goto(to_emergency(settings)),
    )
