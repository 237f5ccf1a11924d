"""The controller's port to one node's Asterisk over AMI: `asterisk.port.Switch`."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import structlog

from asterisk.ami import ActionRefused, AmiAccess, AmiBounds, AmiConnection, Unanswered, open_ami
from asterisk.heard import (
    HEARD,
    VARIABLES,
    event_of,
    seat_of,
    snapshot_of,
    standing_of,
    superseded,
    survival_queue,
)
from asterisk.message import AmiMessage
from asterisk.notes import encoded
from asterisk.outcomes import CALL_BACK_ID, Outcomes
from asterisk.parties import PARTY_VARIABLES, parties_of
from asterisk.port import Answer, DialBack, DrillCall, Listening, Party, SwitchLost, always
from asterisk.refusals import meaning_of, worst
from calls.live import (
    Agent,
    CallRef,
    Channel,
    LiveEvent,
    Seat,
    Snapshot,
)

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_WATCHED_RING_S = 20
"""So long the telephone of whoever wants to listen rings."""
_DRILL_S = 120
"""Longer than any test call lasts."""
_LISTENING = {Listening.LISTEN: "qES", Listening.WHISPER: "qESw", Listening.BARGE: "qESB"}
"""ChanSpy: no announcement (q), and the end with the talk (E) or when there is none (S)."""
_SILENT = "no answer"
_STEADY_S = 5.0
"""A connection that lived this long was a good one: the next attempt comes soon."""

_NUMBER = re.compile(r"[0-9+]{1,20}")

T = TypeVar("T")

_log = structlog.get_logger()


class NoNumber(ValueError):
    """What is to be blocked is no telephone number: digits, and perhaps a plus."""


class AmiSwitch:
    """Connects by itself, and again after each loss, as long as `batches` is read.

    End it with `close`: a reader that is cancelled between two batches leaves the connection open.
    """

    def __init__(
        self,
        node: str,
        access: AmiAccess,
        bounds: AmiBounds | None = None,
        *,
        demands: Iterable[frozenset[str]] = (),
        dial: str = "PJSIP/{seat}",
        aged: Callable[[float], None] = lambda _age_s: None,
    ) -> None:
        """demands: the skills that each survival queue stands for; dial: how a seat is dialled, as in the settings;
        aged: is told how old, in seconds, the newest message of each batch was when it was read."""
        self.node = node
        self.unreadable = 0
        """Messages that were skipped because they could not be read."""
        self._access = access
        self._bounds = bounds or AmiBounds()
        self._demands = tuple(demands)
        self._dial = dial
        self._aged = aged
        self._connection: AmiConnection | None = None
        self._named: dict[Seat, Agent | None] = {}
        """Who the dialplan says is at each seat, as far as it was told on this connection."""

    async def batches(self) -> AsyncGenerator[tuple[LiveEvent, ...] | None, None]:
        """As in the port. Raises LoginRefused: waiting does not mend a wrong secret."""
        pause_s = _FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                self._connection = await open_ami(self._access, HEARD, self._bounds)
                self._named = {}
                outcomes = Outcomes()
                _log.info("switch_connected", node=self.node)
                yield None
                while True:
                    messages = await outcomes.batch(self._connection.inbox)
                    if messages and (at_s := messages[-1].at_s) is not None:
                        self._aged(time.time() - at_s)
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

        From its begin on nothing is given to whoever reads `batches`: the snapshot comes first. The Ping
        before it is the barrier: where callers stood, as it was told until its answer, is older than the
        lists, and is dropped. Seats' changes are kept, because Asterisk may announce a change before its
        list of states shows it; the last one announced is the true one. The Ping after it makes sure that
        what happened while the lists were read is in the inbox behind them.
        """
        connection = self._connection
        if connection is None:
            raise SwitchLost("there is no connection to Asterisk")
        try:
            with connection.inbox.held():
                await connection.act("Ping")
                connection.inbox.drop(superseded)
                channels = await connection.rows("Status", "StatusComplete", {"Variables": ",".join(VARIABLES)})
                devices = await connection.rows("DeviceStateList", "DeviceStateListComplete")
                await connection.act("Ping")
        except (ActionRefused, Unanswered) as error:
            connection.drop(f"no snapshot: {error}")
            raise SwitchLost(str(error)) from error
        return snapshot_of(self._read(channels, partial(standing_of, node=self.node)), self._read(devices, seat_of))

    async def beat(self, epoch_s: int) -> bool:
        return await self._asked("Setvar", Variable="HL_BEAT", Value=str(epoch_s)) is Answer.DONE

    async def connect(
        self, channel: Channel, seat: Seat, agent: Agent | None = None, *, only_if: Callable[[], bool] = always
    ) -> Answer:
        """Both commands are sent at once: Asterisk does them in this order."""
        redirect = self._sent(channel, "connect", seat, only_if=only_if)
        if self._knows(seat, agent):
            return await redirect
        _, sent = await asyncio.gather(self._name(seat, agent), redirect)
        return sent

    async def withdraw(self, queue: str, channel: Channel) -> Answer:
        return await self._asked("QueueWithdrawCaller", Queue=queue, Caller=channel.name)

    async def tell_place(self, channel: Channel, position: int, minutes: int) -> Answer:
        return await self._set(channel, "HL_PLACE", f"{position}:{minutes}")

    async def move_up(self, channel: Channel, t0_ms: int, priority: int) -> Answer:
        # In a survival queue's order, too: it is made of these two.
        return worst(
            [await self._set(channel, "HL_PRIO", str(priority)), await self._set(channel, "HL_T0", str(t0_ms))]
        )

    async def overflow(self, channel: Channel, way: str, *, only_if: Callable[[], bool] = always) -> Answer:
        return await self._sent(channel, "overflow", way, only_if=only_if)

    async def dial_back(self, call: DialBack) -> Answer:
        variables = {
            "HL_REF": call.ref,
            "HL_FIRST": call.first,
            "HL_ATTEMPT": str(call.attempt),
            "HL_NUMBER": call.number,
            "HL_SKILLS": "+".join(sorted(call.skills)),
            "HL_PRIO": str(call.priority),
            "HL_T0": str(call.t0_ms),
            "HL_LANG": call.language,
            "HL_TRUNK": call.trunk,
            "HL_TO": call.to,
        }
        return await self._asked(
            "Originate",
            outcome_id=CALL_BACK_ID + call.ref,
            Channel=f"PJSIP/{call.to}@{call.trunk}",
            ChannelId=CALL_BACK_ID + call.ref,
            Context="callback",
            Exten=call.seat,
            Priority="1",
            CallerID=call.number,
            Timeout=str(call.ring_s * 1000),
            Variable=",".join(f"{name}={value}" for name, value in variables.items()),
            Async="true",
        )

    async def parties(self, ref: CallRef) -> tuple[Party, ...]:
        connection = self._connection
        if connection is None:
            raise SwitchLost("there is no connection to Asterisk")
        try:
            rows = await connection.rows("Status", "StatusComplete", {"Variables": ",".join(PARTY_VARIABLES)})
        except (ActionRefused, Unanswered) as error:
            raise SwitchLost(str(error)) from error
        return parties_of(rows, ref, self.node)

    async def transfer(self, channel: Channel, goal: str) -> Answer:
        return await self._sent(channel, "transfer", goal)

    async def consult(self, caller: Channel, leg: Channel, goal: str, *, join: bool) -> Answer:
        told = await self._set(leg, "HL_JOIN", "yes" if join else "")
        if told is not Answer.DONE:
            return told
        # Both at once: the first one alone would end the talk, and the other leg with it.
        return await self._asked(
            "Redirect",
            Channel=caller.name,
            Context="held",
            Exten="s",
            Priority="1",
            ExtraChannel=leg.name,
            ExtraContext="consult",
            ExtraExten=goal,
            ExtraPriority="1",
        )

    async def note(self, caller: Channel, text: str) -> Answer:
        return await self._set(caller, "HL_NOTE", encoded(text))

    async def join(self, channels: Sequence[Channel]) -> Answer:
        """The last two go at once: they may talk with each other, and the first one alone would end that."""
        *others, one, other = channels
        answers = [await self._sent(channel, "party", "s") for channel in others]
        answers.append(
            await self._asked(
                "Redirect",
                Channel=one.name,
                Context="party",
                Exten="s",
                Priority="1",
                ExtraChannel=other.name,
                ExtraContext="party",
                ExtraExten="s",
                ExtraPriority="1",
            )
        )
        return worst(answers)

    async def hang_up(self, channel: Channel) -> Answer:
        return await self._asked("Hangup", Channel=channel.name, Cause="16")

    async def reply(self, channel: Channel, answer: str) -> Answer:
        return await self._set(channel, "HL_REPLY", answer)

    async def watch(self, seat: Seat, by: Seat, how: Listening) -> Answer:
        """The bar behind the seat keeps a longer seat number that begins alike out of it."""
        return await self._asked(
            "Originate",
            Channel=self._interface(by),
            Application="ChanSpy",
            Data=f"{self._interface(seat)}-,{_LISTENING[how]}",
            CallerID=seat,
            Timeout=str(_WATCHED_RING_S * 1000),
            Async="true",
        )

    async def man(self, seat: Seat, agent: Agent | None, skills: frozenset[str], *, paused: bool) -> Answer:
        told = await self._name(seat, agent)
        queues = await asyncio.gather(
            *(
                self._member(survival_queue("+".join(sorted(demand))), seat, serves=demand <= skills, paused=paused)
                for demand in self._demands
            )
        )
        return worst([told, *queues])

    async def drill(self, call: DrillCall) -> Answer:
        """The half of the Local channel that does nothing lasts as long as the other one."""
        return await self._asked(
            "Originate",
            Channel=f"Local/{call.goal}@drill/n",
            Application="Wait",
            Data=str(_DRILL_S),
            Variable=f"__HL_REF={call.ref}",
            Async="true",
        )

    async def block(self, number: str, until_day: str) -> Answer:
        return await self._listed(number, until_day)

    async def unblock(self, number: str) -> Answer:
        return await self._listed(number, "")

    async def reachable(self, endpoint: str) -> bool | None:
        """Whether the far end of a trunk answers, as Asterisk knows from trying; None: it cannot be asked now."""
        connection = self._connection
        if connection is None:
            return None
        try:
            told = await connection.act("Getvar", {"Variable": f"DEVICE_STATE(PJSIP/{endpoint})"})
        except (ActionRefused, Unanswered, SwitchLost):
            return None
        return told.required("Value") not in ("UNAVAILABLE", "INVALID", "UNKNOWN")

    def _knows(self, seat: Seat, agent: Agent | None) -> bool:
        """Whether the dialplan was told on this connection who is at the seat."""
        return seat in self._named and self._named[seat] == agent

    async def _name(self, seat: Seat, agent: Agent | None) -> Answer:
        """Lets the dialplan know who is at a seat. Said once on each connection: a new Asterisk knows nobody."""
        if self._knows(seat, agent):
            return Answer.DONE
        answer = await self._asked("Setvar", Variable=f"AGENT_{seat}", Value=agent or "")
        if answer is Answer.DONE:
            self._named[seat] = agent
        else:
            self._named.pop(seat, None)
        return answer

    async def _listed(self, number: str, until_day: str) -> Answer:
        """The dialplan writes it itself: for DBPut, and for writing DB(), the account would need the right
        to run programs. The answer comes when it is written."""
        if not _NUMBER.fullmatch(number):
            raise NoNumber
        return await self._asked(
            "Originate",
            Channel="Local/s@blocking/n",
            Application="NoOp",
            Variable=f"__HL_BLOCK={number},__HL_UNTIL={until_day}",
        )

    async def _member(self, queue: str, seat: Seat, *, serves: bool, paused: bool) -> Answer:
        """Brings one queue to what it should be. A seat of the settings cannot be taken out: it is paused instead."""
        place = {"Queue": queue, "Interface": self._interface(seat)}
        if serves:
            state = {"StateInterface": self._interface(seat)} if self._dial == "PJSIP/{seat}" else {}
            added = await self._refused("QueueAdd", MemberName=seat, Paused=str(paused).lower(), **place, **state)
            if added is None or "Already there" not in added:
                return self._meant("QueueAdd", added)
        else:
            removed = await self._refused("QueueRemove", **place)
            if removed is None or "Not there" in removed:
                return Answer.DONE
            if "not dynamic" not in removed:
                return self._meant("QueueRemove", removed)
        return await self._asked("QueuePause", Paused=str(paused or not serves).lower(), **place)

    def _interface(self, seat: Seat) -> str:
        return self._dial.replace("{seat}", seat)

    async def _set(self, channel: Channel, name: str, value: str) -> Answer:
        return await self._asked("Setvar", Channel=channel.name, Variable=name, Value=value)

    async def _sent(
        self, channel: Channel, context: str, extension: str, *, only_if: Callable[[], bool] = always
    ) -> Answer:
        # Nothing is waited for between this question and the sending.
        if not only_if():
            return Answer.FAILED
        return await self._asked("Redirect", Channel=channel.name, Context=context, Exten=extension, Priority="1")

    async def _asked(self, action: str, *, outcome_id: str | None = None, **headers: str) -> Answer:
        """How a command ended. Nothing is tried again: a second Redirect could hit a later state."""
        return self._meant(action, await self._refused(action, outcome_id=outcome_id, **headers))

    async def _refused(self, action: str, *, outcome_id: str | None = None, **headers: str) -> str | None:
        """Asterisk's words when it refused; None when it was done."""
        connection = self._connection
        if connection is None:
            return _SILENT
        try:
            await connection.act(action, headers, outcome_id=outcome_id)
        except ActionRefused as error:
            return error.why
        except (Unanswered, SwitchLost) as error:
            _log.warning("switch_silent", node=self.node, action=action, why=str(error))
            return _SILENT
        return None

    def _meant(self, action: str, refusal: str | None) -> Answer:
        answer = Answer.DONE if refusal is None else meaning_of(refusal)
        if answer is Answer.FAILED and refusal != _SILENT:
            _log.warning("switch_refused", node=self.node, action=action, why=refusal)
        return answer

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
