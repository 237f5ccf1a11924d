"""Emergency numbers get through: two independent lines each, one key each, and never a block."""

from collections.abc import Iterator
from datetime import date

from settings.emergencies import EmergencyRoute, routes
from settings.places import Place
from settings.problems import Problem
from settings.read import Draft

_FILE = "emergencies.yaml"


def doubled_keys(draft: Draft) -> Iterator[Problem]:
    by_key: dict[str, EmergencyRoute] = {}
    for route in sorted(routes(draft.settings.emergencies), key=lambda route: _key_place(draft, route) is not None):
        if route.key is None:
            continue
        first = by_key.setdefault(route.key, route)
        place = _key_place(draft, route)
        if first is not route and place is not None:
            earlier = _key_place(draft, first)
            where = f"written at {earlier}" if earlier else "built in"
            matter = f"the key {route.key} of {route.number} is already the key of {first.number} ({where})"
            free = next((f"*{digit}" for digit in "56789" if f"*{digit}" not in by_key), "another one")
            yield Problem(place, "S031", matter, f"write a free key, such as '{free}'")


def _key_place(draft: Draft, route: EmergencyRoute) -> Place | None:
    """Where the operator wrote the key; None: it is built in."""
    path = ("numbers", route.number, "key")
    return draft.places.value(_FILE, *path) if draft.places.written(_FILE, *path) else None


def two_trunks(draft: Draft) -> Iterator[Problem]:
    written: dict[tuple[str, ...], tuple[str, ...]] = {("trunks",): draft.settings.emergencies.trunks}
    for number, emergency in draft.settings.emergencies.numbers.items():
        if emergency.trunks is not None:
            written["numbers", number, "trunks"] = emergency.trunks
    for path, trunks in written.items():
        if draft.places.written(_FILE, *path) and len(_lines(draft, trunks)) < 2:
            matter = "an emergency call has only one line to leave by"
            mend = "name two trunks that lead to different hosts or ports"
            yield Problem(draft.places.key(_FILE, *path), "S032", matter, mend)


def _lines(draft: Draft, trunks: tuple[str, ...]) -> set[tuple[str, int]]:
    """Different destinations; an unknown trunk counts as one of its own."""
    found = set()
    for ident in trunks:
        trunk = draft.settings.trunks.get(ident)
        found.add((ident, 0) if trunk is None else (trunk.host.lower(), trunk.port))
    return found


def drills(draft: Draft) -> Iterator[Problem]:
    """A drill reaches its own number's centre, and no other number that somebody answers in earnest."""
    for route in routes(draft.settings.emergencies):
        path = ("numbers", route.number, "drill")
        if not draft.places.written(_FILE, *path):
            continue
        others = {other.number: other for other in routes(draft.settings.emergencies) if other.number != route.number}
        dialled = {text: number for number, other in others.items() for text in (number, other.dial)}
        what = f"is what {dialled[route.drill]} dials" if route.drill in dialled else "is a number of ours"
        if route.drill in dialled or route.drill in draft.settings.numbers:
            mend = f"write what the centre of {route.number} agreed to, or take it out"
            yield Problem(
                draft.places.value(_FILE, *path), "S038", f"the drill of {route.number}, {route.drill}, {what}", mend
            )


def blocked_callers(draft: Draft, today: date | None) -> Iterator[Problem]:
    emergencies = {route.number for route in routes(draft.settings.emergencies)}
    for position, caller in enumerate(draft.settings.blocked):
        if caller.number in emergencies:
            matter = f"{caller.number} is an emergency number, which may call back"
            place = draft.places.value("blocked.yaml", position, "number")
            yield Problem(place, "S033", matter, "take the entry out")
        if today is not None and caller.until < today:
            place = draft.places.value("blocked.yaml", position, "until")
            yield Problem(
                place, "S090", f"this block ended on {caller.until}", "take the entry out, or set a later day"
            )
