"""A seat's leg calls somebody while its caller is held.

Whatever becomes of it, the leg comes back to its caller, in `party`: nobody is left on hold because
somebody else is busy. With HL_JOIN all three talk as soon as the goal answers.
"""

import math

from calls.journal import EmergencyChosen, SeatMissed, SeatOffered, TrunkEnded, TrunkTried
from dialplan.connect import GUARD_TRIES, free, seat_address
from dialplan.emergencies import RING_S, TELLING
from dialplan.guard import crossed, entered
from dialplan.handover import noted
from dialplan.journal import wrote
from dialplan.names import CONSULT, CONSULT_SEAT, CONSULTED, HELD, PARTY, SEAT_LEG, TOGETHER, TOLD
from dialplan.numbers import CENTRE_RING_S
from dialplan.passing import OUTSIDE_NUMBER, OUTSIDE_RING_S, outside_patterns
from dialplan.tens import dialled_as, seat_names
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
    Pattern,
    Put,
    Return,
    Target,
    code,
)
from routing.goals import HOLD
from settings.emergencies import routes
from settings.shapes import Settings

OUTSIDE = "outside"
"""HL_OWN of a leg that is no seat's."""
_BACK = Target(PARTY)
_DIALLED = code("${EXTEN}")
_CALLER = code("${MASTER_CHANNEL(HL_REF)}")


def consulting_contexts(settings: Settings) -> tuple[Context, ...]:
    return (_consult(settings), _consult_seat(settings), _consulted(), _together())


def _consult(settings: Settings) -> Context:
    """Extension = goal, or `hold`: then nobody is called."""
    goals: list[Extension] = [
        Extension(HOLD, (*begun(), At("wait", Do("Wait", (1,))), GotoIf(caller_gone(), _BACK), Goto(Here("wait"))))
    ]
    for route in routes(settings.emergencies):
        chosen = wrote(EmergencyChosen, number=route.number, by="consult")
        tried: list[Move] = []
        for trunk in route.trunks:
            called = _called(trunk, route.dial, RING_S, telling=True)
            tried += [*called, GotoIf(code('"${DIALSTATUS}" = "ANSWER"'), _BACK)]
        before = (*begun(), chosen, *_caller_held(), *noted(route.number), *_as_the_caller())
        steps = (*before, *tried, Goto(_BACK))
        goals.append(Extension(route.number, steps))
    for seat in seat_names(settings.answering.seats):
        goal = dialled_as(seat)
        to_seat = Goto(Target(CONSULT_SEAT, goal, among=(Target(CONSULT_SEAT, "_X."),)))
        goals.append(Extension(seat, (*begun(goal), to_seat)))
    service = settings.service
    for ident, centre in service.centres.items():
        tried = [*_as_the_caller(), *_called(centre.trunk, centre.dial, CENTRE_RING_S)]
        goals.append(Extension(f"centre_{ident}", (*begun(), *tried, Goto(_BACK))))
    if service.outside is not None:
        tried = [Put("HL_GOAL", code("${EXTEN}")), *_as_the_caller()]
        tried += _called(service.outside.trunk, OUTSIDE_NUMBER, OUTSIDE_RING_S)
        goals += [Extension(pattern, (*begun(), *tried, Goto(_BACK))) for pattern in outside_patterns(settings)]
    # A goal that is not there any more: the settings have changed.
    return Context(CONSULT, (*goals, Extension("i", (*begun(), Goto(_BACK))), crossed(_BACK)))


def begun(goal: Arg = _DIALLED) -> tuple[Move, ...]:
    """The leg is on its way, and will come back; it keeps its seat from now on, not the caller's channel."""
    return (
        *entered(),
        *known(),
        Put("GROUP(party)"),
        Put("GROUP(consult)", _CALLER),
        Put("MASTER_CHANNEL(HL_GOAL)", goal),
    )


def known() -> tuple[Move, ...]:
    """Whose leg this is. The first one is the seat's that the caller was connected to."""
    own = code('${IF($["${HL_OWN}" = ""]?${MASTER_CHANNEL(HL_SEAT)}:${HL_OWN})}')
    return Put("HL_OWN", own), Put("GROUP(seat)", code("${FILTER(0-9,${HL_OWN})}"))


def caller_gone() -> Code:
    """The caller of this leg has hung up, or was sent somewhere else meanwhile."""
    where = code('${REGEX("^(<held>|<party>)$" ${MASTER_CHANNEL(CHANNEL(context))})}', held=HELD, party=PARTY)
    return code('"<caller>" = "" | <where> = 0', caller=_CALLER, where=where)


def _caller_held() -> tuple[Move | At, ...]:
    """By a key of the telephone the leg leaves the talk first, and the caller's channel some steps later."""
    return (
        Put("HL_TRY", 0),
        At("look", Put("HL_TRY", code("$[${HL_TRY} + 1]"))),
        GotoIf(code("!(<gone>) | ${HL_TRY} > <tries>", gone=caller_gone(), tries=GUARD_TRIES), Here("held")),
        Do("Wait", (code("0.02"),)),
        Goto(Here("look")),
        At("held", Do("NoOp")),
    )


def _as_the_caller() -> tuple[Move, ...]:
    """Whoever is called sees who needs help, as when the caller is passed on."""
    return (Put("CALLERID(num)", code("${FILTER(0-9+,${MASTER_CHANNEL(CALLERID(num))})}")),)


def _called(trunk: str, number: str | Code, ring_s: int, *, telling: bool = False) -> tuple[Move, ...]:
    """telling: whoever is called is told of the call, and what the agent noted of it."""
    address = code("PJSIP/<number>@<trunk>", number=number, trunk=trunk)
    return (
        wrote(TrunkTried, trunk=trunk, dial=number),
        _dial(address, ring_s, OUTSIDE, telling=telling),
        wrote(TrunkEnded, trunk=trunk, status=code("${DIALSTATUS}")),
    )


def _dial(address: Code, ring_s: int, who: Arg, *, telling: bool = False) -> Do:
    """g: the leg goes on when whoever was called has hung up."""
    options = code(
        'gi<telling>${IF($["${HL_JOIN}" = "yes"]?G(<together>^<who>^1):U(<consulted>^<who>))}',
        telling=TELLING if telling else "",
        together=TOGETHER,
        consulted=CONSULTED,
        who=who,
    )
    among = (Target(CONSULTED), Target(TOGETHER, OUTSIDE), Target(TOGETHER, "_X."), Target(TOLD))
    return Do("Dial", (address, ring_s, options), reaches=among)


def _consult_seat(settings: Settings) -> Context:
    """Extension = seat. As in `connect`, a busy seat is never rung; the held caller's channel keeps it meanwhile."""
    dial = seat_address(settings, code("${EXTEN}"))
    seat = code("${EXTEN}")
    return Context(
        CONSULT_SEAT,
        (
            Extension(
                Pattern("_X."),
                (
                    wrote(SeatOffered, seat=seat, agent=code("${FILTER(0-9,${AGENT_${EXTEN}})}")),
                    Put("HL_TRY", 0),
                    Put("HL_WHY", "TAKEN"),
                    At("guard", GotoIf(free(settings, dial), Here("take"))),
                    Put("HL_TRY", code("$[${HL_TRY} + 1]")),
                    GotoIf(code("${HL_TRY} > <tries>", tries=GUARD_TRIES), Here("missed")),
                    Do("Wait", (code("0.02"),)),
                    Goto(Here("guard")),
                    At("take", Put("MASTER_CHANNEL(GROUP(seat))", seat)),
                    GotoIf(code("${GROUP_COUNT(${EXTEN}@seat)} > 1"), Here("missed")),
                    _dial(dial, math.ceil(settings.answering.ring), seat),
                    Put("HL_WHY", code("${DIALSTATUS}")),
                    At("missed", Put("MASTER_CHANNEL(GROUP(seat))")),
                    GotoIf(code('"${HL_WHY}" = "ANSWER"'), _BACK),
                    wrote(SeatMissed, seat=seat, why=code("${HL_WHY}")),
                    Goto(_BACK),
                ),
            ),
        ),
    )


def _consulted() -> Context:
    """Runs on the leg of whoever was called, once it has answered; ARG1: its seat, or `outside`."""
    own: tuple[Move, ...] = (Put("HL_OWN", code("${ARG1}")), *known(), *told_its_end())
    return Context(CONSULTED, (Extension("s", (*own, Return())),))


def _together() -> Context:
    """Where Dial sends both at the answer: the seat's leg to the first step, whoever was called to the second."""
    called: tuple[Move, ...] = (Put("HL_OWN", code("${EXTEN}")), *known(), *told_its_end(), Goto(_BACK))
    steps = (Goto(_BACK), *called)
    return Context(TOGETHER, (Extension(OUTSIDE, steps), Extension(Pattern("_X."), steps)))


def told_its_end() -> tuple[Move, ...]:
    """How this leg ends is told to the caller's channel, as for any seat's leg."""
    handler = Target(SEAT_LEG, "ended")
    return (Put("CHANNEL(hangup_handler_push)", code("<leg>,ended,1", leg=SEAT_LEG), (handler,)),)
