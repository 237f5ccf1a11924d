"""Watching a staged city: what its journal says of each caller, and what is kept of them."""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from calls.cel import Row, RowWrong, parse
from calls.journal import Arrived, RoomEntered, SeatOffered, Step
from calls.record import CallRecord
from hotline.failing import CannotGoOn
from hotline.only_one import OnlyOne
from hotline.stage import Stage, agent, staged, until
from phones.call import Call
from phones.placed import PlacedCall
from phones.taken import TakenCall
from phones.telephone import Telephone
from recordings.store import Store, record_of
from settings.shapes import Number, Seat, Settings
from tests.support.desk_client import NotDone, at_the_desk

S = TypeVar("S")

GENERAL, SOCIAL, MARKET, HOUSING = "12319", "12333", "12315", "12329"
"""Numbers of the example city without a menu, by the skill that their callers need."""


def with_seats(settings: Settings, seats: Mapping[str, tuple[str, ...]], *, ring_s: float, rest_s: float) -> Settings:
    """The settings with these seats (id → skills) and no others."""
    answering = settings.answering.model_copy(
        update={
            "ring": ring_s,
            "rest": rest_s,
            "seats": {seat: Seat(skills=skills) for seat, skills in seats.items()},
        }
    )
    return settings.model_copy(update={"answering": answering})


def with_priority(settings: Settings, number: str, priority: int) -> Settings:
    """The settings with another priority for a number."""
    changed: Number = settings.numbers[number].model_copy(update={"priority": priority})
    return settings.model_copy(update={"numbers": {**settings.numbers, number: changed}})


def with_capacity(settings: Settings, ordinary: int) -> Settings:
    """The settings with so many ordinary calls let in."""
    capacity = settings.server.capacity.model_copy(update={"ordinary": ordinary})
    return settings.model_copy(update={"server": settings.server.model_copy(update={"capacity": capacity})})


def unannounced(settings: Settings) -> Settings:
    """The settings without the announcement that calls are recorded: each call is half a second shorter."""
    recording = settings.server.recording.model_copy(update={"announcement": None})
    return settings.model_copy(update={"server": settings.server.model_copy(update={"recording": recording})})


@dataclass(slots=True)
class City:
    """A stage, and a reader of its records."""

    stage: Stage
    store: Store
    log: Path
    """What the controller said."""
    agents: list[asyncio.Task[list[str]]] = field(default_factory=list)
    """Everybody who serves, or has served, at a seat."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(13500000000))

    def citizens(self, count: int) -> list[str]:
        """Callers who have not called yet."""
        return [str(next(self._numbers)) for _ in range(count)]

    def records(self) -> list[CallRecord]:
        return [record_of(row) for row in self.store.rows("SELECT * FROM records ORDER BY arrived_utc_ms")]

    def of(self, caller: str) -> CallRecord | None:
        """The record of a caller who called once."""
        return next((record for record in self.records() if record.caller == caller), None)

    def journal(self) -> list[Row]:
        """Everything that Asterisk has written, whether it is kept yet or not."""
        try:
            written = self.stage.instance.folders.journal.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [row for line in written.rpartition("\n")[0].split("\n") if (row := _row(line)) is not None]

    def rows(self, caller: str) -> list[Row]:
        """Everything that Asterisk has written about a caller's call, by time, whether it is kept yet or not."""
        rows = self.journal()
        arrived = (row for row in rows if isinstance(row.step, Arrived) and row.step.caller == caller)
        calls = {row.linkedid for row in arrived}
        return sorted((row for row in rows if row.linkedid in calls), key=lambda row: row.at_us)

    def steps(self, caller: str, kind: type[S], **fields: object) -> list[S]:
        """The steps of one kind, with these fields, that the dialplan wrote about a caller."""
        return [step for _, step in self._written(caller, kind, fields)]

    def times_us(self, caller: str, kind: type[S], **fields: object) -> list[int]:
        """When those steps were written."""
        return [at_us for at_us, _ in self._written(caller, kind, fields)]

    def _written(self, caller: str, kind: type[S], fields: dict[str, object]) -> list[tuple[int, S]]:
        return [
            (row.at_us, row.step)
            for row in self.rows(caller)
            if isinstance(row.step, kind)
            if all(getattr(row.step, name) == value for name, value in fields.items())
        ]

    def told(self, caller: str) -> list[Step | str]:
        return [row.step or row.kind for row in self.rows(caller)]

    async def wrote(self, caller: str, kind: type[S], times: int = 1, **fields: object) -> S:
        """Waits for the so-manyth step of a kind, with these fields, of a caller."""

        found: list[S] = await until(
            f"{kind.__name__} {fields} of {caller}",
            lambda: self.steps(caller, kind, **fields)[times - 1 :],
            seen=lambda: self.told(caller),
        )
        return found[0]

    async def calls(self, number: str, caller: str, *, times: int = 1, kept: str | None = None) -> PlacedCall:
        """A citizen calls and waits; returns once the citizen has entered the waiting room so often.

        kept: what is kept of the caller's number, if that is not all of it.
        """
        placed = await self.stage.carrier.call(number, caller=caller)
        await self.wrote(caller if kept is None else kept, RoomEntered, times)
        return placed

    def agent(self, seat: str, callers: int, served: list[str] | None = None) -> asyncio.Task[list[str]]:
        """Somebody at a seat, from now on, who `serve`s so many callers."""
        self.agents.append(asyncio.create_task(serve(self.stage.seats[seat], callers, served)))
        return self.agents[-1]

    async def kept(self, caller: str) -> CallRecord:
        """Waits for the complete record of a caller, with its recording if anybody was connected."""

        def complete() -> CallRecord | None:
            record = self.of(caller)
            if record is None or record.running:
                return None
            # A talk of some milliseconds leaves no sound.
            silent = self.store.rows("SELECT 1 FROM records WHERE ref = ? AND audio = 'none'", record.ref)
            return record if record.recording_sha256 or not record.talk_ms or silent else None

        found: CallRecord = await until(f"the record of {caller}", complete, seen=lambda: self.told(caller))
        return found

    async def over(self, caller: str) -> CallRecord:
        """Waits until a caller's call has ended, whether its sound is kept yet or not."""
        found: CallRecord = await until(
            f"the end of {caller}",
            lambda: next((one for one in self.records() if one.caller == caller and not one.running), None),
            seen=lambda: self.told(caller),
        )
        return found

    async def until_steering(self) -> None:
        await self.stage.until_healthy("a controller that steers", lambda health: bool(health["steering"]))

    async def until_waiting(self, callers: int) -> None:
        await self.stage.until_healthy(
            f"{callers} callers waiting", lambda health: bool(health["steering"]) and health["waiting"] == callers
        )

    async def until_free(self, seats: int) -> None:
        await self.stage.until_healthy(
            f"{seats} free seats", lambda health: bool(health["steering"]) and health["seats_free"] == seats
        )

    async def everybody_hangs_up(self) -> None:
        """Citizens and agents, whatever a test that failed has left."""
        for call in [*self.stage.carrier.calls, *(call for seat in self.stage.seats.values() for call in seat.calls)]:
            await call.hang_up()

    async def until_empty(self) -> None:
        """Waits until no caller is left and no seat is there."""
        await self.stage.until_healthy(
            "an empty city",
            lambda health: bool(health["steering"]) and health["calls_known"] == health["seats_free"] == 0,
        )

    def offers(self, callers: Iterable[str]) -> list[str]:
        """Each of the callers as often as a seat was offered to them, by time."""
        found = [(at_us, caller) for caller in callers for at_us in self.times_us(caller, SeatOffered)]
        return [caller for _, caller in sorted(found)]

    async def send_away(self) -> None:
        """Nobody serves any more; those who failed are forgotten, too."""
        for serving in self.agents:
            serving.cancel()
        await asyncio.gather(*self.agents, return_exceptions=True)
        self.agents.clear()

    async def _nobody_to_call_back(self) -> None:
        """Waits until nobody is on the call-back list any more: whoever is there is dismissed."""

        async def dismissed() -> bool:
            for row in self.store.rows("SELECT id FROM call_backs WHERE state IN ('waiting', 'listed', 'dialling')"):
                with suppress(NotDone):  # It is being dialled.
                    await desk.post(f"/call-backs/{row['id']}/dismiss", note="left by an earlier test")
            return not self.store.rows("SELECT id FROM call_backs WHERE state IN ('waiting', 'listed', 'dialling')")

        async with at_the_desk(self.stage.instance) as desk:
            await until("nobody to be called back", dismissed)

    async def clear(self) -> None:
        """Everybody hangs up, nobody is to be called back, and every seat leaves; whoever comes again behaves as an
        agent does."""
        await self.send_away()
        await self.everybody_hangs_up()
        for seat, phone in self.stage.seats.items():
            await phone.unregister()
            phone.behave = agent(seat)
        await self.until_empty()
        await self._nobody_to_call_back()


def _row(line: str) -> Row | None:
    """None: a crash has cut the line off; the keeper's own tests say what becomes of it."""
    try:
        return parse(line)
    except RowWrong:
        return None


async def next_call(phone: Telephone) -> TakenCall:
    """The next call that rings a seat and is not over yet; the seat must have no other."""
    while (call := await phone.next_call()).over:
        pass
    assert all(other.over for other in phone.calls if other is not call), f"two calls at once ring {phone.user}"
    return call


async def talking(call: Call) -> None:
    """Waits until a seat hears its caller."""
    await call.answered()
    await until("sound from the caller", lambda: call.heard_s > 0.3)


async def hearing_on(placed: Call, taken: Call) -> None:
    """Waits until both ends of a talk have heard more than until now. Fails when it is over."""
    before_s = placed.heard_s, taken.heard_s
    assert placed.up
    assert taken.up
    await until("both hear on", lambda: placed.heard_s > before_s[0] and taken.heard_s > before_s[1])


async def serve(phone: Telephone, callers: int, served: list[str] | None = None) -> list[str]:
    """The seat takes so many calls, and ends each once it has heard the caller.

    Who they were; they are added to `served`, too, as soon as they are.
    """
    mine: list[str] = []
    while len(mine) < callers:
        call = await next_call(phone)
        await talking(call)
        mine.append(call.caller)
        if served is not None:
            served.append(call.caller)
        await call.hang_up()
    return mine


async def controller(city: City) -> int:
    """The controller's process, once there is one."""
    found: int = await until("a controller", lambda: city.stage.supervisor.controller_pid)
    return found


@asynccontextmanager
async def no_controller(city: City) -> AsyncIterator[None]:
    """Kills the controller. The supervisor starts another one again and again, and each is refused
    for as long as the block runs, because we hold its lock."""
    lock = OnlyOne(city.stage.instance.folders.controller_lock, "a test")

    def held() -> bool:
        pid = city.stage.supervisor.controller_pid
        if pid is not None:
            with suppress(ProcessLookupError):  # The supervisor has yet to notice.
                os.kill(pid, signal.SIGKILL)
        try:
            lock.__enter__()
        except CannotGoOn:
            return False
        return True

    await until("the controller's lock is ours", held)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


@asynccontextmanager
async def watched(
    settings: Settings, data: Path, *, sounds: Path, seats: Iterable[str] | None = None
) -> AsyncIterator[City]:
    """Runs a city on a stage (see `hotline.stage.staged`) in an existing folder, and opens its records beside it."""
    log = data / "controller.log"
    with log.open("a", encoding="utf-8", buffering=1) as output:
        async with staged(settings, data, seats=seats, prompts=sounds, output=output) as stage:
            with stage.store() as store:
                city = City(stage, store, log)
                try:
                    yield city
                finally:
                    sys.stdout.write(log.read_text(encoding="utf-8"))  # Shown when the test fails.
                    await city.send_away()
