"""The only place that rings a seat for a waiting caller, and what follows the talk."""

import math

from calls.journal import SeatMissed, SeatOffered, TalkEnded
from dialplan.guard import astray, guarded
from dialplan.journal import wrote
from dialplan.names import CONNECT, MUSIC, ROOM, SEAT_LEG, TALKED
from dialplan.recording import recorded_on
from dialplan.survey import after_talk
from dialplan.values import (
    Address,
    At,
    Code,
    Context,
    Do,
    Extension,
    Goto,
    GotoIf,
    Here,
    Move,
    Pattern,
    Put,
    Return,
    Target,
    code,
)
from settings.shapes import Settings

GUARD_TRIES = 15
"""A seat looks free 5 to 20 ms before its last call has left; so often it is looked at again."""
CAUSE_TRIES = 25
"""So often, 20 ms apart, the seat's leg is asked why it ended; it ends in another thread."""
LOST = 44
"""Q.850 cause of a leg whose media stopped: the seat's telephone died, the caller did not hang up."""


def connect_context(settings: Settings) -> Context:
    """Extension = seat."""
    dial = seat_address(settings, code("${EXTEN}"))
    ring_s = math.ceil(settings.answering.ring)
    return Context(
        CONNECT,
        (
            Extension(
                Pattern("_X."),
                (
                    *guarded(settings),
                    Put("HL_SEAT", code("${EXTEN}")),
                    wrote(
                        SeatOffered,
                        seat=code("${HL_SEAT}"),
                        # A global variable of each seat, empty where nobody is signed on.
                        agent=code("${FILTER(0-9,${AGENT_${HL_SEAT}})}"),
                    ),
                    Put("HL_TRY", 0),
                    Put("HL_WHY", "TAKEN"),
                    At("guard", GotoIf(free(settings, dial), Here("take"))),
                    Put("HL_TRY", code("$[${HL_TRY} + 1]")),
                    GotoIf(code("${HL_TRY} > <tries>", tries=GUARD_TRIES), Here("missed")),
                    Do("Wait", (code("0.02"),)),
                    Goto(Here("guard")),
                    At("take", Put("GROUP(seat)", code("${EXTEN}"))),
                    GotoIf(code("${GROUP_COUNT(${EXTEN}@seat)} > 1"), Here("missed")),
                    Put("HL_CAUSE"),
                    Do(
                        "Dial",
                        (dial, ring_s, code("gm(<music>)U(<leg>)", music=MUSIC, leg=SEAT_LEG)),
                        reaches=(Target(SEAT_LEG),),
                    ),
                    GotoIf(code('"${DIALSTATUS}" = "ANSWER"'), Target(TALKED)),
                    Put("HL_WHY", code("${DIALSTATUS}")),
                    At("missed", Put("GROUP(seat)")),
                    wrote(SeatMissed, seat=code("${HL_SEAT}"), why=code("${HL_WHY}")),
                    _back(code("${HL_WHY}")),
                    Goto(Target(ROOM)),
                ),
            ),
            *astray(settings),
        ),
    )


def seat_address(settings: Settings, seat: Code | str) -> Code:
    """What is dialled to reach a seat."""
    before, after = settings.answering.dial.split("{seat}", 1)
    return code("<before><seat><after>", before=Address(before), seat=seat, after=Address(after))


def device_known(settings: Settings) -> bool:
    """Whether Asterisk itself sees the seat's telephone, not only a proxy on the way there."""
    return settings.answering.dial == "PJSIP/{seat}"


def free(settings: Settings, dial: Code) -> Code:
    alone = code("${GROUP_COUNT(${EXTEN}@seat)} = 0")
    if not device_known(settings):
        return alone
    return code('<alone> & "${DEVICE_STATE(<dial>)}" = "NOT_INUSE"', alone=alone, dial=dial)


def leg_context() -> Context:
    """Runs on a seat's leg once it has answered: its end tells the caller's channel why.

    A queue tells only now which seat it chose; whoever steers again during the talk finds it there.
    """
    handler = Target(SEAT_LEG, "ended")
    return Context(
        SEAT_LEG,
        (
            Extension(
                "s",
                (
                    GotoIf(code('"${MEMBERNAME}" = ""'), Here("watch")),
                    Put("MASTER_CHANNEL(HL_SEAT)", code("${MEMBERNAME}")),
                    At("watch", Put("CHANNEL(hangup_handler_push)", code("<leg>,ended,1", leg=SEAT_LEG), (handler,))),
                    Return(),
                ),
            ),
            Extension("ended", (Put("MASTER_CHANNEL(HL_CAUSE)", code("${HANGUPCAUSE}")), Return())),
        ),
    )


def talked_context(settings: Settings) -> Context:
    """The seat's leg is gone and the caller is still there: back to the room, or the end, or the survey before it."""
    steps: tuple[Move | At, ...] = (
        Put("GROUP(seat)"),
        Put("HL_TRY", 0),
        At("ask", GotoIf(code('"${HL_CAUSE}" != ""'), Here("told"))),
        Put("HL_TRY", code("$[${HL_TRY} + 1]")),
        GotoIf(code("${HL_TRY} > <tries>", tries=CAUSE_TRIES), Here("silent")),
        Do("Wait", (code("0.02"),)),
        Goto(Here("ask")),
        At("silent", Put("HL_CAUSE", 16)),
        At("told", wrote(TalkEnded, seat=code("${HL_SEAT}"), q850_cause=code("${HL_CAUSE}"))),
        GotoIf(code("${HL_CAUSE} = <lost>", lost=LOST), Here("lost")),
        *after_talk(settings),
        At("lost", _back("LOST")),
        *recorded_on(settings),
        Goto(Target(ROOM)),
    )
    return Context(TALKED, (Extension("s", steps),))


def _back(why: Code | str) -> Do:
    return Do("UserEvent", ("Back", code("Ref: ${HL_REF}"), code("Seat: ${HL_SEAT}"), code("Why: <why>", why=why)))
