"""`web.desk.Desk` over the running hotline, and what the controller tells beside steering."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from structlog.contextvars import bound_contextvars

from asterisk.port import Answer, Switch
from calls.live import CallBackEnded, CallRef, SeatDialled, WantsCallBack
from hotline import views
from hotline.controller import Controller, utc_ms
from hotline.cover import CoverWatch
from hotline.drilling import Drilling
from hotline.duty import DutyLog
from hotline.mirror import Mirror
from hotline.news import Gazette
from hotline.office import Office
from hotline.people import People
from hotline.returning import Returning
from hotline.seen import SeenLog
from hotline.talks import Talks, away, done
from recordings.blocks import Blocked
from recordings.queries import begin_ms, end_ms
from routing.room import CallBackTurn, DutyChange, SeatStanding
from settings.emergencies import routes
from settings.shapes import Settings
from web.desk import (
    AgentView,
    AuditView,
    BlockedCallView,
    BlockedView,
    CallBackView,
    DrillView,
    DutyView,
    HandOverView,
    How,
    News,
    Refusal,
    Role,
    SeatView,
    To,
    TotalView,
    WaitingView,
    Who,
)

_log = structlog.get_logger()


class LiveDesk:
    """Everything that people may see and do while calls go on."""

    def __init__(
        self,
        settings: Settings,
        pins: Mapping[str, str],
        office: Office,
        back: Callable[[], int | None] = lambda: None,
    ) -> None:
        """back: Asterisk is there; when it was there last, if it was away for so long that nobody is signed on."""
        self._settings = settings
        self._back = back
        self._office = office
        self._pins = pins
        self._zone = ZoneInfo(settings.city.timezone)
        self._gazette = Gazette()
        self._inbox: asyncio.Queue[tuple[str | None, Callable[[], Coroutine[Any, Any, None]]]] = asyncio.Queue()
        """What is to be done, and for which call."""

    def steer(self, controller: Controller) -> None:
        """Takes this controller's calls; once, before anything else is asked."""
        self._controller = controller
        self._seen = SeenLog(
            self._settings.city.node, self._office, lambda ref: controller.look(lambda room, _: room.caller_of(ref))
        )
        self._mirror = Mirror(lambda: controller.switches)
        self._duty = DutyLog(self._office)
        self.people = People(self._settings, self._pins, controller, self._office, self._mirror, self._duty)
        self.returning = Returning(self._settings, controller, self._office)
        self.talks = Talks(self._settings, controller, self.people)
        self.cover = CoverWatch(self._settings, self.people)
        self.drilling = Drilling(self._settings, controller, self._office)

    async def restore(self) -> None:
        """Takes up what the last controller left. Raises OSError, sqlite3.Error."""
        await self.people.restore()
        await self._block_again()
        await self.returning.restore()
        await self.drilling.restore()

    async def run(self) -> None:
        """Does what follows from what is heard, until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._mirror.run(), name="mirror")
            group.create_task(self.returning.run(), name="call back")
            group.create_task(self.cover.run(), name="watch cover")
            group.create_task(self.drilling.run(), name="drill")
            group.create_task(self._seen.run(), name="note who is seen")
            group.create_task(self._work(), name="desk")

    def close(self) -> None:
        """Hands what is not yet kept over to the office, before that stops."""
        self._duty.flush()
        self._seen.flush()

    async def _work(self) -> None:
        while True:
            call, work = await self._inbox.get()
            with bound_contextvars(**({} if call is None else {"call": call})):
                try:
                    await work()
                except (OSError, sqlite3.Error, Refusal) as error:
                    _log.error("desk_failed", error=str(error))

    # --- hotline.controller.Listener --------------------------------------------------------------

    def told(self, event: SeatDialled | WantsCallBack | CallBackEnded) -> None:
        match event:
            case SeatDialled():
                self._inbox.put_nowait((None, lambda: self.people.dialled(event)))
            case WantsCallBack():
                self._inbox.put_nowait((event.caller.ref, lambda: self.returning.wanted(event)))
            case CallBackEnded():
                self._inbox.put_nowait((event.ref, lambda: self.returning.ended(event)))

    def changed(self, changes: Sequence[DutyChange]) -> None:
        self._seen.changed(self.people.changed(changes))
        self._gazette.mark("waiting", "call_backs", *(("agents", "seats", "cover") if changes else ()))

    def entered(self, refs: Sequence[CallRef]) -> None:
        self._seen.entered(refs)

    def resynchronised(self, switches: Sequence[Switch]) -> None:
        away_since_utc_ms = self._back()
        if away_since_utc_ms is not None:
            self.people.everybody_gone(away_since_utc_ms)
        for switch in switches:
            self._mirror.forget(switch.node)
        self._office.later(lambda books: books.restarts.up(utc_ms()))

    def dial(self, turn: CallBackTurn) -> None:
        self._inbox.put_nowait((turn.ref, lambda: self._in_its_turn(turn)))

    # --- what is seen -----------------------------------------------------------------------------

    def agents(self) -> tuple[AgentView, ...]:
        planned = self.cover.planned(datetime.now(UTC))
        return views.agents(self._settings.agents.agents, self._seats(), planned, self._ahead_ms())

    def seats(self) -> tuple[SeatView, ...]:
        names = {seat: entry.name for seat, entry in self._settings.answering.seats.items()}
        ahead_ms = self._ahead_ms()

        def view(one: SeatStanding) -> SeatView:
            call = one.call
            caller = None if call is None else self._controller.look(lambda room, _: room.caller_of(call))
            return views.seat(one, names.get(one.seat, ""), caller, ahead_ms)

        return tuple(view(one) for one in self._seats())

    def waiting(self) -> tuple[WaitingView, ...]:
        return tuple(views.waiting(one) for one in self._controller.look(lambda room, now: room.standing(now)))

    async def call_backs(self, *, every: bool) -> tuple[CallBackView, ...]:
        rows = await self._office.asked(
            lambda books: books.call_backs.every(1000) if every else books.call_backs.open()
        )
        return tuple(views.call_back(row) for row in rows)

    async def blocked(self) -> tuple[BlockedView, ...]:
        today = self._today()
        ours = await self._office.asked(lambda books: books.blocks.active(today.isoformat()))
        return (
            *(
                BlockedView(one.number, one.reason, one.author, one.until.isoformat(), "settings")
                for one in self._settings.blocked
                if one.until >= today
            ),
            *(BlockedView(one.number, one.reason, one.author, one.until_day, "desk") for one in ours),
        )

    async def blocked_calls(self, number: str | None) -> tuple[BlockedCallView, ...]:
        written = tuple(
            Blocked(one.number, one.reason, one.author, one.until.isoformat()) for one in self._settings.blocked
        )
        calls = await self._office.asked(lambda books: books.blocks.blocked_calls(number, written, self._zone))
        return tuple(BlockedCallView(**asdict(one)) for one in calls)

    def duty(self) -> DutyView:
        return self.cover.view(datetime.now(UTC))

    async def totals(self, day: str, agent: str | None) -> tuple[TotalView, ...]:
        asked = _day(day)
        begin, end = begin_ms(asked, self._zone), end_ms(asked, self._zone)
        found = await self._office.asked(lambda books: books.duty.totals(begin, end, utc_ms(), agent))
        return tuple(TotalView(one.agent, one.state, one.reason, one.total_ms, one.times) for one in found)

    async def audit(self, limit: int) -> tuple[AuditView, ...]:
        entries = await self._office.asked(lambda books: books.audit.newest(limit))
        return tuple(AuditView(**asdict(one)) for one in entries)

    def reasons(self) -> Mapping[str, str]:
        language = self._settings.city.language
        return {ident: getattr(name, language) for ident, name in self._settings.agents.pauses.items()}

    # --- agents -----------------------------------------------------------------------------------

    async def sign_on(self, who: Who, agent: str, seat: str, pin: str | None) -> AgentView:
        self.people.mine(who, agent)
        if who.role is Role.AGENT and pin is None:
            raise Refusal(422, "pin_missing", "a PIN is needed to sign on", "give your PIN")
        self._steered()
        self.people.sign_on(agent, seat, pin)
        await self._noted(who, "sign_on", agent=agent, seat=seat)
        return self._agent(agent)

    async def sign_off(self, who: Who, agent: str) -> AgentView:
        self.people.mine(who, agent)
        self.people.sign_off(agent)
        await self._noted(who, "sign_off", agent=agent)
        return self._agent(agent)

    async def pause(self, who: Who, agent: str, reason: str) -> AgentView:
        self.people.mine(who, agent)
        self.people.pause(agent, reason)
        await self._noted(who, "pause", agent=agent, reason=reason)
        return self._agent(agent)

    async def ready(self, who: Who, agent: str) -> AgentView:
        self.people.mine(who, agent)
        self.people.ready(agent)
        await self._noted(who, "ready", agent=agent)
        return self._agent(agent)

    # --- callers ----------------------------------------------------------------------------------

    async def move_up(self, who: Who, call: str) -> WaitingView:
        self._steered()
        moved = self._controller.ask(lambda room, now: room.move_up(CallRef(call), now))
        if moved is None:
            raise Refusal(404, "not_waiting", f"the call {call} does not wait", "look at /waiting")
        switch = None if moved.channel is None else self._controller.switch_of(moved.channel)
        if switch is not None and moved.channel is not None:
            done(await switch.move_up(moved.channel, moved.t0_ms, moved.priority))
        await self._noted(who, "move_up", call=call)
        found = next((one for one in self.waiting() if one.call == call), None)
        if found is None:
            raise Refusal(409, "not_waiting", f"the call {call} no longer waits", "nothing is left to do")
        return found

    async def call_back_now(self, who: Who, id: int, seat: str) -> CallBackView:  # noqa: A002 - as in the port
        if who.role is Role.AGENT and self.people.agent_at(seat) != who.agent:
            raise Refusal(403, "not_yours", f"you are not signed on at {seat}", "give your own seat")
        self._steered()
        row = await self.returning.call_now(id, seat, self._dial)
        await self._noted(who, "call_back", id=str(id), seat=seat)
        return views.call_back(row)

    async def dismiss_call_back(self, who: Who, id: int, note: str) -> CallBackView:  # noqa: A002 - as in the port
        row = await self.returning.dismiss(id, note)
        await self._noted(who, "dismiss_call_back", id=str(id), note=note)
        return views.call_back(row)

    async def add_call_back(self, who: Who, caller: str, number: str, note: str) -> CallBackView:
        entry = self._settings.numbers.get(number)
        if entry is None:
            raise Refusal(422, "no_such_number", f"{number} is no number of this hotline", "give one of numbers.yaml")
        row = await self._office.asked(
            lambda books: books.call_backs.add(
                caller=caller,
                number=number,
                note=note,
                language=self._settings.city.language,
                skills=(entry.skill,),
                priority=entry.priority,
                now_utc_ms=utc_ms(),
            )
        )
        await self._noted(who, "add_call_back", id=str(row.id))
        return views.call_back(row)

    async def block(self, who: Who, number: str, reason: str, until: str) -> BlockedView:
        last = _day(until)
        if last < self._today():
            raise Refusal(422, "no_such_day", f"{until} is over", "give today or a later day")
        if number in {route.number for route in routes(self._settings.emergencies)}:
            raise Refusal(422, "not_allowed", f"{number} is an emergency number, which may call back", "leave it open")
        await self._office.asked(lambda books: books.blocks.add(number, reason, who.name, last.isoformat(), utc_ms()))
        self._mirror.block({number: f"{last:%Y%m%d}"})
        await self._noted(who, "block", number=number, reason=reason, until=last.isoformat())
        return BlockedView(number, reason, who.name, last.isoformat(), "desk")

    async def unblock(self, who: Who, number: str) -> None:
        if not await self._office.asked(lambda books: books.blocks.remove(number, who.name, utc_ms())):
            written = any(one.number == number for one in self._settings.blocked)
            mend = "take it out of blocked.yaml" if written else "look at /blocked"
            raise Refusal(404, "not_blocked", f"{number} is not blocked from the desk", mend)
        self._mirror.block({number: ""})
        await self._noted(who, "unblock", number=number)

    # --- talks ------------------------------------------------------------------------------------

    async def transfer(self, who: Who, call: str, to: To) -> None:
        await self.talks.transfer(who, call, to)
        await self._noted(who, "transfer", call=call, **_where(to))

    async def consult(self, who: Who, call: str, to: To, *, join: bool) -> None:
        await self.talks.consult(who, call, to, join=join)
        await self._noted(who, "consult", call=call, **_where(to))

    async def join(self, who: Who, call: str) -> None:
        await self.talks.join(who, call)
        await self._noted(who, "join", call=call)

    async def complete(self, who: Who, call: str) -> None:
        await self.talks.complete(who, call)
        await self._noted(who, "complete", call=call)

    async def retrieve(self, who: Who, call: str) -> None:
        await self.talks.retrieve(who, call)
        await self._noted(who, "retrieve", call=call)

    async def hold(self, who: Who, call: str) -> None:
        await self.talks.hold(who, call)
        await self._noted(who, "hold", call=call)

    async def watch(self, who: Who, seat: str, by: str, how: How) -> None:
        await self.talks.watch(seat, by, how)
        await self._noted(who, how.value, seat=seat, by=by)

    async def take_over(self, who: Who, seat: str, by: str) -> None:
        await self.talks.take_over(seat, by)
        await self._noted(who, "take_over", seat=seat, by=by)

    # --- emergencies ------------------------------------------------------------------------------

    async def hand_over(self, who: Who, seat: str, number: str, note: str | None) -> HandOverView:
        """Nobody who hands over an emergency waits for a disk: the audit follows in its turn."""
        begun = await self.talks.hand_over(seat, number, note)
        self._note(who, "hand_over", call=begun.call, seat=seat, to=number)
        return begun

    async def note(self, who: Who, seat: str, note: str) -> None:
        await self.talks.note(seat, note)

    async def drill(self, who: Who, number: str | None, trunk: str | None) -> tuple[DrillView, ...]:
        rows = await self.drilling.begin(who.name, number, trunk)
        await self._noted(who, "drill", to=number or "all", trunk=trunk or "all")
        return tuple(views.drill(row) for row in rows)

    async def drills(self, limit: int) -> tuple[DrillView, ...]:
        rows = await self._office.asked(lambda books: books.drills.newest(limit))
        return tuple(views.drill(row) for row in rows)

    # --- news -------------------------------------------------------------------------------------

    def news(self) -> AsyncGenerator[News, None]:
        return self._gazette.read()

    # --- what is needed for it --------------------------------------------------------------------

    def _note(self, who: Who, did: str, **what: str) -> None:
        """Leaves an entry in the audit as soon as that can be done."""
        now_ms = utc_ms()
        self._office.later(lambda books: books.audit.add(who.name, who.role.value, did, what, now_ms))

    async def _noted(self, who: Who, did: str, **what: str) -> None:
        """Leaves an entry in the audit, behind everything that was done: what is answered has been kept."""
        self._gazette.mark("blocked")
        now_ms = utc_ms()
        await self._office.asked_in_turn(lambda books: books.audit.add(who.name, who.role.value, did, what, now_ms))

    async def _block_again(self) -> None:
        """Asterisk's own list may be older than the store's."""
        today = self._today().isoformat()
        active, ever = await self._office.asked(lambda books: (books.blocks.active(today), books.blocks.numbers()))
        wanted = dict.fromkeys(ever, "") | {one.number: one.until_day.replace("-", "") for one in active}
        self._mirror.block(wanted)

    def _dial(self, turn: CallBackTurn) -> None:
        """Dials for somebody at the desk; how it ends is heard."""
        self._inbox.put_nowait((turn.ref, lambda: self._by_hand(turn)))

    async def _by_hand(self, turn: CallBackTurn) -> None:
        if await self._dialled(turn) is not Answer.DONE:
            self.told(CallBackEnded(turn.ref, None, "failed"))
            self._controller.ask(lambda room, now: room.missing(turn, now))

    async def _in_its_turn(self, turn: CallBackTurn) -> None:
        """Where nobody could be called, the place is kept."""
        match await self._dialled(turn):
            case Answer.NO_CHANNEL:
                self._controller.ask(lambda room, now: room.missing(turn, now))
            case Answer.FAILED:
                self._controller.ask(lambda room, now: room.unclear(turn, now))
            case Answer.DONE:
                pass

    async def _dialled(self, turn: CallBackTurn) -> Answer:
        """Written down before it is done: should this controller die, the next one must not call, too."""
        try:
            call = await self.returning.dialling(turn)
        except Refusal:
            return Answer.FAILED
        switches = self._controller.switches
        return await switches[0].dial_back(call) if switches else Answer.FAILED

    def _seats(self) -> tuple[SeatStanding, ...]:
        return self._controller.look(lambda room, now: room.seats(now))

    def _agent(self, agent: str) -> AgentView:
        return next(one for one in self.agents() if one.agent == agent)

    def _ahead_ms(self) -> int:
        return self._controller.look(lambda room, _: room.utc_ahead_ms)

    def _today(self) -> date:
        return datetime.now(self._zone).date()

    def _steered(self) -> None:
        if not self._controller.steering:
            raise away()


def _where(to: To) -> dict[str, str]:
    return {"to": next((f"{key} {value}" for key, value in asdict(to).items() if value is not None), "")}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refusal(422, "no_such_day", f"{text!r} is no day", "write it as 2026-12-31") from error
