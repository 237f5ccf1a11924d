"""The controller's loop for one node: hears Asterisk, asks the waiting room, sends commands.

One ordered inbox: batches of events, answered heartbeats and alarms are handled one after the
other by one task, so that a decision always sees everything that was heard before it.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import assert_never

import structlog

from asterisk.port import Answer, Switch, SwitchLost
from calls.live import LiveEvent
from routing.leader import Leader
from routing.lease import Lease
from routing.room import Connect, Counts, Room, Withdraw

BEAT_S = 1.0
SNAPSHOT_PAUSE_MS = 200
"""A snapshot that is wanted is read after this pause, so that a fault that lasts makes no flood."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Heard:
    """What Asterisk told; None: a new connection, nothing known before holds."""

    events: tuple[LiveEvent, ...] | None


@dataclass(frozen=True, slots=True)
class _Beat:
    """A heartbeat was answered."""

    sent_ms: int
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class _Alarm:
    """A seat has rested long enough, or something is overdue."""


_Item = _Heard | _Beat | _Alarm


def now_ms() -> int:
    """A clock that never jumps back."""
    return time.monotonic_ns() // 1_000_000


class Controller:
    """Steers one node's Asterisk for as long as it is wanted."""

    def __init__(self, switch: Switch, room: Room, leader: Leader, clock: Callable[[], int] = now_ms) -> None:
        self._switch = switch
        self._room = room
        self._leader = leader
        self._clock = clock
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue()
        self._lease = Lease()
        self._connected = False
        self._reached = asyncio.Event()
        """A new connection: the next heartbeat is sent at once."""
        self._letting_go = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def connected(self) -> bool:
        """Whether Asterisk answered the last heartbeat."""
        return self._connected

    @property
    def steering(self) -> bool:
        """Whether decisions may be made now."""
        return self._lease.holds(self._clock()) and self._leader.leads()

    def counts(self) -> Counts:
        """How many callers and seats are in each state."""
        return self._room.counts(self._clock())

    def let_go(self) -> None:
        """Stop steering: `run` ends, and Asterisk serves callers alone from then on."""
        self._letting_go.set()

    async def run(self) -> None:
        """Steers until `let_go`. Whatever goes wrong with the connection, it goes on."""
        tasks = [
            asyncio.create_task(self._listen(), name="listen"),
            asyncio.create_task(self._beat(), name="beat"),
            asyncio.create_task(self._steer(), name="steer"),
            asyncio.create_task(self._letting_go.wait(), name="let go"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._alarm is not None:
                self._alarm.cancel()
            # Nobody need wait for the heartbeat to grow old: survival begins at once.
            await self._switch.beat(0)

    async def _listen(self) -> None:
        async with aclosing(self._switch.batches()) as batches:
            async for events in batches:
                self._inbox.put_nowait(_Heard(events))
                if events is None:
                    self._reached.set()

    async def _beat(self) -> None:
        await self._reached.wait()
        while True:
            self._reached.clear()
            sent_ms = self._clock()
            acknowledged = await self._switch.beat(int(time.time()))
            self._inbox.put_nowait(_Beat(sent_ms, acknowledged))
            pause_s = max(0.0, BEAT_S - (self._clock() - sent_ms) / 1000)
            reached = asyncio.ensure_future(self._reached.wait())
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
            case _Heard(None):
                self._lease = Lease()
                self._room.wants_snapshot = True
            case _Heard(events):
                for event in events or ():
                    self._room.heard(event, self._clock())
            case _Beat():
                self._beaten(item)
            case _Alarm():
                self._alarm = None
            case _:
                assert_never(item)

    def _beaten(self, beat: _Beat) -> None:
        self._connected = beat.acknowledged
        if not beat.acknowledged:
            log.warning("heartbeat_not_acknowledged", node=self._switch.node)
            return
        if self._lease.lapsed_before(self._clock()):
            self._room.wants_snapshot = True
        self._lease = self._lease.renewed(beat.sent_ms)

    async def _act(self, *, beaten: bool) -> None:
        """Does what follows from all that is known now."""
        if not self.steering:
            return
        if self._room.wants_snapshot and not await self._resync():
            return
        if self.steering:
            await self._connect(self._room.decide(self._clock()))
        if beaten and self.steering:
            await self._take_back(self._room.withdrawals())
        self._set_alarm()

    async def _resync(self) -> bool:
        try:
            snapshot = await self._switch.snapshot()
        except SwitchLost as error:
            log.warning("snapshot_lost", node=self._switch.node, why=str(error))
            return False
        self._room.resync(snapshot, self._clock())
        log.info(
            "resynchronised",
            node=self._switch.node,
            waiting=len(snapshot.waiting),
            surviving=len(snapshot.surviving),
            talking=len(snapshot.offered),
        )
        return True

    async def _connect(self, decisions: tuple[Connect, ...]) -> None:
        """Sends all of them at once; each is bounded by the switch."""
        answers = await asyncio.gather(*(self._switch.connect(one.caller.channel, one.seat) for one in decisions))
        for decision, answer in zip(decisions, answers, strict=True):
            told = log.bind(ref=decision.caller.ref, seat=decision.seat)
            match answer:
                case Answer.DONE:
                    told.info("caller_offered")
                case Answer.NO_CHANNEL:
                    told.info("caller_gone")
                    self._room.missing(decision, self._clock())
                case Answer.FAILED:
                    told.warning("offer_unclear")
                    self._room.unclear(decision, self._clock())
                case _:
                    assert_never(answer)
        if any(answer is Answer.NO_CHANNEL for answer in answers):
            self._wake()  # A seat is free again at once, and nothing more may be heard of it.

    async def _take_back(self, withdrawals: tuple[Withdraw, ...]) -> None:
        """Asked again with each heartbeat, so one that fails needs no answer here."""
        await asyncio.gather(*(self._switch.withdraw(one.queue, one.channel) for one in withdrawals))
        if withdrawals:
            log.info("callers_taken_back", node=self._switch.node, callers=len(withdrawals))

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
