"""What a call to a number meets: decided by the day's merge mode and by the hour, when it comes."""

from typing import assert_never

from calls.journal import Closed, Refused, Served
from dialplan.clock import day_number, hours_context, today
from dialplan.emergencies import dialled, star
from dialplan.journal import said, wrote
from dialplan.names import (
    LANGUAGE,
    LANGUAGES,
    REFUSED,
    ROOM,
    by_language,
    first_context,
    in_language,
    number_context,
    skills_text,
)
from dialplan.recording import recorded_past
from dialplan.values import Context, Do, Extension, Gosub, Goto, GotoIf, Move, Put, PutAll, Target, code
from settings.demands import demand
from settings.shapes import Closed as ClosedNumber
from settings.shapes import MergeMode, Number, Parallel, Primary, Settings, SubCentre, Whole

CENTRE_RING_S = 45
"""So long another centre may ring before a person here takes the call."""


def number_contexts(settings: Settings) -> tuple[Context, ...]:
    return tuple(_Treatment(settings, number, entry).context() for number, entry in settings.numbers.items())


class _Treatment:
    """One number's context. Its parts are extensions; HL_THEN names the part after a prompt."""

    def __init__(self, settings: Settings, number: str, entry: Number) -> None:
        self.settings = settings
        self.number = number
        self.entry = entry
        self.name = number_context(number)

    def context(self) -> Context:
        modes = sorted(self.entry.modes, key=lambda mode: mode.since)
        parts: list[Extension] = []
        for place, mode in enumerate(modes, 1):
            parts += self._mode(f"mode_{place}", mode)
        if any(isinstance(mode, Primary | Parallel) for mode in modes):
            parts += self._received()
        parts += [self._person(), self._wait(), Extension("end", (Do("Hangup", (16,)),))]
        spoken = tuple(Target(self.name, part.text) for part in parts)
        then = Target(self.name, code("${HL_THEN}"), among=spoken)
        return Context(
            self.name,
            (
                *(Extension(by, (Put("HL_BY", by), Goto(Target(self.name)))) for by in ("dialled", "menu", "merged")),
                Extension("s", self._start(modes)),
                *parts,
                star(self.settings, "greeting", "menu", then),
            ),
        )

    def _start(self, modes: list[MergeMode]) -> tuple[Move, ...]:
        """The newest mode that has begun."""
        newest_first = reversed(list(enumerate(modes, 1)))
        return (
            PutAll(
                (
                    Put("HL_NUMBER", self.number),
                    Put("HL_PRIO", self.entry.priority),
                    Put("HL_TODAY", today(self.settings)),
                )
            ),
            *(
                GotoIf(code("${HL_TODAY} >= <since>", since=day_number(mode.since)), self._to(f"mode_{place}"))
                for place, mode in newest_first
            ),
            Goto(Target(REFUSED, "unknown")),
        )

    def _mode(self, part: str, mode: MergeMode) -> list[Extension]:
        served = wrote(Served, number=self.number, mode=mode.mode, by=code("${HL_BY}"))
        match mode:
            case Primary() | Parallel():
                return [Extension(part, (served, Goto(self._to("hours"))))]
            case Whole(notice=notice, to=to):
                after = (
                    (Goto(Target(number_context(to), "merged")),)
                    if to
                    else (wrote(Refused, why="cancelled"), Goto(self._to("end")))
                )
                return [
                    Extension(part, (served, *self._say(notice, f"{part}_after"))),
                    Extension(f"{part}_after", after),
                ]
            case SubCentre(trunk=trunk, dial=dial, notice=notice):
                said_first = self._say(notice, f"{part}_after") if notice else (Goto(self._to(f"{part}_after")),)
                return [
                    Extension(part, (served, *said_first)),
                    Extension(
                        f"{part}_after",
                        (
                            *dialled(trunk, dial, CENTRE_RING_S),
                            GotoIf(code('"${DIALSTATUS}" = "ANSWER"'), self._to("end")),
                            *recorded_past(self.settings),
                            *self._say("unreachable", "wait"),
                        ),
                    ),
                ]
            case _:
                assert_never(mode)

    def _received(self) -> list[Extension]:
        """Hours, greeting, announcement, menu."""
        return [
            Extension("hours", self._hours()),
            *([self._closed(self.entry.closed)] if self.entry.closed else []),
            Extension(
                "greet",
                (
                    GotoIf(code('"${HL_BY}" = "menu"'), self._to("serve")),
                    *self._say(self.entry.greeting, "announce", menu=True),
                ),
            ),
            Extension("announce", self._announce()),
            Extension(
                "serve", (Goto(in_language(f"menu_{self.entry.menu}") if self.entry.menu else self._to("wait")),)
            ),
        ]

    def _hours(self) -> tuple[Move, ...]:
        hours = self.settings.hours.get(self.entry.hours)
        if self.entry.closed is None or hours is None or hours.always:
            return (Goto(self._to("greet")),)
        return (
            Gosub(Target(hours_context(self.entry.hours))),
            GotoIf(code('"${GOSUB_RETVAL}" = "open"'), self._to("greet")),
            Goto(self._to("closed")),
        )

    def _closed(self, closed: ClosedNumber) -> Extension:
        then = "wait" if closed.then == "person" else "end"
        return Extension(
            "closed", (wrote(Closed, number=self.number, hours=self.entry.hours), *self._say(closed.notice, then))
        )

    def _announce(self) -> tuple[Move, ...]:
        recording = self.settings.server.recording
        if not recording.enabled or recording.announcement is None:
            return (Goto(self._to("serve")),)
        return (
            GotoIf(code('"${HL_TOLD}" = "yes"'), self._to("serve")),
            Put("HL_TOLD", "yes"),
            *self._say(recording.announcement, "serve", menu=True),
        )

    def _person(self) -> Extension:
        return Extension("person", self._say("to_person", "wait"))

    def _wait(self) -> Extension:
        texts = {lang: skills_text(demand(self.settings, self.entry.skill, lang)) for lang in LANGUAGES}
        return Extension(
            "wait",
            (
                Put("HL_SKILLS", by_language(texts)),
                Put("HL_PRIO", self.entry.priority),
                Goto(Target(ROOM)),
            ),
        )

    def _say(self, prompt: str, then: str, *, menu: bool = False) -> tuple[Move, ...]:
        """A prompt, and the part after it. Where a menu follows, any key is that menu's first key."""
        keys = None
        if menu and self.entry.menu:
            among = tuple(Target(first_context(self.entry.menu, language), "*") for language in LANGUAGES)
            keys = Target(code("first_<menu>_${HL_LANG}", menu=self.entry.menu), "*", among=among)
        then_at = Put("HL_THEN", then)
        ready = PutAll((then_at, Put("HL_ATTEMPT", 1))) if keys else then_at
        return (ready, *said(prompt, LANGUAGE, keys=keys), Goto(self._to(then)))

    def _to(self, part: str) -> Target:
        return Target(self.name, part)
