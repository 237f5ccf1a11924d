"""The waiting room: callers wait here until the controller sends them to a seat."""

import math
from typing import assert_never

from calls.journal import KeyPressed, RoomEntered
from dialplan.announce import announcement, asked
from dialplan.emergencies import star
from dialplan.guard import soon_found
from dialplan.journal import said, wrote
from dialplan.kept import call_back_asked
from dialplan.names import LANGUAGE, LANGUAGES, MUSIC, ROOM, SURVIVAL, by_language, skills_text
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Move, Put, Target, code
from dialplan.waiter import told
from settings.actions import Say, ToQueue, WaitAction, WaitDo
from settings.demands import demand
from settings.shapes import Settings

STALE_S = 3
"""A heartbeat older than this: no controller steers."""

STALE = code("${EPOCH} - 0${HL_BEAT} > <stale>", stale=STALE_S)

_WAIT = Target(ROOM, label="wait")
_BEAT = Target(ROOM, label="beat")
_PLACE = Target(ROOM, "place")


def room_context(settings: Settings) -> Context:
    leaving: tuple[Move, ...] = (
        Do("StopMusicOnHold"),
        Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: emergency"))),
    )
    keys = settings.service.keys.items()
    return Context(
        ROOM,
        (
            Extension("s", _waiting(settings)),
            *(Extension(key, _key(settings, key, action)) for key, action in keys if offered(settings, action)),
            star(settings, "waiting", "waiting", _WAIT, leaving=leaving),
            # Any other key: the music goes on, and so does an announcement.
            Extension("i", (Goto(_BEAT),)),
            Extension("call_back", call_back_asked(settings, _WAIT)),
            *announcement(settings, _WAIT),
        ),
    )


def offered(settings: Settings, action: WaitAction) -> bool:
    """Whether a key means something: there is no call back without a line to call on."""
    return not (isinstance(action, WaitDo) and action.do == "call_back") or settings.service.call_back is not None


def _waiting(settings: Settings) -> tuple[Move | At, ...]:
    announce = settings.service.announce
    asks = announce.position or announce.estimate
    return (
        soon_found(),
        Put("HL_SEAT"),
        Put("HL_CALLBACK"),
        Put("HL_ASKED"),
        Put("HL_SAY_AT", code("$[${EPOCH} + <first>]", first=math.ceil(announce.first))),
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
        At("beat", GotoIf(STALE, Target(SURVIVAL))),
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
    return (GotoIf(code("${EPOCH} < ${HL_SAY_AT}"), Here("beat")), Goto(_PLACE))


def _asks_in_time() -> tuple[Move, ...]:
    """The controller has a whole beat to answer; nobody waits for it."""
    return (
        GotoIf(code("${EPOCH} + 1 < ${HL_SAY_AT}"), Here("beat")),
        GotoIf(code('"${HL_ASKED}" = "yes"'), _PLACE),
        *asked(),
        Goto(Here("beat")),
    )


# --- keys --------------------------------------------------------------------------------------


def _key(settings: Settings, key: str, action: WaitAction) -> tuple[Move, ...]:
    return (wrote(KeyPressed, where="waiting", key=key), *_done(settings, action))


def _done(settings: Settings, action: WaitAction) -> tuple[Move, ...]:
    match action:
        case WaitDo(do="call_back"):
            return (Goto(Target(ROOM, "call_back")),)
        case WaitDo():
            return (*asked(), Put("HL_SAY_AT", code("${EPOCH}")), Goto(_BEAT))
        case Say(prompt=prompt):
            return (Do("StopMusicOnHold"), *said(prompt, LANGUAGE), Goto(_WAIT))
        case ToQueue(queue=skill, priority=priority):
            texts = {lang: skills_text(demand(settings, skill, lang)) for lang in LANGUAGES}
            own = (Put("HL_PRIO", priority),) if priority is not None else ()
            # The wait goes on: HL_T0 stays.
            return (Put("HL_SKILLS", by_language(texts)), *own, Goto(Target(ROOM)))
        case _:
            assert_never(action)
