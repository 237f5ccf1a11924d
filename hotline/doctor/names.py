"""Whether names lead to addresses: those in the settings, and this machine's own."""

import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import at_once
from settings.shapes import Settings

ANSWER_S = 5.0
SLOW_S = 1.0
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Names:
    """What was seen."""

    hosts: Mapping[str, str | None]
    """Name → why it does not resolve; None: it does."""
    own: str
    own_s: float | None
    """How long this machine's own name took; None: it does not resolve."""


def look(case: Case) -> Names:
    own = socket.gethostname()
    hosts = named(case.settings)
    took = at_once({name: partial(_resolved, name) for name in {own, *hosts}}, ANSWER_S)
    own_took = took[own]
    return Names({name: _why(took[name]) for name in hosts}, own, None if isinstance(own_took, Exception) else own_took)


def judge(settings: Settings, seen: Names) -> Iterator[Finding]:
    users = named(settings)
    for name, why in sorted(seen.hosts.items()):
        if why is not None:
            matter = f"'{name}' ({users[name]}) does not resolve: {why}"
            yield Finding("D080", matter, "mend it there, write its address instead, or put it into /etc/hosts")
    if seen.own_s is None or seen.own_s >= SLOW_S:
        how = "does not resolve" if seen.own_s is None else f"took {seen.own_s:.1f} s to resolve"
        mend = f"add a line '127.0.1.1 {seen.own}' to /etc/hosts"
        yield Finding("D081", f"this machine's own name '{seen.own}' {how}", mend)


def findings(case: Case) -> Iterator[Finding]:
    return judge(case.settings, look(case))


def named(settings: Settings) -> dict[str, str]:
    """Host name → who needs it. Addresses need no name."""
    archive = settings.server.records.postgresql
    hosts = {trunk.host: f"trunks.yaml: {ident}" for ident, trunk in settings.trunks.items()}
    hosts |= {} if archive is None else {archive.host: "server.yaml: records: postgresql"}
    return {host: who for host, who in hosts.items() if not _is_address(host)}


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _resolved(name: str) -> float:
    """How long it took, in seconds. A machine that is busy at the moment is asked again. Raises OSError."""
    took_s = SLOW_S
    for _ in range(_TRIES):
        began_s = time.monotonic()
        socket.getaddrinfo(name, None, socket.AF_INET)
        took_s = time.monotonic() - began_s
        if took_s < SLOW_S:
            break
    return took_s


def _why(took: float | Exception) -> str | None:
    match took:
        case OSError():
            return took.strerror or str(took)
        case Exception():
            return str(took)
        case _:
            return None
