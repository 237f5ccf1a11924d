"""What is done with a talk while it goes on: passing on, holding, joining, listening."""

import asyncio
from dataclasses import dataclass, field

import structlog

from asterisk.notes import passed
from asterisk.port import Answer, Listening, Party, Switch, SwitchLost
from calls.live import CallRef, Channel, Seat
from hotline.controller import Controller
from hotline.people import People
from routing.goals import GoalNotAllowed, goal
from routing.room import DutyState
from settings.shapes import Settings
from web.desk import HandOverView, How, Refusal, Role, To, Who

HOLD = "hold"
"""The goal of a seat that talks with nobody while its caller is held."""
_TOGETHER_S = 5.0
"""How long people may take to come together."""
_LOOK_S = 0.05

_CANNOT_LISTEN = (DutyState.TALKING, DutyState.BUSY, DutyState.RINGING, DutyState.UNREACHABLE)
"""A seat that does this cannot be rung for a supervisor."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Talk:
    """A call that is being talked, and where to reach it."""

    ref: CallRef
    seat: Seat
    caller: Channel
    switch: Switch


@dataclass(frozen=True, slots=True)
class Talks:
    """Acts on the calls of the seats. Every method raises Refusal."""

    settings: Settings
    controller: Controller
    people: People
    _handed: dict[CallRef, str] = field(default_factory=dict)
    """Calls that run → the emergency number that they were handed over to last."""

    async def transfer(self, who: Who, call: str, to: To) -> None:
        talk, where = self._talk(who, call), self._goal(to)
        done(await talk.switch.transfer(talk.caller, where))
        _log.info("call_transferred", call=talk.ref, seat=talk.seat)

    async def consult(self, who: Who, call: str, to: To, *, join: bool) -> None:
        talk = self._talk(who, call)
        where = self._goal(to if to.skill is None else To(seat=self._expert(to)))
        await self._apart(talk, where, join=join)
        _log.info("call_consults", call=talk.ref, seat=talk.seat, join=join)

    async def hand_over(self, seat: str, number: str, note: str | None) -> HandOverView:
        """The caller at `seat` and its agent talk with an emergency number; what cannot be noted stops nothing."""
        talk, where = self._at(seat), self._goal(To(emergency=number))
        if note is not None and await talk.switch.note(talk.caller, note) is not Answer.DONE:
            _log.warning("note_not_passed", call=talk.ref, seat=seat)
        await self._once(talk, where)
        await self._apart(talk, where, join=True)
        self._handed[talk.ref] = where
        _log.info("call_handed_over", call=talk.ref, seat=seat, number=number)
        return HandOverView(talk.ref, number, passed(note or ""))

    async def note(self, seat: str, note: str) -> None:
        """Asterisk itself keeps what was noted: a key of the telephone hands over without the controller."""
        talk = self._at(seat)
        done(await talk.switch.note(talk.caller, note))

    async def hold(self, who: Who, call: str) -> None:
        await self._apart(self._talk(who, call), HOLD, join=False)

    async def join(self, who: Who, call: str) -> None:
        talk = self._talk(who, call)
        await self._together(talk)

    async def complete(self, who: Who, call: str) -> None:
        """The seat leaves only when the others hear one another."""
        talk = self._talk(who, call)
        parties = await self._together(talk)
        if len(parties) < 3:
            raise Refusal(409, "nobody_else", "nobody else is in the call", "consult somebody first")
        done(await talk.switch.hang_up(self._leg(parties, talk.seat).channel))
        _log.info("call_completed", call=talk.ref, seat=talk.seat)

    async def retrieve(self, who: Who, call: str) -> None:
        talk = self._talk(who, call)
        parties = await self._parties(talk)
        leg = self._leg(parties, talk.seat)
        others = [one for one in parties if not one.caller and one != leg]
        for other in others:
            done(await talk.switch.hang_up(other.channel))
        if not others:
            done(await talk.switch.join([talk.caller, leg.channel]))

    async def watch(self, seat: str, by: str, how: How) -> None:
        """A seat takes part in what another one talks."""
        for one in (seat, by):
            if one not in self.settings.answering.seats:
                raise Refusal(404, "no_such_seat", f"there is no seat {one}", "give a seat of seats.yaml")
        standing = {one.seat: one for one in self.controller.look(lambda room, now: room.seats(now))}
        if standing[Seat(seat)].state not in (DutyState.TALKING, DutyState.BUSY):
            raise Refusal(409, "not_talking", f"nobody talks at {seat}", "wait until a call is there")
        if seat == by or standing[Seat(by)].state in _CANNOT_LISTEN:
            raise Refusal(409, "seat_not_free", f"the seat {by} is not free", "end what it does, or take another seat")
        switches = self.controller.switches
        if not switches:
            raise away()
        done(await switches[0].watch(Seat(seat), Seat(by), Listening(how.value)))

    async def take_over(self, seat: str, by: str) -> None:
        """The caller at `seat` goes on with `by`."""
        talk = self._at(seat)
        done(await talk.switch.transfer(talk.caller, self._goal(To(seat=by))))

    # --- what is needed for it --------------------------------------------------------------------

    def _talk(self, who: Who, call: str) -> _Talk:
        ref = CallRef(call)
        seats = self.controller.look(lambda room, now: room.seats(now))
        at = next((one for one in seats if one.call == ref and one.state is DutyState.TALKING), None)
        if at is None:
            raise Refusal(
                404, "no_such_talk", f"nobody talks in the call {call}", "look at /seats for the calls that run"
            )
        if who.role is Role.AGENT and at.agent != who.agent:
            raise Refusal(
                403, "not_yours", "this call is at another seat", "only its own agent or a supervisor may act"
            )
        return self._found(ref, at.seat)

    def _at(self, seat: str) -> _Talk:
        ref = self.controller.look(lambda room, _: room.callers_at(Seat(seat)))
        if ref is None:
            raise Refusal(409, "not_talking", f"nobody talks at {seat}", "wait until a call is there")
        return self._found(ref, Seat(seat))

    def _found(self, ref: CallRef, seat: Seat) -> _Talk:
        channel = self.controller.look(lambda room, _: room.channel_of(ref))
        switch = None if channel is None else self.controller.switch_of(channel)
        if channel is None or switch is None:
            raise away()
        return _Talk(ref, seat, channel, switch)

    def _expert(self, to: To) -> Seat:
        """Of the seats that are free now the one that masters the skill best."""
        self._goal(to)
        seats = self.controller.look(lambda room, now: room.seats(now))
        levels = [
            (level, one.seat)
            for one in seats
            for skill, level in one.has
            if skill == to.skill and one.state is DutyState.IDLE
        ]
        if not levels:
            raise Refusal(
                409, "nobody_free", f"nobody who can {to.skill} is free", "try again, or transfer to the skill"
            )
        return max(levels)[1]

    def _goal(self, to: To) -> str:
        """As it is dialled."""
        try:
            return goal(
                self.settings,
                seat=to.seat,
                skill=to.skill,
                centre=to.centre,
                outside=to.outside,
                emergency=to.emergency,
            )
        except GoalNotAllowed as error:
            raise Refusal(422, "not_allowed", error.why, error.mend) from error

    async def _apart(self, talk: _Talk, where: str, *, join: bool) -> None:
        """The caller is held, and the seat's leg goes on alone."""
        leg = self._leg(await self._parties(talk), talk.seat)
        done(await talk.switch.consult(talk.caller, leg.channel, where, join=join))

    async def _once(self, talk: _Talk, where: str) -> None:
        """A click too many does not end the call that the first one began."""
        for ref in list(self._handed):
            if self.controller.look(lambda room, _: room.channel_of(ref)) is None:  # noqa: B023 - asked at once
                del self._handed[ref]
        if self._handed.get(talk.ref) != where:
            return
        if any(not one.answered and not one.seat for one in await self._parties(talk)):
            raise Refusal(409, "rings_already", f"{where} is being called for this caller", "wait until it answers")

    async def _together(self, talk: _Talk) -> tuple[Party, ...]:
        """Everybody of the call in one conversation; who they are."""
        parties = await self._parties(talk)
        if not all(one.answered for one in parties):
            raise Refusal(409, "not_answered", "whoever was asked has not answered yet", "wait, or retrieve the caller")
        apart = [one.channel for one in parties if one.context != "party"]
        if apart:
            done(await talk.switch.join([one.channel for one in parties]))
        try:
            async with asyncio.timeout(_TOGETHER_S):
                while any(one.context != "party" for one in parties):
                    await asyncio.sleep(_LOOK_S)
                    parties = await self._parties(talk)
        except TimeoutError as error:
            raise Refusal(
                504, "not_together", "the parties did not come together", "look at the call, try again"
            ) from error
        return parties

    async def _parties(self, talk: _Talk) -> tuple[Party, ...]:
        try:
            return await talk.switch.parties(talk.ref)
        except SwitchLost as error:
            raise away() from error

    def _leg(self, parties: tuple[Party, ...], seat: Seat) -> Party:
        leg = next((one for one in parties if one.seat and not one.caller and one.endpoint == seat), None)
        if leg is None:
            raise Refusal(409, "not_talking", f"the seat {seat} is no longer in the call", "look at /seats")
        return leg


def away() -> Refusal:
    """Nobody steers just now."""
    return Refusal(503, "not_steering", "the hotline is served by Asterisk alone just now", "try again in some seconds")


def done(answer: Answer) -> None:
    """Raises Refusal for everything but DONE."""
    match answer:
        case Answer.DONE:
            return
        case Answer.NO_CHANNEL:
            raise Refusal(409, "call_ended", "the call has ended meanwhile", "nothing is left to do")
        case Answer.FAILED:
            raise Refusal(502, "refused", "Asterisk did not do it", "look at the call, then try again")
