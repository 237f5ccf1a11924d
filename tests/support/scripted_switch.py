"""A `Switch` without Asterisk: tests script its world and read what it was asked to do."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from asterisk.port import Answer, DialBack, DrillCall, Listening, Party, SwitchLost, always
from calls.live import (
    Agent,
    CallBackEnded,
    CallRef,
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
    SeatDialled,
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
        self.talks: dict[CallRef, tuple[Party, ...]] = {}
        """The channels of calls that are being talked; whoever waits or is offered is a party of its own."""
        self.places_told: list[tuple[Channel, int, int]] = []
        self.overflowed: list[tuple[Channel, str]] = []
        self.dialled_back: list[DialBack] = []
        self.transferred: list[tuple[Channel, str]] = []
        self.consulted: list[tuple[Channel, Channel, str, bool]] = []
        """(caller, leg, goal, join)."""
        self.notes: list[tuple[Channel, str]] = []
        self.drilled: list[DrillCall] = []
        self.joined: list[tuple[Channel, ...]] = []
        self.hung_up: list[Channel] = []
        self.replies: list[tuple[Channel, str]] = []
        self.watched: list[tuple[Seat, Seat, Listening]] = []
        self.manned: dict[Seat, tuple[Agent | None, frozenset[str], bool]] = {}
        """Seat → who is there, what may ring there, whether it is paused."""
        self.blocked: dict[str, str] = {}
        self.telephones: set[Channel] = set()
        """Those that dialled a code, and wait for an answer."""
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
        self.telephones.discard(channel)
        for ref, parties in list(self.talks.items()):
            self.talks[ref] = tuple(party for party in parties if party.channel != channel)
        self._hear(HungUp(channel, q850_cause))

    def seat(self, seat: Seat, device: Device) -> None:
        self.seats[seat] = device
        self._hear(SeatChanged(seat, device))

    def comes_back(self, channel: Channel, why: str) -> None:
        """The seat that the caller was offered to does not take it."""
        caller, seat = self.offered.pop(channel)
        self._hear(CameBack(caller.ref, seat, why))
        self.caller_waits(caller)

    def answers_back(self, ref: CallRef, channel: Channel) -> None:
        """A caller who is called back answers."""
        self.hear(CallBackEnded(ref, channel, ""))

    def not_reached(self, ref: CallRef, why: str) -> None:
        self.hear(CallBackEnded(ref, None, why))

    def hear(self, event: LiveEvent) -> None:
        """Whatever else happens."""
        if isinstance(event, SeatDialled):
            self.telephones.add(event.channel)
        self._hear(event)

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
            tuple(caller for caller, _ in self.offered.values()),
        )

    async def beat(self, epoch_s: int) -> bool:
        self.beats.append(epoch_s)
        return self.acknowledges and not self._lost

    async def connect(
        self, channel: Channel, seat: Seat, agent: Agent | None = None, *, only_if: Callable[[], bool] = always
    ) -> Answer:
        await asyncio.sleep(0)
        if not only_if():
            return Answer.FAILED
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

    async def tell_place(self, channel: Channel, position: int, minutes: int) -> Answer:
        self.places_told.append((channel, position, minutes))
        return self._known(channel)

    async def move_up(self, channel: Channel, t0_ms: int, priority: int) -> Answer:
        answer = self._known(channel)
        if answer is Answer.DONE and channel in self.waiting:
            self.waiting[channel] = replace(self.waiting[channel], t0_ms=t0_ms, priority=priority)
        return answer

    async def overflow(self, channel: Channel, way: str, *, only_if: Callable[[], bool] = always) -> Answer:
        await asyncio.sleep(0)
        if not only_if():
            return Answer.FAILED
        self.overflowed.append((channel, way))
        answer = self._known(channel)
        if answer is Answer.DONE:
            self.waiting.pop(channel, None)
        return answer

    async def dial_back(self, call: DialBack) -> Answer:
        self.dialled_back.append(call)
        return Answer.FAILED if self._lost else Answer.DONE

    async def parties(self, ref: CallRef) -> tuple[Party, ...]:
        if self._lost:
            raise SwitchLost("there is no connection to Asterisk")
        if ref in self.talks:
            return self.talks[ref]
        alone = [*self.waiting.values(), *(who for _, who in self.surviving.values())]
        return tuple(_waits(who) for who in alone if who.ref == ref)

    async def transfer(self, channel: Channel, goal: str) -> Answer:
        self.transferred.append((channel, goal))
        return self._known(channel)

    async def consult(self, caller: Channel, leg: Channel, goal: str, *, join: bool) -> Answer:
        self.consulted.append((caller, leg, goal, join))
        answer = self._known(caller, leg)
        if answer is Answer.DONE:
            self._go({caller: "held", leg: "consult"})
        return answer

    async def note(self, caller: Channel, text: str) -> Answer:
        self.notes.append((caller, text))
        return self._known(caller)

    async def join(self, channels: Sequence[Channel]) -> Answer:
        self.joined.append(tuple(channels))
        answer = self._known(*channels)
        if answer is Answer.DONE:
            self._go(dict.fromkeys(channels, "party"))
        return answer

    async def hang_up(self, channel: Channel) -> Answer:
        self.hung_up.append(channel)
        answer = self._known(channel)
        if answer is Answer.DONE:
            self.hangs_up(channel)
        return answer

    async def reply(self, channel: Channel, answer: str) -> Answer:
        self.replies.append((channel, answer))
        return self._known(channel)

    async def watch(self, seat: Seat, by: Seat, how: Listening) -> Answer:
        self.watched.append((seat, by, how))
        return Answer.FAILED if self._lost else Answer.DONE

    async def man(self, seat: Seat, agent: Agent | None, skills: frozenset[str], *, paused: bool) -> Answer:
        if self._lost:
            return Answer.FAILED
        self.manned[seat] = (agent, skills, paused)
        return Answer.DONE

    async def drill(self, call: DrillCall) -> Answer:
        self.drilled.append(call)
        return Answer.FAILED if self._lost else Answer.DONE

    async def block(self, number: str, until_day: str) -> Answer:
        if self._lost:
            return Answer.FAILED
        self.blocked[number] = until_day
        return Answer.DONE

    async def unblock(self, number: str) -> Answer:
        if self._lost:
            return Answer.FAILED
        self.blocked.pop(number, None)
        return Answer.DONE

    def _known(self, *channels: Channel) -> Answer:
        """How a command to channels ends."""
        if self._lost:
            return Answer.FAILED
        there = {*self.waiting, *self.surviving, *self.offered, *self.telephones}
        there |= {party.channel for parties in self.talks.values() for party in parties}
        return Answer.DONE if there.issuperset(channels) else Answer.NO_CHANNEL

    def _go(self, contexts: dict[Channel, str]) -> None:
        """Parties of talks are somewhere else now."""
        for ref, parties in self.talks.items():
            self.talks[ref] = tuple(
                replace(party, context=contexts.get(party.channel, party.context)) for party in parties
            )

    def _hear(self, event: LiveEvent) -> None:
        self._news.put_nowait(event)


def _waits(who: Waiting) -> Party:
    endpoint = who.channel.name.partition("/")[2].rpartition("-")[0]
    return Party(who.channel, "room", endpoint, seat=False, caller=True)
