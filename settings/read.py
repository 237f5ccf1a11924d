"""Reads the operator's folder into a draft: as much of the settings as can be understood.

What is wrong becomes problems, and its place in the draft is taken by a filler, so that checks of
everything else go on. A draft with problems is never used for anything but more checks.
"""

from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

from pydantic import ValidationError

from settings.explain import explain
from settings.files import DEFINED, FILES, File, Kind
from settings.places import Mapping, Node, Place, Places, Scalar, plain
from settings.problems import Problem, choose
from settings.references import references
from settings.shapes import Settings
from settings.tree import read_file

FILLER = "zz_unknown"
FILLERS: frozenset[str] = frozenset({FILLER, FILLER + "_2", "00"})
"""Ids that stand where the operator's own could not be understood: never a reason for a problem."""

_INSTEAD: dict[str, Any] = {
    "name": {"zh": "?", "en": "?"},
    "zh": "?",
    "en": "?",
    "modes": [{"mode": "parallel", "from": "0001-01-01"}],
    "from": "0001-01-01",
    "until": "9999-12-31",
    "trunks": [FILLER, FILLER + "_2"],
    "skills": {FILLER: 1},
    "host": "unknown",
    "number": "00",
    "dial": "00",
    "do": "person",
    "language": "zh",
    "reason": "?",
    "author": "?",
    **dict.fromkeys(("greeting", "skill", "notice", "prompt", "menu", "queue", "operator", "trunk", "shift"), FILLER),
}
"""What takes the place of a value that must be there, by its key."""
_INSTEAD_IN: dict[str, dict[str, Any]] = {"agents.yaml": {"name": "?"}}
"""The same for keys that hold something else in one of the files."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Settings as far as they could be understood, for checks only."""

    settings: Settings
    places: Places
    unread: frozenset[str]
    """Files of which nothing is known: whatever is looked for there may exist."""
    flawed: frozenset[str]
    """Files in which something could not be understood."""
    names: dict[Kind, AbstractSet[str]]
    """Everything that can be referred to, as it is written, right or wrong."""

    def knows(self, kind: Kind, name: str) -> bool:
        """Whether a reference to `name` is to be taken as good."""
        return name in self.names[kind] or name in FILLERS or DEFINED[kind][0] in self.unread

    def sound(self, *files: str) -> bool:
        """Whether all of the files were understood as a whole."""
        return self.flawed.isdisjoint(files)

    def resolved(self, *kinds: Kind) -> bool:
        """Whether every reference to one of the kinds leads somewhere."""
        return all(
            self.knows(reference.kind, reference.target)
            for reference in references(self.settings)
            if reference.kind in kinds
        )


def read_folder(folder: Path) -> tuple[Draft, list[Problem]]:
    """The draft of a settings folder, and everything that is wrong with its files' form."""
    shown = str(folder)
    if not folder.is_dir():
        problem = Problem(Place(shown), "S001", "there is no such folder", "give the folder that has city.yaml in it")
        return _draft(folder, {}), [problem]
    problems = list(_strangers(folder))
    trees: dict[str, Node | None] = {}
    for name, file in FILES.items():
        if (folder / name).exists():
            trees[name], found = read_file(folder / name, f"{shown}/{name}")
            problems += found
        elif file.required:
            trees[name] = None
            matter = f"{name} ({file.about}) is missing"
            problems.append(Problem(Place(f"{shown}/{name}"), "S001", matter, "write it; docs/settings.md shows how"))
        else:
            trees[name] = Scalar(Place(f"{shown}/{name}"), None)
    for name, tree in trees.items():
        problems += [] if tree is None else _shape_problems(FILES[name], tree)
    return _draft(folder, trees, frozenset(Path(problem.place.file).name for problem in problems)), problems


def _strangers(folder: Path) -> list[Problem]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".yaml", ".yml") or path.name in FILES or path.name.startswith("."):
            continue
        mend = choose(path.name, FILES, "take it away")
        if path.stem == "secrets":
            mend = "secrets are kept in the data folder; take it away"
        found.append(Problem(Place(str(path)), "S002", "no part of the settings has this file's name", mend))
    return found


def _data(file: File, tree: Node) -> Any:
    """The file as plain data; an empty file is an empty mapping or list."""
    data = plain(tree)
    return ([] if file.name == "blocked.yaml" else {}) if data is None else data


def _shape_problems(file: File, tree: Node) -> list[Problem]:
    try:
        file.adapter.validate_python(_data(file, tree), by_alias=True, by_name=False)
    except ValidationError as error:
        return list(explain(file.shape, tree, error.errors(include_url=False)))
    return []


def _draft(folder: Path, trees: dict[str, Node | None], flawed: frozenset[str] = frozenset()) -> Draft:
    known = {name: tree for name, tree in trees.items() if tree is not None}
    unread = frozenset(FILES) - frozenset(known)
    values = {name: _filled(file, known.get(name)) for name, file in FILES.items()}
    settings = Settings(
        folder=str(folder),
        city=values["city.yaml"],
        server=values["server.yaml"],
        trunks=values["trunks.yaml"],
        numbers=values["numbers.yaml"],
        emergencies=values["emergencies.yaml"],
        menus=values["menus.yaml"],
        calendar=values["hours.yaml"].calendar,
        hours=values["hours.yaml"].hours,
        skills=values["skills.yaml"],
        answering=values["seats.yaml"],
        agents=values["agents.yaml"],
        service=values["service.yaml"],
        shifts=values["shifts.yaml"],
        retention=values["retention.yaml"],
        prompts=values["prompts.yaml"],
        blocked=values["blocked.yaml"],
    )
    names: dict[Kind, AbstractSet[str]] = {kind: _names(known.get(at), path) for kind, (at, path) in DEFINED.items()}
    names["hours"] = {"always", *names["hours"]}
    return Draft(settings, Places(str(folder), known), unread, flawed | unread, names)


def _names(tree: Node | None, path: tuple[str, ...]) -> AbstractSet[str]:
    """The names that a file defines, and what those with capitals or full-width letters should be."""
    for part in path:
        entry = tree.entries.get(part) if isinstance(tree, Mapping) else None
        tree = entry.value if entry else None
    names = set(tree.entries) if isinstance(tree, Mapping) else set()
    return names | {normalize("NFKC", name).lower() for name in names}


def _filled(file: File, tree: Node | None) -> Any:
    """The file's value; what cannot be understood is left out, or filled where something must be."""
    empty: Any = [] if file.name == "blocked.yaml" else {}
    data = empty if tree is None else deepcopy(_data(file, tree))
    if not isinstance(data, type(empty)):
        data = empty
    instead = {**_INSTEAD, **_INSTEAD_IN.get(file.name, {})}
    for _ in range(100):
        try:
            return file.adapter.validate_python(data, by_alias=True, by_name=False)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
        paths = [(_existing(data, list(wrong["loc"])), wrong) for wrong in errors]
        for path, wrong in paths:
            if _existing(data, path) == path:
                lacking = str(wrong["loc"][-1]) if wrong["type"] == "missing" else None
                _mend(data, path, {lacking: instead[lacking]} if lacking in instead else {})
    raise AssertionError(f"fillers do not fit the shape of {file.name}")


def _mend(data: Any, path: list[int | str], filler: dict[str, Any]) -> None:
    """Adds the `filler` for what is missing; without one, takes what is wrong out of `data`."""
    if filler:
        _at(data, path).update(deepcopy(filler))
        return
    while path:
        parent = _at(data, path[:-1])
        if isinstance(parent, dict):
            del parent[path[-1]]
            return
        if len(path) == 1:
            parent.clear()
        path = path[:-1]


def _existing(data: Any, location: list[int | str]) -> list[int | str]:
    """The parts of pydantic's location that are keys and positions in `data`."""
    path: list[int | str] = []
    for part in location:
        found = isinstance(data, dict) and part in data
        if found or (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            data = data[part]
            path.append(part)
    return path


def _at(data: Any, path: list[int | str]) -> Any:
    for part in path:
        data = data[part]
    return data
