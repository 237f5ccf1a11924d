"""Figures of what agents did at their seats, from the states that are kept of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate, chain
from typing import TypeVar

from recordings.duty import Spell
from recordings.figures import CATALOGUE, By, StateAverage, StateShare, Value
from recordings.figures_span import HOUR_MS

WRAP_UP = "wrap_up"
_TALKING = "talking"
COUNTED = frozenset(
    chain.from_iterable(
        one.of.among if isinstance(one.of, StateShare) else (one.of.state,)
        for one in CATALOGUE
        if isinstance(one.of, StateShare | StateAverage)
    )
)
"""The states that some figure counts."""

Key = tuple[By | None, str]
"""What time is counted for; (None, "") is all of it."""


@dataclass(slots=True)
class States:
    """Time in states, in ms, and how often."""

    spent_ms: Counter[tuple[Key, str]] = field(default_factory=Counter)
    times: Counter[tuple[Key, str]] = field(default_factory=Counter)

    def add(self, keys: Iterable[Key], state: str, ms: int, times: int) -> None:
        """Adds so many times in that state to each key."""
        for key in keys:
            self.spent_ms[key, state] += ms
            self.times[key, state] += times

    def value(self, of: StateAverage | StateShare, key: Key) -> Value:
        """The figure that these times tell."""
        match of:
            case StateAverage(state=state):
                return Value(self.spent_ms[key, state], self.times[key, state])
            case StateShare(states=states, among=among):
                part, whole = (sum(self.spent_ms[key, state] for state in these) for these in (states, among))
                return Value(part, whole)

    def keys(self, by: By) -> list[str]:
        """Of this kind, for which any time is known."""
        return sorted({name for (kind, name), _ in self.spent_ms if kind is by})


@dataclass(frozen=True, slots=True)
class Worked:
    """A time in a state, and the call that it was for, if any."""

    spell: Spell
    call: str | None


def worked(spells: Iterable[Spell]) -> Iterator[Worked]:
    """Each with its call; what is done after a talk is for the call of that talk."""
    last: dict[str, str | None] = {}
    for spell in spells:
        if spell.state == _TALKING:
            last[spell.agent] = spell.call
        yield Worked(spell, spell.call or (last.get(spell.agent) if spell.state == WRAP_UP else None))


def states(
    found: Iterable[Worked], begin_ms: int, hours: tuple[tuple[date, int], ...], number_of: Mapping[str, str]
) -> States:
    """The times, in all and by each kind of key. `number_of`: the number that a call was served as.

    Time is split over the hours, but a time in wrap-up belongs to the hour in which it began.
    """
    alike: dict[_Alike, list[int]] = {}  # A day has 100,000 of them, but few kinds.
    split = {state: _Hours(len(hours)) for state in COUNTED}
    for one in found:
        spell = one.spell
        if spell.state not in COUNTED:
            continue
        number = number_of.get(one.call, "") if one.call else ""
        _more(alike, (spell.seat or "", spell.agent, number, spell.state), spell.end_utc_ms - spell.begin_utc_ms, 1)
        split[spell.state].add(spell.begin_utc_ms - begin_ms, spell.end_utc_ms - begin_ms, whole=spell.state == WRAP_UP)
    added = States()
    for (seat, agent, number, state), (ms, times) in alike.items():
        named = ((None, ""), (By.SEAT, seat), (By.AGENT, agent), (By.NUMBER, number))
        added.add((key for key in named if key[1] or key[0] is None), state, ms, times)
    for state, of_state in split.items():
        for (day, clock), ms, times in zip(hours, of_state.spent_ms(), of_state.times, strict=True):
            added.add(((By.HOUR, f"{clock:02}"), (By.DAY, day.isoformat())), state, ms, times)
    return added


_Alike = tuple[str, str, str, str]
"""Seat, agent, number and state."""
_Kind = TypeVar("_Kind")


def _more(sums: dict[_Kind, list[int]], kind: _Kind, ms: int, times: int) -> None:
    known = sums.setdefault(kind, [0, 0])
    known[0] += ms
    known[1] += times


class _Hours:
    """Time in one state, hour by hour."""

    def __init__(self, many: int) -> None:
        self._parts_ms = [0] * many
        self._whole = [0] * (many + 1)
        """How many more, or fewer, hours begin here that are filled than before."""
        self.times = [0] * many
        """How many began then."""

    def add(self, begin_ms: int, end_ms: int, *, whole: bool) -> None:
        """From the first to the second, since the first hour began; `whole`: all of it is the hour's where it began."""
        first, last = begin_ms // HOUR_MS, end_ms // HOUR_MS
        self.times[first] += 1
        if whole or first == last:
            self._parts_ms[first] += end_ms - begin_ms
            return
        self._parts_ms[first] += (first + 1) * HOUR_MS - begin_ms
        if end_ms % HOUR_MS:
            self._parts_ms[last] += end_ms % HOUR_MS
        self._whole[first + 1] += 1
        self._whole[last] -= 1

    def spent_ms(self) -> list[int]:
        """Of each hour."""
        filled = accumulate(self._whole[:-1])
        return [parts + whole * HOUR_MS for parts, whole in zip(self._parts_ms, filled, strict=True)]
