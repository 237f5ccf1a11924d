"""What callers need of a seat, and how the longer wait lets more seats do.

A call carries the plain names of its skills. What level suffices, which other skill is good enough
and when another centre takes it follows from the settings and from how long the call has waited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from settings.shapes import Settings, Skill

Has = frozenset[tuple[str, int]]
"""What a seat can do now: skills, each once, with its level (1 a little … 5 an expert)."""

Need = frozenset[tuple[str, int]]
"""Skills that are needed together, each with the least level that suffices."""

Demand = frozenset[Need]
"""Alternatives: whoever has all of any one of them can serve."""

_ANYBODY: Demand = frozenset({frozenset()})
_ANY = 1
"""The level that is enough in a skill that is `also` good enough, and in one that the settings no longer know."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a caller needs at some moment of its wait."""

    demand: Demand
    next_after_ms: int | None
    """When that changes, counted from the beginning of the wait; None: it stays."""
    centre: str | None
    """The other centre that should have the call by now."""


def serves(has: Has, demand: Demand) -> bool:
    return spare(dict(has), demand) is not None


def spare(levels: Mapping[str, int], demand: Demand) -> tuple[int, int] | None:
    """What a seat with these levels could do besides: how many other skills, and how many levels more than needed.

    The least over the alternatives; None when it cannot serve at all.
    """
    best: tuple[int, int] | None = None
    for need in demand:
        surplus = 0
        for skill, least in need:
            level = levels.get(skill, 0)
            if level < least:
                break
            surplus += level - least
        else:
            found = len(levels) - len(need), surplus
            best = found if best is None or found < best else best
    return best


class Demands:
    """The settings' answer to who may serve whom after which wait. Stages are shared, so they are quick to compare."""

    def __init__(self, settings: Settings) -> None:
        self._skills = settings.skills
        self._stages: dict[frozenset[str], tuple[Stage, ...]] = {}

    def at(self, skills: frozenset[str], waited_ms: int) -> Stage:
        """What such a caller needs after such a wait; a negative wait (another machine's clock) counts as none."""
        for stage in self._of(skills):
            if stage.next_after_ms is None or waited_ms < stage.next_after_ms:
                return stage
        raise AssertionError(skills)  # The last stage has no end.

    def last(self, skills: frozenset[str]) -> Demand:
        """The widest demand: all steps are taken."""
        return self._of(skills)[-1].demand

    def _of(self, skills: frozenset[str]) -> tuple[Stage, ...]:
        known = self._stages.get(skills)
        if known is None:
            known = self._stages[skills] = self._made(skills)
        return known

    def _made(self, names: frozenset[str]) -> tuple[Stage, ...]:
        skills = [(name, self._skills.get(name)) for name in sorted(names)]
        moments = sorted({_ms(step.after) for _, skill in skills if skill for step in skill.steps})
        ends = [*moments, None]
        return tuple(_stage(skills, begin, end) for begin, end in zip([0, *moments], ends, strict=True))


def _stage(skills: list[tuple[str, Skill | None]], waited_ms: int, end_ms: int | None) -> Stage:
    alternatives = [_alternatives(name, skill, waited_ms) for name, skill in skills]
    demand = frozenset(_together(chosen) for chosen in product(*alternatives)) if alternatives else _ANYBODY
    centres = [due for _, skill in skills if skill for due in _centres(skill, waited_ms)]
    return Stage(demand, end_ms, max(centres, key=lambda due: due[0])[1] if centres else None)


def _alternatives(name: str, skill: Skill | None, waited_ms: int) -> list[tuple[str, int]]:
    """Each of them is good enough after that wait."""
    if skill is None:
        return [(name, _ANY)]
    level, others = skill.level, []
    for step in sorted(skill.steps, key=lambda step: step.after):
        if _ms(step.after) > waited_ms:
            break
        level = step.level or level
        if step.also is not None and step.also != name:
            others.append((step.also, _ANY))
    return [(name, level), *others]


def _centres(skill: Skill, waited_ms: int) -> list[tuple[int, str]]:
    return [(_ms(step.after), step.centre) for step in skill.steps if step.centre and _ms(step.after) <= waited_ms]


def _together(chosen: tuple[tuple[str, int], ...]) -> Need:
    """One alternative of each skill; a skill that stands for two of them must reach the higher level."""
    levels: dict[str, int] = {}
    for skill, level in chosen:
        levels[skill] = max(level, levels.get(skill, 0))
    return frozenset(levels.items())


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
