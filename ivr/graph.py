"""Settings → the graph of what numbers, menus and keys mean."""

from typing import assert_never

from ivr.steps import (
    Cancelled,
    Dated,
    Elsewhere,
    EmergencyNode,
    Graph,
    KeyAction,
    MenuNode,
    NumberNode,
    Person,
    Received,
    ToEmergency,
    Treatment,
)
from settings.actions import Action, Do, Menu, WaitAction, WaitDo
from settings.emergencies import routes
from settings.service import ServiceFile
from settings.shapes import MergeMode, Number, Parallel, Primary, Settings, SubCentre, Whole


def graph(settings: Settings) -> Graph:
    """The graph of checked settings: every name in it leads somewhere."""
    emergencies = routes(settings.emergencies)
    keys = {route.key: route.number for route in emergencies if route.key is not None}
    recording = settings.server.recording
    return Graph(
        language=settings.city.language,
        numbers={dialled: _number(number) for dialled, number in settings.numbers.items()},
        menus={ident: _menu(menu, keys) for ident, menu in settings.menus.items()},
        emergencies={route.number: EmergencyNode(route.trunks, route.dial) for route in emergencies},
        emergency_keys=keys,
        waiting_keys=_waiting_keys(settings.service),
        own_numbers=frozenset({*(route.number for route in emergencies), *settings.numbers}),
        operator=settings.emergencies.operator,
        announcement=recording.announcement if recording.enabled else None,
        recorded=recording.enabled,
    )


def _waiting_keys(service: ServiceFile) -> dict[str, WaitAction]:
    """Without a line on which callers can be called back, its key means nothing."""
    no_line = service.call_back is None
    return {key: action for key, action in service.keys.items() if not (no_line and action == WaitDo(do="call_back"))}


def _number(number: Number) -> NumberNode:
    by_day = sorted(number.modes, key=lambda mode: mode.since)
    dated = tuple(Dated(mode.since, mode.mode, _treatment(number, mode)) for mode in by_day)
    return NumberNode(dated, number.skill, number.priority)


def _treatment(number: Number, mode: MergeMode) -> Treatment:
    match mode:
        case Primary() | Parallel():
            closed = number.closed
            return Received(
                greeting=number.greeting,
                menu=number.menu,
                hours=number.hours,
                closed_notice=None if closed is None else closed.notice,
                closed_ends=closed is not None and closed.then == "hangup",
            )
        case Whole(notice=notice, to=to):
            return Cancelled(notice, to)
        case SubCentre(notice=notice, trunk=trunk, dial=dial):
            return Elsewhere(notice, trunk, dial)
        case _:
            assert_never(mode)


def _menu(menu: Menu, emergency_keys: dict[str, str]) -> MenuNode:
    keys: dict[str, KeyAction] = {key: _action(action) for key, action in menu.keys.items()}
    keys["0"] = Person()
    keys |= {key: ToEmergency(number) for key, number in emergency_keys.items()}
    return MenuNode(menu.prompt, keys, menu.tries)


def _action(action: Action) -> KeyAction:
    return Person() if isinstance(action, Do) and action.do == "person" else action
