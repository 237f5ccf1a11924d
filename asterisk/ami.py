"""One connection to Asterisk's manager interface: the only place that knows panoramisk.

panoramisk's protocol and actions are used; messages are read here, in one pass (docs/decisions/0031).
What stands around it:

- A message is read only when it is whole, so that no UTF-8 character is cut between two reads; an empty
  value at its end is kept; an event that nobody hears is not read at all.
- Messages go into one ordered inbox; nothing of ours runs inside the protocol.
- Answers are matched by our own action ids; lists end at their own completion event; each action
  has a bound. An answer that comes too late is dropped and never taken for an event.
- A connection is used once: after it is lost nothing is sent again, by nobody.
- CR and LF in a value are refused; so is sending on a lost connection.
- A peer that does not answer Ping is dead; a refused login is an error.
"""

import asyncio
import itertools
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol

from asterisk.message import AmiMessage
from asterisk.port import SwitchLost

_BANNER = b"Asterisk Call Manager/"
_FRAME_END = b"\r\n\r\n"
_FRAME_LIMIT = 1_000_000
"""Bytes. Asterisk's own messages stay under 64 KB."""
_SHUTTING_DOWN = "shutting down"
"""What an Asterisk that ends answers to everything, to a login too."""
_LOGIN_BOUND_S = 5.0
"""Asterisk waits a second before it refuses a login."""


class LoginRefused(Exception):
    """Asterisk did not accept the account; trying again does not help."""

    def __init__(self, user: str, why: str) -> None:
        self.user = user
        self.why = why
        super().__init__(f"Asterisk refused the AMI login of {user!r} ({why}): manager.conf and the secret differ")


class ActionRefused(Exception):
    """Asterisk answered an action with an error."""

    def __init__(self, action: str, why: str) -> None:
        self.action = action
        self.why = why
        super().__init__(f"Asterisk refused {action}: {why}")


class Unanswered(Exception):
    """No answer within the bound: whether the action was done is unknown."""

    def __init__(self, action: str, bound_s: float) -> None:
        self.action = action
        self.bound_s = bound_s
        super().__init__(f"Asterisk did not answer {action} within {bound_s:g} s")


class Injection(ValueError):
    """A value that would have become headers or actions of its own."""

    def __init__(self, action: str, header: str) -> None:
        self.action = action
        self.header = header
        super().__init__(f"header {header!r} of {action} contains a control character: it is not sent")


@dataclass(frozen=True, slots=True)
class AmiAccess:
    """Where Asterisk's manager interface listens, and the account to use."""

    address: str
    port: int
    user: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AmiBounds:
    """How long what may take, in seconds, and how many unread messages are kept."""

    answer_s: float = 2.0
    list_s: float = 5.0
    ping_every_s: float = 2.0
    unread: int = 20_000


class Inbox:
    """Messages in the order in which they arrived. One reader."""

    def __init__(self, limit: int) -> None:
        self._messages: deque[AmiMessage] = deque()
        self._limit = limit
        self._news = asyncio.Event()
        self._over: str | None = None
        self._held = False

    def put(self, message: AmiMessage) -> bool:
        """False: it is full, and the message was not kept."""
        if len(self._messages) >= self._limit:
            return False
        self._messages.append(message)
        self._news.set()
        return True

    def end(self, why: str) -> None:
        self._over = why
        self._news.set()

    async def batch(self) -> tuple[AmiMessage, ...]:
        """All that has arrived, at least one. Raises SwitchLost when no more will come."""
        while self._held or not self._messages:
            if self._over is not None:
                raise SwitchLost(self._over)
            self._news.clear()
            await self._news.wait()
        found = tuple(self._messages)
        self._messages.clear()
        return found

    @contextmanager
    def held(self) -> Iterator[None]:
        """For as long as the block lasts the reader gets nothing."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._news.set()

    def drop(self, unwanted: Callable[[AmiMessage], bool]) -> None:
        """Forgets what has arrived and is not wanted any more."""
        self._messages = deque(message for message in self._messages if not unwanted(message))


class _Ending(Enum):
    """How the wait for an answer ended."""

    WHOLE = "whole"
    LOST = "lost"
    LATE = "late"


@dataclass(slots=True)
class _Pending:
    """An action without its whole answer yet. `complete`: the event that ends its list."""

    complete: str | None
    answered: "asyncio.Future[_Ending]"
    messages: list[AmiMessage] = field(default_factory=list)

    def end(self, how: _Ending) -> None:
        """The first time counts."""
        if not self.answered.done():
            self.answered.set_result(how)


class AmiConnection:
    """One connection, from its login to its end. Made by `open_ami`; closed by `close`."""

    def __init__(self, access: AmiAccess, bounds: AmiBounds, heard: frozenset[str]) -> None:
        """heard: names of the events that go into the inbox."""
        self.inbox = Inbox(bounds.unread)
        self._access = access
        self._bounds = bounds
        self._heard = heard
        self._ids = itertools.count(1)
        self._pending: dict[str, _Pending] = {}
        self._lost: str | None = None
        self._wire: _Wire | None = None
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects and logs in. Raises SwitchLost, LoginRefused; then it is closed."""
        try:
            await self._connect()
            await self._login()
        except BaseException:
            await self.close()
            raise
        self._watch = asyncio.create_task(self._watch_peer())

    async def act(
        self, action: str, headers: Mapping[str, str] | None = None, *, outcome_id: str | None = None
    ) -> AmiMessage:
        """Sends an action; its answer. Raises ActionRefused, Unanswered, SwitchLost, Injection.

        outcome_id: the action id of an event that tells, long after the answer, how the action ended. It
        is an event like any other then, and is read even on a later connection.
        """
        return (await self._ask(action, headers or {}, None, self._bounds.answer_s, outcome_id))[0]

    async def rows(
        self, action: str, complete: str, headers: Mapping[str, str] | None = None
    ) -> tuple[AmiMessage, ...]:
        """Sends an action that answers with a list; the list's events. `complete`: the event after the last.

        Raises as `act` does.
        """
        found = await self._ask(action, headers or {}, complete, self._bounds.list_s)
        return tuple(found[1:-1])

    def drop(self, why: str) -> None:
        """Gives the connection up: whoever waits for an answer gets SwitchLost. Safe to repeat."""
        if self._lost is not None:
            return
        self._lost = why
        for pending in self._pending.values():
            pending.end(_Ending.LOST)
        self.inbox.end(why)
        if self._wire is not None:
            self._wire.hang_up()

    async def close(self) -> None:
        """Ends it and waits until its socket is closed."""
        self.drop("the connection was closed")
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
        if self._wire is not None and self._wire.connected:
            await asyncio.wait({self._wire.gone})

    def read(self, frame: str) -> None:
        """A whole message as it was sent. An event that nobody hears costs no more than a look at its name."""
        if self._pending or not frame.startswith(_EVENT) or frame[len(_EVENT) :].partition("\r")[0] in self._heard:
            self.received(AmiMessage.of(frame))

    def received(self, message: AmiMessage) -> None:
        """A whole message, in order. Never raises: an error here would end the connection and lose the batch."""
        pending = None if message.action_id is None else self._pending.get(message.action_id)
        if pending is not None and (message.event is None or pending.complete is not None):
            self._answer(pending, message)
        elif message.action_id is not None and message.action_id.startswith(_ID_PREFIX):
            return  # an answer that nobody waits for any more
        elif message.event in self._heard and not self.inbox.put(message):
            # What stands is cheaper to read anew than to catch up with.
            self.drop(f"more than {self._bounds.unread} events were unread")

    async def _connect(self) -> None:
        where = f"{self._access.address}:{self._access.port}"
        wire = _Wire(self)
        self._wire = wire
        loop = asyncio.get_running_loop()
        dial = asyncio.ensure_future(
            loop.create_connection(lambda: wire, self._access.address, self._access.port),
        )
        try:
            await asyncio.wait({dial}, timeout=self._bounds.answer_s)
            if not dial.done():
                raise SwitchLost(f"Asterisk at {where} does not answer")
            dial.result()
        except SwitchLost:
            raise
        except OSError as error:
            raise SwitchLost(f"no connection to Asterisk at {where}: {error}") from error
        finally:
            dial.cancel()
        await asyncio.wait({wire.greeted}, timeout=self._bounds.answer_s)
        if not wire.greeted.done():
            raise SwitchLost(f"Asterisk at {where} does not greet: it is hung, or it is something else")
        if not wire.greeted.result():
            raise SwitchLost(f"what listens at {where} is not Asterisk's manager interface, or it hung up")

    async def _login(self) -> None:
        account = {"Username": self._access.user, "Secret": self._access.secret, "Events": "on"}
        try:
            await self._ask("Login", account, None, max(_LOGIN_BOUND_S, self._bounds.answer_s))
        except ActionRefused as error:
            if _SHUTTING_DOWN in error.why:
                raise SwitchLost(error.why) from None
            raise LoginRefused(self._access.user, error.why) from None
        except Unanswered as error:
            raise SwitchLost(str(error)) from None

    async def _ask(
        self,
        action: str,
        headers: Mapping[str, str],
        complete: str | None,
        bound_s: float,
        outcome_id: str | None = None,
    ) -> list[AmiMessage]:
        if self._lost is not None or self._wire is None:
            raise SwitchLost(self._lost or "there is no connection yet")
        action_id = outcome_id or f"{_ID_PREFIX}{next(self._ids)}"
        text = _rendered(action, {**headers, "ActionID": action_id})
        loop = asyncio.get_running_loop()
        pending = _Pending(complete, loop.create_future())
        self._pending[action_id] = pending
        too_late = loop.call_later(bound_s, pending.end, _Ending.LATE)
        try:
            self._wire.write(text)
            ending = await pending.answered
        finally:
            too_late.cancel()
            del self._pending[action_id]
        if ending is _Ending.LATE:
            raise Unanswered(action, bound_s)
        if ending is _Ending.LOST:
            raise SwitchLost(self._lost or "the connection was closed")
        response = pending.messages[0]
        if response.optional("Response") in ("Error", "Fail", "Failure", None):
            raise ActionRefused(action, response.optional("Message") or "without a reason")
        return pending.messages

    @staticmethod
    def _answer(pending: _Pending, message: AmiMessage) -> None:
        if pending.answered.done():
            return
        pending.messages.append(message)
        if len(pending.messages) == 1:
            whole = pending.complete is None or message.optional("Response") != "Success"
        else:
            whole = message.event == pending.complete
        if whole:
            pending.end(_Ending.WHOLE)

    async def _watch_peer(self) -> None:
        """A hung Asterisk or a broken network closes nothing: only silence tells."""
        while self._lost is None:
            await asyncio.sleep(self._bounds.ping_every_s)
            try:
                await self.act("Ping")
            except (Unanswered, ActionRefused) as error:
                self.drop(str(error))
            except SwitchLost:
                return


async def open_ami(access: AmiAccess, heard: frozenset[str], bounds: AmiBounds | None = None) -> AmiConnection:
    """A connection that is logged in. Raises SwitchLost, LoginRefused."""
    connection = AmiConnection(access, bounds or AmiBounds(), heard)
    await connection.open()
    return connection


_ID_PREFIX = "hotline-"
_EVENT = "Event: "
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _rendered(action: str, headers: Mapping[str, str]) -> str:
    for name, value in headers.items():
        if _CONTROL.search(value) or _CONTROL.search(name) or ":" in name:
            raise Injection(action, name)
    return str(Action({"Action": action, **headers}))


class _Wire(AMIProtocol):  # type: ignore[misc]  # panoramisk ships no types
    """panoramisk's protocol; what it would read and decide is read and decided by the connection."""

    def __init__(self, owner: AmiConnection) -> None:
        loop = asyncio.get_running_loop()
        self.connected = False
        self.greeted: asyncio.Future[bool] = loop.create_future()
        self.gone: asyncio.Future[bool] = loop.create_future()
        self._owner = owner
        self._unread = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.connected = True

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self.greeted.done() and not self._greeting():
            return
        whole = self._unread.rfind(_FRAME_END, max(0, len(self._unread) - len(data) - len(_FRAME_END)))
        if whole >= 0:
            end = whole + len(_FRAME_END)
            text = self._unread[:whole].decode("utf-8", errors="replace")
            del self._unread[:end]
            for frame in text.split("\r\n\r\n"):
                self._owner.read(frame)
        if len(self._unread) > _FRAME_LIMIT:
            self._owner.drop(f"a message of more than {_FRAME_LIMIT} bytes came")

    def _greeting(self) -> bool:
        """Takes the first line off; False while it has not come whole, or is not Asterisk's."""
        line, end, rest = bytes(self._unread).partition(b"\r\n")
        if not _BANNER.startswith(line[: len(_BANNER)]) or (end and not line.startswith(_BANNER)):
            self.greeted.set_result(False)
            self._owner.drop("the greeting is not Asterisk's")
            return False
        if end:
            self._unread[:] = rest
            self.greeted.set_result(True)
        return bool(end)

    def write(self, text: str) -> None:
        self.transport.write(text.encode())

    def hang_up(self) -> None:
        if self.connected:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.greeted.done():
            self.greeted.set_result(False)
        if not self.gone.done():
            self.gone.set_result(True)
        self._owner.drop(f"Asterisk ended the connection{f' ({exc})' if exc else ''}")
