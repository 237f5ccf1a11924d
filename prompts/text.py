"""Texts as they are said: no digit, amount, date or symbol is left for the voice to guess at."""

import re
import unicodedata
from collections.abc import Collection
from typing import assert_never

from prompts import chinese, english
from settings.shape import Language

_KEPT = frozenset("，。、；！？（）《》“”‘’…—：～")
"""Wide punctuation keeps its form: made narrow, `100，200` would look like one number."""

_UNITS = {"㎡": "平方米", "㎥": "立方米", "℃": "°C", "№": "No. ", "㎞": "km", "㎏": "kg"}


def expand(text: str, language: Language, telephone_numbers: Collection[str] = ()) -> str:
    """The text with everything written out that a voice would drop or misread.

    `telephone_numbers` are read digit by digit however short they are. Longer digit strings are
    too, from five digits on, unless a unit follows (`10000元`). What no rule knows stays as it is.
    """
    folded = fold(text)
    match language:
        case "zh":
            return chinese.expand(folded, frozenset(telephone_numbers))
        case "en":
            return english.expand(folded, frozenset(telephone_numbers))
        case _:
            assert_never(language)


def fold(text: str) -> str:
    """Wide digits and letters made narrow, line breaks made blanks, control characters taken out."""
    for sign, written in _UNITS.items():
        text = text.replace(sign, written)
    text = re.sub(r"(?<=\d)：(?=\d\d)", ":", text)
    narrow = "".join(char if char in _KEPT else unicodedata.normalize("NFKC", char) for char in text)
    return " ".join("".join(char if char.isprintable() else " " for char in narrow).split())
