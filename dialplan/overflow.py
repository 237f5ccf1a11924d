"""Callers whom the waiting room cannot serve: to another centre, or to the duty officer."""

import math

from calls.journal import Overflowed
from dialplan.emergencies import dialled, star
from dialplan.guard import astray, entered, guarded
from dialplan.journal import said, wrote
from dialplan.names import CONNECT, LANGUAGE, OVERFLOW, ROOM
from dialplan.numbers import CENTRE_RING_S
from dialplan.recording import recorded_past
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Move, Put, Target, code
from settings.service import Centre
from settings.shapes import Settings
from settings.staff import DutyOfficer

DUTY_RING_S = 30
"""So long the duty officer's telephone may ring."""
DUTY_REST_S = 20
"""So long a caller whom the duty officer did not take waits at least before the next attempt."""

DUTY = "duty"


def centre_way(ident: str) -> str:
    return f"centre_{ident}"


def ways(settings: Settings) -> tuple[str, ...]:
    """Where a caller can be sent."""
    duty = (DUTY,) if settings.shifts.duty_officer is not None else ()
    return (*(centre_way(ident) for ident in settings.service.centres), *duty)


def overflow_context(settings: Settings) -> Context:
    """Extension = where to. Whoever is not taken there waits again, since the same moment."""
    parts: list[Extension] = []
    for ident, centre in settings.service.centres.items():
        parts += _to_centre(settings, centre_way(ident), centre)
    if settings.shifts.duty_officer is not None:
        parts += _to_duty(settings, settings.shifts.duty_officer)
    parts += [Extension("unreachable", _said("unreachable", "room")), Extension("room", (Goto(Target(ROOM)),))]
    then = Target(OVERFLOW, code("${HL_THEN}"), among=tuple(Target(OVERFLOW, part.text) for part in parts))
    return Context(
        OVERFLOW,
        (
            *parts,
            star(settings, "waiting", "waiting", then),
            *astray(settings),
        ),
    )


def _to_centre(settings: Settings, way: str, centre: Centre) -> tuple[Extension, ...]:
    return (
        Extension(way, (*entered(), *guarded(settings), *_left(way), *_said("to_centre", f"{way}_dial"))),
        Extension(f"{way}_dial", _tried(settings, centre.trunk, centre.dial, CENTRE_RING_S)),
    )


def _to_duty(settings: Settings, officer: DutyOfficer) -> tuple[Extension, ...]:
    begin = (*entered(), *guarded(settings), *_left(DUTY), *_said("to_duty", f"{DUTY}_dial"))
    return Extension(DUTY, begin), Extension(f"{DUTY}_dial", _officer(settings, officer))


def _officer(settings: Settings, officer: DutyOfficer) -> tuple[Move | At, ...]:
    match officer:
        case DutyOfficer(seat=str(seat)):
            sent = Do("UserEvent", ("Sent", code("Ref: ${HL_REF}"), code("Seat: <seat>", seat=seat)))
            to_seat = Goto(Target(CONNECT, seat, among=(Target(CONNECT, "_X."),)))
            return _not_before(math.ceil(settings.answering.ring)), sent, to_seat
        case DutyOfficer(trunk=str(trunk), dial=str(dial)):
            return _not_before(DUTY_RING_S), *_tried(settings, trunk, dial, DUTY_RING_S)
        case _:
            return (Goto(Target(ROOM)),)


def _not_before(ring_s: int) -> Put:
    """The next attempt while no controller decides of it."""
    return Put("HL_DUTY_AT", code("$[${EPOCH} + <rest>]", rest=ring_s + DUTY_REST_S))


def _left(way: str) -> tuple[Move, ...]:
    return (
        Do("StopMusicOnHold"),
        Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: overflow"))),
        wrote(Overflowed, to=way),
    )


def _said(prompt: str, then: str) -> tuple[Move, ...]:
    """A prompt in which emergency keys count, and the part after it."""
    return (Put("HL_THEN", then), *said(prompt, LANGUAGE), Goto(Target(OVERFLOW, then)))


def _tried(settings: Settings, trunk: str, number: str, ring_s: int) -> tuple[Move | At, ...]:
    return (
        *dialled(trunk, number, ring_s),
        GotoIf(code('"${DIALSTATUS}" = "ANSWER"'), Here("done")),
        *recorded_past(settings),
        Goto(Target(OVERFLOW, "unreachable")),
        At("done", Do("Hangup", (16,))),
    )
