"""The same call through number, menu, queue and seat, answered in six ways: what it costs, and how many a second.

Every way gets the same calls by the same telephones, on the same Asterisk, in one run, in turn.
"""

import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from asterisk.process import StartFailed
from bench.calls_load import Played, Session, session
from bench.calls_placed import Load
from bench.calls_search import FAILED_SHARE, HOPELESS_SHARE, Tried, found_rate, next_rate
from bench.calls_stage import BARE, PROJECT, RIVALS, WAYS, Way
from bench.capture import CaptureFull
from bench.comparison import Comparison, Figure, Run, Target, ratio, spread
from bench.figures import percentile
from bench.ivr.serving import NotServing
from bench.telephones import TALK_S, LoadFailed
from hotline.stage import NeverHappened

COMPARISON = Comparison(
    "calls",
    "Calls through the menu to a seat",
    (
        Figure("rate", "calls a second, at most", more_is_better=True),
        Figure("asterisk_cpu_ms", "CPU of Asterisk, ms a call"),
        Figure("python_cpu_ms", "CPU of Python, ms a call", 2),
        Figure("records_cpu_ms", "CPU of the records, ms a call", 2),
        Figure("sipp_cpu_ms", "CPU of SIPp, ms a call"),
        Figure("answer_p50_ms", "INVITE to 200, median ms", 2),
        Figure("answer_p99_ms", "INVITE to 200, 99 % ms", 2),
        Figure("prompt_p50_ms", "key to next prompt, median ms", 2),
        Figure("prompt_p99_ms", "key to next prompt, 99 % ms", 2),
        Figure("ring_p50_ms", "seat free to ringing, median ms", 2),
        Figure("ring_p99_ms", "seat free to ringing, 99 % ms", 2),
        Figure("failed", "failed calls", 0),
    ),
    reference=BARE.name,
    size="calls a second",
)
CONTESTED = (
    "rate", "asterisk_cpu_ms", "python_cpu_ms", "answer_p50_ms", "answer_p99_ms",
    "prompt_p50_ms", "prompt_p99_ms", "ring_p50_ms", "ring_p99_ms",
)  # fmt: skip
"""In these this project is to be ahead of what is steered from outside in other ways."""
RATE_LEAST, ASTERISK_MOST, PYTHON_MOST_MS = 0.95, 1.15, 0.7
SEEN_SHARE = 0.9
"""A time is told when so large a share of the calls showed it."""
FIRST_STEP = 0.7
"""Where the search for the highest rate begins, of what the processor time a call leaves room for."""
AGAIN = 0.95
"""The same in a later round, of what an earlier one found."""
STEPS_AT_MOST = 24
_WRONG = (NeverHappened, LoadFailed, CaptureFull, StartFailed, NotServing)
"""What a way that is asked too much does, or a machine on which something else is going on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The loads. `searching`: seats while the highest rate is looked for; None: it is not."""

    main: Load
    seats: int
    scarce: Load | None
    """None: `main` has scarce seats already."""
    scarce_seats: int
    growth: tuple[tuple[Load, int], ...]
    """More loads for bare Asterisk and this project, and their seats."""
    searching: int | None
    warming: Load | None
    """What comes before it counts."""
    step_s: float = 10.0

    @property
    def size(self) -> int:
        return round(self.main.a_second)

    @property
    def settings(self) -> Mapping[str, object]:
        """What is kept of it."""
        scarce = self.scarce or self.main
        return {
            "a_second": self.main.a_second,
            "for_s": self.main.for_s,
            "seats": self.seats,
            "scarce_a_second": scarce.a_second,
            "scarce_for_s": scarce.for_s,
            "scarce_seats": self.scarce_seats,
            "talk_s": TALK_S,
            "searching_seats": self.searching,
            "step_s": self.step_s,
            "failed_share": FAILED_SHARE,
        }


_PATIENT_S = 120.0
"""The wait for a scarce seat is no failure."""
FULL = Plan(
    main=Load(16, 20.0),
    seats=80,
    scarce=Load(6, 20.0, _PATIENT_S),
    scarce_seats=8,
    growth=((Load(4, 20.0), 20), (Load(64, 8.0), 320)),
    searching=400,
    warming=Load(8, 1.0),
)
QUICK = Plan(
    main=Load(6, 4.0, _PATIENT_S),
    seats=8,
    scarce=None,
    scarce_seats=8,
    growth=(),
    searching=None,
    warming=None,
)


@dataclass(slots=True)
class Found:
    """What is known so far: by way, round and size."""

    figures: dict[tuple[str, int, int], dict[str, float | None]] = field(default_factory=dict)
    others_load: dict[tuple[str, int, int], float] = field(default_factory=dict)

    def note(self, way: Way, round_: int, size: int, figures: Mapping[str, float | None]) -> None:
        """Adds to what is known; failed calls add up."""
        known = self.figures.setdefault((way.name, round_, size), {})
        failed = [one["failed"] or 0 for one in (known, figures) if "failed" in one]
        known.update(figures)
        if failed:
            known["failed"] = sum(failed)

    def begin(self, way: Way, round_: int, size: int) -> None:
        """Notes how busy the machine is, the first time."""
        self.others_load.setdefault((way.name, round_, size), os.getloadavg()[0])

    def runs(self) -> list[Run]:
        return [
            Run(way, round_, figures, size, self.others_load[way, round_, size])
            for (way, round_, size), figures in self.figures.items()
        ]


async def compete(plan: Plan, rounds: int, folder: Path, told: Callable[[str], None]) -> list[Run]:
    """Every way in turn, `rounds` times. What goes wrong is told, and leaves figures out."""
    found = Found()
    for number in range(1, rounds + 1):
        turn = _turned(WAYS, number - 1)
        contest = _Contest(plan, number, folder, found, told)
        for way in turn:
            await contest.twice(contest.fixed, way)
        for way in turn if plan.scarce else ():
            await contest.twice(contest.scarce, way)
        for way in (way for way in turn if way in {BARE, PROJECT}):
            await contest.growth(way)
        for way in turn if plan.searching else ():
            await contest.twice(contest.search, way)
    return found.runs()


def _turned(ways: Sequence[Way], by: int) -> tuple[Way, ...]:
    start = by % len(ways)
    return (*ways[start:], *ways[:start])


@dataclass(frozen=True, slots=True)
class _Contest:
    """One round."""

    plan: Plan
    number: int
    folder: Path
    found: Found
    told: Callable[[str], None]

    async def twice(self, part: Callable[[Way], Awaitable[None]], way: Way) -> None:
        """A part that fails is played once more: one port that was taken must not cost a long run."""
        for _ in range(2):
            try:
                return await part(way)
            except _WRONG as problem:
                self.told(f"{way.name}, round {self.number}: {problem}")
        return None

    async def fixed(self, way: Way) -> None:
        """Costs and times at the load that all ways get."""
        played = await self._played(way, self.plan.main, self.plan.seats)
        own = fixed_figures(played) if self.plan.scarce else {**fixed_figures(played), **scarce_figures(played)}
        self._note(way, self.plan.size, own)

    async def scarce(self, way: Way) -> None:
        """How long a seat is left alone that somebody waits for."""
        if self.plan.scarce is not None:
            self._note(
                way,
                self.plan.size,
                scarce_figures(await self._played(way, self.plan.scarce, self.plan.scarce_seats)),
            )

    async def growth(self, way: Way) -> None:
        """The costs of fewer and of more calls. A load that is too much for a way is not kept."""
        for load, seats in self.plan.growth:
            size = round(load.a_second)
            try:
                played = await self._played(way, load, seats)
            except _WRONG as problem:
                self.told(f"{way.name}: {size} calls a second are too many: {problem}")
                continue
            if played.failed >= HOPELESS_SHARE * played.calls:
                self.told(f"{way.name}: {size} calls a second are too many: {played.failed} of {played.calls} failed")
                continue
            self._note(way, size, fixed_figures(played))

    async def search(self, way: Way) -> None:
        """The highest rate; a way that was asked too much is started anew before it is asked again."""
        tried: list[Tried] = []
        while len(tried) < STEPS_AT_MOST and self._next(way, tried) is not None:
            async with AsyncExitStack() as opened:
                one = await self._session(opened, way, self.plan.searching or 0)
                while len(tried) < STEPS_AT_MOST and (rate := self._next(way, tried)) is not None:
                    tried.append(await _tried(one, Load(rate, self.plan.step_s)))
                    self.told(f"{way.name}: {rate:.1f} a second: {tried[-1].failed} of {tried[-1].calls} failed")
                    if tried[-1].failed >= HOPELESS_SHARE * tried[-1].calls:
                        break
        self._note(way, self.plan.size, {"rate": found_rate(tried)})

    def _next(self, way: Way, tried: Sequence[Tried]) -> float | None:
        most = 0.9 * (self.plan.searching or 0) / TALK_S
        earlier = [
            rate
            for (name, _, _), figures in self.found.figures.items()
            if name == way.name and (rate := figures.get("rate")) is not None
        ]
        start = AGAIN * earlier[-1] if earlier else FIRST_STEP * room_for(self.found.runs(), way.name, self.plan.size)
        return next_rate(tried, start=start, most=most)

    async def _played(self, way: Way, load: Load, seats: int) -> Played:
        self.found.begin(way, self.number, round(load.a_second) if load is not self.plan.scarce else self.plan.size)
        async with AsyncExitStack() as opened:
            one = await self._session(opened, way, seats)
            return await one.play(load, watched=True)

    async def _session(self, opened: AsyncExitStack, way: Way, seats: int) -> Session:
        # Short, because Asterisk's control sockets have little room for a path.
        place = opened.enter_context(tempfile.TemporaryDirectory(prefix="c", dir=self.folder))
        one = await opened.enter_async_context(session(way, seats, Path(place), self.folder / "sounds"))
        if self.plan.warming is not None:
            await one.play(self.plan.warming)
        return one

    def _note(self, way: Way, size: int, figures: Mapping[str, float | None]) -> None:
        self.found.note(way, self.number, size, figures)
        shown = ", ".join(f"{name} {value:.2f}" for name, value in figures.items() if value is not None)
        self.told(f"{way.name}, round {self.number}, {size} a second: {shown}")


async def _tried(one: Session, load: Load) -> Tried:
    """A step; calls that stay, or that SIPp cannot end, have all failed."""
    try:
        played = await one.play(load)
    except (NeverHappened, LoadFailed):
        return Tried(load.a_second, load.calls, load.calls)
    return Tried(load.a_second, played.calls, played.failed)


def room_for(runs: Iterable[Run], way: str, size: int) -> float:
    """Calls a second for which the machine's processors have time, by what a call cost at `size`; at least 1."""
    parts = ("asterisk_cpu_ms", "python_cpu_ms", "records_cpu_ms", "sipp_cpu_ms")
    own = [run.figures for run in runs if run.way == way and run.size == size]
    cost_ms = sum(figures.get(part) or 0 for figures in own[:1] for part in parts)
    return max(1.0, (os.cpu_count() or 1) * 1000 / cost_ms) if cost_ms else float(size)


def fixed_figures(played: Played) -> dict[str, float | None]:
    """What a load tells that was watched on the wire."""
    spent, calls, wire = played.spent, played.calls, played.wire
    return {
        "asterisk_cpu_ms": spent.asterisk / calls,
        "python_cpu_ms": None if spent.steering is None else spent.steering / calls,
        "records_cpu_ms": None if spent.records is None else spent.records / calls,
        "sipp_cpu_ms": spent.sipp / calls,
        **_of("answer", wire.answers_ms, calls),
        **_of("prompt", wire.prompts_ms, calls),
        "failed": float(played.failed),
    }


def scarce_figures(played: Played) -> dict[str, float | None]:
    """What a load tells for which there were too few seats."""
    return {**_of("ring", played.idle_ms, 1), "failed": float(played.failed)}


def _of(name: str, values_ms: Sequence[float], calls: int) -> dict[str, float | None]:
    enough = len(values_ms) >= max(1.0, SEEN_SHARE * calls)
    return {f"{name}_p{share}_ms": percentile(values_ms, share / 100) if enough else None for share in (50, 99)}


def targets(runs: Sequence[Run], size: int) -> list[Target]:
    """What this project must reach, by the medians of all rounds."""
    rate = ratio(runs, PROJECT.name, BARE.name, "rate", size)
    asterisk = ratio(runs, PROJECT.name, BARE.name, "asterisk_cpu_ms", size)
    steering = spread(runs, PROJECT.name, "python_cpu_ms", size)
    python_ms = None if steering is None else steering.median
    failed = sum(run.figures.get("failed") or 0 for run in runs if run.way == PROJECT.name)
    return [
        Target("calls a second, of bare Asterisk's", f"at least {RATE_LEAST}", _told(rate), _above(rate, RATE_LEAST)),
        Target(
            "CPU of Asterisk, of bare Asterisk's",
            f"at most {ASTERISK_MOST}",
            _told(asterisk),
            _below(asterisk, ASTERISK_MOST),
        ),
        Target(
            "CPU of Python, records apart",
            f"at most {PYTHON_MOST_MS} ms",
            _told(python_ms, " ms"),
            _below(python_ms, PYTHON_MOST_MS),
        ),
        Target("failed calls at fixed loads", "0", f"{failed:.0f}", failed == 0),
        *(_ahead(runs, rival.name, size) for rival in RIVALS),
    ]


def _ahead(runs: Sequence[Run], rival: str, size: int) -> Target:
    """A figure that neither has is not counted."""
    labels = {figure.id: figure for figure in COMPARISON.figures}
    behind: list[str] = []
    for name in CONTESTED:
        own, other = spread(runs, PROJECT.name, name, size), spread(runs, rival, name, size)
        if other is None:
            continue
        better = own is not None and (own.median > other.median) == labels[name].more_is_better
        if not better:
            behind.append(labels[name].label)
    found = f"{len(behind)}: {'; '.join(behind)}" if behind else "0"
    return Target(f"figures in which it is behind {rival}", "0", found, not behind)


def _told(value: float | None, unit: str = "") -> str:
    return "not measured" if value is None else f"{value:.2f}{unit}"


def _above(value: float | None, least: float) -> bool:
    return value is not None and value >= least


def _below(value: float | None, most: float) -> bool:
    return value is not None and value <= most
