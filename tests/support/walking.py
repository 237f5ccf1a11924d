"""A caller who follows a script of keys on a real Asterisk, and the journal that the call leaves."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from asterisk.console import console
from calls.cel import Row, parse
from calls.journal import Arrived, KeyMissed, KeyPressed, MenuEntered, RoomEntered, Said, Step
from dialplan.waiting_keys import offered
from hotline.stage import NeverHappened, Stage, until
from ivr.walk import SILENCE, Press, blank, walk
from phones.placed import PlacedCall
from routing.hours import moment
from settings.emergencies import routes
from settings.shape import Language

CONSOLE_S = 30.0
AT_ONCE = 40
"""So many calls are under way at the same time: two cores carry them easily."""
CALLER_CHARACTERS = "0123456789+"
"""Whatever else stands in a caller's number does not reach the journal."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a caller dials and presses."""

    dialled: str
    presses: tuple[Press, ...] = ()
    caller: str | None = None
    """What the carrier tells of the caller; None: a number of their own."""
    hurried: bool = False
    """Whether the caller knows the way and presses all keys one after the other, listening to nothing."""


def script(dialled: str, *presses: Press | str, caller: str | None = None, hurried: bool = False) -> Script:
    """A text stands for a key that is pressed where the call listens next."""
    keys = tuple(Press(press) if isinstance(press, str) else press for press in presses)
    return Script(dialled, keys, caller, hurried)


@dataclass(frozen=True, slots=True)
class Walked:
    """A script on the real Asterisk and in Python."""

    told: Script
    real: list[Step] | BaseException
    expected: list[Step]


class Journal:
    """Asterisk's journal file, read on as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._calls: dict[str, list[Row]] = {}

    def rows(self, linkedid: str) -> list[Row]:
        """All of a call so far."""
        self._look()
        return self._calls.get(linkedid, [])

    def steps(self, linkedid: str) -> list[Step]:
        return [row.step for row in self.rows(linkedid) if row.step is not None]

    def known(self) -> frozenset[str]:
        """The calls that have come so far."""
        self._look()
        return frozenset(self._calls)

    def _look(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        for line in whole.decode().split("\n") if newline else ():
            row = parse(line)
            self._calls.setdefault(row.linkedid, []).append(row)


class Walkers:
    """Citizens who place calls in a city on a stage. Many can be under way at the same time."""

    def __init__(self, stage: Stage, statuses: Mapping[str, str]) -> None:
        """statuses: how a call ends on each trunk that does not answer."""
        self.stage = stage
        self.statuses = statuses
        self.settings = stage.instance.settings
        self.journal = Journal(stage.instance.folders.journal)
        self._callers = (f"138{number:08}" for number in itertools.count(1))
        emergency_keys = (route.key for route in routes(self.settings.emergencies) if route.key)
        waiting_keys = (key for key, action in self.settings.service.keys.items() if offered(self.settings, action))
        self._obeyed = frozenset((*emergency_keys, *waiting_keys))

    async def until_lines_work(self) -> None:
        """Waits until Asterisk knows that every trunk answers."""

        async def all_there() -> bool:
            told = await self.console("pjsip show contacts")
            return told.count(" Avail ") == len(self.settings.trunks)

        await until("every trunk reached", all_there)

    async def console(self, command: str) -> str:
        instance = self.stage.instance
        return await console(instance.asterisk, instance.folders.etc / "asterisk.conf", command, bound_s=CONSOLE_S)

    async def put(self, name: str, value: str | int) -> None:
        """Gives a global variable of the dialplan another value."""
        await self.console(f"dialplan set global {name} {value}")

    @asynccontextmanager
    async def endless(self, *prompts: tuple[str, Language]) -> AsyncIterator[None]:
        """These prompts last for most of a minute, so that nobody is too late to press a key in them."""
        music = next(self.stage.catalogue.music_folder().iterdir()).with_suffix("")
        sounds = self.stage.catalogue.sounds()
        for prompt, language in prompts:
            await self.put(f"SAY_{language}_{prompt}", str(music))
        try:
            yield
        finally:
            for prompt, language in prompts:
                await self.put(f"SAY_{language}_{prompt}", str(sounds[prompt, language]))

    async def walk(self, at: datetime, scripts: Iterable[Script]) -> list[Walked]:
        """Places all calls, some at once; each follows its script and hangs up. The city's clock says `at`."""
        await self.put("HL_SHIFT_S", int(at.timestamp()) - int(time.time()))
        some = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(self._walk(at, told, some) for told in scripts))

    async def _walk(self, at: datetime, told: Script, some: asyncio.Semaphore) -> Walked:
        caller = next(self._callers) if told.caller is None else told.caller
        seen = "".join(character for character in caller if character in CALLER_CHARACTERS)
        when = moment(self.settings, at)
        expected = walk(self.settings, told.dialled, told.presses, when, caller=seen, trunks=self.statuses)
        async with some:
            try:
                real: list[Step] | BaseException = await self._really(told, caller, seen, len(expected))
            except (OSError, NeverHappened) as error:
                real = error
        return Walked(told, real, expected)

    async def _really(self, told: Script, caller: str, seen: str, steps: int) -> list[Step]:
        """steps: so many will be written; whoever is in a hurry cannot tell otherwise when all keys have counted."""
        before = self.journal.known()
        call = await self.stage.carrier.call(told.dialled, caller=caller)
        try:
            linkedid = await until(f"{caller} arrives at {told.dialled}", lambda: self._new(before, told.dialled, seen))
            walker = _Walker(call, self.journal, linkedid, self._obeyed)
            await (walker.hurry(told.presses, steps) if told.hurried else walker.follow(told.presses))
        finally:
            await call.hang_up()
        await until(
            f"the end of {caller}'s call in the journal",
            lambda: any(row.kind == "LINKEDID_END" for row in self.journal.rows(linkedid)),
        )
        return [blank(step) for step in self.journal.steps(linkedid)]

    def _new(self, before: frozenset[str], dialled: str, caller: str) -> str | None:
        for linkedid in self.journal.known() - before:
            first = next(iter(self.journal.steps(linkedid)), None)
            if isinstance(first, Arrived) and (first.dialled, first.caller) == (dialled, caller):
                return linkedid
        return None


class _Walker:
    """One caller with a script. Only the journal tells where the call is: never the clock."""

    def __init__(self, call: PlacedCall, journal: Journal, linkedid: str, obeyed: frozenset[str]) -> None:
        """obeyed: keys that mean something to a caller who waits."""
        self._call = call
        self._journal = journal
        self._linkedid = linkedid
        self._obeyed = obeyed
        self._done = 0
        """So many steps of the call are the past: the next key answers a later one."""

    async def follow(self, presses: Iterable[Press]) -> None:
        """Presses each key where it belongs, and goes on until the call ends or waits for a seat."""
        for press in presses:
            await self._until(f"a place for {press}", partial(self._ready, press))
            ready = self._ready(press)
            if self._call.over or ready is None:
                return
            if press.key:
                await self._call.press(press.key)
            if not _waits(self._steps()[:ready]) or press.key in self._obeyed:
                self._done = ready  # What was pressed will be answered by later steps.
        await self._until_waiting()

    async def hurry(self, presses: Sequence[Press], steps: int) -> None:
        """Waits for the first key's place, presses them all, and goes on until so many steps are written."""
        await self._until(f"a place for {presses[0]}", partial(self._ready, presses[0]))
        await self._call.press("".join(press.key for press in presses))
        self._done = steps - 1
        await self._until_waiting()

    async def _until_waiting(self) -> None:
        await self._until("waiting", lambda: len(self._steps()) > self._done and _waits(self._steps()))

    async def _until(self, what: str, wanted: Callable[[], object]) -> None:
        await until(f"{what} in call {self._linkedid}", lambda: self._call.over or wanted(), seen=self._steps)

    def _steps(self) -> list[Step]:
        return self._journal.steps(self._linkedid)

    def _ready(self, press: Press) -> int | None:
        """How many steps led to the place where the key belongs; None when the call is not there."""
        steps = self._steps()
        if len(steps) <= self._done:
            return None
        if press == SILENCE and not _waits(steps):
            passed = (at for at in range(self._done, len(steps)) if _is_silence(steps[at]))
            return next(passed, -1) + 1 or None
        there = _says(steps, press.during) if press.during else _waits(steps) or _offers(steps)
        return len(steps) if there else None


def _is_silence(step: Step) -> bool:
    return isinstance(step, KeyMissed) and step.why == "silence"


def _says(steps: list[Step], prompt: str) -> bool:
    """A prompt plays."""
    return isinstance(steps[-1], Said) and steps[-1].prompt == prompt


def _offers(steps: list[Step]) -> bool:
    """A menu's prompt plays, or its time to press a key runs."""
    return [type(step) for step in steps[-2:]] == [MenuEntered, Said]


def _waits(steps: list[Step]) -> bool:
    """The caller is in the waiting room, and has been welcomed there."""
    match steps:
        case [*earlier, RoomEntered()]:
            return any(isinstance(step, RoomEntered) for step in earlier)
        case (
            [*_, RoomEntered(), Said("please_wait")] | [*_, Said("still_waiting")] | [*_, KeyPressed("waiting"), Said()]
        ):
            return True
        case _:
            return False
