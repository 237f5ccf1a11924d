"""Whether everything that the dialplan jumps to is there. Asterisk itself never asks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from dialplan.values import (
    Ask,
    At,
    Code,
    Context,
    Do,
    Extension,
    Gosub,
    Goto,
    GotoIf,
    Here,
    Move,
    Play,
    Put,
    PutAll,
    Return,
    Target,
)


@dataclass(frozen=True, slots=True)
class MissingJump:
    """A step of `context,extension` that leads nowhere; `to` is where it should."""

    context: str
    extension: str
    to: str

    def __str__(self) -> str:
        return f"{self.context},{self.extension} jumps to {self.to}, which is not there"


def missing_jumps(contexts: Sequence[Context], entries: Iterable[Target] = ()) -> list[MissingJump]:
    """Every jump to a place that is not there; `entries` are places that others send calls to."""
    places = {
        (context.name, extension.text): _labels(extension) for context in contexts for extension in context.extensions
    }
    found = [MissingJump("(from outside)", "", _written(target)) for target in entries if not _there(places, target)]
    sound: set[int] = set()  # Goals that many steps share are looked at once: one names every number of the city.
    for context in contexts:
        for extension in context.extensions:
            for move in moves(extension):
                if isinstance(move, Goto) and id(move.to) in sound:
                    continue
                wrong = [goal for goal in targets(move, context.name, extension.text) if not _there(places, goal)]
                found += [MissingJump(context.name, extension.text, _written(goal)) for goal in wrong]
                if isinstance(move, Goto) and isinstance(move.to, Target) and not wrong:
                    sound.add(id(move.to))
    return found


def moves(extension: Extension) -> Iterator[Move]:
    """Its steps without their labels."""
    for step in extension.steps:
        yield step.step if isinstance(step, At) else step


def _labels(extension: Extension) -> set[str | int]:
    named = {step.label for step in extension.steps if isinstance(step, At)}
    return {*named, *range(1, len(extension.steps) + 1)}


def targets(move: Move, context: str, extension: str) -> Iterator[Target]:
    """Where a step of `context,extension` can lead, but for the extensions of a context that keys can name."""
    match move:
        case Goto(to=Here(label=label)) | GotoIf(to=Here(label=label)):
            yield Target(context, extension, label)
        case Goto(to=Target() as to) | GotoIf(to=Target() as to) | Gosub(to=to):
            yield from _meant(to)
        case Do(reaches=reaches) | Put(reaches=reaches):
            yield from reaches
        case PutAll(puts=puts):
            for put in puts:
                yield from put.reaches
        case Play(keys=keys) if keys is not None:
            yield from _meant(keys)
        case Return() | Play() | Ask() | Goto() | GotoIf():
            pass
        case _:
            assert_never(move)


def _meant(target: Target) -> Iterator[Target]:
    """A target with code in it stands for those it lists; one that lists none is missing."""
    if target.among or not (isinstance(target.context, Code) or isinstance(target.extension, Code)):
        yield from target.among or (target,)
    else:
        yield target


def _there(places: dict[tuple[str, str], set[str | int]], target: Target) -> bool:
    return target.label in places.get((str(target.context), str(target.extension)), set())


def _written(target: Target) -> str:
    parts = (part.template if isinstance(part, Code) else str(part) for part in (target.context, target.extension))
    return ",".join((*parts, str(target.label)))
