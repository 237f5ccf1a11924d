"""The doors for programs: what may listen beyond this machine, and with what certificate."""

from collections.abc import Iterator
from pathlib import Path
from ssl import SSLError

from settings.listening import Tls
from settings.problems import Problem
from settings.read import Draft
from settings.tls import KeyOpenToOthers, server_context

_FILE = "server.yaml"


def in_the_clear(draft: Draft) -> Iterator[Problem]:
    """Tokens and callers' numbers leave this machine encrypted or not at all."""
    http = draft.settings.server.http
    if not draft.sound(_FILE) or http.address.is_loopback or http.tls is not None:
        return
    matter = f"http listens at {http.address} without TLS: tokens and callers' numbers would go there in the clear"
    mend = "write 'tls: { certificate: …, key: … }' there, or 127.0.0.1, and a web server with TLS before it"
    yield Problem(draft.places.value(_FILE, "http", "address"), "S102", matter, mend)


def certificate(draft: Draft) -> Iterator[Problem]:
    tls = draft.settings.server.http.tls
    if not draft.sound(_FILE) or tls is None:
        return
    wrong = _wrong_with(tls)
    if wrong is not None:
        part, matter, mend = wrong
        yield Problem(draft.places.value(_FILE, "http", "tls", part), "S103", matter, mend)


def manager_stays_here(draft: Draft) -> Iterator[Problem]:
    """Whoever has Asterisk's manager interface has every call, and it knows no limits."""
    ami = draft.settings.server.ami
    if draft.sound(_FILE) and not ami.address.is_loopback:
        matter = f"Asterisk's manager interface would listen at {ami.address}, and steers every call"
        yield Problem(draft.places.value(_FILE, "ami", "address"), "S104", matter, "write 127.0.0.1")


def _wrong_with(tls: Tls) -> tuple[str, str, str] | None:
    """The key in `tls`, what is wrong with it, and the mend."""
    for part, path in (("certificate", tls.certificate), ("key", tls.key)):
        try:
            Path(path).read_bytes()
        except OSError as error:
            mend = "put it there, for the user that the hotline runs as to read"
            return part, f"{path} cannot be read ({error.strerror})", mend
    try:
        server_context(tls)
    except KeyOpenToOthers as error:
        return "key", f"{error.path} can be used by others (mode {error.mode:04o})", f"run chmod 600 {error.path}"
    except (SSLError, OSError):
        mend = "name two PEM files that fit each other, the key without a password"
        return "certificate", f"{tls.certificate} and {tls.key} are no certificate with its key", mend
    return None
