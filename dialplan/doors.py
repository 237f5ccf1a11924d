"""Who is refused at the SIP port, and who is told of it: acl.conf, its use in pjsip.conf, the account that listens."""

import hashlib
from collections.abc import Iterable
from ipaddress import IPv4Address

from asterisk.guarding import HEARD
from dialplan.render import render
from dialplan.values import Arg, ConfigFile, Section
from settings.secrets import Secrets

BANS = "bans"
"""The list of banned addresses, which `module reload acl` puts in force."""
ACL_FILE = "acl.conf"
GUARD_USER = "guard"
LOOPBACK = "127.0.0.0/255.0.0.0"
"""Where those come from who log in: from 127.0.0.1, whichever address of this machine they connect to."""


def refused(banned: Iterable[IPv4Address] = ()) -> ConfigFile:
    """Nobody who is not listed is refused."""
    return ConfigFile((Section(BANS, tuple(("deny", str(address)) for address in sorted(banned))),))


def refused_text(banned: Iterable[IPv4Address]) -> str:
    """acl.conf with these addresses."""
    return render(refused(banned))


def door() -> Section:
    """Part of pjsip.conf: whoever is on the list gets 403, before anything else is looked at."""
    return Section(BANS, (("type", "acl"), ("acl", BANS)))


def guard(secrets: Secrets) -> Section:
    """Part of manager.conf: an account that hears who tries to sign in, and can do nothing.

    It is not the controller's, so that no flood of attempts comes between the controller and its calls.
    """
    entries: tuple[tuple[str, Arg], ...] = (
        ("secret", guard_secret(secrets)),
        ("deny", "0.0.0.0/0.0.0.0"),
        ("permit", LOOPBACK),
        ("read", "security"),
        ("write", ""),
        ("writetimeout", 1000),
        *((_only_sip(sign), "PJSIP") for sign in sorted(HEARD)),
    )
    return Section(GUARD_USER, entries)


def _only_sip(event: str) -> str:
    """Lets an event through whose service is the filter's value."""
    return f"eventfilter(action(include),name({event}),header(Service),method(exact))"


def guard_secret(secrets: Secrets) -> str:
    """Made from the controller's, which cannot be found from it."""
    return hashlib.sha256(f"{GUARD_USER}:{secrets.ami}".encode()).hexdigest()
