"""The waiting room: callers wait here until the controller sends them to a seat."""

import math

from calls.journal import RoomEntered
from dialplan.announce import announcement, asked
from dialplan.emergencies import star
from dialplan.guard import crossed, soon_found
from dialplan.journal import said, wrote
from dialplan.names import LANGUAGE, MUSIC, ROOM, SURVIVAL
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Move, Put, PutAll, Target, code
from dialplan.waiter import told
from dialplan.waiting_keys import BEAT, room_keys
from settings.shapes import Settings

STALE_S = 3
"""A heartbeat older than this: no controller steers."""

STALE = code("${EPOCH} - 0${HL_BEAT} > <stale>", stale=STALE_S)

_WAIT = Target(ROOM, label="wait")
_BEAT = Target(ROOM, label=BEAT)
_PLACE = Target(ROOM, "place")


def room_context(settings: Settings) -> Context:
    leaving: tuple[Move, ...] = (
        Do("StopMusicOnHold"),
        Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: emergency"))),
    )
    return Context(
        ROOM,
        (
            Extension("s", _waiting(settings)),
            *room_keys(settings, _WAIT),
            star(settings, "waiting", "waiting", _WAIT, leaving=leaving),
            # Any other key: the music goes on, and so does an announcement.
            Extension("i", (Goto(_BEAT),)),
            # Told once more: the controller takes this caller for connected.
            crossed(Target(ROOM)),
            *announcement(settings, _WAIT),
        ),
    )


def _waiting(settings: Settings) -> tuple[Move | At, ...]:
    announce = settings.service.announce
    asks = announce.position or announce.estimate
    return (
        soon_found(),
        PutAll(
            (
                Put("HL_SEAT"),
                Put("HL_CALLBACK"),
                Put("HL_ASKED"),
                Put("HL_SAY_AT", code("$[${EPOCH} + <first>]", first=math.ceil(announce.first))),
            )
        ),
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
        Goto(Here(BEAT)),
        # Where a jump to the next step leads that a redirect has crossed, and won against.
        Goto(Target(ROOM)),
        At(BEAT, GotoIf(STALE, Target(SURVIVAL))),
        Do("WaitExten", (1,)),
        *(_asks_in_time() if asks else _in_time()),
    )


def _entered() -> Do:
    return wrote(
        RoomEntered,
        skills=code("${HL_SKILLS}"),
        priority=code("${HL_PRIO}"),
        t0_ms=code("${HL_T0}"),
    )


def _in_time() -> tuple[Move, ...]:
    return (GotoIf(code("${EPOCH} < ${HL_SAY_AT}"), Here(BEAT)), Goto(_PLACE))


def _asks_in_time() -> tuple[Move, ...]:
    """The controller has a whole beat to answer; nobody waits for it."""
    return (
        GotoIf(code("${EPOCH} + 1 < ${HL_SAY_AT}"), Here(BEAT)),
        GotoIf(code('"${HL_ASKED}" = "yes"'), _PLACE),
        *asked(),
        Goto(Here(BEAT)),
    )
