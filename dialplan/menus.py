"""Menus: one context for each menu and language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from calls.journal import KeyMissed, KeyPressed, LanguageChosen, MenuEntered
from dialplan.emergencies import star
from dialplan.journal import said, wrote
from dialplan.names import (
    LANGUAGES,
    ROOM,
    SPOKEN_TO,
    first_context,
    menu_context,
    number_context,
    skills_text,
    to_person,
)
from dialplan.values import At, Context, Do, Extension, Goto, GotoIf, Here, Move, Pattern, Put, Target, code
from settings.actions import Action, Menu, Say, Speak, ToMenu, ToNumber, ToQueue
from settings.actions import Do as Word
from settings.demands import demand
from settings.shape import Language
from settings.shapes import Settings

MENUS_AT_MOST = 20
"""A call enters menus so often, attempts counted; then a person takes it."""
REMEMBERED = 10
"""So many menus back a caller can go."""


def menu_contexts(settings: Settings) -> tuple[Context, ...]:
    goals = _Goals(to_person(settings.numbers), {language: _back(settings.menus, language) for language in LANGUAGES})
    made: list[Context] = []
    for ident, menu in settings.menus.items():
        for language in LANGUAGES:
            spoken = _Spoken(settings, ident, menu, language, goals)
            made += [spoken.context(), spoken.first()]
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Goals:
    """Where every menu can lead, made once for all of them: each names every number or menu of the city."""

    person: Target
    back: Mapping[Language, Target]


def _back(menus: Iterable[str], language: Language) -> Target:
    """The menu that this one was entered from."""
    among = tuple(Target(menu_context(menu, language)) for menu in menus)
    return Target(code("menu_${HL_BACK}_<language>", language=language), among=among)


class _Spoken:
    """One menu in one language."""

    def __init__(self, settings: Settings, ident: str, menu: Menu, language: Language, goals: _Goals) -> None:
        self.settings = settings
        self.goals = goals
        self.ident = ident
        self.menu = menu
        self.language = language
        self.name = menu_context(ident, language)
        self.early = Target(first_context(ident, language), "*")

    def context(self) -> Context:
        return Context(
            self.name,
            (
                Extension("s", self._offered()),
                *(Extension(key, self._meant(key, action)) for key, action in self._keys().items()),
                Extension(Pattern(SPOKEN_TO), (Put("HL_MISSED", code("${EXTEN}")), Goto(Target(self.name, "wrong")))),
                star(self.settings, self.ident, "menu", Target(self.name, "wrong")),
                Extension("wrong", self._missed("wrong")),
                Extension("silence", self._missed("silence")),
                Extension("person", (Goto(self.goals.person),)),
            ),
        )

    def first(self) -> Context:
        """Keys pressed before the menu's own prompt begins; the menu is entered all the same."""
        early = (Put("HL_FIRST", code("${EXTEN}")), Goto(Target(self.name, label="offer")))
        return Context(
            first_context(self.ident, self.language), (Extension("*", early), Extension(Pattern(SPOKEN_TO), early))
        )

    def _keys(self) -> dict[str, Action]:
        return {**self.menu.keys, "0": Word(do="person")}

    def _offered(self) -> tuple[Move | At, ...]:
        keys = tuple(Target(self.name, key) for key in (*self._keys(), SPOKEN_TO, "*"))
        return (
            Put("HL_ATTEMPT", 1),
            At("offer", Put("HL_MENUS", code("$[0${HL_MENUS} + 1]"))),
            GotoIf(code("${HL_MENUS} > <most>", most=MENUS_AT_MOST), Target(self.name, "person")),
            wrote(MenuEntered, menu=self.ident, attempt=code("${HL_ATTEMPT}")),
            GotoIf(code('"${HL_FIRST}" != ""'), Here("first")),
            *said(self.menu.prompt, self.language),
            Do("WaitExten", (code("<wait>", wait=f"{self.menu.wait:g}"),)),
            Goto(Target(self.name, "silence")),
            At("first", Put("HL_KEY", code("${HL_FIRST}"))),
            Put("HL_FIRST"),
            Goto(Target(self.name, code("${HL_KEY}"), among=keys)),
        )

    def _missed(self, why: str) -> tuple[Move | At, ...]:
        """Silence or a wrong key: said so, and offered again; after the last attempt a person."""
        key = code("${URIENCODE(${HL_MISSED})}") if why == "wrong" else ""
        prompt = "wrong_key" if why == "wrong" else "no_key"
        return (
            wrote(KeyMissed, menu=self.ident, why=why, key=key),
            GotoIf(code("${HL_ATTEMPT} >= <tries>", tries=self.menu.tries), Target(self.name, "person")),
            Put("HL_ATTEMPT", code("$[${HL_ATTEMPT} + 1]")),
            *said(prompt, self.language, keys=self.early),
            Goto(Target(self.name, label="offer")),
        )

    def _meant(self, key: str, action: Action) -> tuple[Move | At, ...]:
        return (wrote(KeyPressed, where=self.ident, key=key), *self._done(action))

    def _done(self, action: Action) -> tuple[Move | At, ...]:  # noqa: PLR0911 -- one for each kind
        again = Goto(Target(self.name))
        match action:
            case ToMenu(menu=menu):
                return (*self._remembered(), Goto(Target(menu_context(menu, self.language))))
            case ToNumber(number=number):
                return (*self._remembered(), Goto(Target(number_context(number), "menu")))
            case ToQueue(queue=skill, priority=priority):
                skills = skills_text(demand(self.settings, skill, self.language))
                own = (Put("HL_PRIO", priority),) if priority is not None else ()
                return (Put("HL_SKILLS", skills), *own, Goto(Target(ROOM)))
            case Say(prompt=prompt):
                return (Put("HL_ATTEMPT", 1), *said(prompt, self.language, keys=self.early), again)
            case Speak(language=language):
                chosen = wrote(LanguageChosen, language=language)
                return (chosen, Put("HL_LANG", language), Goto(Target(menu_context(self.ident, language))))
            case Word(do="repeat"):
                return (again,)
            case Word(do="back"):
                return self._back()
            case Word():
                return (Goto(Target(self.name, "person")),)
            case _:
                assert_never(action)

    def _remembered(self) -> tuple[Move, ...]:
        older = code("${CUT(HL_STACK,-,1-<most>)}", most=REMEMBERED - 1)
        return (Put("HL_STACK", code("<this>-<older>", this=self.ident, older=older)),)

    def _back(self) -> tuple[Move | At, ...]:
        """To the menu that this one was entered from; at the outermost, this one again."""
        return (
            Put("HL_BACK", code("${CUT(HL_STACK,-,1)}")),
            GotoIf(code('"${HL_BACK}" = ""'), Target(self.name)),
            Put("HL_STACK", code("${CUT(HL_STACK,-,2-)}")),
            Goto(self.goals.back[self.language]),
        )
