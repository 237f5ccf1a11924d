"""A call walked in Python as the dialplan walks it: the same keys give the same journal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, Protocol, assert_never

from calls.journal import (
    Arrived,
    CallBackWanted,
    Closed,
    EmergencyChosen,
    KeyMissed,
    KeyPressed,
    LanguageChosen,
    MenuEntered,
    RecordingStarted,
    Refused,
    RoomEntered,
    Said,
    Served,
    Step,
    TrunkEnded,
    TrunkTried,
)
from ivr.graph import graph
from ivr.steps import Cancelled, Elsewhere, KeyAction, Person, Received, ToEmergency
from settings.actions import Do, Say, Speak, ToMenu, ToNumber, ToQueue, WaitDo
from settings.demands import demand
from settings.shape import Language
from settings.shapes import Settings

MENUS_AT_MOST = 20
"""So many times a call is offered a menu, repeated attempts counted; then a person takes it."""

SHORTEST_NUMBER = 3
"""Digits. A caller with fewer cannot be called back."""

MENUS_BACK = 10
"""So many menus can be gone back through."""

ANY = "any"
"""Stands in walked steps where only a real call has a value; a number there is 0. See `blank`."""


@dataclass(frozen=True, slots=True)
class Press:
    """What the caller presses next."""

    key: str
    """One of 0-9 and #, or a star with what follows it; empty: a menu's time passes in silence."""
    during: str | None = None
    """While this prompt is heard. None: where the call listens next, in a menu or in the waiting room."""


SILENCE = Press("")


class Moment(Protocol):
    """When the call comes, as the city sees it; `routing.hours.moment` makes one."""

    @property
    def today(self) -> date: ...

    def is_open(self, hours: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Menu:
    """A menu is offered; a key may have been pressed before its prompt began."""

    menu: str
    attempt: int = 1
    early: str | None = None


@dataclass(frozen=True, slots=True)
class _Number:
    number: str
    by: Literal["dialled", "menu", "merged"]


@dataclass(frozen=True, slots=True)
class _Emergency:
    number: str
    by: Literal["dialled", "menu", "waiting"]


@dataclass(frozen=True, slots=True)
class _Room:
    skills: frozenset[str]
    priority: int


_Place = _Menu | _Number | _Emergency | _Room | Person
"""Where the call goes on. None instead: it has ended, or nothing more happens to it."""


def walk(
    settings: Settings,
    dialled: str,
    presses: Iterable[Press],
    moment: Moment,
    language: Language | None = None,
    *,
    caller: str = "",
    full: bool = False,
    trunks: Mapping[str, str] | None = None,
) -> list[Step]:
    """The journal of a call to a number of the settings or any other, as far as its presses lead.

    `language` is the one it begins in, the city's unless said otherwise. `full` says that no more
    ordinary calls are let in. `trunks` gives the DIALSTATUS of those that do not answer. No seat
    takes the caller, and no controller answers what the caller's place in the line is; the caller
    hangs up when the presses are used up; a menu with no press left for it meets silence.
    """
    walker = _Walk(settings, presses, moment, language, trunks or {})
    walker.go(walker.arrive(dialled, caller, full=full))
    return walker.steps


def blank(step: Step) -> Step:
    """A real call's step as `walk` gives it: without what only a real call can know."""
    match step:
        case Arrived():
            return replace(step, ref=ANY, trunk=ANY)
        case RecordingStarted():
            return replace(step, file=ANY)
        case RoomEntered():
            return replace(step, t0_ms=0)
        case _:
            return step


class _Walk:
    """One call: what it remembers, and each place it can come to."""

    def __init__(
        self,
        settings: Settings,
        presses: Iterable[Press],
        moment: Moment,
        language: Language | None,
        trunks: Mapping[str, str],
    ) -> None:
        self.steps: list[Step] = []
        self._settings = settings
        self._graph = graph(settings)
        self._presses = list(presses)
        self._moment = moment
        self._language: Language = language or self._graph.language
        self._trunks = trunks
        self._caller = ""
        self._number = ""
        self._announced = False
        self._waits = False
        self._menus = 0
        self._entered_from: list[str] = []

    def arrive(self, dialled: str, caller: str, *, full: bool) -> _Place | None:
        """Emergencies first, then whether the call can be served at all."""
        self._caller = caller
        self.steps.append(Arrived(ANY, dialled, caller, ANY))
        if dialled in self._graph.emergencies:
            return _Emergency(dialled, "dialled")
        if full:
            return self._refuse("full", "full")
        node = self._graph.numbers.get(dialled)
        if node is None or self._moment.today < node.dated[0].since:
            return self._refuse("unknown", "unknown_number")
        if any(entry.number == caller and self._moment.today <= entry.until for entry in self._settings.blocked):
            return self._refuse("blocked", "blocked")
        if self._graph.recorded:
            self.steps.append(RecordingStarted(ANY))
        return _Number(dialled, "dialled")

    def go(self, place: _Place | None) -> None:
        while place is not None:
            match place:
                case _Number(number, by):
                    place = self._serve(number, by)
                case _Menu():
                    place = self._offer(place)
                case Person():
                    place = self._say("to_person") or self._wait()
                case _Room():
                    place = self._enter_room(place)
                case _Emergency(number, by):
                    place = self._emergency(number, by)
                case _:
                    assert_never(place)

    # --- numbers --------------------------------------------------------------------------------

    def _serve(self, number: str, by: Literal["dialled", "menu", "merged"]) -> _Place | None:
        self._number = number
        begun = [dated for dated in self._graph.numbers[number].dated if dated.since <= self._moment.today]
        if not begun:
            return self._refuse("unknown", "unknown_number")
        self.steps.append(Served(number, begun[-1].mode, by))
        match begun[-1].treatment:
            case Cancelled() as cancelled:
                return self._cancelled(cancelled)
            case Elsewhere() as elsewhere:
                return self._elsewhere(elsewhere)
            case Received() as received:
                return self._receive(received, greets=by != "menu")
            case treatment:
                assert_never(treatment)

    def _cancelled(self, cancelled: Cancelled) -> _Place | None:
        left = self._say(cancelled.notice)
        if left is not None:
            return left
        if cancelled.to is not None:
            return _Number(cancelled.to, "merged")
        self.steps.append(Refused("cancelled"))
        return None

    def _elsewhere(self, elsewhere: Elsewhere) -> _Place | None:
        left = self._say(elsewhere.notice) if elsewhere.notice is not None else None
        if left is not None or self._answered(elsewhere.trunk, elsewhere.dial):
            return left
        return self._say("unreachable") or self._wait()

    def _receive(self, received: Received, *, greets: bool) -> _Place | None:
        if received.closed_notice is not None and not self._moment.is_open(received.hours):
            self.steps.append(Closed(self._number, received.hours))
            left = self._say(received.closed_notice)
            return left or (None if received.closed_ends else self._wait())
        if greets:
            left = self._say(received.greeting, received.menu)
            if left is None and self._graph.announcement is not None and not self._announced:
                self._announced = True
                left = self._say(self._graph.announcement, received.menu)
            if left is not None:
                return left
        return self._wait() if received.menu is None else _Menu(received.menu)

    def _wait(self) -> _Place:
        node = self._graph.numbers[self._number]
        return _Room(demand(self._settings, node.skill, self._language), node.priority)

    def _refuse(self, why: str, prompt: str) -> _Place | None:
        self.steps.append(Refused(why))
        return self._say(prompt)

    # --- prompts and keys -----------------------------------------------------------------------

    def _say(self, prompt: str, menu: str | None = None, attempt: int = 1) -> _Place | None:
        """A prompt; where the call goes when a key breaks it off.

        Where a menu follows, any key is that menu's first one. Elsewhere only emergency keys count.
        """
        self.steps.append(Said(prompt, self._language))
        key = self._pressed(prompt)
        if key and menu is not None:
            return _Menu(menu, attempt, early=key)
        if key in self._graph.emergency_keys:
            return self._to_emergency(key, "greeting", "menu")
        return None

    def _pressed(self, *places: str | None) -> str:
        """The next press, when it belongs here; else nothing."""
        return self._presses.pop(0).key if self._presses and self._presses[0].during in places else ""

    def _to_emergency(self, key: str, where: str, by: Literal["menu", "waiting"]) -> _Place:
        self.steps.append(KeyPressed(where, key))
        return _Emergency(self._graph.emergency_keys[key], by)

    # --- menus ----------------------------------------------------------------------------------

    def _offer(self, at: _Menu) -> _Place:
        self._menus += 1
        if self._menus > MENUS_AT_MOST:
            return Person()
        menu = self._graph.menus[at.menu]
        self.steps.append(MenuEntered(at.menu, at.attempt))
        if at.early is None:
            self.steps.append(Said(menu.prompt, self._language))
        key = at.early or self._pressed(None, menu.prompt)
        action = menu.keys.get(key)
        if action is None:
            self.steps.append(KeyMissed(at.menu, "wrong" if key else "silence", key))
            if at.attempt >= menu.tries:
                return Person()
            again = _Menu(at.menu, at.attempt + 1)
            return self._say("wrong_key" if key else "no_key", at.menu, again.attempt) or again
        if isinstance(action, ToEmergency):
            return self._to_emergency(key, at.menu, "menu")
        self.steps.append(KeyPressed(at.menu, key))
        return self._act(at.menu, action)

    def _act(self, menu: str, action: KeyAction) -> _Place:  # noqa: PLR0911 -- one for each kind
        match action:
            case ToMenu(menu=other):
                self._remember(menu)
                return _Menu(other)
            case ToNumber(number=number):
                self._remember(menu)
                return _Number(number, "menu")
            case ToQueue(queue=skill, priority=priority):
                own = self._graph.numbers[self._number].priority
                return _Room(demand(self._settings, skill, self._language), own if priority is None else priority)
            case Say(prompt=prompt):
                return self._say(prompt, menu) or _Menu(menu)
            case Speak(language=language):
                self._language = language
                self.steps.append(LanguageChosen(language))
                return _Menu(menu)
            case Do(do="back"):
                return _Menu(self._entered_from.pop() if self._entered_from else menu)
            case Do():
                return _Menu(menu)
            case Person():
                return action
            case ToEmergency(number):
                return _Emergency(number, "menu")
            case _:
                assert_never(action)

    def _remember(self, menu: str) -> None:
        self._entered_from = [*self._entered_from, menu][-MENUS_BACK:]

    # --- the waiting room -----------------------------------------------------------------------

    def _enter_room(self, room: _Room) -> _Place | None:
        """The caller waits; keys without a meaning change nothing."""
        self.steps.append(RoomEntered("+".join(sorted(room.skills)), room.priority, 0))
        places = [None, "still_waiting"]
        if not self._waits:
            self.steps.append(Said("please_wait", self._language))
            places.append("please_wait")
            self._waits = True
        while self._presses and self._presses[0].during in places:
            key = self._pressed(*places)
            if key in self._graph.emergency_keys:
                return self._to_emergency(key, "waiting", "waiting")
            action = self._graph.waiting_keys.get(key)
            if action is None:
                continue
            self.steps.append(KeyPressed("waiting", key))
            if isinstance(action, ToQueue):
                priority = room.priority if action.priority is None else action.priority
                return _Room(demand(self._settings, action.queue, self._language), priority)
            if action == WaitDo(do="call_back") and self._can_be_called_back():
                return self._keep_place()
            places.append(self._told(action))
        return None

    def _told(self, action: Say | WaitDo) -> str:
        """What the caller hears and goes on waiting: the prompt's id."""
        match action:
            case Say(prompt=prompt):
                pass
            case WaitDo(do="call_back"):
                prompt = "call_back_no_number"
            case WaitDo():
                prompt = "still_waiting"
        self.steps.append(Said(prompt, self._language))
        return prompt

    def _can_be_called_back(self) -> bool:
        digits = self._caller.replace("+", "")
        abroad = self._caller.startswith("00") or (self._caller.startswith("+") and not self._caller.startswith("+86"))
        return len(digits) >= SHORTEST_NUMBER and digits not in self._graph.own_numbers and not abroad

    def _keep_place(self) -> _Place | None:
        self.steps += [CallBackWanted(self._caller), Said("call_back_kept", self._language)]
        key = self._pressed("call_back_kept")
        return self._to_emergency(key, "waiting", "waiting") if key in self._graph.emergency_keys else None

    # --- emergencies and trunks -----------------------------------------------------------------

    def _emergency(self, number: str, by: Literal["dialled", "menu", "waiting"]) -> _Place | None:
        self.steps.append(EmergencyChosen(number, by))
        if by != "dialled":
            self.steps.append(Said("emergency", self._language))
        node = self._graph.emergencies[number]
        if any(self._answered(trunk, node.dial) for trunk in node.trunks):
            return None
        self.steps.append(Said("emergency_operator", self._language))
        return _Room(frozenset({self._graph.operator}), 0)

    def _answered(self, trunk: str, dial: str) -> bool:
        status = self._trunks.get(trunk, "ANSWER")
        self.steps += [TrunkTried(trunk, dial), TrunkEnded(trunk, status)]
        return status == "ANSWER"
