"""An agent hands its caller over to an emergency number: all three talk, and the centre is told what the agent noted.

In a talk the emergencies' keys count at the seat's telephone, too (features.conf). By one of them the seat's
leg leaves the talk for `handover` and `consult`. So the caller's Dial or Queue ends, and `talked`, which sees
that the leg has not, has the caller held, as the controller's redirect would. Nothing of it needs the controller.

The key redirects the leg at once: out of a subroutine, in which it could tell the caller's channel first,
Asterisk lets nobody be redirected.
"""

from calls.journal import NotePassed
from dialplan.emergencies import CALLERS_NOTE, told_context
from dialplan.guard import entered
from dialplan.journal import wrote
from dialplan.names import CONSULT, HANDOVER
from dialplan.values import (
    At,
    Code,
    ConfigFile,
    Context,
    Do,
    Extension,
    Goto,
    GotoIf,
    Here,
    Move,
    Put,
    Section,
    Target,
    code,
)
from settings.emergencies import EmergencyRoute, routes
from settings.shapes import Settings

SECOND_KEY_MS = 2000
"""So long a star that the agent pressed waits for its digit; then the caller hears it."""


def handed_numbers(settings: Settings) -> tuple[EmergencyRoute, ...]:
    """The emergencies that an agent's telephone reaches by a key."""
    return tuple(route for route in routes(settings.emergencies) if route.key)


def features(settings: Settings) -> ConfigFile:
    """features.conf: what keys do in the midst of a talk."""
    keys = tuple((f"hand_{route.number}", _leaves(route)) for route in handed_numbers(settings))
    general = Section("general", (("featuredigittimeout", SECOND_KEY_MS),))
    return ConfigFile((general, Section("applicationmap", keys, objects=True)))


def _leaves(route: EmergencyRoute) -> Code:
    """What the key does: the leg on which it is pressed goes to `handover`."""
    return code(
        "<key>,self,ChannelRedirect(${CHANNEL(name)},<context>,<number>,1)",
        key=route.key or "",
        context=HANDOVER,
        number=route.number,
    )


def keys_in_talks(settings: Settings) -> Put:
    """On a seat's leg that has answered: these keys count from now on."""
    return Put("DYNAMIC_FEATURES", "#".join(f"hand_{route.number}" for route in handed_numbers(settings)))


def handover_contexts(settings: Settings) -> tuple[Context, ...]:
    return (_handover(settings), told_context())


def handover_entries(settings: Settings) -> tuple[Target, ...]:
    """Where features.conf sends legs."""
    return tuple(Target(HANDOVER, route.number) for route in handed_numbers(settings))


def _handover(settings: Settings) -> Context:
    """Extension = emergency number."""
    return Context(HANDOVER, tuple(_handed(route.number) for route in handed_numbers(settings)))


def _handed(number: str) -> Extension:
    return Extension(
        number,
        (
            *entered(),
            Put("MASTER_CHANNEL(HL_HANDED)", number),
            Put("HL_JOIN", "yes"),
            Goto(Target(CONSULT, number)),
        ),
    )


def noted(number: str) -> tuple[Move | At, ...]:
    """The note that goes along is part of what happened to the call."""
    return (
        GotoIf(code('"<note>" = ""', note=CALLERS_NOTE), Here("noted")),
        wrote(NotePassed, number=number, note=CALLERS_NOTE),
        At("noted", Do("NoOp")),
    )
