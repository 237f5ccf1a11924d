"""SIP as attackers write it: messages by hand, from any address of this machine, with or without an answer."""

import asyncio
import hashlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

Server = tuple[str, int]

_SERIAL = count(1)
OWN = re.compile(r'(nonce|opaque|tag|branch|rport)="?[^",;\r\n]*"?|^Call-ID: .*$', re.MULTILINE)
"""What differs between any two answers."""


@dataclass
class Stranger:
    """Somebody at an address of their own."""

    server: Server
    socket: socket.socket
    serial: int = field(default_factory=lambda: next(_SERIAL))

    @property
    def place(self) -> Server:
        address, port = self.socket.getsockname()
        return str(address), int(port)

    def message(self, method: str, user: str, *headers: str, to: str = "", body: str = "") -> bytes:
        """A request that is well formed but for what is put into it. user: who it claims to be from."""
        serial, to = next(_SERIAL), to or user
        here, there = "{}:{}".format(*self.place), "{}:{}".format(*self.server)
        goal = f"sip:{there}" if method == "REGISTER" else f"sip:{to}@{there}"
        lines = (
            f"{method} {goal} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{self.serial}x{serial};rport",
            "Max-Forwards: 70",
            f"From: <sip:{user}@{self.server[0]}>;tag=t{serial}",
            f"To: <sip:{to}@{self.server[0]}>",
            f"Call-ID: c{self.serial}x{serial}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:someone@{here}>",
            *headers,
            f"Content-Length: {len(body.encode())}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def send(self, message: bytes) -> None:
        self.socket.sendto(message, self.server)

    async def ask(self, message: bytes, within_s: float = 30.0) -> str:
        """The first final answer to a request. Raises TimeoutError."""
        self.send(message)
        call = re.search(rb"^Call-ID: (.*?)\r?$", message, re.MULTILINE)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(within_s):
            while True:
                data = await loop.sock_recv(self.socket, 65_535)
                if data.startswith(b"SIP/2.0 ") and not data.startswith(b"SIP/2.0 1"):
                    text = data.decode("utf-8", "replace")
                    if call is None or f"Call-ID: {call[1].decode()}" in text:
                        return text

    async def guess(self, user: str, password: str) -> str:
        """Tries to register with a password; how that was answered."""
        challenge = await self.ask(self.message("REGISTER", user, "Expires: 60"))
        if not challenge.startswith("SIP/2.0 401"):
            return challenge
        given = {name: _quoted(challenge, name) for name in ("realm", "nonce", "opaque")}
        uri = f"sip:{self.server[0]}"
        secret, asked = _md5(f"{user}:{given['realm']}:{password}"), _md5(f"REGISTER:{uri}")
        response = _md5(f"{secret}:{given['nonce']}:00000001:aa:auth:{asked}")
        parts = {"username": user, **given, "uri": uri, "response": response, "cnonce": "aa"}
        words = ", ".join(f'{name}="{value}"' for name, value in parts.items())
        login = f"Authorization: Digest {words}, qop=auth, nc=00000001, algorithm=MD5"
        return await self.ask(self.message("REGISTER", user, "Expires: 60", login))


@contextmanager
def stranger(server: Server, address: str) -> Iterator[Stranger]:
    """Somebody at this address of loopback, until the end of the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((address, 0))
        opened.setblocking(False)
        yield Stranger(server, opened)


def encoded(text: str) -> str:
    """A text as a user name can hold it: each byte of it percent-encoded."""
    return "".join(f"%{byte:02x}" for byte in text.encode())


def alike(answer: str, user: str) -> str:
    """An answer without what is its own in each one, and without the name that was asked for."""
    return OWN.sub("~", answer).replace(user, "USER")


def _quoted(text: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', text)
    return found[1] if found else ""


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - SIP's own
