"""Passwords: kept apart from the settings, in a file that only its owner can read.

The AMI's, the seats' and the agents' PINs are made up here; a carrier's and PostgreSQL's are written into the
file by the operator.
Nothing here ever shows a password: not in messages, not in logs, not in `repr`.
"""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from stat import S_IMODE

from settings.places import Mapping, Node, Scalar
from settings.shapes import Settings
from settings.tree import read_file

_HEAD = "# Passwords, and agents' PINs. Only the owner may read this file. Those of trunks come from the carrier.\n"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Every password that this instance needs."""

    ami: str = field(repr=False)
    seats: dict[str, str] = field(repr=False)
    """Seat → password."""
    trunks: dict[str, str] = field(repr=False)
    """Trunk with a user name → password."""
    agents: dict[str, str] = field(repr=False)
    """Agent → PIN."""
    postgresql: str = field(default="", repr=False)
    """Of the user in PostgreSQL; empty: records are not sent there."""

    def values(self) -> tuple[str, ...]:
        """Passwords and PINs, for those who must mask them in a text."""
        others = (self.postgresql,) if self.postgresql else ()
        return (self.ami, *self.seats.values(), *self.trunks.values(), *self.agents.values(), *others)


class SecretsOpenToOthers(PermissionError):
    """Others could read the passwords: they are not used."""

    def __init__(self, path: Path, mode: int) -> None:
        self.path = path
        self.mode = mode
        super().__init__(f"{path} can be used by others (mode {mode:04o}): run chmod 600 {path}")


class SecretsWrong(ValueError):
    """The file is not what it must be; `matter` does not show any of its values."""

    def __init__(self, path: Path, matter: str, mend: str) -> None:
        self.path = path
        self.matter = matter
        self.mend = mend
        super().__init__(f"{path}: {matter}: {mend}")


class TrunkPasswordMissing(SecretsWrong):
    """Trunks with a user name whose password the operator has still to write."""

    def __init__(self, path: Path, trunks: tuple[str, ...]) -> None:
        self.trunks = trunks
        names = ", ".join(trunks)
        super().__init__(path, f"no password for: {names}", "write the carrier's password there under 'trunks'")


class PostgresqlPasswordMissing(SecretsWrong):
    """Records are to be sent to PostgreSQL, but the operator has still to write the password."""

    def __init__(self, path: Path) -> None:
        mend = "write the password of its user there under 'postgresql'"
        super().__init__(path, "no password for: PostgreSQL (server.yaml: records)", mend)


def load_or_create(path: Path, settings: Settings) -> Secrets:
    """The passwords for these settings; whatever is missing and can be made up is added to the file.

    Raises SecretsOpenToOthers, SecretsWrong, TrunkPasswordMissing, PostgresqlPasswordMissing, or OSError
    when the file cannot be read or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.parent):
        written = _read(path)
        wanted = _completed(written, settings)
        if wanted != written:
            _write(path, wanted)
    lacking = tuple(trunk for trunk, password in wanted["trunks"].items() if not password)
    _check_pins(path, wanted["agents"])
    needed = [ident for ident, trunk in settings.trunks.items() if trunk.username is not None]
    if missing := tuple(ident for ident in needed if ident in lacking):
        raise TrunkPasswordMissing(path, missing)
    archived = settings.server.records.postgresql is not None
    if archived and not wanted["postgresql"]["password"]:
        raise PostgresqlPasswordMissing(path)
    return Secrets(
        ami=wanted["ami"]["password"],
        seats={seat: wanted["seats"][seat] for seat in settings.answering.seats},
        trunks={ident: wanted["trunks"][ident] for ident in needed},
        agents={agent: wanted["agents"][agent] for agent in settings.agents.agents},
        postgresql=wanted["postgresql"]["password"] if archived else "",
    )


_Written = dict[str, dict[str, str]]
_SECTIONS = ("ami", "seats", "trunks", "agents", "postgresql")


def _completed(written: _Written, settings: Settings) -> _Written:
    """With a password for everything; those of seats that are gone stay, for they may come back."""
    archived = settings.server.records.postgresql is not None
    named = [ident for ident, trunk in settings.trunks.items() if trunk.username is not None]
    return {
        "ami": {"password": written["ami"].get("password") or secrets.token_urlsafe(24)},
        "seats": {
            **written["seats"],
            **{seat: written["seats"].get(seat) or secrets.token_urlsafe(18) for seat in settings.answering.seats},
        },
        "trunks": {**dict.fromkeys(named, ""), **written["trunks"]},
        "agents": {
            **written["agents"],
            **{agent: written["agents"].get(agent) or _pin() for agent in settings.agents.agents},
        },
        "postgresql": {**({"password": ""} if archived else {}), **written["postgresql"]},
    }


def _pin() -> str:
    """Six digits that nobody would try first: at least four different ones, and no run such as 345678."""
    while True:
        digits = f"{secrets.randbelow(10**6):06}"
        steps = {(int(later) - int(earlier)) % 10 for earlier, later in pairwise(digits)}
        if len(set(digits)) >= 4 and len(steps) > 1:
            return digits


def _check_pins(path: Path, pins: dict[str, str]) -> None:
    for agent, pin in pins.items():
        if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
            raise SecretsWrong(path, f"the PIN of agent {agent} cannot be dialled", "write 4 to 8 digits in quotes")


def _read(path: Path) -> _Written:
    empty: _Written = {section: {} for section in _SECTIONS}
    if not path.exists():
        return empty
    mode = S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SecretsOpenToOthers(path, mode)
    tree, problems = read_file(path, str(path))
    if tree is None or problems:
        # A YAML problem may quote the line that it stands in: only its place is told.
        where = f"line {problems[0].place.line} is not as it should be"
        raise SecretsWrong(path, where, "write it as 'key: password', the password in quotes")
    return {**empty, **_sections(path, tree)}


def _sections(path: Path, tree: Node) -> _Written:
    names = f"{', '.join(_SECTIONS[:-1])} and {_SECTIONS[-1]}"
    mend = f"write the sections {names} with lines 'key: password'"
    if isinstance(tree, Scalar) and tree.text is None:
        return {}
    if not isinstance(tree, Mapping) or not tree.entries.keys() <= set(_SECTIONS):
        raise SecretsWrong(path, f"it has other parts than {names}", mend)
    found: _Written = {}
    for section, entry in tree.entries.items():
        if isinstance(entry.value, Scalar) and entry.value.text is None:
            continue
        if not isinstance(entry.value, Mapping):
            raise SecretsWrong(path, f"'{section}' (line {entry.place.line}) is not a mapping", mend)
        found[section] = {}
        for key, line in entry.value.entries.items():
            text = (line.value.text or "") if isinstance(line.value, Scalar) else "\n"
            if not text.isprintable():
                raise SecretsWrong(path, f"line {line.place.line} is no password", "write it on one line, in quotes")
            found[section][key] = text
    return found


def _write(path: Path, written: _Written) -> None:
    text = _HEAD + "".join(
        f"{section}:\n" + "".join(f"  {json.dumps(key)}: {json.dumps(value)}\n" for key, value in lines.items())
        for section, lines in written.items()
    )
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # Mode 0600 from the first byte on.
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes that make up passwords at once would each believe in their own."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
