"""Calling back: those who keep their place in the line, and those who were missed."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from asterisk.port import DialBack
from calls.live import CallBackEnded, CallRef, Seat, WantsCallBack
from hotline.controller import Controller, utc_ms
from hotline.office import Books, Office
from recordings.callbacks import CallBackRow, NoSuchCallBack, NotOpen
from routing.room import CallBackTurn, KeptPlace
from settings.service import CallBack
from settings.shapes import Settings
from web.desk import Refusal

LOOK_S = 2.0
"""How often ended calls are looked at for callers who were missed."""
KEPT_MS = 5000
"""Within so long after its answer a call is among those that are kept."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Returning:
    """Keeps the places of the room like those of the store, and dials when a turn has come."""

    settings: Settings
    controller: Controller
    office: Office
    _turns: dict[CallRef, KeptPlace] = field(default_factory=dict)
    """Calls that are being dialled."""

    async def restore(self) -> None:
        """Takes up what the last controller left. Whom it was dialling may be ringing now, or talking already.

        Raises OSError, sqlite3.Error.
        """
        how = self.settings.service.call_back
        until_utc_ms = utc_ms() + KEPT_MS + (round(how.ring * 1000) if how else 0)
        await self.office.do(lambda books: books.call_backs.reborn(until_utc_ms))
        await self.look()

    async def run(self) -> None:
        """Looks for missed callers and open places, until it is cancelled."""
        told = ""
        while True:
            try:
                await self.look()
                told = ""
            except (OSError, sqlite3.Error) as error:
                if str(error) != told:
                    told = str(error)
                    _log.error("duty_not_kept", error=told)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Puts the room's places right. Raises OSError, sqlite3.Error."""

        def standing(books: Books) -> tuple[CallBackRow, ...]:
            books.call_backs.sync(utc_ms())
            return books.call_backs.open()

        rows = await self.office.do(standing)
        waiting = {row.id: row for row in rows if row.state == "waiting"}
        kept = self.controller.look(lambda room, _: set(room.kept()))
        for gone in kept - waiting.keys():
            if gone not in {place.id for place in self._turns.values()}:
                self.controller.ask(lambda room, now: room.drop_place(gone, now))  # noqa: B023 - asked at once
        for row in waiting.values():
            if row.id not in kept:
                self._keep(row)

    # --- what callers want ------------------------------------------------------------------------

    async def wanted(self, event: WantsCallBack) -> None:
        """A caller keeps its place. Kept at once; should that fail, it is found when its call has ended."""
        caller = event.caller
        row = await self.office.do(
            lambda books: books.call_backs.wanted(
                ref=caller.ref,
                caller=event.to,
                number=caller.number,
                language=caller.language,
                skills=caller.skills,
                priority=caller.priority,
                t0_utc_ms=caller.t0_ms,
                now_utc_ms=utc_ms(),
            )
        )
        _log.info("call_back_wanted", call=caller.ref, caller=event.to, call_back=row.id)
        self._keep(row)

    async def dialling(self, turn: CallBackTurn) -> DialBack:
        """The call that is to be made, once it is written down. Raises Refusal."""
        place, how = turn.place, self._how()
        self._turns[turn.ref] = place
        await self.office.asked_in_turn(lambda books: books.call_backs.dialling(place.id))
        return DialBack(
            ref=turn.ref,
            first=place.first,
            attempt=place.attempts + 1,
            to=place.to,
            trunk=how.trunk,
            ring_s=round(how.ring),
            seat=turn.seat,
            number=place.number,
            skills=place.skills,
            priority=place.priority,
            language=place.language,
            t0_ms=place.t0_ms,
        )

    async def ended(self, event: CallBackEnded) -> None:
        """Somebody was reached, or is tried again, or is given up."""
        place = self._turns.pop(event.ref, None)
        if place is None:
            return
        if not event.why:
            await self.office.in_turn(lambda books: books.call_backs.reached(place.id, event.ref))
            _log.info("call_back_reached", call=event.ref, call_back=place.id)
            return
        how = self._how()
        more = place.attempts + 1 < how.tries
        next_utc_ms = utc_ms() + round(how.again * 1000) if more else None
        row = await self.office.in_turn(lambda books: books.call_backs.not_reached(place.id, event.why, next_utc_ms))
        _log.info("call_back_not_reached", call=event.ref, call_back=place.id, why=event.why, again=more)
        if row.state == "waiting":
            self._keep(row)
        else:
            self.controller.ask(lambda room, now: room.drop_place(place.id, now))

    # --- what people at the desk want -------------------------------------------------------------

    async def call_now(self, ident: int, seat: str, send: Callable[[CallBackTurn], None]) -> CallBackRow:
        """An agent calls somebody of the list from its seat. Raises Refusal."""
        self._how()
        row = await self._row(ident)
        if row.state not in ("listed", "waiting"):
            raise Refusal(409, "not_open", f"call-back {ident} is {row.state}", "choose one that waits")
        place = self._place(row)
        turn = self.controller.ask(lambda room, now: room.call_back_at(place, Seat(seat), now))
        if turn is None:
            raise Refusal(
                409, "seat_not_free", f"the seat {seat} is not free", "end what it does, or take another seat"
            )
        send(turn)
        return await self._row(ident)

    async def dismiss(self, ident: int, note: str) -> CallBackRow:
        """Raises Refusal."""
        await self._row(ident)
        try:
            row = await self.office.asked(lambda books: books.call_backs.dismiss(ident, note))
        except NotOpen as error:
            raise Refusal(409, "not_open", f"call-back {ident} is {error.state}", "choose one that waits") from error
        self.controller.ask(lambda room, now: room.drop_place(ident, now))
        return row

    async def _row(self, ident: int) -> CallBackRow:
        try:
            return await self.office.asked(lambda books: books.call_backs.get(ident))
        except NoSuchCallBack as error:
            raise Refusal(404, "no_such_call_back", f"there is no call-back {ident}", "look at /call-backs") from error

    def _how(self) -> CallBack:
        how = self.settings.service.call_back
        if how is None:
            raise Refusal(409, "no_call_backs", "nobody is called back here", "write call_back in service.yaml")
        return how

    def _keep(self, row: CallBackRow) -> None:
        """In the line from its next try on; a clock that was set back changes only when that is."""
        wait_ms = 0 if row.next_utc_ms is None else max(0, row.next_utc_ms - utc_ms())
        place = self._place(row)
        self.controller.ask(
            lambda room, now: room.keep_place(place, now, not_before_ms=now + wait_ms if wait_ms else None)
        )

    def _place(self, row: CallBackRow) -> KeptPlace:
        number = self.settings.numbers.get(row.number)
        skills = row.skills or ({number.skill} if number else {self.settings.emergencies.operator})
        return KeptPlace(
            id=row.id,
            first=CallRef(row.first),
            to=row.caller,
            number=row.number,
            skills=frozenset(skills),
            priority=row.priority,
            language=row.language,
            t0_ms=row.t0_utc_ms or int(time.time() * 1000),
            attempts=row.attempts,
        )
