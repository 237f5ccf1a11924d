"""The waiting room: callers wait here until the controller sends them to a seat."""

from calls.journal import RoomEntered
from dialplan.emergencies import star
from dialplan.journal import said, wrote
from dialplan.names import LANGUAGE, MUSIC, ROOM, SPOKEN_TO, SURVIVAL
from dialplan.values import At, Code, Context, Do, Extension, Goto, GotoIf, Here, Move, Pattern, Put, Target, code
from settings.shapes import Settings

STALE_S = 3
"""A heartbeat older than this: no controller steers."""
STILL_WAITING_S = 30
"""So often callers hear that they are not forgotten."""


def room_context(settings: Settings) -> Context:
    waiting = Target(ROOM, label="wait")
    leaving: tuple[Move, ...] = (
        Do("StopMusicOnHold"),
        Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: emergency"))),
    )
    return Context(
        ROOM,
        (
            Extension("s", _waiting()),
            star(settings, "waiting", "waiting", waiting, leaving=leaving),
            Extension(Pattern(SPOKEN_TO), (Goto(waiting),)),
        ),
    )


def _waiting() -> tuple[Move | At, ...]:
    return (
        Put("HL_SEAT"),
        Put("CALLERID(name)", code("${HL_NUMBER}")),
        GotoIf(code('"${HL_T0}" != ""'), Here("again")),
        Put("HL_T0", code("${STRFTIME(,,%s%3q)}")),
        _entered(),
        said("please_wait", LANGUAGE)[0],
        # Told before the prompt plays: a free seat need not wait for its end.
        told("Room"),
        said("please_wait", LANGUAGE)[1],
        Goto(Here("wait")),
        At("again", _entered()),
        told("Room"),
        At("wait", Do("StartMusicOnHold", (MUSIC,))),
        Put("HL_SAY_AT", code("$[${EPOCH} + <pause>]", pause=STILL_WAITING_S)),
        At("beat", GotoIf(code("${EPOCH} - 0${HL_BEAT} > <stale>", stale=STALE_S), Target(SURVIVAL))),
        Do("WaitExten", (1,)),
        GotoIf(code("${EPOCH} < ${HL_SAY_AT}"), Here("beat")),
        Do("StopMusicOnHold"),
        *said("still_waiting", LANGUAGE),
        Goto(Here("wait")),
    )


def _entered() -> Do:
    return wrote(
        RoomEntered,
        skills=code("${HL_SKILLS}"),
        priority=code("${HL_PRIO}"),
        t0_ms=code("${HL_T0}"),
    )


def told(event: str, *more: Code) -> Do:
    """A user event that describes who waits."""
    waiter = (
        code("Ref: ${HL_REF}"),
        code("T0: ${HL_T0}"),
        code("Skills: ${HL_SKILLS}"),
        code("Priority: ${HL_PRIO}"),
        code("Number: ${HL_NUMBER}"),
        code("Language: ${HL_LANG}"),
    )
    return Do("UserEvent", (event, *waiter, *more))
