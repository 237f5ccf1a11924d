"""What a waiting caller hears of the line: position and wait, as the controller answers them."""

import math

from calls.journal import PlaceTold
from dialplan.journal import said, wrote
from dialplan.names import LANGUAGE, ROOM
from dialplan.values import At, Code, Do, Extension, Goto, GotoIf, Here, Move, Play, Put, Target, code, joined
from settings.shapes import Settings
from settings.system_prompts import COUNTED_PROMPTS

NOT_KNOWN = -1
"""Minutes of a wait that nobody can tell."""


def asked() -> tuple[Move, ...]:
    """Asks the controller for the caller's place. An answer that comes after its time is told at no later one."""
    return (Put("HL_ASKED", "yes"), Put("HL_PLACE"), Do("UserEvent", ("Ask", code("Ref: ${HL_REF}"))))


def announcement(settings: Settings, then: Target) -> tuple[Extension, ...]:
    """Parts of the waiting room, `place` the first: keys count while they are heard."""
    announce = settings.service.announce
    # A key may ask for what is not announced by itself: then the position is told.
    position = announce.position or not announce.estimate
    after_position = _part("estimate") if announce.estimate else then
    spoken = (
        *_counted("position", "position_many", after_position),
        *_counted("estimate", "estimate_unknown", then),
    )
    return (
        Extension("place", _place(settings, then, _part("position" if position else "estimate"))),
        Extension("position", _position()),
        Extension("estimate", _estimate()),
        *spoken,
    )


def _place(settings: Settings, then: Target, known: Target) -> tuple[Move | At, ...]:
    """Without an answer, `position:minutes`, the caller hears that nobody is forgotten."""
    minutes = joined("|", (*COUNTED_PROMPTS["estimate"], NOT_KNOWN))
    # Only what there is a sound for.
    answered = code('${REGEX("^[1-9][0-9]*:(<minutes>)$" ${HL_PLACE})}', minutes=minutes)
    return (
        Put("HL_ASKED"),
        Put("HL_SAY_AT", code("$[${EPOCH} + <every>]", every=math.ceil(settings.service.announce.every))),
        Do("StopMusicOnHold"),
        Put("HL_ANSWERED", answered),
        Put("HL_POSITION", code("${CUT(HL_PLACE,:,1)}")),
        Put("HL_MINUTES", code("${CUT(HL_PLACE,:,2)}")),
        Put("HL_PLACE"),
        GotoIf(code('"${HL_ANSWERED}" = "1"'), Here("answered")),
        *said("still_waiting", LANGUAGE),
        Goto(then),
        At("answered", wrote(PlaceTold, position=code("${HL_POSITION}"), minutes=code("${HL_MINUTES}"))),
        Goto(known),
    )


def _position() -> tuple[Move, ...]:
    last = COUNTED_PROMPTS["position"][-1]
    return (
        GotoIf(code("${HL_POSITION} > <last>", last=last), _part("position_many")),
        Goto(_one_of("position", code("position_${HL_POSITION}"))),
    )


def _estimate() -> tuple[Move, ...]:
    return (
        GotoIf(code("${HL_MINUTES} = <none>", none=NOT_KNOWN), _part("estimate_unknown")),
        Goto(_one_of("estimate", code("estimate_${HL_MINUTES}"))),
    )


def _counted(prompt: str, otherwise: str, then: Target) -> tuple[Extension, ...]:
    """A part for each number that can be spoken, and one for all others."""
    parts = (*(f"{prompt}_{number}" for number in COUNTED_PROMPTS[prompt]), otherwise)
    return tuple(Extension(part, (Play(part, LANGUAGE), Goto(then))) for part in parts)


def _one_of(prompt: str, part: Code) -> Target:
    return Target(ROOM, part, among=tuple(_part(f"{prompt}_{number}") for number in COUNTED_PROMPTS[prompt]))


def _part(name: str) -> Target:
    return Target(ROOM, name)
