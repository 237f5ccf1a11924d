"""A call back begins: its caller has answered, and a seat is kept free for it."""

from calls.journal import Arrived, CalledBack
from dialplan.emergencies import star
from dialplan.journal import named_in_log, said, wrote
from dialplan.names import CALLBACK, CALLER, CONNECT, LANGUAGE, MUSIC
from dialplan.recording import recorded
from dialplan.values import Context, Do, Extension, Goto, Pattern, Put, Target, code
from settings.shapes import Settings


def callback_context(settings: Settings) -> Context:
    """Extension = seat. The controller has set what the call inherits from the first one.

    A seat that does not take it gives the caller back to the waiting room, like any other.
    """
    go = Target(CALLBACK, "go")
    # The seat that is kept free waits for nobody any more.
    freeing = (Put("HL_SEAT"), Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: emergency"))))
    return Context(
        CALLBACK,
        (
            Extension(
                Pattern("_X."),
                (
                    named_in_log(),
                    Put("HL_SEAT", code("${EXTEN}")),
                    Put("CHANNEL(musicclass)", MUSIC),
                    # Until here the number that calls back stood there: it was shown to the caller.
                    Put("CALLERID(num)", code("${FILTER(0-9+,${HL_TO})}")),
                    Put("GROUP(load)", "ordinary"),
                    wrote(
                        Arrived,
                        ref=code("${HL_REF}"),
                        dialled=code("${HL_NUMBER}"),
                        caller=CALLER,
                        trunk=code("${HL_TRUNK}"),
                    ),
                    wrote(CalledBack, first=code("${HL_FIRST}"), attempt=code("${HL_ATTEMPT}")),
                    *recorded(settings),
                    Do("UserEvent", ("Reached", code("Ref: ${HL_REF}"))),
                    *said("call_back_hello", LANGUAGE),
                    Goto(go),
                ),
            ),
            Extension("go", (Goto(Target(CONNECT, code("${HL_SEAT}"), among=(Target(CONNECT, "_X."),))),)),
            star(settings, "greeting", "menu", go, leaving=freeing),
        ),
    )
