"""The controller's port to one node's Asterisk over AMI: `asterisk.port.Switch`."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from functools import partial
from typing import TypeVar

import structlog

from asterisk.ami import ActionRefused, AmiAccess, AmiBounds, AmiConnection, Unanswered, open_ami
from asterisk.heard import (
    HEARD,
    VARIABLES,
    Offered,
    event_of,
    seat_of,
    standing_of,
)
from asterisk.message import AmiMessage
from asterisk.port import Answer, SwitchLost
from calls.live import Channel, EnteredRoom, EnteredSurvival, LiveEvent, Seat, SeatChanged, Snapshot

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_STEADY_S = 5.0
"""A connection that lived this long was a good one: the next attempt comes soon."""

T = TypeVar("T")

_log = structlog.get_logger()


class AmiSwitch:
    """Connects by itself, and again after each loss, as long as `batches` is read.

    End it with `close`: a reader that is cancelled between two batches leaves the connection open.
    """

    def __init__(self, node: str, access: AmiAccess, bounds: AmiBounds | None = None) -> None:
        self.node = node
        self.unreadable = 0
        """Messages that were skipped because they could not be read."""
        self._access = access
        self._bounds = bounds or AmiBounds()
        self._connection: AmiConnection | None = None

    async def batches(self) -> AsyncGenerator[tuple[LiveEvent, ...] | None, None]:
        """As in the port. Raises LoginRefused: waiting does not mend a wrong secret."""
        pause_s = _FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                self._connection = await open_ami(self._access, HEARD, self._bounds)
                _log.info("switch_connected", node=self.node)
                yield None
                while True:
                    messages = await self._connection.inbox.batch()
                    events: tuple[LiveEvent, ...] = self._read(messages, partial(event_of, node=self.node))
                    if events:
                        yield events
            except SwitchLost as error:
                _log.warning("switch_lost", node=self.node, why=str(error))
            finally:
                await self.close()
            if loop.time() - began_s > _STEADY_S:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def close(self) -> None:
        """Ends the connection. Safe to repeat."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def snapshot(self) -> Snapshot:
        """As in the port.

        The Ping before it is the barrier: what was read until its answer is older than the lists,
        and is dropped. Only seats' changes are kept, because Asterisk may announce a change before
        its list of states shows it; the last one announced is the true one. The Ping after it makes
        sure that what happened while the lists were read is in the inbox behind them.
        """
        connection = self._connection
        if connection is None:
            raise SwitchLost("there is no connection to Asterisk")
        try:
            await connection.act("Ping")
            connection.inbox.keep(lambda message: message.event == "DeviceStateChange")
            channels = await connection.rows("Status", "StatusComplete", {"Variables": ",".join(VARIABLES)})
            devices = await connection.rows("DeviceStateList", "DeviceStateListComplete")
            await connection.act("Ping")
        except (ActionRefused, Unanswered) as error:
            connection.drop(f"no snapshot: {error}")
            raise SwitchLost(str(error)) from error
        return _snapshot(self._read(channels, partial(standing_of, node=self.node)), self._read(devices, seat_of))

    async def beat(self, epoch_s: int) -> bool:
        return await self._asked("Setvar", Variable="HL_BEAT", Value=str(epoch_s)) is Answer.DONE

    async def connect(self, channel: Channel, seat: Seat) -> Answer:
        return await self._asked("Redirect", Channel=channel.name, Context="connect", Exten=seat, Priority="1")

    async def withdraw(self, queue: str, channel: Channel) -> Answer:
        return await self._asked("QueueWithdrawCaller", Queue=queue, Caller=channel.name)

    async def _asked(self, action: str, **headers: str) -> Answer:
        """How a command ended. Nothing is tried again: a second Redirect could hit a later state."""
        connection = self._connection
        if connection is None:
            return Answer.FAILED
        try:
            await connection.act(action, headers)
        except ActionRefused as error:
            answer = _meaning(error.why)
            if answer is Answer.FAILED:
                _log.warning("switch_refused", node=self.node, action=action, why=error.why)
            return answer
        except (Unanswered, SwitchLost) as error:
            _log.warning("switch_silent", node=self.node, action=action, why=str(error))
            return Answer.FAILED
        return Answer.DONE

    def _read(self, messages: Iterable[AmiMessage], reading: Callable[[AmiMessage], T | None]) -> tuple[T, ...]:
        """What the messages mean; one that cannot be read is logged, counted and skipped."""
        found = []
        for message in messages:
            try:
                meaning = reading(message)
            except ValueError as error:
                self.unreadable += 1
                _log.error("ami_message_unreadable", node=self.node, why=str(error))
                continue
            if meaning is not None:
                found.append(meaning)
        return tuple(found)


def _meaning(refusal: str) -> Answer:
    """What Asterisk's words mean: the same ones in all versions from 20 to 23."""
    if refusal.startswith("Channel does not exist") or "channel not up" in refusal or "No such caller" in refusal:
        return Answer.NO_CHANNEL
    if "Already requested" in refusal:
        return Answer.DONE
    return Answer.FAILED


def _snapshot(
    standings: tuple[EnteredRoom | EnteredSurvival | Offered, ...], seats: tuple[SeatChanged, ...]
) -> Snapshot:
    return Snapshot(
        waiting=tuple(standing.caller for standing in standings if isinstance(standing, EnteredRoom)),
        surviving=tuple((entry.queue, entry.caller) for entry in standings if isinstance(entry, EnteredSurvival)),
        seats=tuple((change.seat, change.device) for change in seats),
        offered=tuple((entry.ref, entry.channel, entry.seat) for entry in standings if isinstance(entry, Offered)),
    )
