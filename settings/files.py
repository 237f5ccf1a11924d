"""Which files make up the settings, and the shape of each."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import TypeAdapter

from settings.actions import Menu
from settings.keeping import RetentionFile
from settings.service import ServiceFile
from settings.shapes import Blocked, City, Emergencies, HoursFile, Number, PromptsFile, SeatsFile, Server, Skill, Trunk
from settings.staff import AgentsFile, ShiftsFile
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
        File("agents.yaml", "the people who answer", AgentsFile, required=False),
        File("service.yaml", "what callers meet while they wait and after the talk", ServiceFile, required=False),
        File("shifts.yaml", "who is on duty when", ShiftsFile, required=False),
        File("retention.yaml", "how long calls are kept", RetentionFile, required=False),
        File("prompts.yaml", "what callers hear", PromptsFile),
        File("blocked.yaml", "malicious callers", tuple[Blocked, ...], required=False),
    )
}

Kind = Literal["prompt", "menu", "skill", "number", "hours", "trunk", "seat", "agent", "centre", "shift"]

DEFINED: dict[Kind, tuple[str, tuple[str, ...]]] = {
    "prompt": ("prompts.yaml", ("prompts",)),
    "menu": ("menus.yaml", ()),
    "skill": ("skills.yaml", ()),
    "number": ("numbers.yaml", ()),
    "hours": ("hours.yaml", ("hours",)),
    "trunk": ("trunks.yaml", ()),
    "seat": ("seats.yaml", ("seats",)),
    "agent": ("agents.yaml", ("agents",)),
    "centre": ("service.yaml", ("centres",)),
    "shift": ("shifts.yaml", ("shifts",)),
}
"""What can be referred to → the file that defines it, and where in it."""
