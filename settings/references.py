"""Where one part of the settings names another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from settings.actions import Action, Do, Menu, Say, Speak, ToMenu, ToNumber, ToQueue, WaitDo
from settings.files import Kind
from settings.service import ServiceFile
from settings.shapes import Number, Parallel, Primary, Settings, SubCentre, Whole
from settings.staff import ShiftsFile

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The name `target` of a `kind`, as it stands in a file at a path."""

    kind: Kind
    target: str
    file: str
    path: Path
    is_key: bool = False
    """The name stands there as a key."""


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
    yield from _of_skills(settings)
    for seat, desk in settings.answering.seats.items():
        for place, skill in enumerate(desk.skills):
            yield Reference("skill", skill, "seats.yaml", ("seats", seat, "skills", place))
    for ident, agent in settings.agents.agents.items():
        for skill in agent.skills:
            yield Reference("skill", skill, "agents.yaml", ("agents", ident, "skills", skill), is_key=True)
    yield from _of_service(settings.service)
    yield from _of_shifts(settings.shifts)
    for number in settings.retention.numbers:
        yield Reference("number", number, "retention.yaml", ("numbers", number), is_key=True)


def _of_skills(settings: Settings) -> Iterator[Reference]:
    for ident, skill in settings.skills.items():
        for place, step in enumerate(skill.steps):
            if step.also is not None:
                yield Reference("skill", step.also, "skills.yaml", (ident, "steps", place, "also"))
            if step.centre is not None:
                yield Reference("centre", step.centre, "skills.yaml", (ident, "steps", place, "centre"))


def _of_service(service: ServiceFile) -> Iterator[Reference]:
    file = "service.yaml"
    for key, action in service.keys.items():
        match action:
            case ToQueue(queue=skill):
                yield Reference("skill", skill, file, ("keys", key, "queue"))
            case Say(prompt=prompt):
                yield Reference("prompt", prompt, file, ("keys", key, "prompt"))
            case WaitDo():
                pass
            case _:
                assert_never(action)
    if service.call_back is not None:
        yield Reference("trunk", service.call_back.trunk, file, ("call_back", "trunk"))
    for ident, centre in service.centres.items():
        yield Reference("trunk", centre.trunk, file, ("centres", ident, "trunk"))
    if service.outside is not None:
        yield Reference("trunk", service.outside.trunk, file, ("outside", "trunk"))


def _of_shifts(shifts: ShiftsFile) -> Iterator[Reference]:
    file = "shifts.yaml"
    for place, line in enumerate(shifts.roster):
        yield Reference("shift", line.shift, file, ("roster", place, "shift"))
        for position, agent in enumerate(line.agents):
            yield Reference("agent", agent, file, ("roster", place, "agents", position))
    for place, cover in enumerate(shifts.cover):
        if cover.shift is not None:
            yield Reference("shift", cover.shift, file, ("cover", place, "shift"))
        if cover.skill is not None:
            yield Reference("skill", cover.skill, file, ("cover", place, "skill"))
    officer = shifts.duty_officer
    if officer is not None and officer.seat is not None:
        yield Reference("seat", officer.seat, file, ("duty_officer", "seat"))
    if officer is not None and officer.trunk is not None:
        yield Reference("trunk", officer.trunk, file, ("duty_officer", "trunk"))


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
