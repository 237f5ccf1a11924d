"""Free ports for an instance that must not meet another one: the demo, a rehearsal, a test."""

import random
import socket
from contextlib import ExitStack

from settings.edit import on_ports
from settings.shapes import Settings

_FIRST, _LAST = 20_000, 30_000
"""Below the ports that the kernel hands out to clients, so that none of those is in the way."""


def free_ports(address: str, count: int) -> tuple[int, ...]:
    """So many ports that nothing uses now, neither by TCP nor by UDP.

    Raises OSError when the address is not this machine's.
    """
    found: list[int] = []
    with ExitStack() as held:
        for port in random.sample(range(_FIRST, _LAST), 2000):
            if len(found) == count:
                break
            try:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    trial = held.enter_context(socket.socket(socket.AF_INET, kind))
                    trial.bind((address, port))
            except PermissionError:
                raise
            except OSError as error:
                if error.errno == 99:  # EADDRNOTAVAIL: it will not do with any port.
                    raise
                continue
            found.append(port)
    if len(found) < count:
        raise OSError(f"{address} has no {count} free ports between {_FIRST} and {_LAST}")
    return tuple(found)


def on_free_ports(settings: Settings) -> Settings:
    """The settings with other ports at the same addresses, so that they can run beside any other instance.

    RTP ports are taken anywhere in their range, so ranges may overlap: Asterisk skips a used one.
    """
    sip, ami, http = free_ports(str(settings.server.sip.address), 3)
    count = settings.server.rtp.last - settings.server.rtp.first
    rtp_first = 2 * random.randrange(10_000 // 2, (_FIRST - count) // 2)  # noqa: S311 - no secret
    return on_ports(settings, sip=sip, rtp_first=rtp_first, ami=ami, http=http)
