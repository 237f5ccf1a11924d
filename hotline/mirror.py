"""What Asterisk must know to go on alone: who is at which seat, and which callers are blocked.

Level-triggered: what should be is compared with what each Asterisk was told, and told again after
each new connection.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from asterisk.port import Answer, Switch
from calls.live import Agent, Seat

AGAIN_S = 1.0
"""How long after a refusal it is told again."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Manned:
    """How a seat is to be known."""

    agent: Agent | None
    skills: frozenset[str]
    """What may ring there; none: nothing."""
    paused: bool


@dataclass(frozen=True, slots=True)
class _Untold:
    """What one Asterisk does not know yet."""

    seats: dict[Seat, None]
    blocked: dict[str, None]
    refused: set[str] = field(default_factory=set)
    """What of these it refused, as the log says already; a seat's number and a caller's never look alike."""

    def is_new(self, refused: str) -> bool:
        """Whether that was not refused before, since something changed of it."""
        new = refused not in self.refused
        self.refused.add(refused)
        return new


class Mirror:
    """Tells every node what changes. `switches` gives those that may be steered now."""

    def __init__(self, switches: Callable[[], Sequence[Switch]]) -> None:
        self._switches = switches
        self._seats: dict[Seat, Manned] = {}
        self._blocked: dict[str, str] = {}
        """Number → last day, written 20261231; empty: it may call."""
        self._untold: dict[str, _Untold] = {}
        self._news = asyncio.Event()

    def man(self, seats: Mapping[Seat, Manned]) -> None:
        """How these seats are to be known from now on."""
        changed = {seat: manned for seat, manned in seats.items() if self._seats.get(seat) != manned}
        self._seats |= changed
        for untold in self._untold.values():
            untold.seats.update(dict.fromkeys(changed))
            untold.refused.difference_update(changed)
        if changed:
            self._news.set()

    def block(self, blocked: Mapping[str, str]) -> None:
        """Until when these numbers are blocked (20261231); an empty day lets one call again."""
        self._blocked |= blocked
        for untold in self._untold.values():
            untold.blocked.update(dict.fromkeys(blocked))
            untold.refused.difference_update(blocked)
        self._news.set()

    def forget(self, node: str) -> None:
        """This node may have lost what it was told."""
        self._untold[node] = _Untold(dict.fromkeys(self._seats), dict.fromkeys(self._blocked))
        self._news.set()

    async def run(self) -> None:
        """Tells what has changed, until it is cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            answers = [await self._tell(switch) for switch in self._switches()]
            if not answers or not all(answers):
                await asyncio.sleep(AGAIN_S)
                self._news.set()

    async def _tell(self, switch: Switch) -> bool:
        """Whether the node knows everything now."""
        if switch.node not in self._untold:
            self.forget(switch.node)
        untold = self._untold[switch.node]
        await self._tell_seats(switch, untold)
        await self._tell_blocked(switch, untold)
        return not (untold.seats or untold.blocked)

    async def _tell_seats(self, switch: Switch, untold: _Untold) -> None:
        """Up to the first that is refused; that one comes last the next time, so that it keeps no other waiting."""
        for seat in list(untold.seats):
            manned = self._seats[seat]
            answer = await switch.man(seat, manned.agent, manned.skills, paused=manned.paused)
            if answer is not Answer.DONE:
                untold.seats[seat] = untold.seats.pop(seat, None)
                if untold.is_new(seat):
                    _log.warning("mirror_refused", node=switch.node, what="man", seat=seat)
                return
            untold.refused.discard(seat)
            if self._seats[seat] == manned:
                untold.seats.pop(seat, None)

    async def _tell_blocked(self, switch: Switch, untold: _Untold) -> None:
        """The same for callers."""
        for number in list(untold.blocked):
            until = self._blocked[number]
            answer = await (switch.block(number, until) if until else switch.unblock(number))
            if answer is not Answer.DONE:
                untold.blocked[number] = untold.blocked.pop(number, None)
                if untold.is_new(number):
                    _log.warning("mirror_refused", node=switch.node, what="block", caller=number)
                return
            untold.refused.discard(number)
            if self._blocked[number] == until:
                untold.blocked.pop(number, None)
