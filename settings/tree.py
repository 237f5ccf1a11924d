"""Reads one YAML file into a tree of nodes with places; what is wrong with it becomes problems.

Only the plain part of YAML is taken: mappings, lists, scalars, and `&name`/`*name` to repeat a
value. Size, depth and repetition are bounded, so that no file can exhaust the machine.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from settings.places import Entry, Listing, Mapping, Node, Place, Scalar
from settings.problems import Problem

_LARGEST = 4 * 1024 * 1024
"""Bytes in a file."""
_DEEPEST = 16
_MOST_NODES = 500_000
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


class _Wrong(Exception):
    """The file cannot be read any further."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def read_file(path: Path, shown: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a file that is called `shown` in problems.

    None: it cannot be read. An empty file is an empty scalar.
    """
    start = Place(shown)
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else None
    except OSError as error:
        return None, [Problem(start, "S003", f"it cannot be read ({error.strerror})", "make it a readable file")]
    if data is None:
        return None, [Problem(start, "S003", "it is larger than 4 MB", "write less into it")]
    return read_text(data, shown)


def read_text(data: bytes, shown: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a file's bytes."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        mend = "save the file as UTF-8"
        return None, [Problem(Place(shown, line, column), "S003", "the file is not UTF-8 from here on", mend)]
    builder = _Builder(shown)
    try:
        return builder.document(text), builder.problems
    except _Wrong as wrong:
        return None, [*builder.problems, wrong.problem]
    except MarkedYAMLError as error:
        return None, [*builder.problems, _syntax(error, shown)]
    except ReaderError as error:
        return None, [*builder.problems, _control(text, error.position, shown)]
    except YAMLError as error:
        return None, [*builder.problems, Problem(Place(shown), "S004", str(error), "write valid YAML")]


def _syntax(error: MarkedYAMLError, shown: str) -> Problem:
    matter = error.problem or "this is not valid YAML"
    unended = error.context_mark is not None and ("end of stream" in matter or "stream end" in matter)
    mark = error.context_mark if unended else error.problem_mark
    place = Place(shown) if mark is None else Place(shown, mark.line + 1, mark.column + 1)
    if "'\\t'" in matter:
        return Problem(place, "S004", "a tab stands here", "indent with blanks")
    if "alias" in (error.context or ""):
        return Problem(place, "S004", "a value begins with *", "put it in quotes, such as '*5'")
    if "mapping values are not allowed" in matter:
        mend = "check the indentation, and put a text with a colon in quotes"
        return Problem(place, "S004", "a key stands where none can", mend)
    mend = "close the quotes or brackets that begin here" if unended else "check the indentation, quotes and brackets"
    return Problem(place, "S004", f"not valid YAML ({matter})", mend)


def _control(text: str, position: int, shown: str) -> Problem:
    before = text[:position]
    place = Place(shown, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
    return Problem(place, "S004", f"an invisible character (U+{ord(text[position]):04X}) stands here", "take it out")


class _Builder:
    """Builds the tree from the parser's events, and notes problems that do not end the reading."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._nodes = 0
        self._named: dict[str, tuple[Node, int]] = {}
        self._open: set[str] = set()
        self.problems: list[Problem] = []

    def document(self, text: str) -> Node:
        events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent) and root is not None:
                raise self._not_used(event.start_mark, "a second document begins with ---", "take the line out")
            if isinstance(event, NodeEvent):
                root = self._node(event, events, 0)
        return Scalar(Place(self._shown), None) if root is None else root

    def _node(self, event: NodeEvent, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        place = self._place(event.start_mark)
        before = self._count(1, place)
        if depth > _DEEPEST:
            raise self._not_used(event.start_mark, f"it is nested more than {_DEEPEST} deep", "write it flatter")
        if getattr(event, "tag", None):
            self.problems.append(Problem(place, "S005", "tags (!…) are not used here", "write the value alone"))
        if event.anchor:
            self._open.add(event.anchor)
        node: Node
        match event:
            case ScalarEvent():
                bare = event.style in (None, "")
                node = Scalar(place, None if bare and event.value in _NOTHING else event.value)
            case MappingStartEvent():
                node = Mapping(place, self._entries(events, depth))
            case SequenceStartEvent():
                node = Listing(place, self._items(events, depth))
            case _:
                raise self._not_used(event.start_mark, "this part of YAML is not used here", "take it out")
        if event.anchor:
            self._open.discard(event.anchor)
            self._named[event.anchor] = node, self._nodes - before + 1
        return node

    def _entries(self, events: Iterator[Any], depth: int) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, Scalar):
                self.problems.append(Problem(key.place, "S013", "a list or mapping is used as a key", "write one word"))
                continue
            name = key.text or ""
            if name == "<<":
                mend = "write the shared lines out"
                self.problems.append(Problem(key.place, "S005", "merging with << is not used here", mend))
            elif first := found.get(name):
                matter = f"'{name}' is written twice, first at {first.place}"
                self.problems.append(Problem(key.place, "S006", matter, "keep one of the two"))
            else:
                found[name] = Entry(name, key.place, value)
        return found

    def _items(self, events: Iterator[Any], depth: int) -> tuple[Node, ...]:
        found = []
        while not isinstance(event := next(events), SequenceEndEvent):
            found.append(self._node(event, events, depth + 1))
        return tuple(found)

    def _alias(self, event: AliasEvent) -> Node:
        if event.anchor in self._open:
            raise self._not_used(event.start_mark, f"*{event.anchor} contains itself", "write the value out")
        if event.anchor not in self._named:
            place = self._place(event.start_mark)
            mend = f"put it in quotes: '*{event.anchor}'"
            raise _Wrong(Problem(place, "S004", "a value begins with * (YAML repeats a named value then)", mend))
        node, size = self._named[event.anchor]
        self._count(size, self._place(event.start_mark))
        return node

    def _count(self, more: int, place: Place) -> int:
        self._nodes += more
        if self._nodes > _MOST_NODES:
            raise _Wrong(Problem(place, "S005", f"it has more than {_MOST_NODES} values", "write less into it"))
        return self._nodes

    def _place(self, mark: StringMark) -> Place:
        return Place(self._shown, mark.line + 1, mark.column + 1)

    def _not_used(self, mark: StringMark, matter: str, mend: str) -> _Wrong:
        return _Wrong(Problem(self._place(mark), "S005", matter, mend))
