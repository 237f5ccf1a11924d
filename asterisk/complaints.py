"""What Asterisk complains about on its console: ERROR and WARNING lines."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_LINE = re.compile(r"^\[[^]]*\] (ERROR|WARNING)\[\d+\](?:\[C-[0-9a-f]+\])?:? ([^ :]+)(?::\d+ \S+)?: (.*)$")

_HARMLESS = re.compile("registered during operation")
"""PJSIP says so now and then of its own modules, in a race at start that loses nothing."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One line; `source` is the file of Asterisk's own code that wrote it."""

    level: Literal["ERROR", "WARNING"]
    source: str
    text: str

    def __str__(self) -> str:
        return f"{self.level} {self.source}: {self.text}"


def complaints(lines: Iterable[str]) -> tuple[Complaint, ...]:
    """The complaints among a log's lines, in order, each once."""
    found: dict[Complaint, None] = {}
    for line in lines:
        match = _LINE.match(line)
        if match is not None and not _HARMLESS.search(match[3]):
            level: Literal["ERROR", "WARNING"] = "ERROR" if match[1] == "ERROR" else "WARNING"
            found[Complaint(level, match[2], match[3].strip())] = None
    return tuple(found)
