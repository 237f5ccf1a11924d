"""Menus: a person is always within reach, and every menu can be heard."""

from collections.abc import Iterator

from settings.actions import Do
from settings.demands import menus_heard
from settings.problems import Problem
from settings.read import Draft

_FILE = "menus.yaml"


def way_to_a_person(draft: Draft) -> Iterator[Problem]:
    for ident, menu in draft.settings.menus.items():
        zero = menu.keys.get("0")
        if zero is not None and not (isinstance(zero, Do) and zero.do == "person"):
            matter = f"in menu '{ident}' the key 0 does not lead to a person"
            mend = "use another key; 0 reaches a person by itself"
            yield Problem(draft.places.key(_FILE, ident, "keys", "0"), "S040", matter, mend)


def unreachable(draft: Draft) -> Iterator[Problem]:
    if not draft.sound("numbers.yaml", _FILE) or not draft.resolved("menu", "number"):
        return
    heard = menus_heard(draft.settings)
    for ident in draft.settings.menus:
        if ident not in heard:
            mend = "let a number or a key of another menu lead to it, or take it out"
            yield Problem(draft.places.key(_FILE, ident), "S041", f"nothing leads to the menu '{ident}'", mend)
