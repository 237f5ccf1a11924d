"""Skills and seats: whatever a caller can ask for, some seat can serve."""

from collections.abc import Iterator

from settings.demands import demands
from settings.problems import Problem
from settings.read import Draft

_ASKING = ("numbers.yaml", "menus.yaml", "emergencies.yaml", "skills.yaml", "city.yaml")


def one_skill_a_language(draft: Draft) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for ident, skill in draft.settings.skills.items():
        if skill.language is None:
            continue
        other = first.setdefault(skill.language, ident)
        if other != ident:
            place = draft.places.key("skills.yaml", other)
            matter = f"'{ident}' and '{other}' ({place}) are both the skill of one language, '{skill.language}'"
            mend = "keep the line 'language' with one of them"
            yield Problem(draft.places.key("skills.yaml", ident, "language"), "S062", matter, mend)


def unused_skills(draft: Draft) -> Iterator[Problem]:
    if not draft.sound(*_ASKING) or not draft.resolved("menu", "number", "skill"):
        return
    used = frozenset().union(*demands(draft.settings))
    for ident in draft.settings.skills:
        if ident not in used:
            mend = "let a number or a menu's key ask for it, or take it out"
            yield Problem(draft.places.key("skills.yaml", ident), "S060", f"no call asks for the skill '{ident}'", mend)


def unserved(draft: Draft) -> Iterator[Problem]:
    """Combinations of skills that a call can demand and no seat has; only the smallest ones.

    A seat with a skill that is not known may have been meant for any of them.
    """
    if draft.unread.intersection((*_ASKING, "seats.yaml")):
        return
    seats = [frozenset(seat.skills) for seat in draft.settings.answering.seats.values()]
    lacking: list[frozenset[str]] = []
    for demand in sorted(demands(draft.settings), key=len):
        can_be_judged = demand <= draft.settings.skills.keys()
        served = any(demand <= seat or not seat <= draft.settings.skills.keys() for seat in seats)
        if can_be_judged and not served and not any(smaller <= demand for smaller in lacking):
            lacking.append(demand)
    for demand in lacking:
        names = " and ".join(f"'{skill}'" for skill in sorted(demand))
        matter = f"a caller can ask for {names}, but no seat has {'both' if len(demand) > 1 else 'it'}"
        spoken = draft.settings.skills
        place = draft.places.key(
            "skills.yaml", min(demand, key=lambda skill: (spoken[skill].language is not None, skill))
        )
        yield Problem(place, "S061", matter, f"give a seat in seats.yaml the skills {', '.join(sorted(demand))}")
