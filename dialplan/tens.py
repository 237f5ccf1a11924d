"""Seats as extensions: ten that differ in their last digit alone are one pattern.

Asterisk looks through a context's extensions, one after the other, for each step that it reads. With ten thousand
seats in a context a reload takes it 10 s of processor time; as patterns they are few.
"""

from collections import Counter
from collections.abc import Iterable
from typing import LiteralString

from dialplan.values import Arg, Pattern, code

_TYPED: dict[str, LiteralString] = {
    "0": "0", "1": "1", "2": "2", "3": "3", "4": "4", "5": "5", "6": "6", "7": "7", "8": "8", "9": "9", "X": "X",
}  # fmt: skip
"""Nothing else of the settings becomes part of a pattern."""


def typed(text: str) -> Pattern:
    """Digits, X for any one."""
    return Pattern("_" + "".join([_TYPED[character] for character in text]))


def seat_names(seats: Iterable[str]) -> tuple[str | Pattern, ...]:
    """Extensions that stand for exactly these seats, sorted."""
    alone, tens = set(seats), set[str]()
    full = _full(alone, 0)
    places = 0
    while full:
        whole = {prefix + digit + "X" * places for prefix in full for digit in "0123456789"}
        alone -= whole
        tens = (tens - whole) | {prefix + "X" * (places + 1) for prefix in full}
        places += 1
        full = _full(tens, places)
    return tuple(typed(text) if text in tens else text for text in sorted(alone | tens))


def _full(texts: Iterable[str], places: int) -> list[str]:
    """What comes before the last digit, and the `places` X that follow it, where all ten digits are there."""
    end = "X" * places
    begins = (text.removesuffix(end) for text in texts if text.endswith(end))
    counted = Counter(begin[:-1] for begin in begins if begin[-1:].isdigit())
    return [prefix for prefix, times in counted.items() if times == 10]


def dialled_as(name: str | Pattern) -> Arg:
    """What was dialled to come to an extension. Asterisk's patterns overlook dashes in it."""
    return code("${FILTER(0-9,${EXTEN})}") if isinstance(name, Pattern) else code("${EXTEN}")
