"""How long the waiting room takes for one event: `python -m bench.room`."""

import gc
import random
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import thread_time

from bench.city import EXAMPLE
from bench.decision import SKILLS
from bench.figures import percentile
from calls.live import Agent, CallRef, Channel, Device, EnteredRoom, HungUp, Seat, SeatChanged, Snapshot, Waiting
from routing.room import KeptPlace, Room
from routing.rules import Rules
from routing.skills import Has
from settings.check import load
from settings.shape import Name
from settings.shapes import Skill, WaitStep

CALLERS, SEATS, PLACES, KINDS, DEMANDS = 1000, 2000, 100, 300, 30
TIMES = 500


class Measured:
    """1,000 callers and 100 kept places wait; 2,000 agents, of 300 kinds, talk. Every third skill widens
    after a minute."""

    def __init__(self) -> None:
        chance = random.Random(5)
        self.seats = [Seat(str(10_000 + number)) for number in range(SEATS)]
        wanted = [frozenset(chance.sample(SKILLS, chance.choice((1, 1, 2)))) for _ in range(DEMANDS)]
        able = [frozenset((name, chance.randint(2, 5)) for name in chance.sample(SKILLS, 5)) for _ in range(KINDS)]
        self.room = Room(_rules(self.seats), new_ref=lambda: CallRef("new"), utc_ahead_ms=0)
        self.callers = [
            Waiting(Channel("n", f"c{at}"), CallRef(f"c{at}"), at, chance.choice(wanted), 5, "12345", "zh")
            for at in range(CALLERS)
        ]
        talking = [(CallRef(f"t{seat}"), Channel("n", f"t{seat}"), seat) for seat in self.seats]
        devices = tuple((seat, Device.BUSY) for seat in self.seats)
        self.snapshot = Snapshot(tuple(self.callers), (), devices, tuple(talking))
        for at, seat in enumerate(self.seats):
            self.room.sign_on(seat, Agent(str(at)), able[at % KINDS], 0)
        self.room.resync(self.snapshot, 0)
        for ident in range(PLACES):
            skills = chance.choice(wanted)
            self.room.keep_place(KeptPlace(ident, CallRef(f"f{ident}"), "1", "12345", skills, 5, "zh", ident, 0), 0)
        self.room.decide(0)

    def freed(self, at: int) -> None:
        """A talk ends, and the next caller is chosen."""
        self.room.heard(SeatChanged(self.seats[at], Device.FREE), 1)
        self.room.decide(1)

    def entered(self, at: int) -> None:
        last = self.callers[at % CALLERS]
        caller = Waiting(Channel("n", f"n{at}"), CallRef(f"n{at}"), 5000 + at, last.skills, 5, "12345", "zh")
        self.room.heard(EnteredRoom(caller), 1)
        self.room.decide(1)

    def hung_up(self, at: int) -> None:
        self.room.heard(HungUp(Channel("n", f"n{at}"), 16), 1)
        self.room.decide(1)

    def paused(self, at: int) -> None:
        """A seat that talks; its pause begins later."""
        self.room.pause(self.seats[-1 - at], "meal", 1)
        self.room.decide(1)

    def signed_off(self, at: int) -> None:
        self.room.sign_off(self.seats[-1 - at], 1)
        self.room.decide(1)

    def told(self, at: int) -> None:
        self.room.place_of(self.callers[at + 400].ref, 1)

    def moved_up(self, at: int) -> None:
        self.room.move_up(self.callers[at + 400].ref, 1)
        self.room.decide(1)

    def widened(self, at: int) -> None:
        """Everybody at once whose wait has become long enough."""
        self.room.decide(70_000)

    def line(self, at: int) -> None:
        self.room.standing(1)

    def all_seats(self, at: int) -> None:
        self.room.seats(1)

    def read(self, at: int) -> None:
        self.room.resync(self.snapshot, 1)
        self.room.decide(1)


def _rules(seats: list[Seat]) -> Rules:
    """The example city's, with the skills of the benchmark; nobody writes notes."""
    name = Name(zh="x", en="x")
    widens = (WaitStep.model_validate({"after": "1m", "level": 1}),)
    skills = {skill: Skill(name=name, level=2, steps=() if at % 3 else widens) for at, skill in enumerate(SKILLS)}
    rules = Rules.of(load(EXAMPLE).model_copy(update={"skills": skills}))
    nobody: Has = frozenset()
    return replace(rules, seats=dict.fromkeys(seats, nobody), own_wrap_up_ms=0, wrap_ups_ms={}, duty_after_ms=5000)


def _us(does: Callable[[int], None], times: int) -> str:
    found = []
    for at in range(times):
        began_s = thread_time()
        does(at)
        found.append((thread_time() - began_s) * 1e6)
    return f"{median(found):9.1f} {percentile(found, 0.99):9.1f} {max(found):9.1f}"


def main() -> None:
    gc.disable()
    tried = Measured()
    print(f"{'µs':12}{'median':>9} {'99 %':>9} {'most':>9}")
    for name, times in (
        ("entered", TIMES),
        ("hung_up", TIMES),
        ("freed", TIMES),
        ("told", TIMES),
        ("moved_up", TIMES),
        ("paused", TIMES),
        ("signed_off", TIMES),
        ("line", 20),
        ("all_seats", 20),
        ("widened", 1),
        ("read", 5),
    ):
        print(f"{name:12}{_us(getattr(tried, name), times)}")


if __name__ == "__main__":
    main()
