"""Emergency numbers: the four that are always there, joined with what the city wrote."""

from dataclasses import dataclass

from settings.shape import Name
from settings.shapes import Emergencies


@dataclass(frozen=True, slots=True)
class EmergencyRoute:
    """One emergency number with everything resolved: what is dialled, where, and by which key."""

    number: str
    name: Name
    key: str | None
    trunks: tuple[str, ...]
    dial: str
    drill: str
    """What a drill dials instead."""


BUILT_IN: dict[str, tuple[Name, str]] = {
    "110": (Name(zh="公安报警", en="Police"), "*1"),
    "119": (Name(zh="火警", en="Fire"), "*2"),
    "120": (Name(zh="医疗急救", en="Ambulance"), "*3"),
    "122": (Name(zh="交通事故", en="Traffic accident"), "*4"),
}
"""Number → name and key. Nothing an operator writes removes one of these or changes its number."""


def routes(emergencies: Emergencies) -> tuple[EmergencyRoute, ...]:
    """Every emergency number, built-in ones first, in the order of their numbers."""
    written = emergencies.numbers
    found = []
    for number in [*BUILT_IN, *sorted(set(written) - set(BUILT_IN))]:
        entry = written.get(number)
        name, key = BUILT_IN.get(number, (Name(zh=number, en=number), None))
        if entry is None:
            found.append(EmergencyRoute(number, name, key, emergencies.trunks, number, number))
            continue
        found.append(
            EmergencyRoute(
                number,
                entry.name or name,
                entry.key or key,
                entry.trunks or emergencies.trunks,
                entry.dial or number,
                entry.drill or entry.dial or number,
            )
        )
    return tuple(found)
