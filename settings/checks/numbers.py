"""The hotline numbers: their merge modes over time, and what callers meet outside the hours."""

from collections.abc import Iterator
from datetime import date

from settings.emergencies import routes
from settings.problems import Problem
from settings.read import FILLERS, Draft
from settings.shapes import MergeMode, Number, Primary, SubCentre, Whole

_FILE = "numbers.yaml"


def shadowing(draft: Draft) -> Iterator[Problem]:
    """An emergency number stands for nothing else, and a seat is not called like any number."""
    emergencies = {route.number: route.name.zh for route in routes(draft.settings.emergencies)}
    for number in draft.settings.numbers:
        if number in emergencies:
            matter = f"{number} is an emergency number ({emergencies[number]})"
            mend = "take it out; emergencies.yaml says where its calls go"
            yield Problem(draft.places.key(_FILE, number), "S030", matter, mend)
    for seat in draft.settings.answering.seats:
        if seat in emergencies or seat in draft.settings.numbers:
            matter = f"the seat {seat} is called like {'an emergency' if seat in emergencies else 'a hotline'} number"
            yield Problem(draft.places.key("seats.yaml", "seats", seat), "S034", matter, "give the seat another number")


def mode_order(draft: Draft) -> Iterator[Problem]:
    for number, entry in draft.settings.numbers.items():
        for place in range(1, len(entry.modes)):
            before, mode = entry.modes[place - 1], entry.modes[place]
            if mode.since > before.since:
                continue
            how = "on the same day as" if mode.since == before.since else "before"
            earlier = draft.places.value(_FILE, number, "modes", place - 1, "from")
            matter = f"'{mode.mode}' begins {how} the mode above it ({earlier})"
            mend = "write the modes in the order of their dates, each with a later day"
            yield Problem(draft.places.value(_FILE, number, "modes", place, "from"), "S050", matter, mend)


def one_primary(draft: Draft) -> Iterator[Problem]:
    if not draft.sound(_FILE):
        return
    primaries = [
        (number, place)
        for number, entry in draft.settings.numbers.items()
        for place, mode in enumerate(entry.modes)
        if isinstance(mode, Primary)
    ]
    mend = "give the mode 'primary' to the city's own number, and 'parallel' to the others"
    if not primaries:
        yield Problem(draft.places.value(_FILE), "S051", "no number is the city's own", mend)
    first = primaries[0][0] if primaries else ""
    for number, place in primaries:
        if number != first:
            matter = f"{number} is primary, and so is {first} ({draft.places.key(_FILE, first)})"
            yield Problem(draft.places.value(_FILE, number, "modes", place, "mode"), "S051", matter, mend)


def closed_notice(draft: Draft) -> Iterator[Problem]:
    for number, entry in draft.settings.numbers.items():
        hours = draft.settings.hours.get(entry.hours)
        if hours is not None and not hours.always and entry.closed is None:
            if draft.places.written(_FILE, number, "closed"):
                continue
            mend = "add 'closed: {notice: …, then: person}'"
            matter = f"{number} has hours, but callers at other times are told nothing"
            yield Problem(draft.places.value(_FILE, number, "hours"), "S052", matter, mend)


def mode_on(number: Number, day: date) -> MergeMode | None:
    """The mode that holds on a day; None before the first."""
    return next((mode for mode in reversed(number.modes) if mode.since <= day), None)


def circles(draft: Draft) -> Iterator[Problem]:
    """Numbers that hand a caller on to one another for ever."""
    numbers = draft.settings.numbers
    seen: set[frozenset[str]] = set()
    for day in sorted({mode.since for entry in numbers.values() for mode in entry.modes}):
        onward = {}
        for number, entry in numbers.items():
            mode = mode_on(entry, day)
            if isinstance(mode, Whole) and mode.to:
                onward[number] = mode.to
        for circle in _circles(onward):
            if frozenset(circle) not in seen:
                seen.add(frozenset(circle))
                way = " → ".join([*circle, circle[0]])
                matter = f"from {day} callers are taken round in a circle: {way}"
                modes = numbers[circle[0]].modes
                at = max(place for place, mode in enumerate(modes) if mode.since <= day)
                yield Problem(
                    draft.places.value(_FILE, circle[0], "modes", at, "to"),
                    "S042",
                    matter,
                    "let one of these numbers be served",
                )


def _circles(onward: dict[str, str]) -> Iterator[list[str]]:
    done: set[str] = set()
    for start in onward:
        way: list[str] = []
        number = start
        while number in onward and number not in done:
            done.add(number)
            way.append(number)
            number = onward[number]
        if number in way:
            yield way[way.index(number) :]


def taken_over(draft: Draft) -> Iterator[Problem]:
    """A number that takes over another's callers is served by then."""
    for number, entry in draft.settings.numbers.items():
        for place, mode in enumerate(entry.modes):
            if not isinstance(mode, Whole) or not mode.to or mode.to in FILLERS:
                continue
            target = draft.settings.numbers.get(mode.to)
            if target is not None and target.modes[0].since > mode.since:
                since = target.modes[0].since
                matter = f"callers are taken to {mode.to} from {mode.since}, but it is served only from {since}"
                mend = "let the later number begin earlier, or merge this one later"
                yield Problem(draft.places.value(_FILE, number, "modes", place, "to"), "S053", matter, mend)


def comes_back(draft: Draft) -> Iterator[Problem]:
    """A transfer to a sub-centre over a line that brings calls to us may come straight back."""
    for number, entry in draft.settings.numbers.items():
        for place, mode in enumerate(entry.modes):
            if not isinstance(mode, SubCentre) or mode.dial not in draft.settings.numbers:
                continue
            trunk = draft.settings.trunks.get(mode.trunk)
            if trunk is not None and trunk.accepts_from:
                matter = f"{mode.dial} is a number of ours, and '{mode.trunk}' brings its calls to us"
                mend = "dial the sub-centre's own number, or use a trunk that leads to it alone"
                yield Problem(draft.places.value(_FILE, number, "modes", place, "dial"), "S043", matter, mend)
