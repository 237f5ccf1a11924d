"""Agents at seats: who signs on where, by the interface or by a telephone's code."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from calls.live import Agent, DeskCode, Seat, SeatDialled
from hotline.controller import Controller, now_ms, utc_ms
from hotline.duty import DutyLog
from hotline.mirror import Manned, Mirror
from hotline.office import Office
from recordings.duty import DutyRow
from routing.room import DutyChange, DutyState, SeatStanding, SeatTaken
from routing.skills import Has
from settings.shapes import Settings
from web.desk import Refusal, Role, Who

WRONG_PINS = 5
"""After so many wrong PINs in a row nobody can sign on as this agent for a while."""
LOCKED_MS = 300_000
_AT_WORK = frozenset({DutyState.IDLE, DutyState.RINGING, DutyState.TALKING, DutyState.WRAP_UP})
"""What one call after the other brings about."""

_log = structlog.get_logger()


@dataclass(slots=True)
class _Guard:
    """Wrong PINs of one agent."""

    wrong: int = 0
    locked_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class People:
    """Signs agents on and off, and keeps what they do."""

    settings: Settings
    pins: Mapping[str, str] = field(repr=False)
    controller: Controller
    office: Office
    mirror: Mirror
    duty: DutyLog
    _guards: dict[str, _Guard] = field(default_factory=dict)
    _stood: dict[Seat, tuple[Agent | None, DutyState]] = field(default_factory=dict)
    """What each seat did last, for the log."""

    # --- what changes -----------------------------------------------------------------------------

    async def restore(self) -> None:
        """Signs everybody on again who was signed on when the controller ended, and is still in the settings."""
        gone = []
        for row in (await self.office.do(lambda books: books.duty.standing())).values():
            if row.agent is None or row.state == DutyState.OFFLINE.value:
                continue
            if row.agent in self.settings.agents.agents and row.seat in self.settings.answering.seats:
                self._restore(row.seat, row.agent, row)
            else:
                gone.append(DutyRow(row.seat, row.agent, DutyState.OFFLINE.value, "", None, utc_ms()))
        self.duty.note(gone)
        self.duty.flush()
        self._tell_asterisk(self.controller.look(lambda room, now: room.seats(now)))

    def _restore(self, seat: str, agent: str, row: DutyRow) -> None:
        state, has = DutyState(row.state), self._has(agent)
        self.controller.ask(lambda room, now: room.restore(Seat(seat), Agent(agent), has, state, row.reason, now))

    def changed(self, changes: Sequence[DutyChange]) -> Sequence[DutyRow]:
        """Keeps what seats do from now on, and lets Asterisk know where that matters; what is kept."""
        if not changes:
            return ()
        ahead_ms = self.controller.look(lambda room, _: room.utc_ahead_ms)
        rows = [
            DutyRow(one.seat, one.agent, one.state.value, one.reason, one.call, one.at_ms + ahead_ms) for one in changes
        ]
        self.duty.note(rows)
        for one in changes:
            self._tell_log(one)
        touched = dict.fromkeys(one.seat for one in changes)
        standing = self.controller.look(lambda room, _: [room.seat(seat) for seat in touched])
        self._tell_asterisk([one for one in standing if one is not None])
        return rows

    def _tell_log(self, change: DutyChange) -> None:
        """That a call's seat is free again is told by the call's end."""
        before, self._stood[change.seat] = self._stood.get(change.seat), (change.agent, change.state)
        if change.call is None and change.state in _AT_WORK and before is not None:
            agent, state = before
            if agent == change.agent and state in _AT_WORK:
                return
        _log.info(
            "seat_changed",
            seat=change.seat,
            agent=change.agent,
            state=change.state.value,
            reason=change.reason,
            call=change.call,
        )

    def _tell_asterisk(self, seats: Sequence[SeatStanding]) -> None:
        """A seat with skills of its own is known to Asterisk as long as nothing else holds there."""
        self.mirror.man(
            {
                one.seat: Manned(
                    one.agent, frozenset(skill for skill, _ in one.has), paused=one.state is DutyState.PAUSED
                )
                for one in seats
            }
        )

    def everybody_gone(self, since_utc_ms: int) -> None:
        """Signs everybody off, as of then: nobody knows when they went."""
        seats = self.controller.look(lambda room, now: room.seats(now))
        gone = [(one.seat, one.agent) for one in seats if one.agent is not None]
        self.duty.flush()
        self.office.later(lambda books: books.duty.left(gone, since_utc_ms))
        for seat, agent in gone:
            self.controller.ask(lambda room, now: room.sign_off(seat, now))  # noqa: B023 - asked at once
            _log.warning("agent_signed_off", agent=agent, seat=seat, since_utc_ms=since_utc_ms)

    # --- what agents and supervisors want ---------------------------------------------------------

    def sign_on(self, agent: str, seat: str, pin: str | None) -> None:
        """pin None: somebody who need not know it. Raises Refusal."""
        self._known(agent)
        if seat not in self.settings.answering.seats:
            raise Refusal(404, "no_such_seat", f"there is no seat {seat}", "give a seat of seats.yaml")
        if pin is not None:
            self._check(agent, pin)
        elsewhere = self.seat_of(agent)
        if elsewhere == seat:
            return
        try:
            self.controller.ask(
                lambda room, now: room.sign_on(Seat(seat), Agent(agent), self._has(agent), now, leaving=elsewhere)
            )
        except SeatTaken as error:
            raise Refusal(
                409,
                "seat_taken",
                f"{error.agent} is signed on at {seat}",
                "sign that agent off first, or take another seat",
            ) from error
        _log.info("agent_signed_on", agent=agent, seat=seat)

    def sign_off(self, agent: str) -> None:
        """Raises Refusal."""
        seat = self._seat(agent)
        self.controller.ask(lambda room, now: room.sign_off(seat, now))
        _log.info("agent_signed_off", agent=agent, seat=seat)

    def pause(self, agent: str, reason: str) -> None:
        """Raises Refusal."""
        if reason not in self.settings.agents.pauses:
            known = ", ".join(self.settings.agents.pauses) or "none: add them to agents.yaml"
            raise Refusal(422, "no_such_reason", f"there is no reason {reason!r} for a pause", f"give one of: {known}")
        seat = self._seat(agent)
        self.controller.ask(lambda room, now: room.pause(seat, reason, now))

    def ready(self, agent: str) -> None:
        """Raises Refusal."""
        seat = self._seat(agent)
        self.controller.ask(lambda room, now: room.ready(seat, now))

    def seat_of(self, agent: str) -> Seat | None:
        """Where somebody is signed on."""
        return self.controller.look(lambda room, _: room.seat_of(Agent(agent)))

    def agent_at(self, seat: str) -> Agent | None:
        """Who is signed on there."""
        standing = self.controller.look(lambda room, _: room.seat(Seat(seat)))
        return None if standing is None else standing.agent

    def present(self) -> frozenset[str]:
        """Everybody who is signed on and does not pause."""
        away = (DutyState.PAUSED, DutyState.UNREACHABLE)
        seats = self.controller.look(lambda room, now: room.seats(now))
        return frozenset(one.agent for one in seats if one.agent is not None and one.state not in away)

    def mine(self, who: Who, agent: str) -> None:
        """An agent may act for nobody else. Raises Refusal."""
        if who.role is Role.AGENT and who.agent != agent:
            raise Refusal(403, "not_yours", f"{who.name} may not act for {agent}", "use the token of that agent")

    # --- telephones -------------------------------------------------------------------------------

    async def dialled(self, event: SeatDialled) -> None:
        """Does what a telephone's code asks for, and has it said there."""
        try:
            prompt = self._by_code(event)
        except Refusal as refusal:
            _log.info("desk_code_refused", seat=event.seat, code=event.code.value, kind=refusal.kind)
            prompt = _SAID.get(refusal.kind, "desk_wrong")
        switch = self.controller.switch_of(event.channel)
        if switch is not None:
            await switch.reply(event.channel, prompt)

    def _by_code(self, event: SeatDialled) -> str:
        """The prompt that answers. Raises Refusal."""
        if event.code is DeskCode.SIGN_ON:
            self.sign_on(event.keyed, event.seat, event.pin)
            return "desk_on"
        agent = self.agent_at(event.seat)
        if agent is None:
            raise Refusal(409, "not_signed_on", f"nobody is signed on at {event.seat}", "dial *11 first")
        match event.code:
            case DeskCode.SIGN_OFF:
                self.sign_off(agent)
                return "desk_off"
            case DeskCode.PAUSE:
                self.pause(agent, self._reason(event.keyed))
                return "desk_paused"
            case DeskCode.READY:
                self.ready(agent)
                return "desk_ready"

    def _reason(self, keyed: str) -> str:
        """The reason at this place of the settings; the first one where nothing was keyed in."""
        reasons = list(self.settings.agents.pauses)
        place = int(keyed) if keyed.isascii() and keyed.isdigit() else 1
        return reasons[place - 1] if 0 < place <= len(reasons) else ""

    # --- checks -----------------------------------------------------------------------------------

    def _known(self, agent: str) -> None:
        if agent not in self.settings.agents.agents:
            raise Refusal(404, "no_such_agent", f"there is no agent {agent}", "give an agent of agents.yaml")

    def _seat(self, agent: str) -> Seat:
        self._known(agent)
        seat = self.seat_of(agent)
        if seat is None:
            raise Refusal(409, "not_signed_on", f"{agent} is not signed on", "sign on at a seat first")
        return seat

    def _check(self, agent: str, pin: str) -> None:
        guard = self._guards.setdefault(agent, _Guard())
        if now_ms() < guard.locked_until_ms:
            raise Refusal(
                429, "locked", f"too many wrong PINs for {agent}", "try again in five minutes, or ask a supervisor"
            )
        if hmac.compare_digest(self.pins[agent].encode(), pin.encode()):
            guard.wrong = 0
            return
        guard.wrong += 1
        if guard.wrong >= WRONG_PINS:
            guard.wrong, guard.locked_until_ms = 0, now_ms() + LOCKED_MS
            _log.warning("agent_locked", agent=agent)
        raise Refusal(
            403, "wrong_pin", f"this is not the PIN of {agent}", "give your own; secrets.yaml of the data folder has it"
        )

    def _has(self, agent: str) -> Has:
        return frozenset(self.settings.agents.agents[agent].skills.items())


_SAID = {
    "not_signed_on": "desk_not_on",
    "seat_taken": "desk_taken",
    "locked": "desk_locked",
}
"""What a telephone hears of a refusal; of every other one that something was wrong."""
