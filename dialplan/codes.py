"""What seats dial by themselves: emergency numbers, and the codes with which agents sign on and off.

The controller decides what becomes of a code; the telephone only asks, waits a moment and says the answer.
"""

from calls.live import DeskCode
from dialplan.arrival import emergency_numbers
from dialplan.names import DESK, SEAT
from dialplan.values import Ask, At, Context, Do, Extension, Goto, GotoIf, Here, Move, Play, Put, Target, code
from settings.shapes import Settings

MOST = 9
"""Digits that are collected: one more than an agent's number or a PIN can have, so that the hash is never left over
for the next question."""
KEY_S = 10
"""So long the next digit is waited for; a hash ends it at once."""
ANSWER_S = 3
"""So long the controller has to answer."""
LOOK_S = "0.1"
"""So often the answer is looked for."""

REPLIES = (
    "desk_on",
    "desk_off",
    "desk_paused",
    "desk_ready",
    "desk_wrong",
    "desk_taken",
    "desk_locked",
    "desk_not_on",
)
"""Prompts that the controller may answer with."""


def seat_contexts(settings: Settings) -> tuple[Context, ...]:
    codes = tuple(Extension(desk.value, _code(settings, desk)) for desk in DeskCode)
    return Context(SEAT, (*emergency_numbers(settings), *codes)), _desk(settings)


def _code(settings: Settings, desk: DeskCode) -> tuple[Move, ...]:
    language = settings.city.language
    reasons = len(settings.agents.pauses)
    asks: tuple[Move, ...] = ()
    if desk is DeskCode.SIGN_ON:
        asks = (
            Ask("HL_KEYED", "desk_agent", language, MOST, KEY_S),
            Ask("HL_PIN", "desk_pin", language, MOST, KEY_S),
        )
    elif desk is DeskCode.PAUSE and reasons > 1:
        asks = (Ask("HL_KEYED", "desk_reason", language, len(str(reasons)), KEY_S),)
    return (
        Do("Answer"),
        *asks,
        Do(
            "UserEvent",
            (
                "Desk",
                code("Seat: ${CHANNEL(endpoint)}"),
                code("Code: <desk>", desk=desk.value),
                code("Keyed: ${FILTER(0-9,${HL_KEYED})}"),
                code("Pin: ${FILTER(0-9,${HL_PIN})}"),
            ),
        ),
        Put("HL_PIN"),
        Goto(Target(DESK)),
    )


def _desk(settings: Settings) -> Context:
    """Waits for the answer, and says it. Nothing else than a known one is ever played."""
    looks = code("$[${HL_LOOKS} + 1]")
    most = round(ANSWER_S / float(LOOK_S))
    known = tuple(GotoIf(code('"${HL_REPLY}" = "<reply>"', reply=reply), Target(DESK, reply)) for reply in REPLIES)
    steps: tuple[Move | At, ...] = (
        Put("HL_LOOKS", 0),
        At("look", GotoIf(code('"${HL_REPLY}" != ""'), Here("answered"))),
        GotoIf(code("${HL_LOOKS} >= <most>", most=most), Target(DESK, "desk_away")),
        Put("HL_LOOKS", looks),
        Do("Wait", (LOOK_S,)),
        Goto(Here("look")),
        At("answered", known[0]),
        *known[1:],
        Goto(Target(DESK, "desk_away")),
    )
    said = tuple(
        Extension(reply, (Play(reply, settings.city.language, deaf=True), Do("Hangup", (16,))))
        for reply in (*REPLIES, "desk_away")
    )
    return Context(DESK, (Extension("s", steps), *said))
