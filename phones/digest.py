"""Digest authentication (RFC 2617 and RFC 7616 with MD5): an answer to a server's challenge."""

import hashlib
import re
import secrets
from dataclasses import dataclass

_FIELD = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Account:
    """Who a telephone is at its server."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Account(user={self.user!r}, password=***)"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks for in WWW-Authenticate or Proxy-Authenticate."""

    realm: str
    nonce: str
    opaque: str | None
    with_qop: bool
    """Whether it offers `qop=auth`; otherwise the older form is answered."""
    stale: bool
    """Only the nonce had grown old: the password was right."""


class NoAnswer(ValueError):
    """The challenge asks for something other than digest with MD5."""

    def __init__(self, challenge: str) -> None:
        super().__init__(f"only digest with MD5 can be answered, not {challenge[:120]!r}: set the server to MD5")
        self.challenge = challenge


def read(header: str) -> Challenge:
    """A challenge's header as a value. Raises NoAnswer."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest":
        raise NoAnswer(header)
    fields: dict[str, str] = {}
    at = 0
    rest = rest.strip()
    while at < len(rest):
        found = _FIELD.match(rest, at)
        if found is None:
            raise NoAnswer(header)
        fields[found[1].lower()] = found[3] if found[2] is None else re.sub(r"\\(.)", r"\1", found[2])
        at = found.end()
    offers = {word.strip().lower() for word in fields.get("qop", "").split(",") if word.strip()}
    if fields.get("algorithm", "MD5").upper() != "MD5" or (offers and "auth" not in offers):
        raise NoAnswer(header)
    if "realm" not in fields or "nonce" not in fields:
        raise NoAnswer(header)
    stale = fields.get("stale", "").lower() == "true"
    return Challenge(fields["realm"], fields["nonce"], fields.get("opaque"), bool(offers), stale)


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def answer(
    challenge: Challenge, account: Account, method: str, uri: str, *, cnonce: str | None = None, count: int = 1
) -> str:
    """The value of Authorization (or Proxy-Authorization).

    `count` says how often this nonce was answered, from 1; `cnonce` is drawn unless given.
    """
    ha1 = _md5(account.user, challenge.realm, account.password)
    ha2 = _md5(method, uri)
    fields = [("username", account.user), ("realm", challenge.realm), ("nonce", challenge.nonce), ("uri", uri)]
    plain = [("algorithm", "MD5")]
    if challenge.with_qop:
        drawn = cnonce or secrets.token_hex(8)
        counted = f"{count:08x}"
        fields.append(("response", _md5(ha1, challenge.nonce, counted, drawn, "auth", ha2)))
        fields.append(("cnonce", drawn))
        plain += [("qop", "auth"), ("nc", counted)]
    else:
        fields.append(("response", _md5(ha1, challenge.nonce, ha2)))
    if challenge.opaque is not None:
        fields.append(("opaque", challenge.opaque))
    quoted = [f"{name}={_quoted(value)}" for name, value in fields]
    return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in plain)])


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
