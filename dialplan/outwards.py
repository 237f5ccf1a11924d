"""What the dialplan dials outwards, and who can come there: what shows that no caller dials for himself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dialplan.jumps import moves, targets
from dialplan.values import Address, Arg, Code, Context, Do, Extension, Pattern, Target

KEYS = frozenset("0123456789*#ABCD")
_TO_TRUNK = "PJSIP/<number>@<trunk>"
_TO_SEAT = "<before><seat><after>"

Place = tuple[str, str]
"""Context and extension."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """A step that calls over a trunk."""

    place: Place
    number: Arg
    trunk: Arg


class UnknownDial(ValueError):
    """A step that calls somebody in a way that is neither a trunk's nor a seat's."""

    def __init__(self, place: Place, step: Do) -> None:
        self.place = place
        self.step = step
        super().__init__(f"{place[0]},{place[1]} calls somebody, and nobody knows whom: {step.app}{step.args}")


def ways_out(contexts: Iterable[Context]) -> tuple[WayOut, ...]:
    """Every call over a trunk. Raises UnknownDial."""
    found: list[WayOut] = []
    for context in contexts:
        for extension in context.extensions:
            for move in moves(extension):
                if isinstance(move, Do) and move.app == "Dial":
                    found += _way((context.name, extension.text), move)
    return tuple(found)


def _way(place: Place, move: Do) -> Iterable[WayOut]:
    address = move.args[0]
    if isinstance(address, Code) and address.template == _TO_TRUNK:
        values = dict(address.values)
        return (WayOut(place, values["number"], values["trunk"]),)
    if isinstance(address, Code) and address.template == _TO_SEAT:
        parts = dict(address.values)
        if isinstance(parts["before"], Address) and isinstance(parts["after"], Address):
            return ()
    raise UnknownDial(place, move)


def reached(contexts: Sequence[Context], roots: Iterable[Target]) -> frozenset[Place]:
    """Where a call that begins at one of `roots` can come, whatever its caller presses and whenever.

    More than there is: wherever a call stands, each extension of that context counts as reached that keys can
    name, and so do those that Asterisk itself goes to (`h`, `i`, `t`).
    """
    known = {context.name: context for context in contexts}
    places = {(context.name, extension.text): extension for context in contexts for extension in context.extensions}
    waiting = [(str(root.context), str(root.extension)) for root in roots]
    found: set[Place] = set()
    while waiting:
        place = waiting.pop()
        if place in found or place not in places:
            continue
        found.add(place)
        waiting += [(place[0], extension.text) for extension in known[place[0]].extensions if _by_key(extension)]
        for move in moves(places[place]):
            for target in targets(move, *place):
                for meant in target.among or (target,):
                    waiting.append((str(meant.context), str(meant.extension)))
    return frozenset(found)


def _by_key(extension: Extension) -> bool:
    return isinstance(extension.name, Pattern) or extension.name in ("h", "i", "t") or KEYS.issuperset(extension.text)
