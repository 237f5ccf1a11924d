"""The only place that rings a seat for a waiting caller, and what follows the talk."""

import math

from calls.journal import SeatMissed, SeatOffered, SeatTook, TalkEnded
from dialplan.guard import astray, crossed, entered, guarded
from dialplan.handover import keys_in_talks
from dialplan.journal import wrote
from dialplan.names import CONNECT, HELD, MUSIC, ROOM, SEAT_LEG, TALKED
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
    PutAll,
    Return,
    Target,
    code,
)
from settings.shapes import Settings

GUARD_TRIES = 15
"""A seat looks free 5 to 20 ms before its last call has left; so often it is looked at again."""
CAUSE_TRIES = 25
"""So often, 20 ms apart, the seat's leg is asked why it ended; it ends in another thread."""
LEG_TRIES = 500
"""So often while the leg is there."""
EXTENSION = code("${EXTEN}")
LOST = 44
"""Q.850 cause of a leg whose media stopped: the seat's telephone died, the caller did not hang up."""


def connect_context(settings: Settings) -> Context:
    """Extension = seat."""
    seat = code("${HL_SEAT}")
    dial = seat_address(settings, seat)
    ring_s = math.ceil(settings.answering.ring)
    return Context(
        CONNECT,
        (
            Extension(
                Pattern("_X."),
                (
                    *entered(),
                    *guarded(settings),
                    Put("HL_SEAT", code("${EXTEN}")),
                    Goto(Target(CONNECT, "ring")),
                ),
            ),
            Extension(
                "ring",
                (
                    wrote(
                        SeatOffered,
                        seat=seat,
                        # A global variable of each seat, empty where nobody is signed on.
                        agent=code("${FILTER(0-9,${AGENT_${HL_SEAT}})}"),
                    ),
                    PutAll((Put("HL_TRY", 0), Put("HL_WHY", "TAKEN"))),
                    At("guard", GotoIf(free(settings, dial, seat), Here("take"))),
                    Put("HL_TRY", code("$[${HL_TRY} + 1]")),
                    GotoIf(code("${HL_TRY} > <tries>", tries=GUARD_TRIES), Here("missed")),
                    Do("Wait", (code("0.02"),)),
                    Goto(Here("guard")),
                    At("take", Put("GROUP(seat)", seat)),
                    GotoIf(code("${GROUP_COUNT(${HL_SEAT}@seat)} > 1"), Here("missed")),
                    PutAll((Put("HL_CAUSE"), Put("HL_LEG"))),
                    Do(
                        "Dial",
                        (dial, ring_s, code("gim(<music>)U(<leg>)", music=MUSIC, leg=SEAT_LEG)),
                        reaches=(Target(SEAT_LEG),),
                    ),
                    GotoIf(code('"${DIALSTATUS}" = "ANSWER"'), Target(TALKED)),
                    Put("HL_WHY", code("${DIALSTATUS}")),
                    At("missed", Put("GROUP(seat)")),
                    wrote(SeatMissed, seat=seat, why=code("${HL_WHY}")),
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


def free(settings: Settings, dial: Code, seat: Code = EXTENSION) -> Code:
    """Whether nobody has the seat, as far as Asterisk sees."""
    alone = code("${GROUP_COUNT(<seat>@seat)} = 0", seat=seat)
    if not device_known(settings):
        return alone
    return code('<alone> & "${DEVICE_STATE(<dial>)}" = "NOT_INUSE"', alone=alone, dial=dial)


def leg_context(settings: Settings) -> Context:
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
                    keys_in_talks(settings),
                    Put("MASTER_CHANNEL(HL_LEG)", code("${CHANNEL(name)}")),
                    GotoIf(code('"${MEMBERNAME}" = ""'), Here("watch")),
                    Put("MASTER_CHANNEL(HL_SEAT)", code("${MEMBERNAME}")),
                    wrote(SeatTook, seat=code("${MEMBERNAME}"), agent=code("${FILTER(0-9,${AGENT_${MEMBERNAME}})}")),
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
        PutAll((Put("GROUP(seat)"), Put("HL_TRY", 0))),
        At("ask", GotoIf(code('"${HL_CAUSE}" != ""'), Here("told"))),
        # The leg has left for an emergency centre: the caller is held meanwhile.
        GotoIf(code('"${HL_HANDED}" != ""'), Target(TALKED, "handed")),
        Put("HL_TRY", code("$[${HL_TRY} + 1]")),
        GotoIf(code("${HL_TRY} > <tries>", tries=_tries()), Here("silent")),
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
    handed = Extension("handed", (Put("HL_HANDED"), Goto(Target(HELD))))
    return Context(TALKED, (Extension("s", steps), handed, crossed(Target(TALKED))))


def _tries() -> Code:
    """A leg that is still there has yet to say whether it ends, or goes somewhere else."""
    # One that was hung up while it answered has no name here, and Asterisk complains of a question without one.
    there = code('${CHANNEL_EXISTS(${IF($["${HL_LEG}" = ""]?none:${HL_LEG})})}')
    return code("${IF($[<there> = 1]?<long>:<short>)}", there=there, long=LEG_TRIES, short=CAUSE_TRIES)


def _back(why: Code | str) -> Do:
    return Do("UserEvent", ("Back", code("Ref: ${HL_REF}"), code("Seat: ${HL_SEAT}"), code("Why: <why>", why=why)))
