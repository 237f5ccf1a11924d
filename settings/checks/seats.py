"""Skills, seats and agents: whatever a caller can ask for, somebody can serve."""

from collections.abc import Iterator, Mapping

from settings.demands import demands
from settings.problems import Problem
from settings.read import Draft
from settings.shapes import Settings, WaitStep

_ASKING = ("numbers.yaml", "menus.yaml", "emergencies.yaml", "skills.yaml", "city.yaml", "service.yaml")


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


def wait_steps(draft: Draft) -> Iterator[Problem]:
    """Each step does one thing, later than the one above it, and lets more seats serve the caller."""
    if not draft.sound("skills.yaml"):
        return
    for ident, skill in draft.settings.skills.items():
        level = skill.level
        good_enough = {ident}
        for position, step in enumerate(skill.steps):
            path = (ident, "steps", position)
            if found := _step(ident, step, level, good_enough):
                yield Problem(draft.places.value("skills.yaml", *path), "S063", *found)
            elif position and step.after <= skill.steps[position - 1].after:
                earlier = draft.places.value("skills.yaml", ident, "steps", position - 1, "after")
                matter = f"this step does not come after the one above it ({earlier})"
                mend = "write the steps in the order of their waits, each with a longer one"
                yield Problem(draft.places.value("skills.yaml", *path, "after"), "S063", matter, mend)
            level = min(level, step.level or level)
            good_enough |= {step.also} if step.also else set()


def _step(ident: str, step: WaitStep, level: int, good_enough: set[str]) -> tuple[str, str] | None:
    """What is wrong with one step, and the mend."""
    written = [key for key in ("level", "also", "centre") if getattr(step, key) is not None]
    if len(written) != 1:
        does = f"both '{written[0]}' and '{written[1]}'" if written else "nothing"
        mend = "write two steps" if written else "write one of: level, also, centre"
        return f"this step does {does}", mend
    if step.level is not None and step.level >= level:
        mend = f"write a lower level, or begin '{ident}' with a higher one" if level > 1 else "take the step out"
        return f"level {step.level} is no lower than the level {level} that is enough already", mend
    if step.also in good_enough:
        return f"'{step.also}' is good enough already", "name another skill, or take the step out"
    return None


def unused_skills(draft: Draft) -> Iterator[Problem]:
    if not draft.sound(*_ASKING) or not draft.resolved("menu", "number", "skill"):
        return
    used = frozenset().union(*demands(draft.settings))
    used |= {step.also for skill in draft.settings.skills.values() for step in skill.steps if step.also}
    for ident in draft.settings.skills:
        if ident not in used:
            mend = "let a number or a menu's key ask for it, or take it out"
            yield Problem(draft.places.key("skills.yaml", ident), "S060", f"no call asks for the skill '{ident}'", mend)


def unserved(draft: Draft) -> Iterator[Problem]:
    """Combinations of skills that a call can demand and nobody has, however long it waits; only the smallest ones.

    Somebody with a skill that is not known may have been meant for any of them.
    """
    if draft.unread.intersection((*_ASKING, "seats.yaml", "agents.yaml")):
        return
    settings = draft.settings
    people = _people(settings)
    lacking: list[frozenset[str]] = []
    for demand in sorted(demands(settings), key=len):
        if not demand <= settings.skills.keys() or any(smaller <= demand for smaller in lacking):
            continue
        if not any(_serves(settings, has, demand) or not has.keys() <= settings.skills.keys() for has in people):
            lacking.append(demand)
    for demand in lacking:
        yield _nobody(draft, demand, low=any(demand <= has.keys() for has in people))


def _people(settings: Settings) -> list[Mapping[str, int]]:
    """Skill → level of every seat that serves without anybody signing on, and of every agent."""
    fixed = [dict.fromkeys(seat.skills, seat.level) for seat in settings.answering.seats.values() if seat.skills]
    return [*fixed, *(agent.skills for agent in settings.agents.agents.values())]


def _serves(settings: Settings, has: Mapping[str, int], demand: frozenset[str]) -> bool:
    """Whether somebody can serve a demand in the end: the longest wait asks for the least."""
    return all(_suffices(settings, has, skill) for skill in demand)


def _suffices(settings: Settings, has: Mapping[str, int], skill: str) -> bool:
    entry = settings.skills[skill]
    least = min([entry.level, *(step.level for step in entry.steps if step.level)])
    return has.get(skill, 0) >= least or any(step.also in has or step.centre for step in entry.steps)


def _nobody(draft: Draft, demand: frozenset[str], *, low: bool) -> Problem:
    names = " and ".join(f"'{skill}'" for skill in sorted(demand))
    both = "both" if len(demand) > 1 else "it"
    spoken = draft.settings.skills
    place = draft.places.key("skills.yaml", min(demand, key=lambda skill: (spoken[skill].language is not None, skill)))
    if low:
        matter = f"a caller can ask for {names}, but no seat and no agent has {both} at the level that is needed"
        mend = "lower the level, or add a step with a lower one"
        return Problem(place, "S061", matter, mend)
    matter = f"a caller can ask for {names}, but no seat and no agent has {both}"
    mend = f"give a seat in seats.yaml or an agent in agents.yaml the skills {', '.join(sorted(demand))}"
    return Problem(place, "S061", matter, mend)


def agents_like_seats(draft: Draft) -> Iterator[Problem]:
    """At the telephone both are typed: they must not be mistaken for each other."""
    for agent in draft.settings.agents.agents:
        if agent in draft.settings.answering.seats:
            seat = draft.places.key("seats.yaml", "seats", agent)
            matter = f"the agent {agent} is called like a seat ({seat})"
            yield Problem(
                draft.places.key("agents.yaml", "agents", agent), "S035", matter, "give the agent another number"
            )


def idle_seats(draft: Draft) -> Iterator[Problem]:
    """A seat without skills waits for somebody to sign on."""
    if draft.settings.agents.agents or not draft.sound("agents.yaml", "seats.yaml"):
        return
    for seat, entry in draft.settings.answering.seats.items():
        if not entry.skills:
            matter = f"the seat {seat} has no skills, and there is no agent who could sign on"
            mend = "give it skills, or write agents into agents.yaml"
            yield Problem(draft.places.key("seats.yaml", "seats", seat), "S064", matter, mend)
