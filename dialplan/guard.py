"""What happens in the moment in which a caller is sent away from the waiting room.

A key may cross the redirect: it wins. And the redirect may come while the caller's channel is between
two steps, where Asterisk looks a step up by a context and an extension that it reads one after the
other. Then it finds none, which is the end of a call, unless `autofallthrough` is off: it waits for
keys then, for as long as TIMEOUT(response) says, and goes on at `t` of the new context. Measured on a
busy machine: one redirect in 400 to 800.
"""

from dialplan.emergencies import to_emergency
from dialplan.names import KEPT, ROOM
from dialplan.values import Extension, Goto, GotoIf, Move, Put, Target, code
from settings.shapes import Settings


def guarded(settings: Settings) -> tuple[Move, ...]:
    """The first steps of every place that callers are redirected to: a key that crossed the redirect wins.

    Of two, the emergency's.
    """
    return (
        GotoIf(code('"${HL_EMERGENCY}" != ""'), to_emergency(settings, code("${HL_EMERGENCY}"))),
        GotoIf(code('"${HL_CALLBACK}" != ""'), Target(KEPT)),
    )


def astray(settings: Settings) -> tuple[Extension, ...]:
    """Part of every context that callers of the waiting room are redirected to: back, and the controller
    sends the caller again. `i`: a key that crossed the redirect; `t`: a redirect that came between two steps."""
    back = (*guarded(settings), Goto(Target(ROOM)))
    return Extension("i", back), Extension("t", back)


def soon_found() -> Put:
    """Whoever is astray waits no longer than this."""
    return Put("TIMEOUT(response)", code("0.2"))
