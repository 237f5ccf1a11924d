"""What happens now, for everybody who looks on: first all of it, then what changes.

What changed is found once for all readers, by comparing what the desk shows now with what it showed
before, at most so often; each reader gets what it may see.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, assert_never

import structlog
from pydantic import TypeAdapter

from web.desk import AgentView, BlockedView, CallBackView, Desk, DutyView, Refusal, Role, SeatView, WaitingView, Who
from web.rights import own_seat, shown_blocked, shown_call_back, shown_seat, shown_waiting
from web.roles import EVERYBODY, OVERSEERS

Kind = Literal["agents", "seats", "waiting", "call_backs", "blocked", "cover"]
View = AgentView | SeatView | WaitingView | CallBackView | BlockedView | DutyView

WHO_SEES: Mapping[Kind, frozenset[Role]] = {
    "agents": EVERYBODY,
    "seats": EVERYBODY,
    "waiting": EVERYBODY,
    "call_backs": EVERYBODY,
    "blocked": OVERSEERS,
    "cover": OVERSEERS,
}
"""An agent sees itself only among the agents."""

PAUSE_S: Mapping[Kind, float] = {
    "agents": 0.2,
    "seats": 0.2,
    "waiting": 1.0,  # One caller who leaves changes the place of each behind.
    "call_backs": 1.0,
    "blocked": 1.0,
    "cover": 1.0,
}
"""After telling of a kind, how long more changes of it are gathered."""
WHOLE: frozenset[Kind] = frozenset({"blocked", "cover"})
"""Told anew as a whole: they are short, and two numbers that are masked can look alike."""

WAITING_EVENTS = 100
"""A reader that is so many events behind is dropped."""
AGAIN_S = 1.0
"""After a failure."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class State:
    """All there is of a kind now: it replaces whatever was known before. Event `state`."""

    kind: Kind
    items: tuple[View, ...]
    """As the list of the kind shows them; of `cover` one, as `GET /shifts` does."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed of a kind. Event `change`."""

    kind: Kind
    changed: tuple[View, ...]
    """New ones too, each whole."""
    gone: tuple[str | int, ...]
    """The ids of those that are there no more."""


_STATE: TypeAdapter[State] = TypeAdapter(State)
_CHANGE: TypeAdapter[Change] = TypeAdapter(Change)


def encoded(event: State | Change) -> bytes:
    """The event as a server sends it."""
    match event:
        case State():
            return b"event: state\ndata: " + _STATE.dump_json(event) + b"\n\n"
        case Change():
            return b"event: change\ndata: " + _CHANGE.dump_json(event) + b"\n\n"
        case _:
            assert_never(event)


class Reader:
    """Somebody who looks on."""

    def __init__(self, who: Who, kinds: frozenset[Kind]) -> None:
        self.who = who
        self.kinds = kinds
        self.slow = False
        """It was dropped because it did not read."""
        self._events: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def next(self) -> bytes | None:
        """The next event as it is sent; None: there will be no more."""
        return await self._events.get()

    def tell(self, event: bytes) -> None:
        """Hands over an event, unless the reader is too far behind: then it is dropped."""
        if self.slow:
            return
        if self._events.qsize() >= WAITING_EVENTS:
            self.slow = True
            while not self._events.empty():
                self._events.get_nowait()
            self.end()
        else:
            self._events.put_nowait(event)

    def end(self) -> None:
        """There will be no more events."""
        self._events.put_nowait(None)


class Live:
    """Follows the desk for all readers. `run` it for as long as readers may come."""

    def __init__(self, desk: Desk, pause_s: Mapping[Kind, float] = PAUSE_S) -> None:
        self._desk = desk
        self._pause_s = pause_s
        self._readers: set[Reader] = set()
        self._last: dict[Kind, dict[str | int, View]] = {}
        """What every reader knows; kept while there are readers."""
        self._stale: dict[Kind, asyncio.Event] = {kind: asyncio.Event() for kind in WHO_SEES}
        self._lock = asyncio.Lock()
        """Held while something is read and told, so that events come in order."""
        self._closed = False
        self._read_by_somebody = asyncio.Event()

    @property
    def readers(self) -> int:
        return len(self._readers)

    async def run(self) -> None:
        """Tells readers what changes, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="listen to the desk")
            for kind in WHO_SEES:
                tasks.create_task(self._follow(kind), name=f"tell of {kind}")

    def close(self) -> None:
        """Ends all readers, and lets no new one in."""
        self._closed = True
        for reader in self._readers:
            reader.end()

    async def join(self, who: Who, kinds: frozenset[Kind]) -> Reader:
        """A reader that is told all there is now, and then what changes. Raises Refusal.

        Whoever reads must `leave`.
        """
        if self._closed:
            raise Refusal(503, "ending", "the hotline's controller is about to end", "try again in a moment")
        reader = Reader(who, kinds)
        async with self._lock:
            if not self._readers:
                self._last.clear()
            for kind in sorted(kinds):
                if kind not in self._last:
                    self._last[kind] = await self._read(kind)
                self._tell_state(reader, kind)
            self._readers.add(reader)
            self._read_by_somebody.set()
        return reader

    def leave(self, reader: Reader) -> None:
        self._readers.discard(reader)
        if not self._readers:
            self._read_by_somebody.clear()

    async def _listen(self) -> None:
        """Only while somebody looks on: each call changes something."""
        by_name: dict[str, asyncio.Event] = dict(self._stale.items())
        while True:
            await self._read_by_somebody.wait()
            try:
                async with aclosing(self._desk.news()) as news:
                    for event in self._stale.values():
                        event.set()  # Whatever changed before is not told of.
                    async for new in news:
                        if not self._readers:
                            break
                        if new.kind in by_name:
                            by_name[new.kind].set()
            except Exception as error:
                log.error("live_state_failed", kind="news", error=str(error), exc_info=error)
                await asyncio.sleep(AGAIN_S)

    async def _follow(self, kind: Kind) -> None:
        stale = self._stale[kind]
        while True:
            await stale.wait()
            stale.clear()
            try:
                async with self._lock:
                    await self._update(kind)
            except Refusal:  # Such as a store that is busy; it is tried again.
                stale.set()
                await asyncio.sleep(AGAIN_S)
            except Exception as error:
                log.error("live_state_failed", kind=kind, error=str(error), exc_info=error)
                stale.set()
                await asyncio.sleep(AGAIN_S)
            else:
                await asyncio.sleep(self._pause_s[kind])

    async def _update(self, kind: Kind) -> None:
        """Tells of what changed since the last time."""
        readers = [reader for reader in self._readers if kind in reader.kinds]
        if not readers:
            self._last.pop(kind, None)
            return
        before, now = self._last.get(kind, {}), await self._read(kind)
        self._last[kind] = now
        changed = [view for key, view in now.items() if before.get(key) != view]
        gone = [key for key in before if key not in now]
        if not changed and not gone:
            return
        if kind in WHOLE:
            for reader in readers:
                self._tell_state(reader, kind)
            return
        self._tell_change(readers, kind, changed, gone)

    async def _read(self, kind: Kind) -> dict[str | int, View]:
        match kind:
            case "agents":
                return {view.agent: view for view in self._desk.agents()}
            case "seats":
                return {view.seat: view for view in self._desk.seats()}
            case "waiting":
                return {view.call: view for view in self._desk.waiting()}
            case "call_backs":
                return {view.id: view for view in await self._desk.call_backs(every=False)}
            case "blocked":
                return {view.number: view for view in await self._desk.blocked()}
            case "cover":
                return {"": self._desk.duty()}
            case _:
                assert_never(kind)

    def _tell_state(self, reader: Reader, kind: Kind) -> None:
        views = list(self._last[kind].values())
        own = own_seat(self._desk, reader.who)
        reader.tell(encoded(State(kind, tuple(shown(views, reader.who, own)))))

    def _tell_change(self, readers: Sequence[Reader], kind: Kind, changed: list[View], gone: list[str | int]) -> None:
        # Seats and calls; at its own seat an agent sees more than the others do.
        concerned = {key for view in changed if (key := _seat_or_call(view)) is not None}
        at_seat: dict[str | None, SeatView] = {seat.agent: seat for seat in self._desk.seats() if seat.agent}
        same: dict[Role, bytes] = {}
        """What all of a role are told, encoded once."""
        for reader in readers:
            role, own = reader.who.role, at_seat.get(reader.who.agent)
            here = own is not None and not concerned.isdisjoint((own.seat, own.call))
            if role is Role.AGENT and (kind == "agents" or here):
                views = shown(changed, reader.who, own)
                if views or (gone and kind != "agents"):
                    reader.tell(encoded(Change(kind, tuple(views), tuple(gone))))
                continue
            if role not in same:
                same[role] = encoded(Change(kind, tuple(shown(changed, Who("", role), None)), tuple(gone)))
            reader.tell(same[role])


def shown(views: Sequence[View], who: Who, own: SeatView | None) -> list[View]:
    """What `who`, who is signed on at the seat `own`, may see of these."""
    own_call = own.call if own is not None else None
    return [seen for view in views if (seen := _shown_one(view, who, own_call)) is not None]


def _shown_one(view: View, who: Who, own_call: str | None) -> View | None:
    match view:
        case AgentView():
            return view if who.role is not Role.AGENT or view.agent == who.agent else None
        case SeatView():
            return shown_seat(view, who)
        case WaitingView():
            return shown_waiting(view, who, own_call)
        case CallBackView():
            return shown_call_back(view, who)
        case BlockedView():
            return shown_blocked(view, who)
        case DutyView():
            return view
        case _:
            assert_never(view)


def _seat_or_call(view: View) -> str | None:
    match view:
        case SeatView():
            return view.seat
        case WaitingView():
            return view.call
        case _:
            return None


def wanted_kinds(who: Who, named: str | None) -> frozenset[Kind]:
    """The kinds that a reader asks for, or all that it may see. Raises Refusal."""
    allowed: frozenset[Kind] = frozenset(kind for kind, roles in WHO_SEES.items() if who.role in roles)
    if named is None:
        return allowed
    found: set[Kind] = set()
    for word in named.split(","):
        kind = next((kind for kind in WHO_SEES if kind == word), None)
        if kind is None:
            raise Refusal(422, "no_such_kind", f"'{word}' is no kind of live state", f"choose {', '.join(WHO_SEES)}")
        if kind not in allowed:
            raise Refusal(403, "not_your_role", f"the role {who.role.value} does not see {kind}", "leave it out")
        found.add(kind)
    return frozenset(found)
