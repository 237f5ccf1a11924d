"""Places in the line of callers who have hung up and are called back."""

from collections.abc import Mapping
from dataclasses import dataclass

from calls.live import CallRef
from routing.alarms import Alarms, PlaceAlarm
from routing.decisions import KeptPlace
from routing.line import Line


@dataclass(slots=True)
class _Kept:
    place: KeptPlace
    not_before_ms: int | None
    perhaps: CallRef | None
    """A call to it that may have been made, or not."""


class Places:
    """Those that wait for their turn, in the line or for their time to be in it."""

    def __init__(self, alarms: Alarms, line: Line) -> None:
        self._alarms = alarms
        self._line = line
        self._kept: dict[int, _Kept] = {}
        self._numbers: dict[str, set[int]] = {}
        self._here: set[str] = set()
        """Numbers from which somebody calls just now."""

    def all(self) -> Mapping[int, KeptPlace]:
        return {ident: kept.place for ident, kept in self._kept.items()}

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, ident: int) -> bool:
        return ident in self._kept

    def keep(
        self, place: KeptPlace, now_ms: int, *, not_before_ms: int | None = None, perhaps: CallRef | None = None
    ) -> None:
        """In the line from `not_before_ms` on; replaces what was said of it before."""
        kept = self._kept.get(place.id)
        if kept is not None and (kept.place, kept.not_before_ms) == (place, not_before_ms):
            return
        self.drop(place.id)
        self._kept[place.id] = _Kept(place, not_before_ms, perhaps)
        self._numbers.setdefault(place.to, set()).add(place.id)
        self.comes(place.id, now_ms)

    def comes(self, ident: int, now_ms: int) -> None:
        """Puts it into the line, or has it wait until it may be there."""
        kept = self._kept[ident]
        if kept.not_before_ms is not None and now_ms < kept.not_before_ms:
            self._alarms.set(PlaceAlarm(ident), kept.not_before_ms)
            return
        # Its time may have come before the alarm rang: a snapshot was read first. It comes once.
        self._alarms.cancel(PlaceAlarm(ident))
        place = kept.place
        rank = place.priority, place.t0_ms, _ref(ident)
        self._line.add(rank, place.skills, place.number, now_ms, ready=place.to not in self._here)

    def caller_is(self, number: str, *, here: bool) -> None:
        """Whether somebody calls from that number: nobody is called back meanwhile."""
        (self._here.add if here else self._here.discard)(number)
        for ident in self._numbers.get(number, ()):
            if self._line.get(_ref(ident)) is not None:
                self._line.set_ready(_ref(ident), ready=not here)

    def first_of(self, number: str) -> KeptPlace | None:
        """Of the places that are kept for that number, the one whose turn comes first."""
        kept = (self._kept[ident].place for ident in self._numbers.get(number, ()))
        return min(kept, key=lambda place: (place.priority, place.t0_ms, place.id), default=None)

    def again(self, now_ms: int) -> None:
        """The line was begun anew: all of them come once more."""
        for ident in self._kept:
            self.comes(ident, now_ms)

    def drop(self, ident: int) -> None:
        """Gives it up; one that is not kept is left out."""
        kept = self._kept.pop(ident, None)
        if kept is not None:
            self._numbers[kept.place.to].discard(ident)
            if not self._numbers[kept.place.to]:
                del self._numbers[kept.place.to]
            self._line.remove(_ref(ident))
            self._alarms.cancel(PlaceAlarm(ident))

    def at(self, ref: CallRef) -> KeptPlace | None:
        """Whose place this is in the line; None: a caller's."""
        name, _, ident = ref.partition(_MARK)
        kept = self._kept.get(int(ident)) if not name and ident else None
        return None if kept is None else kept.place

    def reached(self, ref: CallRef) -> None:
        """A call was answered that may, or may not, have been made for a place."""
        for ident in [ident for ident, kept in self._kept.items() if kept.perhaps == ref]:
            self.drop(ident)


_MARK = "\x00place"
"""No call's id begins like this."""


def _ref(ident: int) -> CallRef:
    return CallRef(f"{_MARK}{ident}")
