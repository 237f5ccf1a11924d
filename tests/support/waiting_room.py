"""A waiting room of a few seats, with everything that its tests need to happen."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from calls.live import Agent, CallRef, CameBack, Channel, Device, EnteredRoom, Seat, SeatChanged, Snapshot, Waiting
from routing.room import Connect, DutyChange, KeptPlace, Room
from routing.rules import Rules
from routing.skills import Has
from tests.support.settings_maker import PLAIN, city

ONE, TWO, EMPTY = Seat("8001"), Seat("8002"), Seat("8009")
"""8001 serves `general`, 8002 also `social`; at 8009 somebody must sign on."""
ANNE, BOB = Agent("1001"), Agent("1002")
HAS: Has = frozenset({("general", 3), ("social", 5)})
"""What Anne can do."""
GENERAL, SOCIAL, ENGLISH = frozenset({"general"}), frozenset({"social"}), frozenset({"english"})
RING_MS, REST_MS, NOTES_MS = 15_000, 2_000, 10_000
CALL_BACK_MS = 30_000


def rules(
    *,
    steps: Mapping[str, list[dict[str, Any]]] | None = None,
    levels: Mapping[str, int] | None = None,
    **changes: Any,
) -> Rules:
    """The rules of the small city. steps: skill → what a longer wait does; levels: skill → what is
    enough at first; changes: fields of Settings."""
    skills = {
        skill: {**entry, "steps": (steps or {}).get(skill, []), "level": (levels or {}).get(skill, 1)}
        for skill, entry in PLAIN["skills"].items()
    }
    answering = {
        "ring": "15s",
        "rest": "2s",
        "seats": {"8001": {"skills": ["general"]}, "8002": {"skills": ["general", "social"]}, "8009": {}},
    }
    return Rules.of(city(**{"skills": skills, "answering": answering, **changes}))


def caller(name: str, t0_ms: int = 0, priority: int = 5, skills: frozenset[str] = GENERAL) -> Waiting:
    return Waiting(Channel("node1", f"PJSIP/carrier-{name}"), CallRef(name), t0_ms, skills, priority, "12345", "zh")


def place(ident: int, t0_ms: int = 0, skills: frozenset[str] = GENERAL, priority: int = 5) -> KeptPlace:
    first = CallRef(f"first{ident}")
    return KeptPlace(ident, first, f"1380000{ident:04}", "12345", skills, priority, "zh", t0_ms, 0)


class Scene:
    """A room that has read a snapshot, and a clock. Calls back are named back1, back2 …"""

    def __init__(
        self, rules: Rules, free: Iterable[Seat] = (ONE, TWO, EMPTY), waiting: Iterable[Waiting] = (), now_ms: int = 0
    ) -> None:
        self.now_ms = now_ms
        self.devices = dict.fromkeys(free, Device.FREE)
        numbers = count(1)
        self.room = Room(rules, new_ref=lambda: CallRef(f"back{next(numbers)}"), utc_ahead_ms=0)
        self.reads(waiting)

    def reads(self, waiting: Iterable[Waiting] = (), offered: Iterable[tuple[CallRef, Channel, Seat]] = ()) -> None:
        """A snapshot."""
        self.room.resync(Snapshot(tuple(waiting), (), tuple(self.devices.items()), tuple(offered)), self.now_ms)

    def phone(self, seat: Seat, device: Device) -> None:
        self.devices[seat] = device
        self.room.heard(SeatChanged(seat, device), self.now_ms)

    def waits(self, *callers: Waiting) -> None:
        for one in callers:
            self.room.heard(EnteredRoom(one), self.now_ms)

    def connected(self) -> list[tuple[str, Seat]]:
        """Whom the room connects now, with which seat."""
        decisions = self.room.decide(self.now_ms)
        assert all(isinstance(one, Connect) for one in decisions), decisions
        return [(one.caller.ref, one.seat) for one in decisions if isinstance(one, Connect)]

    def talks(self, seat: Seat) -> None:
        """The seat's telephone rings, and is answered."""
        self.phone(seat, Device.RINGING)
        self.phone(seat, Device.BUSY)

    def misses(self, one: Waiting, seat: Seat, why: str = "NOANSWER") -> None:
        """The caller comes back from that seat, and waits again."""
        self.room.heard(CameBack(one.ref, seat, why), self.now_ms)
        self.waits(one)

    def later(self, by_ms: int) -> None:
        self.now_ms += by_ms

    def changes(self) -> list[tuple[Seat, Agent | None, str]]:
        return [(one.seat, one.agent, one.state.value) for one in self.room.changes()]

    def all_changes(self) -> tuple[DutyChange, ...]:
        return self.room.changes()

    def duty(self, seat: Seat) -> str:
        return next(one.state.value for one in self.room.seats(self.now_ms) if one.seat == seat)

    def reason(self, seat: Seat) -> str:
        return next(one.reason for one in self.room.seats(self.now_ms) if one.seat == seat)


def busy_with(count: int) -> Scene:
    """8001 and 8002 talk; so many callers wait, c0 the longest."""
    scene = Scene(rules(), free=[])
    scene.phone(ONE, Device.BUSY)
    scene.phone(TWO, Device.BUSY)
    scene.waits(*(caller(f"c{at}", t0_ms=at) for at in range(count)))
    return scene


def manned(*, wrap_up: str = "10s") -> Scene:
    """Anne is signed on at 8009, the only telephone that is registered."""
    scene = Scene(rules(agents={"wrap_up": wrap_up, "misses": 3}), free=[EMPTY])
    scene.room.sign_on(EMPTY, ANNE, HAS, 0)
    scene.room.changes()
    return scene


def anne_talks() -> Scene:
    scene = manned()
    scene.waits(caller("a"))
    assert scene.connected() == [("a", EMPTY)]
    scene.talks(EMPTY)
    scene.room.changes()
    return scene
