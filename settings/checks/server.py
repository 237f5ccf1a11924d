"""The machine: ports, sizes, time zone and lines."""

import zoneinfo
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from itertools import combinations

from settings.listening import Listen
from settings.problems import Problem, choose
from settings.read import Draft
from settings.shapes import Trunk

_PORTS_A_CALL = 4
"""RTP and RTCP, for the caller's leg and for the one it is connected with."""


def ports(draft: Draft) -> Iterator[Problem]:
    if not draft.sound("server.yaml"):
        return
    server = draft.settings.server
    listens = {"sip": server.sip, "ami": server.ami, "http": server.http}
    for (first, one), (second, other) in combinations(listens.items(), 2):
        if one.port == other.port and _same_address(one, other):
            place = draft.places.value("server.yaml", second, "port")
            written = draft.places.value("server.yaml", first, "port")
            matter = f"{second} listens on port {other.port}, and so does {first} ({written})"
            yield Problem(place, "S080", matter, "give each its own port")
    if server.rtp.first <= server.sip.port <= server.rtp.last:
        place = draft.places.value("server.yaml", "sip", "port")
        matter = f"sip listens on port {server.sip.port}, which is one of the RTP ports"
        yield Problem(place, "S080", matter, f"choose a port outside {server.rtp.first}-{server.rtp.last}")


def _same_address(one: Listen, other: Listen) -> bool:
    everywhere = IPv4Address("0.0.0.0")  # noqa: S104 - compared with, not listened on
    return one.address == other.address or everywhere in (one.address, other.address)


def rtp_ports(draft: Draft) -> Iterator[Problem]:
    if not draft.sound("server.yaml"):
        return
    server = draft.settings.server
    first, last = server.rtp.first, server.rtp.last
    place = draft.places.value("server.yaml", "rtp", "first")
    needed = _PORTS_A_CALL * (server.capacity.ordinary + server.capacity.reserve)
    if first % 2:
        yield Problem(place, "S081", f"the first RTP port, {first}, is odd", f"write {first + 1}")
    if last <= first:
        matter = f"the last RTP port, {last}, is not above the first, {first}"
        yield Problem(draft.places.value("server.yaml", "rtp", "last"), "S081", matter, "write a higher one")
    elif last - first + 1 < needed:
        have = last - first + 1
        matter = f"{have} RTP ports are too few for {needed // _PORTS_A_CALL} calls, which need {needed}"
        mend = f"set rtp.last to {first + needed - 1} or more" if first + needed <= 65536 else "let fewer calls in"
        yield Problem(draft.places.key("server.yaml", "rtp"), "S081", matter, mend)


def records(draft: Draft) -> Iterator[Problem]:
    kept = draft.settings.server.records
    if not draft.sound("server.yaml") or kept.postgresql is None:
        return
    place = draft.places.value("server.yaml", "records", "postgresql", "host")
    host = kept.postgresql.host
    if kept.copy_to is not None:
        also = draft.places.value("server.yaml", "records", "copy_to")
        matter = "records are sent to one place, and 'copy_to' names another"
        yield Problem(also, "S092", matter, "take 'copy_to' or 'postgresql' out")
    if not _is_host(host):
        yield Problem(place, "S092", f"'{host}' is neither a host's name nor an IPv4 address", "write one of the two")
    elif not (kept.postgresql.tls or host == "localhost" or host.startswith("127.")):
        matter = f"records, with callers' numbers, go to '{host}' in the clear"
        mend = "give that server a certificate, and write 'tls: true'"
        yield Problem(place, "S093", matter, mend)


def timezone(draft: Draft) -> Iterator[Problem]:
    name = draft.settings.city.timezone
    try:
        zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        known = zoneinfo.available_timezones()
        mend = choose(name, known, "write its name as 'Asia/Shanghai'") if known else "install the package tzdata"
        yield Problem(draft.places.value("city.yaml", "timezone"), "S082", f"there is no time zone '{name}'", mend)


def trunks(draft: Draft) -> Iterator[Problem]:
    sip = draft.settings.server.sip
    senders: dict[IPv4Address, str] = {}
    for ident, trunk in draft.settings.trunks.items():
        place = draft.places.value("trunks.yaml", ident, "host")
        if not _is_host(trunk.host):
            matter = f"'{trunk.host}' is neither a host's name nor an IPv4 address"
            yield Problem(place, "S083", matter, "write one of the two")
        elif (trunk.host, trunk.port) == (str(sip.address), sip.port):
            yield Problem(place, "S083", f"the trunk '{ident}' leads to ourselves", "write the carrier's address")
        if trunk.register_line and trunk.username is None:
            if draft.places.written("trunks.yaml", ident, "username"):
                continue
            place = draft.places.key("trunks.yaml", ident, "register")
            yield Problem(place, "S083", "registering needs a user name", "add a line 'username: …'")
        yield from _senders(draft, ident, trunk, senders)


def _senders(draft: Draft, ident: str, trunk: Trunk, senders: dict[IPv4Address, str]) -> Iterator[Problem]:
    """Calls are told apart by the address they come from: each belongs to one trunk, or to the seats."""
    for position, address in enumerate(trunk.accepts_from):
        place = draft.places.value("trunks.yaml", ident, "accepts_from", position)
        other = senders.setdefault(address, ident)
        if other != ident:
            at = draft.places.key("trunks.yaml", other, "accepts_from")
            matter = f"{address} is already where calls of '{other}' come from ({at})"
            yield Problem(place, "S083", matter, "let each address belong to one trunk")
        if address == draft.settings.server.sip.address:
            matter = f"{address} is our own address"
            yield Problem(place, "S083", matter, "write the address that the carrier's calls come from")


def _is_host(host: str) -> bool:
    if host.replace(".", "").isdigit():
        try:
            IPv4Address(host)
        except AddressValueError:
            return False
        return True
    labels = host.split(".")
    return all(0 < len(label) < 64 and label[0] != "-" and label[-1] != "-" for label in labels)


def calls_come_in(draft: Draft) -> Iterator[Problem]:
    if draft.sound("trunks.yaml") and not any(trunk.accepts_from for trunk in draft.settings.trunks.values()):
        mend = "add 'accepts_from: [address]' to the carrier's trunk"
        yield Problem(draft.places.value("trunks.yaml"), "S084", "no trunk brings calls to us", mend)
