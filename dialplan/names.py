"""Names that the dialplan shares with whoever steers or records it."""

from collections.abc import Iterable, Mapping

from dialplan.values import Code, Target, code
from settings.shape import Language

ARRIVAL = "arrival"
ADMISSION = "admission"
RECEIVED = "received"
BLOCKED = "blocked"
REFUSED = "refused"
DAY = "day"
EMERGENCY = "emergency"
ROOM = "room"
CONNECT = "connect"
TALKED = "talked"
SEAT_LEG = "seat_leg"
SEAT_CLAIM = "seat_claim"
SURVIVAL = "survival"
SURVIVAL_KEYS = "survival_keys"
SEAT = "seat"
DESK = "desk"
CALLBACK = "callback"
KEPT = "kept"
OVERFLOW = "overflow"
SURVEY = "survey"
SURVEY_MESSAGE = "survey_message"
TRANSFER = "transfer"
CONSULT = "consult"
HELD = "held"
PARTY = "party"
PARTY_LEFT = "party_left"
PASSED = "passed"
CONSULTED = "consulted"
CONSULT_SEAT = "consult_seat"
TOGETHER = "together"
BLOCKING = "blocking"
HANDOVER = "handover"
TOLD = "told"
DRILL = "drill"
DRILL_MARKED = "drill_marked"
DRILL_SAID = "drill_said"

LANGUAGES: tuple[Language, ...] = ("zh", "en")

AMI_USER = "controller"
MUSIC = "hold"

CONFERENCE = "talk"
CALLER_PROFILE = "caller"
LEG_PROFILE = "leg"
"""Of confbridge.conf: the conversation, its caller, and everybody else in it."""

CALLER = code("${URIENCODE(${CALLERID(num)})}")
CALLER_DIGITS = code("${FILTER(0-9+,${CALLERID(num)})}")
LANGUAGE = code("${HL_LANG}")

SPOKEN_TO = "_[0-9A-D#]"
"""Every key but the star, which begins an emergency key."""


def number_context(number: str) -> str:
    return f"number_{number}"


def menu_context(menu: str, language: str) -> str:
    return f"menu_{menu}_{language}"


def first_context(menu: str, language: str) -> str:
    """Where keys count that are pressed before the menu's own prompt begins."""
    return f"first_{menu}_{language}"


def in_language(prefix: str, extension: str = "s") -> Target:
    """`prefix` in the language that the caller hears."""
    among = tuple(Target(f"{prefix}_{language}", extension) for language in LANGUAGES)
    return Target(code("<prefix>_${HL_LANG}", prefix=prefix), extension, among=among)


def to_person(numbers: Iterable[str]) -> Target:
    """The person's announcement of the number that is being served."""
    among = tuple(Target(number_context(number), "person") for number in numbers)
    return Target(code("number_${HL_NUMBER}"), "person", among=among)


def skills_text(skills: Iterable[str]) -> str:
    return "+".join(sorted(skills))


def survival_queue(skills: Iterable[str]) -> str:
    return "survival_" + "_".join(sorted(skills))


def by_language(texts: Mapping[Language, str]) -> str | Code:
    """One text for each language: a condition only where they differ."""
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return code('${IF($["${HL_LANG}" = "en"]?<en>:<zh>)}', en=texts["en"], zh=texts["zh"])
