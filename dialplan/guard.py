"""What happens in the moment in which a caller is sent away from the waiting room.

A key may cross the redirect: it wins. And the redirect may come while the caller's channel is between
two steps, which Asterisk's loop over steps (`__ast_pbx_run`) is not made for. It looks a step up by a
context, an extension and a priority that it reads one after the other. Then:

- It finds none, which is the end of a call, unless `autofallthrough` is off: it waits for keys then, for
  as long as TIMEOUT(response) says, and goes on at `t` of the new context. Measured on a busy machine:
  one redirect in 400 to 800.
- Or it finds the new extension's step of the old priority, and does it before the first one. So the
  extensions that are redirected to are short, and whoever waits is at higher priorities than they have.
- Or it counts the new priority on: it begins at the second step, and does that one twice, the first time
  as if the call had been hung up, so that a jump would lead nowhere. Measured: one in 2000. So the first
  two steps do nothing.
- Or a jump that is under way wins over the redirect, and leads to the step before the one it was meant
  for: none, if that was a first one, and `t` again.
"""

from dialplan.emergencies import to_emergency
from dialplan.names import KEPT, ROOM
from dialplan.values import Do, Extension, Goto, GotoIf, Move, Put, Target, code
from settings.shapes import Settings


def entered() -> tuple[Move, ...]:
    """The first steps of every extension that calls are redirected to: the second may be done twice, or alone."""
    return Do("NoOp"), Do("NoOp")


def guarded(settings: Settings) -> tuple[Move, ...]:
    """What comes next where waiting callers are redirected to: a key that crossed the redirect wins.

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


def crossed(to: Target) -> Extension:
    """Part of a context that jumps lead to while a redirect may be on its way: it goes on as if there were none,
    and whoever sent it finds the call where it is."""
    return Extension("t", (Goto(to),))


def soon_found() -> Put:
    """Whoever is astray waits no longer than this."""
    return Put("TIMEOUT(response)", code("0.2"))
