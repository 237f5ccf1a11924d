"""Whether what should listen does, at the addresses that are meant, and nothing else."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from asterisk.listens import Listening, everybody, listening
from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.doctor.looking import CannotLook
from hotline.doctor.serving import asterisk_pid, controller_pid
from settings.shapes import Server

PORTS_A_CALL = 4
"""RTP and RTCP, for the caller's leg and for the one it is connected with."""


@dataclass(frozen=True, slots=True)
class Door:
    """Something that listens by the settings."""

    key: str
    """In server.yaml."""
    what: str
    at: Listening
    owner: Literal["asterisk", "controller"]


@dataclass(frozen=True, slots=True)
class Doors:
    """What was seen: what each process listens at; None: it does not run."""

    asterisk: frozenset[Listening] | None
    controller: frozenset[Listening] | None
    everybody: frozenset[Listening]


def look(case: Case) -> Doors:
    """Raises CannotLook, NoAsterisk, TooOld."""
    everyone = frozenset(everybody())
    return Doors(_of(asterisk_pid(case)), _of(controller_pid(case)), everyone)


def _of(pid: int | None) -> frozenset[Listening] | None:
    try:
        return None if pid is None else frozenset(listening(pid))
    except PermissionError:
        why = f"what process {pid} listens at is another user's"
        raise CannotLook(why, "run this as the user that the hotline runs as") from None


def judge(server: Server, seen: Doors) -> Iterator[Finding]:
    doors = _doors(server)
    for door in doors:
        owned = seen.asterisk if door.owner == "asterisk" else seen.controller
        yield from _one(door, owned, seen.everybody)
    yield from _wide(server, seen, frozenset(door.at for door in doors))
    yield from _unlocked(server)
    yield from _media(server, seen)


def findings(case: Case) -> Iterator[Finding]:
    return judge(case.settings.server, look(case))


def _doors(server: Server) -> tuple[Door, ...]:
    return (
        Door("sip", "SIP", Listening("udp", str(server.sip.address), server.sip.port), "asterisk"),
        Door("ami", "Asterisk's manager", Listening("tcp", str(server.ami.address), server.ami.port), "asterisk"),
        Door("http", "the HTTP interface", Listening("tcp", str(server.http.address), server.http.port), "controller"),
    )


def _one(door: Door, owned: frozenset[Listening] | None, everyone: frozenset[Listening]) -> Iterator[Finding]:
    if owned is not None and door.at in owned:
        return
    others = everyone - (owned or frozenset())
    taken = [one for one in sorted(others) if _meet(one, door.at)]
    if taken:
        show = "ss -lnup" if door.at.protocol == "udp" else "ss -lntp"
        mend = f"end that program ('{show}' shows it), or write another port under '{door.key}' in server.yaml"
        yield Finding("D021", f"{door.what} should listen at {door.at}, but another program does ({taken[0]})", mend)
    elif owned is not None:
        mend = f"hotline restart {door.owner}; if that does not help, mend '{door.key}' in server.yaml"
        yield Finding("D020", f"{door.what} does not listen at {door.at}", mend)


def _meet(one: Listening, other: Listening) -> bool:
    same = one.protocol == other.protocol and one.port == other.port
    return same and (one.address == other.address or _anywhere(one) or _anywhere(other))


def _anywhere(one: Listening) -> bool:
    return ipaddress.ip_address(one.address).is_unspecified


def _wide(server: Server, seen: Doors, meant: frozenset[Listening]) -> Iterator[Finding]:
    media = range(server.rtp.first, server.rtp.last + 1)
    address = str(server.sip.address)
    mend = "stop and start 'hotline run': it compiles what Asterisk listens at anew; if it stays, report it"
    for owner, owned in (("Asterisk", seen.asterisk), ("the controller", seen.controller)):
        for one in sorted((owned or frozenset()) - meant):
            ours = one.port == server.sip.port or one.port in media
            if one.protocol == "tcp" or (ours and one.address != address):
                yield Finding("D022", f"{owner} listens at {one}, which server.yaml does not say", mend)


def _unlocked(server: Server) -> Iterator[Finding]:
    if not server.ami.address.is_loopback:
        matter = f"Asterisk's manager listens at {server.ami.address}, beyond this machine, without TLS"
        yield Finding("D023", matter, "write 'address: 127.0.0.1' under 'ami' in server.yaml")
    if not server.http.address.is_loopback and server.http.tls is None:
        matter = f"the HTTP interface listens at {server.http.address}, beyond this machine, without TLS"
        yield Finding("D023", matter, "write 'tls' or 'address: 127.0.0.1' under 'http' in server.yaml")


def _media(server: Server, seen: Doors) -> Iterator[Finding]:
    first, last, address = server.rtp.first, server.rtp.last, str(server.sip.address)
    taken = {
        one.port
        for one in seen.everybody - (seen.asterisk or frozenset())
        if one.protocol == "udp" and first <= one.port <= last and (one.address == address or _anywhere(one))
    }
    needed = PORTS_A_CALL * (server.capacity.ordinary + server.capacity.reserve)
    left = last - first + 1 - len(taken)
    if left < needed:
        matter = f"{left} of the media ports {first}-{last} are left, the capacity needs {needed}"
        mend = "widen 'rtp' or lower 'capacity' in server.yaml, or end the programs there ('ss -lnup' shows them)"
        yield Finding("D024", matter, mend)
