"""The controller's loop: hears Asterisk, asks the waiting room, sends commands.

One ordered inbox: batches of events, answered heartbeats and alarms are handled one after the
other by one task, so that a decision always sees everything that was heard before it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, assert_never

import structlog
from structlog.contextvars import bound_contextvars

from asterisk.port import Answer, Switch, SwitchLost
from calls.live import (
    AsksPlace,
    CallBackEnded,
    Channel,
    EnteredRoom,
    LiveEvent,
    SeatDialled,
    Snapshot,
    WantsCallBack,
)
from hotline.decided import about, carried_out
from hotline.listener import Listener, NobodyListens
from hotline.observer import NobodyObserves, Observer
from routing.estimate import said_minutes
from routing.leader import Leader
from routing.lease import Lease
from routing.room import CallBackTurn, Connect, Counts, Decision, Overflow, Room, Withdraw

BEAT_S = 1.0
SNAPSHOT_PAUSE_MS = 200
"""A snapshot that is wanted is read after this pause, so that a fault that lasts makes no flood."""

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a node's Asterisk told; None: a new connection, nothing known before holds."""

    node: str
    events: tuple[LiveEvent, ...] | None


@dataclass(frozen=True, slots=True)
class _Beat:
    """A heartbeat was answered, or not."""

    node: str
    sent_ms: int
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class _Alarm:
    """A seat has rested long enough, or something is overdue."""


_Item = _Heard | _Beat | _Alarm


def utc_ms() -> int:
    """The time of day, in ms since the epoch."""
    return time.time_ns() // 1_000_000


def now_ms() -> int:
    """A clock that never jumps back."""
    return time.monotonic_ns() // 1_000_000


@dataclass(slots=True)
class _Node:
    """One Asterisk, and how long it may be steered."""

    switch: Switch
    lease: Lease = field(default_factory=Lease)
    answers: bool = False
    """Whether it answered the last heartbeat."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """A new connection: the next heartbeat is sent at once."""


class Controller:
    """Steers its nodes for as long as it is wanted. Each holds its own callers; all are matched together."""

    def __init__(
        self,
        switches: Iterable[Switch],
        room: Room,
        leader: Leader,
        clock: Callable[[], int] = now_ms,
        listener: Listener | None = None,
        *,
        observer: Observer | None = None,
    ) -> None:
        self._nodes = {switch.node: _Node(switch) for switch in switches}
        self._room = room
        self._leader = leader
        self._clock = clock
        self._listener: Listener = listener or NobodyListens()
        self._observer: Observer = observer or NobodyObserves()
        self._asks: list[AsksPlace] = []
        """Who is to be told its place."""
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue()
        self._letting_go = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def connected(self) -> bool:
        """Whether every node answered the last heartbeat."""
        return all(node.answers for node in self._nodes.values())

    @property
    def steering(self) -> bool:
        """Whether any node may be steered now."""
        return bool(self._steered())

    def counts(self) -> Counts:
        """How many callers and seats are in each state."""
        return self._room.counts(self._clock())

    @property
    def switches(self) -> tuple[Switch, ...]:
        """Those that may be steered now."""
        return tuple(node.switch for node in self._steered())

    def switch_of(self, channel: Channel) -> Switch | None:
        """Where a channel lives; None when nobody may steer there now."""
        return self._nodes[channel.node].switch if self._may_steer(channel) else None

    def ask(self, question: Callable[[Room, int], T]) -> T:
        """Reads or changes the room at once; what follows from it is done next.

        Raises what `question` raises.
        """
        answer = question(self._room, self._clock())
        # Told before anybody learns that it is done.
        self._listener.changed(self._room.changes())
        self._wake()
        return answer

    def look(self, question: Callable[[Room, int], T]) -> T:
        """Reads the room and changes nothing."""
        return question(self._room, self._clock())

    def let_go(self) -> None:
        """Stop steering: `run` ends, and Asterisk serves callers alone from then on."""
        self._letting_go.set()

    async def run(self) -> None:
        """Steers until `let_go`. Whatever goes wrong with a connection, it goes on."""
        tasks = [
            *(asyncio.create_task(self._listen(node), name=f"listen to {name}") for name, node in self._nodes.items()),
            *(asyncio.create_task(self._beat(node), name=f"beat for {name}") for name, node in self._nodes.items()),
            asyncio.create_task(self._steer(), name="steer"),
            asyncio.create_task(self._letting_go.wait(), name="let go"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            for task in tasks[len(self._nodes) :]:
                task.cancel()
            # Nobody need wait for the heartbeat to grow old: survival begins at once.
            await asyncio.gather(*(node.switch.beat(0) for node in self._nodes.values()))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _steered(self) -> list[_Node]:
        """The nodes that may be steered now."""
        now = self._clock()
        return [node for node in self._nodes.values() if node.lease.holds(now)] if self._leader.leads() else []

    def _may_steer(self, channel: Channel) -> bool:
        return self._nodes[channel.node] in self._steered()

    async def _listen(self, node: _Node) -> None:
        async with aclosing(node.switch.batches()) as batches:
            async for events in batches:
                self._inbox.put_nowait(_Heard(node.switch.node, events))
                if events is None:
                    node.reached.set()

    async def _beat(self, node: _Node) -> None:
        await node.reached.wait()
        while True:
            node.reached.clear()
            sent_ms = self._clock()
            acknowledged = await node.switch.beat(int(time.time()))
            self._observer.beaten(node.switch.node, sent_ms, self._clock() if acknowledged else None)
            self._inbox.put_nowait(_Beat(node.switch.node, sent_ms, acknowledged))
            pause_s = max(0.0, BEAT_S - (self._clock() - sent_ms) / 1000)
            reached = asyncio.ensure_future(node.reached.wait())
            try:
                await asyncio.wait([reached], timeout=pause_s)
            finally:
                reached.cancel()

    async def _steer(self) -> None:
        while True:
            items = [await self._inbox.get()]
            while not self._inbox.empty():
                items.append(self._inbox.get_nowait())
            for item in items:
                self._take(item)
            await self._act(beaten=any(isinstance(item, _Beat) for item in items))

    def _take(self, item: _Item) -> None:
        match item:
            case _Heard(node, None):
                self._nodes[node].lease = Lease()
                self._room.wants_snapshot = True
            case _Heard(_, events):
                for event in events or ():
                    self._hear(event)
            case _Beat():
                self._beaten(item)
            case _Alarm():
                self._alarm = None
            case _:
                assert_never(item)

    def _hear(self, event: LiveEvent) -> None:
        self._room.heard(event, self._clock())
        match event:
            case EnteredRoom(caller=caller):
                log.info("caller_waits", call=caller.ref, number=caller.number, priority=caller.priority)
                self._listener.entered((caller.ref,))
            case AsksPlace():
                self._asks.append(event)
            case SeatDialled() | WantsCallBack() | CallBackEnded():
                self._listener.told(event)
            case _:
                pass

    def _beaten(self, beat: _Beat) -> None:
        node = self._nodes[beat.node]
        node.answers = beat.acknowledged
        if not beat.acknowledged:
            log.warning("heartbeat_not_acknowledged", node=beat.node)
            return
        if node.lease.lapsed_before(self._clock()):
            self._room.wants_snapshot = True
        node.lease = node.lease.renewed(beat.sent_ms)
        self._room.utc_ahead_ms = utc_ms() - self._clock()

    async def _act(self, *, beaten: bool) -> None:
        """Does what follows from all that is known now."""
        await self._steer_on(beaten=beaten)
        self._listener.changed(self._room.changes())

    async def _steer_on(self, *, beaten: bool) -> None:
        asks, self._asks = self._asks, []
        if not self.steering:
            return
        if self._room.wants_snapshot and not await self._resync():
            return
        if self.steering:
            began_s = time.perf_counter()
            decisions = self._room.decide(self._clock())
            self._observer.decided(time.perf_counter() - began_s)
            if decisions:
                await self._send_all(decisions)
            if asks:
                await asyncio.gather(*(self._tell_place(one) for one in asks))
        if beaten:
            await self._take_back(self._room.withdrawals())
        self._set_alarm()

    async def _resync(self) -> bool:
        """Reads everything anew. Of a node that cannot be steered nothing is known, and nothing decided."""
        nodes = self._steered()
        try:
            snapshots = [await node.switch.snapshot() for node in nodes]
        except SwitchLost as error:
            log.warning("snapshot_lost", why=str(error))
            return False
        whole = Snapshot(
            waiting=tuple(one for snapshot in snapshots for one in snapshot.waiting),
            surviving=tuple(one for snapshot in snapshots for one in snapshot.surviving),
            seats=tuple(one for snapshot in snapshots for one in snapshot.seats),
            offered=tuple(one for snapshot in snapshots for one in snapshot.offered),
            callers=tuple(one for snapshot in snapshots for one in snapshot.callers),
        )
        self._room.resync(whole, self._clock())
        log.info(
            "resynchronised",
            nodes=[node.switch.node for node in nodes],
            waiting=len(whole.waiting),
            surviving=len(whole.surviving),
            talking=len(whole.offered),
        )
        known = (*whole.waiting, *(one for _, one in whole.surviving), *whole.callers)
        self._listener.entered([one.ref for one in known])
        self._listener.resynchronised([node.switch for node in nodes])
        self._observer.resynchronised()
        return True

    async def _send_all(self, decisions: tuple[Decision, ...]) -> None:
        """Sends all of them at once; each is bounded by the switch."""
        if len(decisions) == 1:  # As nearly always: a task of its own would cost more than the rest.
            answers = [await self._sent(decisions[0])]
        else:
            answers = await asyncio.gather(*(self._sent(one) for one in decisions))
        for decision, answer in zip(decisions, answers, strict=True):
            match answer:
                case Answer.DONE:
                    carried_out(decision)
                case Answer.NO_CHANNEL:
                    log.info("caller_gone", **about(decision))
                    self._room.missing(decision, self._clock())
                case Answer.FAILED:
                    log.warning("offer_unclear", **about(decision))
                    self._room.unclear(decision, self._clock())
                case _:
                    assert_never(answer)
        if any(answer is Answer.NO_CHANNEL for answer in answers):
            self._wake()  # A seat is free again at once, and nothing more may be heard of it.

    async def _sent(self, decision: Decision) -> Answer:
        """As `_send`; whatever is logged on the way bears the call's id."""
        with bound_contextvars(call=about(decision)["call"]):
            return await self._send(decision)

    async def _send(self, decision: Decision) -> Answer:
        """A node that was lost meanwhile is not told anything: it serves its callers alone. That is looked at
        when the command is sent: a process that was stopped goes on between any two steps, and a caller
        who talks by then would be torn out of the talk."""
        match decision:
            case Connect(caller, seat):
                standing = self._room.seat(seat)
                agent = None if standing is None else standing.agent
                switch = self._nodes[caller.channel.node].switch
                return await switch.connect(
                    caller.channel, seat, agent, only_if=partial(self._may_steer, caller.channel)
                )
            case Overflow(caller, way):
                switch = self._nodes[caller.channel.node].switch
                return await switch.overflow(caller.channel, way, only_if=partial(self._may_steer, caller.channel))
            case CallBackTurn():
                self._listener.dial(decision)
                return Answer.DONE
            case _:
                assert_never(decision)

    async def _tell_place(self, asked: AsksPlace) -> None:
        """Where nothing is told, the caller hears that it is not forgotten."""
        place = self._room.place_of(asked.ref, self._clock())
        switch = self.switch_of(asked.channel)
        if place is not None and switch is not None:
            await switch.tell_place(asked.channel, place.position, said_minutes(place.estimate_ms))

    async def _take_back(self, withdrawals: tuple[Withdraw, ...]) -> None:
        """Asked again with each heartbeat, so one that fails needs no answer here."""
        wanted = [one for one in withdrawals if self._may_steer(one.channel)]
        await asyncio.gather(*(self._nodes[one.channel.node].switch.withdraw(one.queue, one.channel) for one in wanted))
        if wanted:
            log.info("callers_taken_back", callers=len(wanted))

    def _set_alarm(self) -> None:
        due_ms = self._room.next_alarm_ms()
        if self._room.wants_snapshot:
            soon_ms = self._clock() + SNAPSHOT_PAUSE_MS
            due_ms = soon_ms if due_ms is None else min(due_ms, soon_ms)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if due_ms is not None:
            delay_s = max(0.0, (due_ms - self._clock()) / 1000)
            self._alarm = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._inbox.put_nowait(_Alarm())
