"""A waiting caller, as the controller is told of it."""

from dialplan.names import CALLER_DIGITS
from dialplan.values import Code, Do, code


def told(event: str, *more: Code) -> Do:
    """A user event that describes who waits."""
    waiter = (
        code("Ref: ${HL_REF}"),
        code("T0: ${HL_T0}"),
        code("Skills: ${HL_SKILLS}"),
        code("Priority: ${HL_PRIO}"),
        code("Number: ${HL_NUMBER}"),
        code("Language: ${HL_LANG}"),
        code("Caller: <digits>", digits=CALLER_DIGITS),
    )
    return Do("UserEvent", (event, *waiter, *more))
