"""Fairness on the real Asterisk: this project against Asterisk's own queues, in one run.

Every way to answer gets the same calls at the same moments, and is measured from the same journal.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.city import NUMBERS
from bench.comparison import Target
from bench.figures import Skills
from bench.ideal import ideal_waits_s
from bench.load import Arrivals, planned
from bench.machine import machine
from bench.rounds import Load, Queues, Round, Way, play
from bench.telephones import TALK_S

SEATS = tuple(str(seat) for seat in range(8001, 8009))
A_SECOND = 6.0
"""More than eight seats can serve: 8 / 1.5 s = 5.33."""
GROWN_SEATS = (2, 8, 32)
GROWN_S = 20.0
SKILLED_A_SECOND = 5.0
SCARCE = "housing"
SCARCE_SHARE = 0.2
SCARCE_SEATS = SEATS[:3]
STRATEGY = "rrmemory"

EQUAL, EVEN, AS_THEY_LIKE = "equal callers", "a scarce skill, even calls", "a scarce skill, calls as they like"
GROWING = "equal callers, more and more seats"

GENERAL: Skills = frozenset({"general"})
PROJECT = Way("this project")


@dataclass(frozen=True, slots=True)
class Contest:
    """A load, and the ways to answer that get it."""

    name: str
    load: Load
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """One round of a contest. `others_load`: the machine's load average over a minute before it began."""

    contest: str
    others_load: float
    round: Round
    seats: int = len(SEATS)


@dataclass(frozen=True, slots=True)
class Ideal:
    """What no way to answer that keeps the order can do better than, with the same calls and seats."""

    wait_mean_s: float
    wait_max_s: float
    wait_max_by_skill_s: Mapping[str, float]


def ideal(load: Load) -> Ideal:
    waits = ideal_waits_s(load.calls, load.needs, load.seats, TALK_S)
    every = [wait for _, wait in waits]
    longest: dict[str, float] = {}
    for needs, wait in waits:
        skill = next(iter(needs))
        longest[skill] = max(wait, longest.get(skill, 0.0))
    return Ideal(sum(every) / len(every), max(every), longest)


ONE_QUEUE = Way("one queue", Queues(dict.fromkeys(NUMBERS, "all"), {"all": GENERAL}, STRATEGY))


def equal_callers(for_s: float, seed: int) -> Contest:
    """Four numbers, anybody can serve everybody: this project, four queues, one queue."""
    four = {number: f"q{number}" for number in NUMBERS}
    own = Way("four queues", Queues(four, dict.fromkeys(four.values(), GENERAL), STRATEGY))
    return Contest(EQUAL, _equal_load(for_s, seed, SEATS), (PROJECT, own, ONE_QUEUE))


def growing(seed: int) -> list[Contest]:
    """The same with so many times the seats, and as many more calls: this project, one queue."""
    seats = [tuple(str(8001 + place) for place in range(count)) for count in GROWN_SEATS]
    return [Contest(GROWING, _equal_load(GROWN_S, seed, some), (PROJECT, ONE_QUEUE)) for some in seats]


def _equal_load(for_s: float, seed: int, seats: Sequence[str]) -> Load:
    a_second = A_SECOND * len(seats) / len(SEATS)
    calls = planned(dict.fromkeys(NUMBERS, 0.25), a_second=a_second, for_s=for_s, arrivals="poisson", seed=seed)
    return Load(calls, dict.fromkeys(NUMBERS, GENERAL), dict.fromkeys(seats, GENERAL))


def scarce_skill(for_s: float, seed: int, arrivals: Arrivals) -> Contest:
    """A skill that three of the eight seats have: this project, and a queue for each skill."""
    *ordinary, special = NUMBERS
    needs = {**dict.fromkeys(ordinary, GENERAL), special: frozenset({SCARCE})}
    shares = {**dict.fromkeys(ordinary, (1 - SCARCE_SHARE) / len(ordinary)), special: SCARCE_SHARE}
    calls = planned(shares, a_second=SKILLED_A_SECOND, for_s=for_s, arrivals=arrivals, seed=seed)
    seats = {seat: GENERAL | {SCARCE} if seat in SCARCE_SEATS else GENERAL for seat in SEATS}
    queue_of = {**dict.fromkeys(ordinary, "ordinary"), special: "special"}
    own = Queues(queue_of, {"ordinary": GENERAL, "special": frozenset({SCARCE})}, STRATEGY)
    return Contest(
        EVEN if arrivals == "even" else AS_THEY_LIKE,
        Load(calls, needs, seats),
        (PROJECT, Way("a queue for each skill", own)),
    )


async def compete(
    contests: Sequence[Contest], rounds: int, folder: Path, told: Callable[[Result], None]
) -> list[Result]:
    """Plays every way of every contest `rounds` times, one after the other. Raises as `bench.rounds.play`."""
    results: list[Result] = []
    for number in range(rounds):
        for contest, way in _in_turn(contests):
            others = os.getloadavg()[0]
            # Short, because Asterisk's control sockets have little room for a path.
            with tempfile.TemporaryDirectory(prefix=f"{number}-", dir=folder) as place:
                played = await play(way, contest.load, Path(place), folder / "sounds")
            results.append(Result(contest.name, others, played, len(contest.load.seats)))
            told(results[-1])
    return results


def _in_turn(contests: Sequence[Contest]) -> Iterator[tuple[Contest, Way]]:
    for contest in contests:
        for way in contest.ways:
            yield contest, way


def targets(results: Sequence[Result]) -> list[Target]:
    """The worst round of this project counts; for the mean wait, the mean of all rounds of each way.

    The scarce skill is held to its target where calls come evenly; where they come as they like,
    even the ideal line waits longer.
    """
    equal = [result.round for result in results if result.contest == EQUAL]
    ours = [one for one in equal if one.way == PROJECT.name]
    rivals = {one.way for one in equal} - {PROJECT.name}
    ratio = _mean_wait_s(ours) / min(_mean_wait_s([one for one in equal if one.way == rival]) for rival in rivals)
    everything = [result.round for result in results if result.round.way == PROJECT.name]
    passed = max(one.figures.passed_percent for one in everything)
    idle = max(one.figures.idle_median_ms for one in ours)
    failed = sum(one.figures.failed for one in everything)
    scarce = max(
        result.round.wait_max_by_skill_s[SCARCE]
        for result in results
        if result.contest == EVEN and result.round.way == PROJECT.name
    )
    return [
        Target("connections that passed a longer waiter", "0 %", f"{passed:.1f} %", passed == 0),
        Target("mean wait, of that of the better queues", "at most 0.6", f"{ratio:.2f}", ratio <= 0.6),
        Target("a seat idle while callers wait, median", "under 20 ms", f"{idle:.1f} ms", idle < 20),
        Target("failed calls", "0", str(failed), failed == 0),
        Target("longest wait for the scarce skill", "under 1 s", f"{scarce:.2f} s", scarce < 1),
    ]


def _mean_wait_s(rounds: Sequence[Round]) -> float:
    return sum(one.figures.wait_mean_s for one in rounds) / len(rounds)


def as_json(
    contests: Sequence[Contest],
    results: Sequence[Result],
    judged: Sequence[Target],
    *,
    seed: int,
    for_s: float,
    rounds: int,
) -> Mapping[str, Any]:
    """Everything about a run."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "seed": seed,
        "for_s": {"equal": for_s, "skills": for_s / 2, "growing": GROWN_S},
        "rounds": rounds,
        "talk_s": TALK_S,
        "a_second": {"equal": A_SECOND, "skills": SKILLED_A_SECOND},
        "scarce_share": SCARCE_SHARE,
        "strategy": STRATEGY,
        "targets": [asdict(target) for target in judged],
        "ideal": {contest.name: asdict(ideal(contest.load)) for contest in contests if contest.name != GROWING},
        "results": [asdict(result) for result in results],
    }
