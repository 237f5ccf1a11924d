"""Tokens: who may use the HTTP interface, and as what.

A token is shown once, when it is made. What is kept is its SHA-256, in a file that only its owner
can read: a token is 256 random bits, so that nothing can be learnt from its hash.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_IMODE
from typing import Any, Self

from web.desk import Role, Who

COMMAND_LINE = Who("command line", Role.SUPERVISOR)
"""Whoever runs `bin/hotline` as the user that the hotline runs as."""

_NAME = re.compile(r"[^\x00-\x1f\x7f\x85\u2028\u2029]{1,40}")
_AGENT = re.compile(r"[0-9]{3,8}")
_HASH = re.compile(r"[0-9a-f]{64}")


class TokenRefused(ValueError):
    """A token is not made or not removed; `why` says what is wrong, `mend` what to do."""

    def __init__(self, why: str, mend: str) -> None:
        self.why = why
        self.mend = mend
        super().__init__(f"{why}: {mend}")


class TokensWrong(ValueError):
    """The file of tokens cannot be used, so nobody is let in by it."""

    def __init__(self, path: Path, why: str, mend: str) -> None:
        self.path = path
        self.why = why
        self.mend = mend
        super().__init__(f"{path}: {why}: {mend}")


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token."""

    name: str
    role: Role
    agent: str | None
    hash: str
    """SHA-256 in hexadecimal."""
    created_utc_ms: int


class Tokens:
    """The tokens of one data folder. Changes by other processes are seen at the next question."""

    def __init__(self, path: Path, command: Path) -> None:
        """path: the tokens; command: the command line's own, see `local_token`. Neither need exist."""
        self._path = path
        self._command = command
        self._seen: tuple[_Stamp, _Stamp] | None = None
        self._known: dict[str, Who] = {}

    @classmethod
    def of(cls, path: Path) -> Self:
        """The tokens in a file such as `<data>/tokens.json`, and the command line's beside it."""
        return cls(path, command_token(path.parent))

    def who(self, secret: str) -> Who | None:
        """Whose token it is; None: nobody's. Raises TokensWrong or OSError when the file cannot be used.

        How long it takes tells nothing of the tokens: it is looked up by its hash, and nobody can steer
        what a guess is hashed to.
        """
        return self._fresh().get(_hashed(secret))

    def every(self) -> tuple[Token, ...]:
        """All that were added, by name. Raises TokensWrong or OSError."""
        return tuple(sorted(_read(self._path), key=lambda token: token.name))

    def add(self, name: str, role: Role, agent: str | None, now_utc_ms: int) -> str:
        """A new token, which nobody can show again. Raises TokenRefused, TokensWrong or OSError."""
        _check(name, role, agent)
        secret = secrets.token_urlsafe(32)
        with _alone(self._path):
            tokens = _read(self._path)
            if any(token.name == name for token in tokens):
                raise TokenRefused(
                    f"there is a token '{name}' already", "choose another name, or remove that one first"
                )
            _write(self._path, (*tokens, Token(name, role, agent, _hashed(secret), now_utc_ms)))
        return secret

    def remove(self, name: str) -> None:
        """Whoever shows it is let in no more. Raises TokenRefused, TokensWrong or OSError."""
        with _alone(self._path):
            tokens = _read(self._path)
            left = tuple(token for token in tokens if token.name != name)
            if len(left) == len(tokens):
                raise TokenRefused(f"no token is called '{name}'", "'hotline token list' shows them")
            _write(self._path, left)

    def _fresh(self) -> Mapping[str, Who]:
        seen = (_stamp(self._path), _stamp(self._command))
        if seen != self._seen:
            self._seen, self._known = None, {}
            known = {token.hash: Who(token.name, token.role, token.agent) for token in _read(self._path)}
            if seen[1] is not None:
                known[_hashed(command_secret(self._command))] = COMMAND_LINE
            self._seen, self._known = seen, known
        return self._known


def command_token(folder: Path) -> Path:
    """Where the command line finds its token in a data folder."""
    return folder / "command.token"


def command_secret(path: Path) -> str:
    """The command line's token. Raises TokensWrong or OSError."""
    _require_private(path)
    secret = path.read_bytes().strip().decode("ascii", "replace")
    if not secret:
        raise TokensWrong(path, "it is empty", "start the hotline again, which makes it anew")
    return secret


def local_token(folder: Path) -> str:
    """Makes a new token for the command line and puts it into the data folder, for its owner alone.

    The controller does so at each start. Raises OSError.
    """
    secret = secrets.token_urlsafe(32)
    _put(command_token(folder), f"{secret}\n")
    return secret


_Stamp = tuple[int, int, int, int] | None
"""What changes when a file does; None while there is none."""


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _check(name: str, role: Role, agent: str | None) -> None:
    if not _NAME.fullmatch(name) or name.strip() != name:
        raise TokenRefused(f"{name!r} cannot be a token's name", "write one line of at most 40 characters")
    if name == COMMAND_LINE.name:
        raise TokenRefused(f"'{name}' is what the audit calls bin/hotline", "choose another name")
    if role is Role.AGENT and agent is None:
        raise TokenRefused("nobody knows whose token it is", "give the agent's number with --agent")
    if agent is not None and not _AGENT.fullmatch(agent):
        raise TokenRefused(f"{agent!r} is no agent's number", "write 3 to 8 digits, as in agents.yaml")
    if agent is not None and role not in (Role.AGENT, Role.SUPERVISOR):
        raise TokenRefused(f"the role {role.value} is no agent's", "leave --agent out")


def _require_private(path: Path) -> None:
    mode = S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise TokensWrong(path, f"others can use it (mode {mode:04o})", f"run chmod 600 {path}")


def _read(path: Path) -> tuple[Token, ...]:
    try:
        _require_private(path)
        text = path.read_bytes()
    except FileNotFoundError:
        return ()
    try:
        return tuple(_token(entry) for entry in json.loads(text)["tokens"])
    except (ValueError, KeyError, TypeError) as error:
        raise TokensWrong(path, "it is not as 'hotline token' wrote it", "bring back a copy, or remove it") from error


def _token(entry: Mapping[str, Any]) -> Token:
    token = Token(entry["name"], Role(entry["role"]), entry["agent"], entry["hash"], int(entry["created_utc_ms"]))
    if not isinstance(token.name, str) or not _HASH.fullmatch(token.hash):
        raise ValueError(token.name)
    if token.role is Role.AGENT and not isinstance(token.agent, str):
        raise ValueError(token.name)
    return token


def _write(path: Path, tokens: tuple[Token, ...]) -> None:
    entries = [
        {
            "name": token.name,
            "role": token.role.value,
            "agent": token.agent,
            "hash": token.hash,
            "created_utc_ms": token.created_utc_ms,
        }
        for token in tokens
    ]
    _put(path, json.dumps({"tokens": entries}, ensure_ascii=False, indent=1) + "\n")


def _put(path: Path, text: str) -> None:
    """Written beside and renamed into place, mode 0600 from the first byte on."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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
def _alone(path: Path) -> Iterator[None]:
    """Two commands at once would each lose the other's change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
