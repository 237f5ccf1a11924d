"""Where one part of the settings names another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from settings.files import Kind
from settings.shapes import (
    Action,
    Do,
    Menu,
    Number,
    Parallel,
    Primary,
    Say,
    Settings,
    Speak,
    SubCentre,
    ToMenu,
    ToNumber,
    ToQueue,
    Whole,
)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The name `target` of a `kind`, as it stands in a file at a path."""

    kind: Kind
    target: str
    file: str
    path: Path


def references(settings: Settings) -> Iterator[Reference]:
    """Every reference, in the files' order."""
    recording = settings.server.recording
    if recording.enabled and recording.announcement:
        yield Reference("prompt", recording.announcement, "server.yaml", ("recording", "announcement"))
    for number, entry in settings.numbers.items():
        yield from _of_number(number, entry)
    for ident, menu in settings.menus.items():
        yield from _of_menu(ident, menu)
    emergencies = settings.emergencies
    yield Reference("skill", emergencies.operator, "emergencies.yaml", ("operator",))
    for place, trunk in enumerate(emergencies.trunks):
        yield Reference("trunk", trunk, "emergencies.yaml", ("trunks", place))
    for number, emergency in emergencies.numbers.items():
        for place, trunk in enumerate(emergency.trunks or ()):
            yield Reference("trunk", trunk, "emergencies.yaml", ("numbers", number, "trunks", place))
    for seat, desk in settings.answering.seats.items():
        for place, skill in enumerate(desk.skills):
            yield Reference("skill", skill, "seats.yaml", ("seats", seat, "skills", place))


def _of_number(number: str, entry: Number) -> Iterator[Reference]:
    file = "numbers.yaml"
    yield Reference("prompt", entry.greeting, file, (number, "greeting"))
    yield Reference("skill", entry.skill, file, (number, "skill"))
    yield Reference("hours", entry.hours, file, (number, "hours"))
    if entry.menu:
        yield Reference("menu", entry.menu, file, (number, "menu"))
    if entry.closed:
        yield Reference("prompt", entry.closed.notice, file, (number, "closed", "notice"))
    for place, mode in enumerate(entry.modes):
        path = (number, "modes", place)
        match mode:
            case Primary() | Parallel():
                pass
            case Whole():
                yield Reference("prompt", mode.notice, file, (*path, "notice"))
                if mode.to:
                    yield Reference("number", mode.to, file, (*path, "to"))
            case SubCentre():
                yield Reference("trunk", mode.trunk, file, (*path, "trunk"))
                if mode.notice:
                    yield Reference("prompt", mode.notice, file, (*path, "notice"))
            case _:
                assert_never(mode)


def _of_menu(ident: str, menu: Menu) -> Iterator[Reference]:
    yield Reference("prompt", menu.prompt, "menus.yaml", (ident, "prompt"))
    for key, action in menu.keys.items():
        target = _of_action(action)
        if target is not None:
            kind, name, at = target
            yield Reference(kind, name, "menus.yaml", (ident, "keys", key, at))


def _of_action(action: Action) -> tuple[Kind, str, str] | None:
    """Kind, name, and the key it stands at."""
    match action:
        case ToMenu(menu=menu):
            return "menu", menu, "menu"
        case ToNumber(number=number):
            return "number", number, "number"
        case ToQueue(queue=skill):
            return "skill", skill, "queue"
        case Say(prompt=prompt):
            return "prompt", prompt, "prompt"
        case Speak() | Do():
            return None
        case _:
            assert_never(action)
