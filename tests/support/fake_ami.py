"""An AMI server that plays Asterisk's part: enough of it for the switch, and faults on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from asterisk.ami import AmiAccess
from asterisk.message import AmiMessage

Headers = list[tuple[str, str]]
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
SECRET = "open sesame"


def headed(headers: Iterable[tuple[str, str | list[str]]]) -> AmiMessage:
    """A message with these headers."""
    every = [(name, one) for name, value in headers for one in ([value] if isinstance(value, str) else value)]
    return AmiMessage.of("\r\n".join(f"{name}: {value}" for name, value in every))


@dataclass
class FakeChannel:
    """A channel as `Status` tells it."""

    context: str
    exten: str = "s"
    variables: dict[str, str] = field(default_factory=dict)
    queue: str | None = None
    withdrawn: bool = False
    number: str = "<unknown>"
    """Its caller id."""
    linkedid: str = ""
    data: str = ""


class FakeAmi:
    """Its world (channels, devices), what it received, and its faults."""

    def __init__(self) -> None:
        self.channels: dict[str, FakeChannel] = {}
        self.devices: dict[str, str] = {}
        self.globals: dict[str, str] = {}
        self.blocked: dict[str, str] = {}
        self.fixed: dict[str, set[str]] = {}
        """Queue → interfaces that its file names."""
        self.members: dict[tuple[str, str], bool] = {}
        """(queue, interface) → whether it is paused."""
        self.reason = "0"
        """Why nobody is reached by a call back."""
        self.received: list[dict[str, str]] = []
        """Every action, over all connections, in order."""
        self.connections = 0
        self.greeting = GREETING
        self.mute: set[str] = set()
        """Actions that get no answer."""
        self.hang_up_on: set[str] = set()
        """Actions at which the connection is cut."""
        self.refused: dict[str, str] = {}
        """Action → the error that it is answered with."""
        self.before_list: Callable[[], None] | None = None
        """Called when a list is about to be sent."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def access(self) -> AmiAccess:
        return AmiAccess("127.0.0.1", self.port, "hotline", SECRET)

    def actions(self, name: str) -> list[dict[str, str]]:
        return [action for action in self.received if action["Action"] == name]

    async def cut(self) -> None:
        """Ends every connection from Asterisk's side."""
        for writer in list(self._writers):
            writer.close()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def send(self, data: bytes) -> None:
        for writer in self._writers:
            if not writer.is_closing():
                writer.write(data)

    def event(self, name: str, *headers: tuple[str, str]) -> None:
        self.send(frame([("Event", name), ("Privilege", "call,all"), *headers]))

    def user_event(self, name: str, channel: str, *headers: tuple[str, str]) -> None:
        """As Asterisk writes it: the channel's own headers, Priority and Language among them, come first."""
        own = [("Channel", channel), ("Language", "own"), ("Context", "room"), ("Priority", "77"), ("Uniqueid", "1.1")]
        self.event("UserEvent", *own, ("UserEvent", name), *headers)

    def device(self, seat: str, state: str) -> None:
        self.devices[f"PJSIP/{seat}"] = state
        self.event("DeviceStateChange", ("Device", f"PJSIP/{seat}"), ("State", state))

    def room(self, channel: str, name: str = "Room") -> None:
        """The event that a caller writes when it enters the waiting room, or a survival queue."""
        values = self.channels[channel].variables
        headers = [
            ("Ref", values["HL_REF"]),
            ("T0", values["HL_T0"]),
            ("Skills", values["HL_SKILLS"]),
            ("Priority", values["HL_PRIO"]),
            ("Number", values["HL_NUMBER"]),
            ("Language", values["HL_LANG"]),
            ("Caller", self.channels[channel].number.replace("<unknown>", "")),
        ]
        if name == "Survival":
            headers.append(("Queue", self.channels[channel].queue or ""))
        if name == "CallBack":
            headers.append(("To", self.channels[channel].number))
        self.user_event(name, channel, *headers)

    def hang_up(self, channel: str) -> None:
        del self.channels[channel]
        self.event("Hangup", ("Channel", channel), ("Cause", "16"), ("Cause-txt", "Normal Clearing"))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self._writers.add(writer)
        try:
            writer.write(self.greeting)
            while not writer.is_closing():
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in text.strip().split("\r\n"))
                self.received.append(action)
                if action["Action"] in self.hang_up_on:
                    break
                if action["Action"] not in self.mute:
                    for headers in self._answer(action):
                        writer.write(frame([*headers[:1], ("ActionID", action["ActionID"]), *headers[1:]]))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self._writers.discard(writer)
            self._serving.discard(task)

    def _login(self, action: dict[str, str]) -> list[Headers]:
        if "Login" in self.refused:
            return error(self.refused["Login"])
        return success("Authentication accepted") if action["Secret"] == SECRET else error("Authentication failed")

    def _answer(self, action: dict[str, str]) -> list[Headers]:
        name = action["Action"]
        answers: dict[str, Callable[[dict[str, str]], list[Headers]]] = {
            "Login": self._login,
            "Ping": lambda _: [[("Response", "Success"), ("Ping", "Pong"), ("Timestamp", "1.0")]],
            "Setvar": self._setvar,
            "Getvar": lambda action: [[("Response", "Success"), *self._got(action["Variable"])]],
            "Originate": self._originate,
            "Hangup": self._hangup,
            "QueueAdd": self._queue_add,
            "QueueRemove": self._queue_remove,
            "QueuePause": self._queue_pause,
            "Status": lambda action: self._list("Status", [self._row(name, action) for name in self.channels]),
            "DeviceStateList": lambda _: self._list(
                "DeviceStateList",
                [[("Device", device), ("State", state)] for device, state in self.devices.items()],
                "DeviceStateChange",
            ),
            "Redirect": self._redirect,
            "QueueWithdrawCaller": self._withdraw,
        }
        if name in self.refused or name not in answers:
            return error(self.refused.get(name, "Invalid/unknown command"))
        return answers[name](action)

    def _list(self, name: str, rows: list[Headers], event: str | None = None) -> list[Headers]:
        if self.before_list is not None:
            self.before_list()
        start: Headers = [("Response", "Success"), ("EventList", "start"), ("Message", f"{name} will follow")]
        end: Headers = [("Event", f"{name}Complete"), ("EventList", "Complete"), ("ListItems", str(len(rows)))]
        return [start, *([("Event", event or name), *row] for row in rows), end]

    def _row(self, name: str, action: dict[str, str]) -> Headers:
        channel = self.channels[name]
        known = {"CONTEXT": channel.context, "EXTEN": channel.exten, **channel.variables}
        asked = [
            ("Variable", f"{variable}={known.get(variable, '(null)')}") for variable in action["Variables"].split(",")
        ]
        own = [("Channel", name), ("CallerIDNum", channel.number), ("Priority", "77"), ("Language", "own")]
        own.append(("ChannelState", "6"))
        linked = ("Linkedid", channel.linkedid or name)
        return [*own, ("BridgeID", ""), ("Data", channel.data), linked, *asked]

    def _got(self, variable: str) -> Headers:
        device = variable.removeprefix("DEVICE_STATE(").removesuffix(")")
        return [("Variable", variable), ("Value", self.devices.get(device, "INVALID"))]

    def _redirect(self, action: dict[str, str]) -> list[Headers]:
        for extra in ("", "Extra"):
            if f"{extra}Channel" not in action:
                continue
            channel = self.channels.get(action[f"{extra}Channel"])
            if channel is None:
                return error(f"{extra}Channel does not exist: {action[f'{extra}Channel']}")
            channel.context, channel.exten, channel.data = action[f"{extra}Context"], action[f"{extra}Exten"], ""
        return success("Redirect successful")

    def _setvar(self, action: dict[str, str]) -> list[Headers]:
        name = action.get("Channel")
        if name is not None and name not in self.channels:
            return error("No such channel")
        variables = self.globals if name is None else self.channels[name].variables
        variables[action["Variable"]] = action.get("Value", "")
        return success("Variable Set")

    def _originate(self, action: dict[str, str]) -> list[Headers]:
        if action["Channel"].startswith("Local/"):
            given = dict(part.split("=") for part in action["Variable"].split(","))
            self.blocked[given["__HL_BLOCK"]] = given["__HL_UNTIL"]
        elif "Context" in action:
            # Later than the answer, as Asterisk does it.
            outcome = [("ActionID", action["ActionID"]), ("Response", "Failure"), ("Reason", self.reason)]
            asyncio.get_running_loop().call_soon(self.event, "OriginateResponse", *outcome)
        return success("Originate successfully queued")

    def _hangup(self, action: dict[str, str]) -> list[Headers]:
        if action["Channel"] not in self.channels:
            return error("No such channel")
        asyncio.get_running_loop().call_soon(self.hang_up, action["Channel"])
        return success("Channel Hungup")

    def _queue_add(self, action: dict[str, str]) -> list[Headers]:
        member = (action["Queue"], action["Interface"])
        if member in self.members:
            return error("Unable to add interface: Already there")
        self.members[member] = action["Paused"] == "true"
        return success("Added interface to queue")

    def _queue_remove(self, action: dict[str, str]) -> list[Headers]:
        member = (action["Queue"], action["Interface"])
        if member not in self.members:
            return error("Unable to remove interface: Not there")
        if member[1] in self.fixed.get(member[0], ()):
            return error("Member not dynamic")
        del self.members[member]
        return success("Removed interface from queue")

    def _queue_pause(self, action: dict[str, str]) -> list[Headers]:
        member = (action["Queue"], action["Interface"])
        if member not in self.members:
            return error("Interface not found")
        self.members[member] = action["Paused"] == "true"
        return success("Interface paused successfully")

    def _withdraw(self, action: dict[str, str]) -> list[Headers]:
        channel = self.channels.get(action["Caller"])
        if channel is None or channel.queue != action["Queue"]:
            return error("Unable to request withdraw from queue: No such caller")
        if channel.withdrawn:
            return error("Unable to request withdraw from queue: Already requested")
        channel.withdrawn = True
        return success("Withdraw requested successfully")


def frame(headers: Headers) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n"


def success(message: str) -> list[Headers]:
    return [[("Response", "Success"), ("Message", message)]]


def error(message: str) -> list[Headers]:
    return [[("Response", "Error"), ("Message", message)]]


@asynccontextmanager
async def fake_ami() -> AsyncIterator[FakeAmi]:
    server = FakeAmi()
    await server.open()
    try:
        yield server
    finally:
        await server.close()
