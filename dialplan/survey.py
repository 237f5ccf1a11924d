"""After a talk that the seat ended: a mark from 1 to 5, and where it is wished for a spoken message."""

import math

from calls.journal import MessageLeft, Rated
from dialplan.emergencies import star
from dialplan.journal import said, wrote
from dialplan.names import LANGUAGE, SURVEY, SURVEY_MESSAGE
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Move, Put, Target, code
from settings.shapes import Settings

MARKS = ("1", "2", "3", "4", "5")
TRIES = 2
"""So often a mark is asked for."""
ANSWER_S = 5
SILENCE_S = 5
"""A message ends with so much silence."""

_FILE = code("${HL_REF}-message.wav")
_NOW_MS = code("${STRFTIME(,,%s%3q)}")


def after_talk(settings: Settings) -> tuple[Move, ...]:
    """What comes when a talk is over and the caller is still there. Who called in an emergency is asked nothing."""
    end = Do("Hangup", (16,))
    if not settings.service.survey.enabled:
        return (end,)
    return (GotoIf(code("0${HL_PRIO} > 0"), Target(SURVEY)), end)


def survey_contexts(settings: Settings) -> tuple[Context, ...]:
    if not settings.service.survey.enabled:
        return ()
    return _survey(settings), _message(settings)


def _survey(settings: Settings) -> Context:
    missed = Target(SURVEY, "missed")
    return Context(
        SURVEY,
        (
            Extension(
                "s",
                (
                    # The seat is free from here on, also for whoever asks Asterisk.
                    Put("HL_SEAT"),
                    Put("HL_ATTEMPT", 1),
                    *said("survey", LANGUAGE),
                    Goto(Target(SURVEY, "answer")),
                ),
            ),
            Extension("answer", (Do("WaitExten", (ANSWER_S,)), Goto(missed))),
            *(Extension(mark, (wrote(Rated, mark=mark), Goto(Target(SURVEY_MESSAGE)))) for mark in MARKS),
            Extension("i", (Goto(missed),)),
            Extension(
                "missed",
                (
                    GotoIf(code("${HL_ATTEMPT} >= <tries>", tries=TRIES), Target(SURVEY_MESSAGE, "end")),
                    Put("HL_ATTEMPT", code("$[${HL_ATTEMPT} + 1]")),
                    *said("survey_again", LANGUAGE),
                    Goto(Target(SURVEY, "answer")),
                ),
            ),
            star(settings, SURVEY, "menu", missed),
        ),
    )


def _message(settings: Settings) -> Context:
    """Most callers end their message by hanging up: `h` is where Asterisk goes then."""
    most_s = math.ceil(settings.service.survey.message)
    thanks = Target(SURVEY_MESSAGE, "thanks")
    left = wrote(MessageLeft, file=_FILE)
    parts: tuple[Extension, ...] = ()
    if most_s:
        parts = (
            Extension("ask", (*said("survey_message", LANGUAGE), Goto(Target(SURVEY_MESSAGE, "record")))),
            Extension("record", _recorded(most_s)),
            Extension("left", (left, Goto(thanks))),
            Extension("h", (GotoIf(code('"${RECORD_STATUS}" = "HANGUP"'), Target(SURVEY_MESSAGE, "kept")),)),
            Extension("kept", (left,)),
        )
    return Context(
        SURVEY_MESSAGE,
        (
            Extension("s", (Goto(Target(SURVEY_MESSAGE, "ask") if most_s else thanks),)),
            *parts,
            Extension("thanks", (*said("survey_thanks", LANGUAGE), Goto(Target(SURVEY_MESSAGE, "end")))),
            Extension("end", (Do("Hangup", (16,)),)),
            star(settings, SURVEY, "menu", Target(SURVEY_MESSAGE, "end")),
        ),
    )


def _recorded(most_s: int) -> tuple[Move | At, ...]:
    spoken_ms = code("$[${STRFTIME(,,%s%3q)} - ${HL_SINCE_MS}]")
    return (
        Do("PlayTones", ("record",)),
        Do("Wait", (code("0.4"),)),
        Do("StopPlayTones"),
        Put("HL_SINCE_MS", _NOW_MS),
        Do("Record", (code("${ASTSPOOLDIR}/monitor/<file>", file=_FILE), SILENCE_S, most_s, "qk")),
        GotoIf(code('"${RECORD_STATUS}" = "DTMF" | "${RECORD_STATUS}" = "TIMEOUT"'), Target(SURVEY_MESSAGE, "left")),
        GotoIf(code('"${RECORD_STATUS}" != "SILENCE"'), Here("nothing")),
        GotoIf(
            code("<spoken> > <most>", spoken=spoken_ms, most=1000 * (SILENCE_S + 1)), Target(SURVEY_MESSAGE, "left")
        ),
        At("nothing", Goto(Target(SURVEY_MESSAGE, "thanks"))),
    )
