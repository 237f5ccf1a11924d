"""Which files make up the settings, and the shape of each."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import TypeAdapter

from settings.shapes import (
    Blocked,
    City,
    Emergencies,
    HoursFile,
    Menu,
    Number,
    PromptsFile,
    SeatsFile,
    Server,
    Skill,
    Trunk,
)
from settings.units import Digits, Ident


@dataclass(frozen=True)
class File:
    """One of the operator's files."""

    name: str
    about: str
    shape: Any
    required: bool = True

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.shape)


FILES: dict[str, File] = {
    file.name: file
    for file in (
        File("city.yaml", "whose hotline this is", City),
        File("server.yaml", "addresses, ports and sizes of this machine", Server, required=False),
        File("trunks.yaml", "lines to carriers and other centres", dict[Ident, Trunk]),
        File("numbers.yaml", "the hotline numbers that citizens dial", dict[Digits, Number]),
        File("emergencies.yaml", "emergency numbers and how they are reached", Emergencies),
        File("menus.yaml", "what callers may choose by key", dict[Ident, Menu], required=False),
        File("hours.yaml", "opening hours, and days that are special", HoursFile, required=False),
        File("skills.yaml", "what seats can serve", dict[Ident, Skill]),
        File("seats.yaml", "the places with a telephone", SeatsFile),
        File("prompts.yaml", "what callers hear", PromptsFile),
        File("blocked.yaml", "malicious callers", tuple[Blocked, ...], required=False),
    )
}

Kind = Literal["prompt", "menu", "skill", "number", "hours", "trunk"]

DEFINED: dict[Kind, tuple[str, tuple[str, ...]]] = {
    "prompt": ("prompts.yaml", ("prompts",)),
    "menu": ("menus.yaml", ()),
    "skill": ("skills.yaml", ()),
    "number": ("numbers.yaml", ()),
    "hours": ("hours.yaml", ("hours",)),
    "trunk": ("trunks.yaml", ()),
}
"""What can be referred to → the file that defines it, and where in it."""
