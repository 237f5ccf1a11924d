"""Where an agent may pass a call on, or whom it may consult: written as the text that is dialled.

A seat's number (`8002`), `skill_<id>`, `centre_<id>`, an emergency number (`110`), or digits outside
that the settings allow (`13812345678`). Nothing else can be dialled.
"""

import re
from collections.abc import Container

from settings.emergencies import routes
from settings.service import Outside
from settings.shapes import Settings

HOLD = "hold"
"""What a seat's leg consults when it consults nobody: the caller is held, and that is all."""
LONGEST = 20
"""Digits of a number outside, at most."""


class GoalNotAllowed(ValueError):
    """A call cannot go there: `why`, and what to do instead."""

    def __init__(self, what: str, why: str, mend: str) -> None:
        self.what = what
        self.why = why
        self.mend = mend
        super().__init__(f"{what}: {why}: {mend}")


def goal(
    settings: Settings,
    *,
    seat: str | None = None,
    skill: str | None = None,
    centre: str | None = None,
    outside: str | None = None,
    emergency: str | None = None,
) -> str:
    """The goal that exactly one of these means. Raises GoalNotAllowed."""
    named = {"seat": seat, "skill": skill, "centre": centre, "outside": outside, "emergency": emergency}
    given = [(kind, text) for kind, text in named.items() if text is not None]
    if len(given) != 1:
        raise GoalNotAllowed("a goal", f"{len(given)} goals are named", "give exactly one of " + ", ".join(named))
    [(kind, text)] = given
    match kind:
        case "seat":
            return _known(text, "seat", settings.answering.seats, "seats.yaml")
        case "skill":
            return "skill_" + _known(text, "skill", settings.skills, "skills.yaml")
        case "centre":
            return "centre_" + _known(text, "centre", settings.service.centres, "service.yaml")
        case "emergency":
            numbers = {route.number for route in routes(settings.emergencies)}
            return _known(text, "emergency number", numbers, "emergencies.yaml")
        case _:
            return _allowed_outside(settings, text)


def allows(outside: Outside, number: str) -> bool:
    """Whether a pattern of the settings lets this number be dialled. X stands for any digit."""
    return any(re.fullmatch(pattern.replace("X", "[0-9]"), number) for pattern in outside.allowed)


def _known(text: str, what: str, known: Container[str], file: str) -> str:
    if text not in known:
        raise GoalNotAllowed(text, f"there is no {what} {text!r}", f"give one of {file}")
    return text


def _allowed_outside(settings: Settings, number: str) -> str:
    outside = settings.service.outside
    if outside is None:
        raise GoalNotAllowed(number, "no number outside may be dialled", "write 'outside' in service.yaml")
    if not re.fullmatch(f"[0-9]{{1,{LONGEST}}}", number):
        raise GoalNotAllowed(number, "it is no telephone number", f"give 1 to {LONGEST} digits and nothing else")
    if not allows(outside, number):
        patterns = ", ".join(outside.allowed)
        raise GoalNotAllowed(number, "this number may not be dialled", f"give one like {patterns}, or allow it")
    return number
