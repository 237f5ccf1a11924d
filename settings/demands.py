"""Which combinations of skills a caller can demand of a seat."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

from settings.actions import Action, Do, Say, Speak, ToMenu, ToNumber, ToQueue
from settings.shape import Language
from settings.shapes import Number, Settings, Whole


def demand(settings: Settings, skill: str, language: str) -> frozenset[str]:
    """The skills that a seat needs for a caller of `skill` who chose `language`.

    Another language than the city's adds the skill of that language, where there is one.
    """
    if language == settings.city.language:
        return frozenset({skill})
    return frozenset({skill, *[ident for ident, entry in settings.skills.items() if entry.language == language][:1]})


def demands(settings: Settings) -> tuple[frozenset[str], ...]:
    """Every combination of skills that some call can demand, sorted.

    It follows every number on every date of its modes. Where a menu lets the caller choose a
    language, that language counts for everything the same call can reach. Whoever waits can choose
    what the keys of waiting callers offer.
    """
    found = {frozenset({settings.emergencies.operator})}
    for dialled in settings.numbers:
        reach = reached(settings, dialled)
        for skill in reach.skills:
            found |= {demand(settings, skill, language) for language in reach.languages}
    return tuple(sorted(found, key=sorted))


@dataclass(slots=True)
class Reach:
    """What a call can come to, beginning with one dialled number."""

    numbers: set[str] = field(default_factory=set)
    menus: set[str] = field(default_factory=set)
    skills: set[str] = field(default_factory=set)
    languages: set[Language] = field(default_factory=set)


def reached(settings: Settings, dialled: str) -> Reach:
    """What a call to `dialled` can come to. References to what does not exist lead nowhere."""
    reach = Reach(languages={settings.city.language})
    coming: list[ToMenu | ToNumber] = [ToNumber(number=dialled)]
    while coming:
        match coming.pop():
            case ToNumber(number=number) if number in settings.numbers and number not in reach.numbers:
                reach.numbers.add(number)
                coming += _of_number(settings.numbers[number], reach)
            case ToMenu(menu=menu) if menu in settings.menus and menu not in reach.menus:
                reach.menus.add(menu)
                for action in settings.menus[menu].keys.values():
                    coming += _of_action(action, reach)
            case _:
                pass
    if reach.skills:
        reach.skills |= {action.queue for action in settings.service.keys.values() if isinstance(action, ToQueue)}
    return reach


def _of_number(number: Number, reach: Reach) -> Iterator[ToMenu | ToNumber]:
    for mode in number.modes:
        if isinstance(mode, Whole) and mode.to:
            yield ToNumber(number=mode.to)
    if all(isinstance(mode, Whole) for mode in number.modes):
        return
    reach.skills.add(number.skill)
    if number.menu:
        yield ToMenu(menu=number.menu)


def _of_action(action: Action, reach: Reach) -> Iterator[ToMenu | ToNumber]:
    match action:
        case ToMenu() | ToNumber():
            yield action
        case ToQueue(queue=skill):
            reach.skills.add(skill)
        case Speak(language=language):
            reach.languages.add(language)
        case Say() | Do():
            pass
        case _:
            assert_never(action)
