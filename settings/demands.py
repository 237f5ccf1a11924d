"""Which combinations of skills a caller can demand of a seat, and which menus a caller can come to."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Literal, assert_never

from settings.actions import Action, Do, Menu, Say, Speak, ToMenu, ToNumber, ToQueue
from settings.shape import Language
from settings.shapes import Number, Settings, Whole

Place = tuple[Literal["number", "menu"], str]
"""A number or a menu that a call comes to."""
_Ways = Mapping[Place, Iterable[Place]]


def demand(settings: Settings, skill: str, language: str) -> frozenset[str]:
    """The skills that a seat needs for a caller of `skill` who chose `language`.

    Another language than the city's adds the skill of that language, where there is one.
    """
    if language == settings.city.language:
        return frozenset({skill})
    spoken = next((ident for ident, entry in settings.skills.items() if entry.language == language), skill)
    return frozenset({skill, spoken})


def demands(settings: Settings) -> tuple[frozenset[str], ...]:
    """Every combination of skills that some call can demand, sorted.

    It follows every number on every date of its modes. Where a menu lets the caller choose a
    language, that language counts for everything the same call can reach. Whoever waits can choose
    what the keys of waiting callers offer.
    """
    ways = _ways(settings)
    found = {frozenset({settings.emergencies.operator})}
    for language, dialled in _dialled_by_language(settings, ways).items():
        skills = _asked_at(settings, _reached(ways, dialled))
        found |= {demand(settings, skill, language) for skill in skills}
    return tuple(sorted(found, key=sorted))


def menus_heard(settings: Settings) -> frozenset[str]:
    """The menus that some call can come to."""
    reached = _reached(_ways(settings), (("number", number) for number in settings.numbers))
    return frozenset(name for kind, name in reached if kind == "menu")


def _ways(settings: Settings) -> dict[Place, tuple[Place, ...]]:
    """Where each place leads. References to what does not exist are among them."""
    return {
        **{("number", number): tuple(_from_number(entry)) for number, entry in settings.numbers.items()},
        **{("menu", ident): tuple(_from_menu(menu)) for ident, menu in settings.menus.items()},
    }


def _back(ways: _Ways) -> dict[Place, list[Place]]:
    """Which places lead to each."""
    found: dict[Place, list[Place]] = {place: [] for place in ways}
    for place, goals in ways.items():
        for goal in goals:
            if goal in found:
                found[goal].append(place)
    return found


def _reached(ways: _Ways, begins: Iterable[Place]) -> AbstractSet[Place]:
    """What a call can come to that begins at any of the places. What does not exist leads nowhere."""
    found: set[Place] = set()
    coming = list(begins)
    while coming:
        place = coming.pop()
        if place in ways and place not in found:
            found.add(place)
            coming += ways[place]
    return found


def _dialled_by_language(settings: Settings, ways: _Ways) -> Mapping[Language, AbstractSet[Place]]:
    """Language → the numbers whose callers can come to choose it; the city's own: all of them."""
    chosen_in: dict[Language, list[Place]] = {}
    for ident, menu in settings.menus.items():
        for action in menu.keys.values():
            if isinstance(action, Speak):
                chosen_in.setdefault(action.language, []).append(("menu", ident))
    numbers: set[Place] = {("number", number) for number in settings.numbers}
    back = _back(ways)
    by_language = {language: _reached(back, menus) & numbers for language, menus in chosen_in.items()}
    return {**by_language, settings.city.language: numbers}


def _asked_at(settings: Settings, reached: AbstractSet[Place]) -> set[str]:
    """The skills that calls can ask for at these places, and while they wait there."""
    skills: set[str] = set()
    for kind, name in reached:
        if kind == "menu":
            skills |= {act.queue for act in settings.menus[name].keys.values() if isinstance(act, ToQueue)}
        elif _is_served(settings.numbers[name]):
            skills.add(settings.numbers[name].skill)
    if skills:
        skills |= {action.queue for action in settings.service.keys.values() if isinstance(action, ToQueue)}
    return skills


def _is_served(number: Number) -> bool:
    """Whether it is not merged into another for ever."""
    return not all(isinstance(mode, Whole) for mode in number.modes)


def _from_number(number: Number) -> Iterator[Place]:
    for mode in number.modes:
        if isinstance(mode, Whole) and mode.to:
            yield "number", mode.to
    if _is_served(number) and number.menu:
        yield "menu", number.menu


def _from_menu(menu: Menu) -> Iterator[Place]:
    for action in menu.keys.values():
        goal = _goal(action)
        if goal is not None:
            yield goal


def _goal(action: Action) -> Place | None:
    match action:
        case ToMenu(menu=menu):
            return "menu", menu
        case ToNumber(number=number):
            return "number", number
        case ToQueue() | Speak() | Say() | Do():
            return None
        case _:
            assert_never(action)
