"""Which sockets a process listens at, read from /proc."""

import ipaddress
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Literal

_TCP_LISTEN = "0A"
_UDP_UNCONNECTED = "07"


@dataclass(frozen=True, slots=True, order=True)
class Listening:
    """An address and port that others can send to. UDP: also a client's socket that waits for answers."""

    protocol: Literal["tcp", "udp"]
    address: str
    port: int

    @property
    def loopback_only(self) -> bool:
        address = ipaddress.ip_address(self.address)
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return (mapped or address).is_loopback

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.protocol} {address}:{self.port}"


def listening(pid: int) -> tuple[Listening, ...]:
    """What the process listens at, in order. Empty when it is gone.

    Raises PermissionError for a process of another user.
    """
    try:
        inodes = set(_sockets(pid))
        found = {entry for inode, entry in _table(pid) if inode in inodes}
    except (FileNotFoundError, ProcessLookupError):
        return ()
    return tuple(sorted(found))


def everybody() -> tuple[Listening, ...]:
    """What any process in this network namespace listens at, in order, whoever's it is."""
    return tuple(sorted({entry for _, entry in _table(os.getpid())}))


def _sockets(pid: int) -> Iterator[str]:
    with os.scandir(f"/proc/{pid}/fd") as descriptors:
        for descriptor in descriptors:
            try:
                target = Path(descriptor.path).readlink().name
            except FileNotFoundError:
                continue  # closed meanwhile
            match = re.fullmatch(r"socket:\[(\d+)\]", target)
            if match is not None:
                yield match[1]


def _table(pid: int) -> Iterator[tuple[str, Listening]]:
    """(inode, socket) of everything that waits in the process's network namespace."""
    protocols: tuple[tuple[Literal["tcp", "udp"], str], ...] = (("tcp", _TCP_LISTEN), ("udp", _UDP_UNCONNECTED))
    for protocol, waiting in protocols:
        for version in ("", "6"):
            table = Path(f"/proc/{pid}/net/{protocol}{version}")
            if not table.exists():
                continue  # a kernel without IPv6
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                columns = line.split()
                if columns[3] == waiting:
                    address, _, port = columns[1].partition(":")
                    yield columns[9], Listening(protocol, str(_address(address)), int(port, 16))


def _address(text: str) -> IPv4Address | IPv6Address:
    """The kernel prints an address as 32-bit words in the machine's byte order."""
    words = [int(text[i : i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(words))
