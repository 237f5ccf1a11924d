"""What every way to answer has in common: the call's steps, where its parts meet, what a benchmark asks of it."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self, TextIO

from hotline.ports import free_ports
from prompts.catalogue import Catalogue

NUMBER = "12345"
"""The number that is dialled."""
PERSON = "0"
"""The key that asks for a person."""
KEYS = "0123456789*#"
"""Each of them interrupts the greeting or the menu."""
TRIES = 3
"""The menu is offered so often; then a person takes the call, whatever was pressed."""
KEY_S = 5
"""So long a key is waited for, counted from the end of the menu."""
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Sounds:
    """What the caller hears, in this order. Absolute paths without ending, as Asterisk wants them."""

    greeting: Path
    menu: Path
    to_person: Path

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Those of the example city's 12345, in Chinese; they were built."""
        sounds = catalogue.sounds()
        return cls(sounds["greeting_12345", "zh"], sounds["menu_main", "zh"], sounds["to_person", "zh"])


@dataclass(frozen=True, slots=True)
class IvrPlaces:
    """Where Asterisk and the server of a way meet: ports of HOST that were free, and a password made up for them."""

    modules: str
    """modules.conf as it was compiled; a way adds what it needs."""
    ami: int
    agi: int
    http: int
    secret: str = field(repr=False)

    @classmethod
    def beside(cls, etc: Path) -> Self:
        """For an Asterisk whose compiled files are in `etc`."""
        modules = (etc / "modules.conf").read_text(encoding="utf-8")
        ami, agi, http = free_ports(HOST, 3)
        return cls(modules, ami, agi, http, secrets.token_hex(16))


class Ivr(Protocol):
    """A way to answer. Its files are written over the compiled ones, Asterisk is started, then its server."""

    @property
    def name(self) -> str: ...

    def files(self, sounds: Sounds, seats: Sequence[str], places: IvrPlaces) -> Mapping[str, str]:
        """Asterisk's files by name. `seats`: the members of the queue."""

    def server(self, sounds: Sounds, places: IvrPlaces, log: TextIO) -> AbstractAsyncContextManager[int | None]:
        """Its Python process, which ends with the block: the process id, once calls may come. None: there is none.

        Asterisk runs already. What goes wrong in the process is written to `log`. Raises NotServing.
        """
