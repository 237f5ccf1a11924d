"""Everything that is referred to exists, and nothing is listed twice."""

from collections.abc import Iterable, Iterator

from settings.emergencies import routes
from settings.files import DEFINED, Kind
from settings.problems import Problem, choose
from settings.read import Draft
from settings.references import references

_CODES: dict[Kind, str] = {
    "prompt": "S020",
    "menu": "S021",
    "skill": "S022",
    "number": "S023",
    "hours": "S024",
    "trunk": "S025",
    "seat": "S026",
    "agent": "S027",
    "centre": "S028",
    "shift": "S029",
}


def missing_references(draft: Draft) -> Iterator[Problem]:
    emergencies = {route.number for route in routes(draft.settings.emergencies)}
    for reference in references(draft.settings):
        kind, name = reference.kind, reference.target
        if draft.knows(kind, name):
            continue
        mend = choose(name, draft.names[kind], f"define it in {DEFINED[kind][0]}")
        if kind == "number" and name in emergencies:
            mend = "emergency numbers are reached by their keys; write a number of numbers.yaml"
        found = draft.places.key if reference.is_key else draft.places.value
        place = found(reference.file, *reference.path)
        yield Problem(place, _CODES[kind], f"there {'are' if kind == 'hours' else 'is'} no {kind} '{name}'", mend)


def listed_twice(draft: Draft) -> Iterator[Problem]:
    settings = draft.settings
    emergencies = settings.emergencies
    yield from _twice(draft, emergencies.trunks, "emergencies.yaml", "trunks")
    for number, emergency in emergencies.numbers.items():
        yield from _twice(draft, emergency.trunks or (), "emergencies.yaml", "numbers", number, "trunks")
    for ident, trunk in settings.trunks.items():
        yield from _twice(draft, map(str, trunk.accepts_from), "trunks.yaml", ident, "accepts_from")
    for seat, entry in settings.answering.seats.items():
        yield from _twice(draft, entry.skills, "seats.yaml", "seats", seat, "skills")
    for place, line in enumerate(settings.shifts.roster):
        yield from _twice(draft, line.agents, "shifts.yaml", "roster", place, "agents")
        yield from _twice(draft, line.days, "shifts.yaml", "roster", place, "days")
    if settings.service.outside is not None:
        yield from _twice(draft, settings.service.outside.allowed, "service.yaml", "outside", "allowed")
    yield from _twice(draft, (entry.number for entry in settings.blocked), "blocked.yaml")
    days = (day.date.isoformat() for day in settings.calendar.days)
    yield from _twice(draft, days, "hours.yaml", "calendar", "days")


def _twice(draft: Draft, values: Iterable[str], file: str, *path: str | int) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for position, value in enumerate(values):
        if value in first:
            earlier = draft.places.value(file, *path, first[value])
            place = draft.places.value(file, *path, position)
            yield Problem(place, "S006", f"'{value}' is listed twice, first at {earlier}", "take one of them out")
        first.setdefault(value, position)
