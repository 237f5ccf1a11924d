"""A `Switch` without Asterisk: tests script its world and read what it was asked to do."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from asterisk.port import Answer, SwitchLost
from calls.live import (
    CameBack,
    Channel,
    Device,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    LeftRoom,
    LiveEvent,
    Seat,
    SeatChanged,
    Snapshot,
    Waiting,
)


class ScriptedSwitch:
    """Its world changes when a test says so, and when it is asked to; each change is heard."""

    def __init__(self, node: str = "node1") -> None:
        self.node = node
        self.waiting: dict[Channel, Waiting] = {}
        self.surviving: dict[Channel, tuple[str, Waiting]] = {}
        self.offered: dict[Channel, tuple[Waiting, Seat]] = {}
        self.seats: dict[Seat, Device] = {}
        self.connected_to: list[tuple[Channel, Seat]] = []
        """Every `connect` that was asked for, in order."""
        self.withdrawn: list[tuple[str, Channel]] = []
        self.beats: list[int] = []
        self.snapshots = 0
        self.acknowledges = True
        """Whether beats are acknowledged."""
        self.answers: deque[Answer] = deque()
        """What the next `connect`s end with, instead of what the world says."""
        self._lost = True
        self._news: asyncio.Queue[LiveEvent | None] = asyncio.Queue()
        self._news.put_nowait(None)

    # What happens in the world.

    def caller_waits(self, caller: Waiting) -> None:
        self.waiting[caller.channel] = caller
        self._hear(EnteredRoom(caller))

    def caller_survives(self, caller: Waiting, queue: str) -> None:
        self.surviving[caller.channel] = (queue, caller)
        self._hear(EnteredSurvival(caller, queue))

    def caller_leaves(self, channel: Channel, to: str) -> None:
        self._hear(LeftRoom(self.waiting.pop(channel).ref, to))

    def hangs_up(self, channel: Channel, q850_cause: int = 16) -> None:
        for world in (self.waiting, self.surviving, self.offered):
            world.pop(channel, None)
        self._hear(HungUp(channel, q850_cause))

    def seat(self, seat: Seat, device: Device) -> None:
        self.seats[seat] = device
        self._hear(SeatChanged(seat, device))

    def comes_back(self, channel: Channel, why: str) -> None:
        """The seat that the caller was offered to does not take it."""
        caller, seat = self.offered.pop(channel)
        self._hear(CameBack(caller.ref, seat, why))
        self.caller_waits(caller)

    def lose(self) -> None:
        """The connection is lost; it is made anew as soon as `batches` is read."""
        self._lost = True
        self._news.put_nowait(None)

    # The port.

    async def batches(self) -> AsyncGenerator[tuple[LiveEvent, ...] | None, None]:
        while True:
            found = [await self._news.get()]
            while not self._news.empty():
                found.append(self._news.get_nowait())
            while None in found:
                # What came before a loss is never heard.
                del found[: found.index(None) + 1]
                self._lost = False
                yield None
            events = tuple(event for event in found if event is not None)
            if events:
                yield events

    async def snapshot(self) -> Snapshot:
        if self._lost:
            raise SwitchLost("there is no connection to Asterisk")
        self.snapshots += 1
        return Snapshot(
            tuple(self.waiting.values()),
            tuple(self.surviving.values()),
            tuple(self.seats.items()),
            tuple((caller.ref, channel, seat) for channel, (caller, seat) in self.offered.items()),
        )

    async def beat(self, epoch_s: int) -> bool:
        self.beats.append(epoch_s)
        return self.acknowledges and not self._lost

    async def connect(self, channel: Channel, seat: Seat) -> Answer:
        self.connected_to.append((channel, seat))
        if self.answers or self._lost:
            return self.answers.popleft() if self.answers else Answer.FAILED
        if channel not in self.waiting:
            return Answer.NO_CHANNEL
        self.offered[channel] = (self.waiting.pop(channel), seat)
        return Answer.DONE

    async def withdraw(self, queue: str, channel: Channel) -> Answer:
        self.withdrawn.append((queue, channel))
        if self._lost:
            return Answer.FAILED
        if self.surviving.get(channel, ("", None))[0] != queue:
            return Answer.NO_CHANNEL
        self.caller_waits(self.surviving.pop(channel)[1])
        return Answer.DONE

    def _hear(self, event: LiveEvent) -> None:
        self._news.put_nowait(event)
