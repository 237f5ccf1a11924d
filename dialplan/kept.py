"""A caller who hangs up and is called back when its turn comes.

The controller may send such a caller to a seat in the very moment in which the key is pressed. The
caller must not be both connected and called back. A redirect can cut in between any two steps, so
nothing that comes after the event could tell whether it was sent. Hence HL_CALLBACK is set before
it, and decides alone: with it, `connect` and `overflow` send the caller here, where the event is
sent, perhaps once more (it means the same wish: the call's id is in it), and the call ends. Without
it no event was sent, and the caller is connected. The seat is free again as soon as the call has
ended, and the kept place is the first in line for it.
"""

from collections.abc import Iterator

from calls.journal import CallBackWanted
from dialplan.emergencies import star
from dialplan.guard import crossed
from dialplan.journal import said, wrote
from dialplan.names import CALLER, CALLER_DIGITS, KEPT, LANGUAGE
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Move, Put, Target, code, joined
from dialplan.waiter import told
from settings.emergencies import routes
from settings.shapes import Settings

SHORTEST_NUMBER = 3
"""Digits. A caller with fewer cannot be called back."""
NUMBERS_A_LINE = 80
"""So many of our own numbers, of 20 digits each, are looked for at once: a line is bounded (`dialplan.render`)."""


def call_back_asked(settings: Settings, otherwise: Target) -> tuple[Move | At, ...]:
    """The caller wants to be called back; goes on at `otherwise` where that cannot be."""
    return (
        Do("StopMusicOnHold"),
        *_our_own(settings),
        GotoIf(code("${LEN(${FILTER(0-9,${CALLERID(num)})})} < <least>", least=SHORTEST_NUMBER), Here("unknown")),
        # Nor abroad, at the city's expense.
        GotoIf(code('"${CALLERID(num):0:2}" = "00"'), Here("unknown")),
        GotoIf(code('"${CALLERID(num):0:1}" = "+" & "${CALLERID(num):0:3}" != "+86"'), Here("unknown")),
        Put("HL_CALLBACK", "yes"),
        Goto(Target(KEPT)),
        At("unknown", said("call_back_no_number", LANGUAGE)[0]),
        said("call_back_no_number", LANGUAGE)[1],
        Goto(otherwise),
    )


def _our_own(settings: Settings) -> Iterator[Move]:
    """A caller's number can be forged: nobody makes us call an emergency number, or ourselves."""
    numbers = (*(route.number for route in routes(settings.emergencies)), *settings.numbers)
    for first in range(0, len(numbers), NUMBERS_A_LINE):
        some = joined("|", numbers[first : first + NUMBERS_A_LINE])
        yield Put("HL_OUR_OWN", code('${REGEX("^(<numbers>)$" ${FILTER(0-9,${CALLERID(num)})})}', numbers=some))
        yield GotoIf(code('"${HL_OUR_OWN}" = "1"'), Here("unknown"))


def kept_context(settings: Settings) -> Context:
    end = Target(KEPT, "end")
    return Context(
        KEPT,
        (
            Extension(
                "s",
                (
                    wrote(CallBackWanted, to=CALLER),
                    told("CallBack", code("To: <digits>", digits=CALLER_DIGITS)),
                    Do("StopMusicOnHold"),
                    *said("call_back_kept", LANGUAGE),
                    Goto(end),
                ),
            ),
            Extension("end", (Do("Hangup", (16,)),)),
            star(settings, "waiting", "waiting", end),
            crossed(Target(KEPT)),
        ),
    )
