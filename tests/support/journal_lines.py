"""Journal lines as a real Asterisk writes them, for a call made up step by step."""

import json
from urllib.parse import quote
from uuid import UUID

from calls.cel import Row, parse
from calls.journal import RoomEntered
from calls.live import CallRef
from calls.sight import SeenTalk, Sight

BEGIN_US = 1_700_000_000_000_000
"""22:13:20 UTC on 14 November 2023: in Shanghai the 15th."""


def ref_of(serial: int) -> str:
    return str(UUID(int=serial, version=4))


def line(kind: str, at_us: int, channel: str, uniqueid: str, linkedid: str, *, extra: str = "") -> str:
    """One line without its line break, quoted as Asterisk quotes."""
    at = f"{at_us // 1_000_000}.{at_us % 1_000_000:06d}"
    columns = (kind, at, channel, uniqueid, linkedid, "arrival", "12345", "", extra)
    return ",".join('"' + column.replace('"', '""') + '"' for column in columns)


class MadeCall:
    """A call's lines; each event is 100 ms after the one before, unless `wait_ms` says otherwise."""

    def __init__(self, serial: int = 1, *, begin_us: int = BEGIN_US, node: str = "node1") -> None:
        self.ref = ref_of(serial)
        self.now_us = begin_us
        self.lines: list[str] = []
        self.channel = f"PJSIP/carrier_a-{serial:08x}"
        self.linkedid = f"{node}-{begin_us // 1_000_000}.{serial}"
        self._uniqueids = {self.channel: self.linkedid}
        self._legs = 0

    @property
    def rows(self) -> list[Row]:
        return [parse(text) for text in self.lines]

    def step(self, kind: str, wait_ms: int = 100, *, on: str | None = None, **values: object) -> None:
        """A step that the dialplan writes, on the caller's channel or on another one."""
        text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in values.items())
        self._line(kind, on or self.channel, json.dumps({"extra": text}), wait_ms)

    def event(self, kind: str, channel: str | None = None, wait_ms: int = 100) -> None:
        """An event of the caller's channel, or of another leg's."""
        self._line(kind, channel or self.channel, "", wait_ms)

    def hangup(self, channel: str | None = None, *, cause: int = 16, by: str | None = None, wait_ms: int = 100) -> None:
        """A channel's end; by itself unless `by` says otherwise."""
        own = channel or self.channel
        details = {"hangupcause": cause, "hangupsource": own if by is None else by, "dialstatus": ""}
        self._line("HANGUP", own, json.dumps(details), wait_ms)
        self._line("CHAN_END", own, "", 0)

    def arrive(self, caller: str = "13812345678", dialled: str = "12345") -> None:
        self.event("CHAN_START")
        self.step("ARRIVED", ref=self.ref, dialled=dialled, caller=caller, trunk="carrier_a")

    def enter_room(self, skills: str = "general") -> None:
        t0_ms = (self.now_us + 100_000) // 1000
        self.step("ROOM", skills=skills, priority=5, t0_ms=t0_ms)

    def leg(self, endpoint: str, technology: str = "PJSIP") -> str:
        """A new leg begins to ring; says its channel."""
        self._legs += 1
        channel = f"{technology}/{endpoint}-{0x100 + self._legs:08x}"
        self._uniqueids[channel] = f"{self.linkedid}{self._legs:03d}"
        self.event("CHAN_START", channel)
        return channel

    def answered_by(self, seat: str = "8001", agent: str = "") -> str:
        """A seat is offered and answers; says its leg."""
        self.step("OFFER", seat=seat, agent=agent)
        leg = self.leg(seat)
        self.event("ANSWER", leg)
        return leg

    def talk(self, seat: str = "8001", talk_ms: int = 3000, agent: str = "") -> str:
        """A seat is offered, answers and hangs up; the caller's channel goes on."""
        leg = self.answered_by(seat, agent)
        self.hangup(leg, wait_ms=talk_ms)
        self.step("TALKED", seat=seat, q850_cause=16, wait_ms=0)
        return leg

    def end(self, by: str | None = None, cause: int = 16) -> None:
        self.hangup(cause=cause, by=by)
        self._line("LINKEDID_END", self.channel, "", 0)

    def _line(self, kind: str, channel: str, extra: str, wait_ms: int) -> None:
        self.now_us += wait_ms * 1000
        self.lines.append(line(kind, self.now_us, channel, self._uniqueids[channel], self.linkedid, extra=extra))


def sight_of(call: MadeCall, *talks: SeenTalk) -> Sight:
    """What a controller saw of a call to 12345 that came into the room."""
    t0_ms = next((row.step.t0_ms for row in call.rows if isinstance(row.step, RoomEntered)), call.now_us // 1000)
    return Sight(CallRef(call.ref), call.channel, "13812345678", "12345", ("general",), 5, t0_ms, t0_ms, talks)


def answered_call(serial: int = 1, *, begin_us: int = BEGIN_US, node: str = "node1", agent: str = "") -> MadeCall:
    """A whole ordinary call: greeting, menu, key, room, seat, talk of 3 s, the seat hangs up."""
    call = MadeCall(serial, begin_us=begin_us, node=node)
    call.arrive()
    call.event("ANSWER")
    call.step("SERVED", number="12345", mode="primary", by="dialled")
    call.step("SAID", prompt="greeting", language="zh")
    call.step("MENU", menu="main", attempt=1)
    call.step("KEY", where="main", key="2")
    call.enter_room()
    leg = call.talk(agent=agent)
    call.end(by=leg)
    return call
