"""Callers who are blocked while the hotline runs: the controller's list, kept by Asterisk itself.

The controller's account may not write it: with that right it could run programs. It lets a call of
its own begin here instead, which writes and answers; that answer tells the controller that it is done.
"""

from dialplan.names import BLOCKING
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Put, code


def blocking_context() -> Context:
    """HL_BLOCK: the number; HL_UNTIL: the last day, as 20261231; empty: it may call again."""
    number = code("${FILTER(0-9+,${HL_BLOCK})}")
    return Context(
        BLOCKING,
        (
            Extension(
                "s",
                (
                    GotoIf(code('"${HL_UNTIL}" = ""'), Here("free")),
                    Put("DB(blocked/${FILTER(0-9+,${HL_BLOCK})})", code("${FILTER(0-9,${HL_UNTIL})}")),
                    Goto(Here("done")),
                    At("free", Put("HL_WAS", code("${DB_DELETE(blocked/<number>)}", number=number))),
                    At("done", Do("Answer")),
                    Do("Hangup", (16,)),
                ),
            ),
        ),
    )
