"""What a city publishes of its hotline: each figure once, with its formula and where that comes from.

`docs/figures.md` says the same for people; a test compares the two. Conditions are SQL over a record;
`records_in_figures` has every column that they name.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, assert_never

MANUAL = "city manual"
STANDARD = "GB/T 33358-2016"
_2025 = "国办函〔2025〕66号"
_OURS = "this project"


class Unit(Enum):
    """What a figure is counted in."""

    CALLS = "calls"
    SHARE = "%"
    """Of 1; people read it as %."""
    TIME = "s"
    """In ms; people read it as seconds."""


class By(Enum):
    """What a figure can be told apart by."""

    NUMBER = "number"
    """The number that was served last; the one that was dialled where none was."""
    HOUR = "hour"
    """Of the clock, by arrival."""
    DAY = "day"
    """Of arrival."""
    SEAT = "seat"
    """That answered; a call that several answered counts for each."""
    AGENT = "agent"
    """Who was signed on there."""


@dataclass(frozen=True, slots=True)
class Count:
    """So many calls."""

    calls: str
    """An SQL condition over a record."""


@dataclass(frozen=True, slots=True)
class Share:
    """Calls as a part of others, among which they are."""

    calls: str
    among: str


@dataclass(frozen=True, slots=True)
class Average:
    """The mean of a duration, of those calls that have it."""

    amount: str
    """A column in ms."""
    calls: str


@dataclass(frozen=True, slots=True)
class PassedOn:
    """Emergencies that came to the emergency line, as a part of these calls."""

    among: str


@dataclass(frozen=True, slots=True)
class PassedOnIn:
    """The mean time until an emergency line answered, of those of these calls in which it did."""

    among: str


@dataclass(frozen=True, slots=True)
class StateAverage:
    """The mean length of a seat's times in a state."""

    state: str


@dataclass(frozen=True, slots=True)
class StateShare:
    """Time in some states as a part of the time in these and others."""

    states: frozenset[str]
    among: frozenset[str]


Formula = Count | Share | Average | PassedOn | PassedOnIn | StateAverage | StateShare


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. Names are for people, the id is for programs."""

    id: str
    zh: str
    en: str
    unit: Unit
    of: Formula
    formula: str
    source: str
    by: frozenset[By]


_ENDED = "call_back_of IS NULL AND running = 0"
# What is seldom true stands first: each condition is asked of every call.
ARRIVED: Final = "call_back_of IS NULL"
ANSWERED: Final = f"{_ENDED} AND (outcome = 'answered' OR outcome = 'interrupted' AND seats <> '[]')"
ABANDONED: Final = f"outcome = 'abandoned' AND {_ENDED}"
ASKED: Final = (
    f"{_ENDED} AND (outcome IN ('answered', 'abandoned', 'call_back', 'refused_full') "
    "OR outcome = 'interrupted' AND (wait_ms IS NOT NULL OR seats <> '[]'))"
)
SOON: Final = f"{ANSWERED} AND coalesce(wait_ms, 0) <= :within_ms"
RATED: Final = f"rating IS NOT NULL AND {ANSWERED}"
EMERGENCIES: Final = "emergency_number IS NOT NULL AND running = 0"
CALLED_BACK: Final = "call_back_of IS NOT NULL AND running = 0"

_OF_CALLS = frozenset({By.NUMBER, By.HOUR, By.DAY})
_OF_SEATS = frozenset({By.HOUR, By.DAY, By.SEAT, By.AGENT})
_OF_ALL = _OF_CALLS | _OF_SEATS
_AT_WORK = frozenset({"talking", "wrap_up"})

CATALOGUE: Final = (
    Figure(
        "calls",
        "来电量",
        "calls",
        Unit.CALLS,
        Count(ARRIVED),
        "calls of citizens that arrived",
        _OURS,
        _OF_CALLS,
    ),
    Figure(
        "asked",
        "人工请求量",
        "asked for a person",
        Unit.CALLS,
        Count(ASKED),
        "calls that ended with outcome answered, abandoned, call_back or refused_full, "
        "or were interrupted while waiting or talking",
        _OURS,
        _OF_CALLS,
    ),
    Figure(
        "answered",
        "人工接听量",
        "answered",
        Unit.CALLS,
        Count(ANSWERED),
        "calls that ended with outcome answered, or were interrupted after a seat had answered",
        _OURS,
        _OF_ALL,
    ),
    Figure(
        "connection_rate",
        "接通率",
        "connection rate",
        Unit.SHARE,
        Share(ANSWERED, ASKED),
        "answered ÷ asked",
        STANDARD,
        _OF_CALLS,
    ),
    Figure(
        "answered_within",
        "限时接听率",
        "answered in time",
        Unit.SHARE,
        Share(SOON, ASKED),
        "answered calls with wait_ms up to answered_within, or no wait ÷ asked",
        f"{STANDARD}, {MANUAL}",
        _OF_CALLS,
    ),
    Figure(
        "abandonment",
        "放弃率",
        "abandonment",
        Unit.SHARE,
        Share(ABANDONED, ASKED),
        "calls that ended with outcome abandoned ÷ asked",
        MANUAL,
        _OF_CALLS,
    ),
    Figure(
        "waiting",
        "平均等待时长",
        "average waiting",
        Unit.TIME,
        Average("wait_ms", ANSWERED),
        "sum of wait_ms of answered calls ÷ those of them that waited",
        MANUAL,
        _OF_ALL,
    ),
    Figure(
        "talking",
        "平均通话时长",
        "average talking",
        Unit.TIME,
        Average("talk_ms", ANSWERED),
        "sum of talk_ms of answered calls ÷ answered",
        MANUAL,
        _OF_ALL,
    ),
    Figure(
        "wrap_up",
        "平均话后处理时长",
        "average wrap-up",
        Unit.TIME,
        StateAverage("wrap_up"),
        "time of agents in state wrap_up ÷ how often they were in it",
        MANUAL,
        _OF_ALL,
    ),
    Figure(
        "occupancy",
        "坐席占用率",
        "occupancy",
        Unit.SHARE,
        StateShare(_AT_WORK, _AT_WORK | {"idle", "ringing"}),
        "time of agents in talking and wrap_up ÷ their time in talking, wrap_up, idle and ringing",
        MANUAL,
        _OF_SEATS,
    ),
    Figure(
        "satisfaction",
        "满意率",
        "satisfaction",
        Unit.SHARE,
        Share(f"rating >= 4 AND {RATED}", RATED),
        "answered calls with mark 4 or 5 ÷ answered calls with a mark",
        MANUAL,
        _OF_ALL,
    ),
    Figure(
        "rated",
        "参评率",
        "gave a mark",
        Unit.SHARE,
        Share(RATED, ANSWERED),
        "answered calls with a mark ÷ answered",
        MANUAL,
        _OF_ALL,
    ),
    Figure(
        "emergencies",
        "紧急求助量",
        "emergencies",
        Unit.CALLS,
        Count(EMERGENCIES),
        "calls that ended in which the caller or an agent wanted an emergency number, calls of ours included",
        _OURS,
        _OF_CALLS,
    ),
    Figure(
        "passed_on",
        "紧急转接成功率",
        "emergencies passed on",
        Unit.SHARE,
        PassedOn(EMERGENCIES),
        "emergencies in which the emergency line answered ÷ emergencies",
        _2025,
        _OF_CALLS,
    ),
    Figure(
        "passed_on_in",
        "紧急转接时长",
        "emergencies passed on in",
        Unit.TIME,
        PassedOnIn(EMERGENCIES),
        "sum of the times from the wish (step EMERGENCY) to the line's answer ÷ emergencies passed on",
        _2025,
        _OF_CALLS,
    ),
    Figure(
        "called_back",
        "回拨量",
        "called back",
        Unit.CALLS,
        Count(CALLED_BACK),
        "calls that we made to citizens and that ended",
        _2025,
        _OF_CALLS,
    ),
    Figure(
        "reached",
        "回拨接通率",
        "reached",
        Unit.SHARE,
        Share(f"{CALLED_BACK} AND outcome = 'answered'", CALLED_BACK),
        "calls that we made with outcome answered ÷ called back",
        _OURS,
        _OF_CALLS,
    ),
)
"""Every figure, in the order in which it is shown."""


class NoSuchFigure(LookupError):
    """No figure has this id."""

    def __init__(self, id_: str) -> None:
        self.id = id_
        known = ", ".join(figure.id for figure in CATALOGUE)
        super().__init__(f"no figure is called {id_!r}: choose one of {known}")


def figure_of(id_: str) -> Figure:
    """The figure with this id. Raises NoSuchFigure."""
    for figure in CATALOGUE:
        if figure.id == id_:
            return figure
    raise NoSuchFigure(id_)


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in ms. A percentile is the smallest value that so many do not exceed."""

    median_ms: int
    p95_ms: int
    max_ms: int


@dataclass(frozen=True, slots=True)
class Value:
    """What a figure is. A rate of no calls is none: neither 0 nor 1."""

    numerator: int
    """Calls, or ms."""
    denominator: int | None
    """Calls, times, or ms; None: the figure is the numerator itself."""
    spread: Spread | None = None

    @property
    def result(self) -> float | None:
        """A number, a share of 1, or ms; None: there is nothing to divide by."""
        if self.denominator is None:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None


def conditions(of: Formula) -> tuple[str, str | None]:
    """The SQL of the calls behind numerator and denominator, as far as a record tells; None: there is no such part."""
    match of:
        case Count(calls=calls):
            return calls, None
        case Share(calls=calls, among=among):
            return calls, among
        case Average(amount=amount, calls=calls):
            having = f"{calls} AND {amount} IS NOT NULL"
            return having, having
        case PassedOn(among=among) | PassedOnIn(among=among):
            return among, among
        case StateAverage() | StateShare():
            return "1", "1"
        case _:
            assert_never(of)
