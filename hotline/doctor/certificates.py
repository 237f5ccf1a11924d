"""Whether certificates can be used: they are there, fit their keys, hold for some time, and name this machine."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from stat import S_IMODE

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import Certificate, DNSName, ExtensionNotFound, IPAddress, SubjectAlternativeName
from cryptography.x509 import load_pem_x509_certificates as load_certificates

from hotline.doctor.case import Case
from hotline.doctor.findings import Finding

SOON = timedelta(days=30)
_OTHERS = 0o027
"""A group may read a key, such as Debian's `ssl-cert`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, by the settings."""

    what: str
    """What they protect."""
    certificate: Path
    key: Path
    names: frozenset[str]
    """Names and addresses of which it must have one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One pair as it is."""

    pair: Pair
    unreadable: tuple[str, ...]
    """Why a file cannot be read; the rest is empty then."""
    fits: bool = False
    begins: datetime | None = None
    ends: datetime | None = None
    names: frozenset[str] = frozenset()
    key_mode: int = 0o600


def look(pair: Pair) -> Seen:
    certificate, key, unreadable = None, None, []
    try:
        certificate = load_certificates(pair.certificate.read_bytes())[0]
    except (OSError, ValueError) as error:
        unreadable.append(f"the certificate {pair.certificate}: {_why(error)}")
    try:
        key = load_pem_private_key(pair.key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        unreadable.append(f"the key {pair.key}: {_why(error)}")
    if certificate is None or key is None:
        return Seen(pair, tuple(unreadable))
    plain = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    fits = key.public_key().public_bytes(*plain) == certificate.public_key().public_bytes(*plain)
    return Seen(
        pair,
        (),
        fits,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        frozenset(_names(certificate)),
        S_IMODE(pair.key.stat().st_mode),
    )


def judge(seen: Seen, at: datetime) -> Iterator[Finding]:
    """at: aware."""
    pair = seen.pair
    for why in seen.unreadable:
        yield Finding(
            "D040", f"{pair.what}: {why}", "put it there in PEM, the key without a password, readable by the user"
        )
    if seen.begins is None or seen.ends is None:
        return
    if not seen.fits:
        matter = f"{pair.what}: the key {pair.key} is not that of {pair.certificate}"
        yield Finding("D041", matter, "put the key there that the certificate was asked for with")
    if seen.key_mode & _OTHERS:
        matter = f"{pair.what}: {pair.key} (mode {seen.key_mode:04o}) is open to other users"
        yield Finding("D030", matter, f"chmod 600 {pair.key}")
    renew = "renew it: the new one is shown as soon as it is there"
    if not seen.begins <= at < seen.ends:
        matter = f"{pair.what}: {pair.certificate} is valid from {seen.begins:%Y-%m-%d} to {seen.ends:%Y-%m-%d} only"
        yield Finding("D042", matter, f"{renew}; is the clock right?")
    elif seen.ends - at < SOON:
        yield Finding("D043", f"{pair.what}: {pair.certificate} ends on {seen.ends:%Y-%m-%d}", renew)
    if not any(_named(name, seen.names) for name in pair.names):
        matter = f"{pair.what}: {pair.certificate} is for {_listed(seen.names)}, not for {_listed(pair.names)}"
        yield Finding("D044", matter, "ask for one with the name that desks use")


def findings(case: Case) -> Iterator[Finding]:
    for pair in pairs(case):
        yield from judge(look(pair), case.at)


def pairs(case: Case) -> tuple[Pair, ...]:
    """What the settings name."""
    http = case.settings.server.http
    if http.tls is None:
        return ()
    return (Pair("HTTP", Path(http.tls.certificate), Path(http.tls.key), own_names(str(http.address))),)


def own_names(address: str) -> frozenset[str]:
    """What this machine may be called by those who connect to `address`."""
    given = ip_address(address)
    names = {socket.gethostname(), socket.getfqdn(), *(("localhost",) if given.is_loopback else ())}
    return frozenset(names if given.is_unspecified else {*names, address})


def _names(certificate: Certificate) -> Iterator[str]:
    try:
        told = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        return
    yield from told.get_values_for_type(DNSName)
    yield from (str(address) for address in told.get_values_for_type(IPAddress))


def _named(name: str, names: frozenset[str]) -> bool:
    """A certificate for *.example.cn is for hotline.example.cn, too."""
    _, dot, domain = name.partition(".")
    return name in names or (bool(dot) and f"*.{domain}" in names)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "no name at all"


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "that is none in PEM"
