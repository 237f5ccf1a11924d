"""What agents do with a talk: pass it on, hold it, consult somebody, talk together.

The caller's channel runs `transfer`, `held` and the caller's part of `party`; the seat's leg, and
whoever was consulted, run `consult` and the other part of `party`. All of them have the caller's
linked id: a leg reaches the caller's variables by MASTER_CHANNEL, and all is one record.

Groups tell who is where, by the call's id: `consult` (a leg that will come back) and `party` (a leg
in the conversation). HL_OWN of a leg is its seat, or `outside`. HL_PARTNER of the caller is the last
one who joined, HL_GOAL where that one was called.
"""

from calls.journal import Held, Joined, Transferred
from dialplan.blocking import blocking_context
from dialplan.consulting import caller_gone, consulting_contexts, known
from dialplan.emergencies import star
from dialplan.guard import crossed, entered, guarded
from dialplan.journal import wrote
from dialplan.names import (
    CALLER_PROFILE,
    CONFERENCE,
    CONSULT,
    HELD,
    LEG_PROFILE,
    MUSIC,
    PARTY,
    PARTY_LEFT,
    ROOM,
    TALKED,
)
from dialplan.passing import passing_contexts
from dialplan.recording import recorded_on
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Move, Put, Return, Target, code
from routing.goals import HOLD
from settings.shapes import Settings

ALONE_LOOKS = 10
"""A held caller looks four times a second who is there; without anybody for so long it waits for a seat again."""
GATHER_TRIES = 60
"""So often, 50 ms apart, a caller looks for the first of the others, who is on the way."""

_TALKS = code("${CONFBRIDGE_INFO(marked,${HL_REF})} > 0")
"""One of ours is in the conversation. The caller never enters it first: nothing would end it for one who is alone."""
_LEG = Target(PARTY, "leg")


def talking_contexts(settings: Settings) -> tuple[Context, ...]:
    return (
        *passing_contexts(settings),
        _held(settings),
        *consulting_contexts(settings),
        _party(settings),
        _party_left(),
        blocking_context(),
    )


def talking_entries() -> tuple[Target, ...]:
    """Where the controller sends calls; `transfer` by every goal."""
    return Target(HELD), Target(CONSULT, HOLD), Target(PARTY)


def _held(settings: Settings) -> Context:
    leaving: tuple[Move, ...] = (
        Do("StopMusicOnHold"),
        *recorded_on(settings),
        Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: emergency"))),
    )
    wait = Target(HELD, label="wait")
    return Context(
        HELD,
        (
            Extension(
                "s",
                (
                    *entered(),
                    *guarded(settings),
                    # The seat's leg keeps the seat now.
                    Put("GROUP(seat)"),
                    wrote(Held, seat=code("${HL_SEAT}")),
                    Put("HL_ALONE", 0),
                    At("wait", Do("StartMusicOnHold", (MUSIC,))),
                    At("look", Do("WaitExten", (code("0.25"),))),
                    GotoIf(_TALKS, Target(PARTY)),
                    Put("HL_ALONE", code("$[${HL_ALONE} + 1]")),
                    GotoIf(code("${HL_ALONE} > <looks>", looks=ALONE_LOOKS), Here("back")),
                    GotoIf(code("${GROUP_COUNT(${HL_REF}@consult)} = 0"), Here("look")),
                    Put("HL_ALONE", 0),
                    Goto(Here("look")),
                    At("back", Do("StopMusicOnHold")),
                    *_back(settings),
                ),
            ),
            star(settings, "waiting", "waiting", wait, leaving=leaving),
            Extension("i", (Goto(wait),)),
            crossed(wait),
        ),
    )


def _party(settings: Settings) -> Context:
    return Context(
        PARTY,
        (
            Extension("s", (*entered(), GotoIf(code('"${HL_REF}" = ""'), _LEG), Goto(Target(PARTY, "caller")))),
            Extension("caller", _caller(settings)),
            Extension("leg", _leg()),
            crossed(Target(PARTY)),
        ),
    )


def _caller(settings: Settings) -> tuple[Move | At, ...]:
    """The conversation lasts for the caller as long as one of ours is in it; then as after any talk."""
    handler = Target(PARTY_LEFT, "caller")
    return (
        *guarded(settings),
        Do("StopMusicOnHold"),
        Put("GROUP(seat)"),
        Put("HL_CAUSE"),
        Put("HL_TRY", 0),
        At("gather", GotoIf(_TALKS, Here("join"))),
        Put("HL_TRY", code("$[${HL_TRY} + 1]")),
        GotoIf(code("${HL_TRY} > <tries>", tries=GATHER_TRIES), Here("alone")),
        Do("Wait", (code("0.05"),)),
        Goto(Here("gather")),
        At("join", wrote(Joined)),
        Put("CHANNEL(hangup_handler_wipe)", code("<left>,caller,1", left=PARTY_LEFT), (handler,)),
        Do("ConfBridge", (code("${HL_REF}"), CONFERENCE, CALLER_PROFILE)),
        Put("CHANNEL(hangup_handler_pop)"),
        # No seat of ours was left in it: the call ends like any that was passed on outwards.
        GotoIf(code('"${HL_SEAT}" = ""'), Here("end")),
        Goto(Target(TALKED)),
        At("end", Do("Hangup", (16,))),
        At("alone", Do("StopMusicOnHold")),
        *_back(settings),
    )


def _back(settings: Settings) -> tuple[Move, ...]:
    """Nobody of ours is with the caller any more, who is the first in line again."""
    return (
        Do("UserEvent", ("Back", code("Ref: ${HL_REF}"), code("Seat: ${HL_SEAT}"), code("Why: LOST"))),
        *recorded_on(settings),
        Goto(Target(ROOM)),
    )


def _leg() -> tuple[Move | At, ...]:
    """A caller who has hung up, or is somewhere else by now, is not waited for."""
    handler = Target(PARTY_LEFT, "leg")
    return (
        Put("HL_FOR", code("${MASTER_CHANNEL(HL_REF)}")),
        GotoIf(caller_gone(), Here("end")),
        *known(),
        Put("GROUP(consult)"),
        Put("GROUP(party)", code("${HL_FOR}")),
        GotoIf(code('"${HL_OWN}" = "${MASTER_CHANNEL(HL_SEAT)}"'), Here("join")),
        Put("MASTER_CHANNEL(HL_PARTNER)", code("${HL_OWN}")),
        At("join", Put("CHANNEL(hangup_handler_push)", code("<left>,leg,1", left=PARTY_LEFT), (handler,))),
        Do("ConfBridge", (code("${HL_FOR}"), CONFERENCE, LEG_PROFILE)),
        At("end", Do("Hangup", (16,))),
    )


def _party_left() -> Context:
    """Subroutines on a channel that has hung up."""
    return Context(PARTY_LEFT, (Extension("caller", _caller_left()), Extension("leg", _leg_left())))


def _caller_left() -> tuple[Move | At, ...]:
    return (
        GotoIf(code("${CONFBRIDGE_INFO(parties,${HL_REF})} = 0"), Here("end")),
        Do("ConfKick", (code("${HL_REF}"), "all")),
        At("end", Return()),
    )


def _leg_left() -> tuple[Move | At, ...]:
    """The seat that had the caller leaves the others alone: whoever joined last has the caller from now on."""
    partner = code("${FILTER(0-9,${MASTER_CHANNEL(HL_PARTNER)})}")
    return (
        GotoIf(code("${GROUP_COUNT(${HL_FOR}@party)} < 2"), Here("end")),
        GotoIf(code('"${HL_OWN}" != "${MASTER_CHANNEL(HL_SEAT)}"'), Here("end")),
        wrote(Transferred, to=code("${MASTER_CHANNEL(HL_GOAL)}"), how="attended"),
        Put("MASTER_CHANNEL(HL_SEAT)", partner),
        GotoIf(code('"<partner>" = ""', partner=partner), Here("outside")),
        Do(
            "UserEvent",
            (
                "Sent",
                code("Ref: ${HL_FOR}"),
                code("Seat: <partner>", partner=partner),
                code("On: ${MASTER_CHANNEL(CHANNEL(name))}"),
            ),
        ),
        Return(),
        At("outside", Do("UserEvent", ("Left", code("Ref: ${HL_FOR}"), code("To: transfer")))),
        At("end", Return()),
    )
