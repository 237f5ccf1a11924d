"""Where each value was written: trees of YAML nodes that know their file, line and column.

A scalar keeps the text that stands in the file, so `0110`, `2026-01-01`, `12345` and `yes` are
what the operator typed, whatever YAML would make of them.
"""

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it is written; None where nothing (or `null`) is."""

    place: Place
    text: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value."""

    key: str
    place: Place
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    place: Place
    entries: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Listing:
    place: Place
    items: tuple["Node", ...]


Node = Scalar | Mapping | Listing
Path = Sequence[str | int]
"""The way from a file's top to a value: keys of mappings, positions in lists."""


def plain(node: Node) -> Any:
    """The node as dicts, lists, strings and None."""
    match node:
        case Scalar(text=text):
            return text
        case Mapping(entries=entries):
            return {key: plain(entry.value) for key, entry in entries.items()}
        case Listing(items=items):
            return [plain(item) for item in items]
        case _:
            assert_never(node)


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a path, or nearest above it."""

    key: Place
    value: Place
    whole: bool
    """Every part of the path was there."""


def follow(node: Node, path: Path) -> Found:
    """Where the key and the value at `path` stand. Parts of the path that do not exist are passed over."""
    key = node.place
    whole = True
    for part in path:
        if isinstance(node, Mapping) and (entry := node.entries.get(str(part))):
            node, key = entry.value, entry.place
        elif isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            key = node.place
        else:
            whole = False
    return Found(key, node.place, whole)


class Places:
    """Every value's place, by file and path."""

    def __init__(self, folder: str, trees: AbstractMapping[str, Node]) -> None:
        self._folder = folder
        self._trees = trees

    def key(self, file: str, *path: str | int) -> Place:
        """Where the key at `path` stands; where its nearest parent does, if it is not written."""
        return self._follow(file, path).key

    def value(self, file: str, *path: str | int) -> Place:
        """Where the value at `path` stands; its nearest parent's key, if it is not written."""
        found = self._follow(file, path)
        return found.value if found.whole else found.key

    def written(self, file: str, *path: str | int) -> bool:
        """Whether the operator wrote something at `path`."""
        return self._follow(file, path).whole

    def _follow(self, file: str, path: Path) -> Found:
        tree = self._trees.get(file)
        if tree is None:
            place = Place(f"{self._folder}/{file}")
            return Found(place, place, whole=False)
        return follow(tree, path)
