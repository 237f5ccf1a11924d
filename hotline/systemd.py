"""What systemd is told where it started the hotline (`Type=notify`): that it serves, lives, and ends.

Elsewhere nobody asks, and nothing is told. `sd_notify(3)` describes the datagrams.
"""

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

_MICRO = 1_000_000
_SHARE = 3
"""So often the watchdog is told within its time: one datagram may come late."""


@dataclass(frozen=True, slots=True)
class Systemd:
    """Where to tell it, and how often."""

    address: str | None
    """Of a socket; None: nobody asks."""
    watchdog_s: float | None
    """Without a sign of life for so long the service is killed and started again; None: nobody watches."""

    @classmethod
    def asked(cls) -> Self:
        """As this process was started. Its children are not to speak for it: they find nothing in the environment."""
        address, watchdog = os.environ.pop("NOTIFY_SOCKET", None), os.environ.pop("WATCHDOG_USEC", "")
        pid = os.environ.pop("WATCHDOG_PID", str(os.getpid()))
        mine = watchdog.isdigit() and pid == str(os.getpid())
        return cls(address or None, int(watchdog) / _MICRO if mine else None)

    def ready(self) -> None:
        self._tell("READY=1\nSTATUS=serving")

    def stopping(self) -> None:
        self._tell("STOPPING=1\nSTATUS=stopping")

    async def live(self) -> None:
        """Gives signs of life until it is cancelled: for as long as the event loop turns."""
        while self.watchdog_s is not None:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_s / _SHARE)

    def _tell(self, words: str) -> None:
        if self.address is None:
            return
        place = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
            out.sendto(words.encode(), place)
