"""Manager events as real calls make them: recorded once, each call's names made unique, sent by a server of our own.

Recorded from Asterisk 22.10 with this project's configuration: one call to 12333 of the example city, which enters
the waiting room, is steered to seat 8001, talks, and is hung up. `ami_steered.txt` is what the controller's account
was sent of it, through the event filters of manager.conf. `ami_all.txt` is what an account with `read=all` and no
filter was sent, but for Asterisk's own test events.
"""

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
STREAMS = {"steered": _HERE / "ami_steered.txt", "all": _HERE / "ami_all.txt"}
END_SEAT = "99999999"
"""A seat that nobody has: its change is the last event of a stream."""
_END = f"Event: DeviceStateChange\r\nDevice: PJSIP/{END_SEAT}\r\nState: NOT_INUSE\r\n\r\n".encode()
HEARD = frozenset({"UserEvent", "Hangup", "DeviceStateChange", "OriginateResponse"})
"""What panoramisk is asked to call back for: what the controller listens for."""
_MEANT = re.compile(
    r"Event: UserEvent\n(?:.+\n)*UserEvent: (?:Room|Survival|Back|Left|Sent|Ask|CallBack|Reached|Desk)\n"
    r"|Event: Hangup\n"
    r"|Event: DeviceStateChange\n(?:.+\n)*Device: PJSIP/[0-9]{3,8}\n"
)
"""What becomes a live event of the controller."""
_BATCH_CALLS = 10
_SEND_BUFFER = 128 * 1024
"""Bytes. What is in it is ahead of an answer to Ping."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One call's messages; `<…>` in them stand for what is its own."""

    text: str

    @property
    def events(self) -> int:
        """In one call."""
        return self.text.count("Event: ") - self.text.count("UserEvent: ")

    @property
    def heard(self) -> int:
        """Events of one call whose name is one that is listened for."""
        names = Counter(re.findall(r"^Event: (\w+)$", self.text, re.MULTILINE))
        return sum(names[name] for name in HEARD)

    @property
    def meant(self) -> int:
        """Events of one call that mean something to the controller."""
        return len(_MEANT.findall(self.text))

    def calls(self, events: int) -> int:
        """So many calls make about so many events; at least one."""
        return max(1, round(events / self.events))

    def batches(self, calls: int) -> list[bytes]:
        """The messages of so many calls, and the one that ends them."""
        each = [self.call(place) for place in range(calls)]
        joined = [b"".join(each[first : first + _BATCH_CALLS]) for first in range(0, calls, _BATCH_CALLS)]
        return [*joined, _END]

    def call(self, place: int) -> bytes:
        """The messages of one call, unlike those of any other."""
        own = {
            "<ref>": f"{place:012x}",
            "<id>": f"{1_795_341_652 + place}",
            "<call>": f"{2 * place:08x}",
            "<leg>": f"{2 * place + 1:08x}",
            "<caller>": f"{place % 10**8:08}",
        }
        text = self.text
        for name, value in own.items():
            text = text.replace(name, value)
        return text.replace("\n", "\r\n").encode()


def stream(name: str) -> Stream:
    """One of STREAMS."""
    return Stream(STREAMS[name].read_text(encoding="utf-8"))


class Source:
    """A manager interface that sends a stream to the one who logs in, and answers its Pings meanwhile."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(60.0)
        self.port: int = self._listening.getsockname()[1]
        self._connection: socket.socket | None = None
        self._sending = threading.Lock()
        self._reader: threading.Thread | None = None

    def accept(self) -> None:
        """Lets one client in and logs it in. Raises TimeoutError after a minute."""
        connection, _ = self._listening.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._connection = connection
        connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        self._reader = threading.Thread(target=self._answer, args=(connection,), daemon=True)
        self._reader.start()

    def send(self, batches: Iterable[bytes]) -> None:
        """Sends them as fast as they are taken."""
        for batch in batches:
            self._write(batch)

    def close(self) -> None:
        self._listening.close()
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        if self._reader is not None:
            self._reader.join(10.0)
        if self._connection is not None:
            self._connection.close()

    def _write(self, data: bytes) -> None:
        if self._connection is None:
            raise ConnectionError("nobody is connected: accept first")
        with self._sending:
            self._connection.sendall(data)

    def _answer(self, connection: socket.socket) -> None:
        """Every action is answered with success."""
        unread = b""
        with suppress(OSError):
            while data := connection.recv(65536):
                *frames, unread = (unread + data).split(b"\r\n\r\n")
                for frame in frames:
                    ident = re.search(rb"^ActionID: ([^\r\n]*)", frame, re.MULTILINE | re.IGNORECASE)
                    named = b"ActionID: " + ident[1] + b"\r\n" if ident else b""
                    self._write(b"Response: Success\r\n" + named + b"Message: done\r\n\r\n")
