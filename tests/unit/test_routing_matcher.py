"""Who is next, compared with the rule written down plainly."""

from collections.abc import Iterable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from calls.live import CallRef, Seat
from routing.matcher import Idle, Matcher, Rank
from routing.skills import Demand, Has, serves

SKILLS = st.sampled_from("abc")
HAS = st.dictionaries(SKILLS, st.integers(1, 3), max_size=3).map(lambda levels: frozenset(levels.items()))
NEEDS = st.dictionaries(SKILLS, st.integers(1, 3), min_size=1, max_size=2).map(lambda levels: frozenset(levels.items()))
DEMANDS = st.frozensets(NEEDS, min_size=1, max_size=3)
CLASSES = st.tuples(st.integers(0, 2), st.integers(0, 3))
CALLERS = st.lists(st.tuples(DEMANDS, CLASSES), max_size=12).map(
    lambda drawn: [(demand, (*rank, CallRef(f"call{at:02}"))) for at, (demand, rank) in enumerate(drawn)]
)
SEATS = st.lists(st.tuples(HAS, st.integers(0, 4)), max_size=12).map(
    lambda drawn: [(has, (since, Seat(f"80{at:02}"))) for at, (has, since) in enumerate(drawn)]
)

OLDER = st.dictionaries(DEMANDS, CLASSES, max_size=3).map(
    lambda drawn: {demand: (*rank, CallRef(f"older{at}")) for at, (demand, rank) in enumerate(drawn.items())}
)
NOBODY: Mapping[Demand, Rank] = {}

Callers = list[tuple[Demand, Rank]]
Seats = list[tuple[Has, Idle]]


def can(**levels: int) -> Has:
    return frozenset(levels.items())


def wants(*alternatives: Has) -> Demand:
    return frozenset(alternatives)


def matcher(callers: Callers, seats: Seats) -> Matcher:
    made = Matcher()
    for demand, rank in callers:
        made.add_caller(demand, rank)
    for has, idle in seats:
        made.add_seat(has, idle)
    return made


def able(has: Has, demand: Demand) -> list[tuple[int, int]]:
    """For each alternative that the seat reaches: its other skills, and its levels above those needed."""
    levels = dict(has)
    return [
        (len(levels) - len(need), sum(levels[skill] - least for skill, least in need))
        for need in demand
        if all(levels.get(skill, 0) >= least for skill, least in need)
    ]


def plainly(
    callers: Iterable[tuple[Demand, Rank]], seats: Iterable[tuple[Has, Idle]], older: Mapping[Demand, Rank] = NOBODY
) -> list[tuple[CallRef, Seat]]:
    """The rule, word for word: callers in their order, each takes the best seat that is left; one who
    is older and not here takes every seat that could serve it, and leaves it free."""
    left = list(seats)
    found = []
    for demand, rank in sorted((*callers, *older.items()), key=lambda entry: entry[1]):
        if older.get(demand) == rank:
            left = [(has, idle) for has, idle in left if not able(has, demand)]
            continue
        fit = [(min(able(has, demand)), idle, has) for has, idle in left if able(has, demand)]
        if fit:
            _, idle, has = min(fit, key=lambda entry: entry[:2])
            left.remove((has, idle))
            found.append((rank[2], idle[1]))
    return found


@given(CALLERS, SEATS)
@settings(deadline=None)
def test_pairs_are_those_of_the_plain_rule(callers: Callers, seats: Seats) -> None:
    assert matcher(callers, seats).pairs() == plainly(callers, seats)


@given(CALLERS, SEATS, OLDER)
@settings(deadline=None)
def test_nobody_gets_a_seat_that_could_serve_somebody_older_who_is_not_here(
    callers: Callers, seats: Seats, older: Mapping[Demand, Rank]
) -> None:
    has = {idle[1]: skills for skills, idle in seats}
    ranks = {rank[2]: rank for _, rank in callers}
    for ref, seat in matcher(callers, seats).pairs(older):
        assert not any(rank < ranks[ref] and serves(has[seat], demand) for demand, rank in older.items())


@given(CALLERS, SEATS)
@settings(deadline=None)
def test_nobody_is_passed_and_no_able_seat_is_left_idle(callers: Callers, seats: Seats) -> None:
    found = matcher(callers, seats).pairs()
    pairs = dict(found)
    assert len(pairs) == len(found) == len(set(pairs.values()))
    has = {idle[1]: skills for skills, idle in seats}
    idle = set(has) - set(pairs.values())
    ranks = {rank[2]: (rank, demand) for demand, rank in callers}
    for rank, demand in ranks.values():
        if rank[2] in pairs:
            assert serves(has[pairs[rank[2]]], demand)
            continue
        assert not any(serves(has[seat], demand) for seat in idle)
        for later, seat in pairs.items():
            assert ranks[later][0] < rank or not serves(has[seat], demand)


class Day(RuleBasedStateMachine):
    """Callers and seats come, go and are paired in any order; a plain list of each is kept beside."""

    def __init__(self) -> None:
        super().__init__()
        self.callers: dict[CallRef, tuple[Demand, Rank]] = {}
        self.seats: dict[Seat, tuple[Has, Idle]] = {}
        self.number = 0

    @initialize(remembered=st.sampled_from([1, 2, 3, 100]))
    def begins(self, remembered: int) -> None:
        self.tried = Matcher(remembered=remembered)

    @rule(demand=DEMANDS, rank=CLASSES)
    def a_caller_comes(self, demand: Demand, rank: tuple[int, int]) -> None:
        self.number += 1
        ref = CallRef(f"call{self.number:03}")
        self.callers[ref] = demand, (*rank, ref)
        self.tried.add_caller(*self.callers[ref])

    @rule(has=HAS, since=st.integers(0, 4))
    def a_seat_becomes_free(self, has: Has, since: int) -> None:
        self.number += 1
        seat = Seat(f"{self.number:03}")
        self.seats[seat] = has, (since, seat)
        self.tried.add_seat(*self.seats[seat])

    @rule(at=st.integers(0, 50))
    def a_caller_hangs_up(self, at: int) -> None:
        if self.callers:
            self.tried.remove_caller(*self.callers.pop(sorted(self.callers)[at % len(self.callers)]))

    @rule(at=st.integers(0, 50))
    def a_seat_is_taken_away(self, at: int) -> None:
        if self.seats:
            self.tried.remove_seat(*self.seats.pop(sorted(self.seats)[at % len(self.seats)]))

    @rule(at=st.integers(0, 50), demand=DEMANDS)
    def a_caller_has_waited_so_long_that_others_will_do(self, at: int, demand: Demand) -> None:
        if self.callers:
            ref = sorted(self.callers)[at % len(self.callers)]
            before, rank = self.callers[ref]
            self.tried.remove_caller(before, rank)
            self.callers[ref] = before | demand, rank
            self.tried.add_caller(*self.callers[ref])

    @rule()
    def pairs_are_made(self) -> None:
        expected = plainly(self.callers.values(), self.seats.values())
        assert self.tried.pairs() == expected
        for ref, seat in expected:
            del self.callers[ref], self.seats[seat]
        assert self.tried.pairs() == []

    @rule(older=OLDER)
    def pairs_are_made_while_somebody_older_is_not_here(self, older: Mapping[Demand, Rank]) -> None:
        """Whom that held back is remembered, even if nothing else happens."""
        expected = plainly(self.callers.values(), self.seats.values(), older)
        assert self.tried.pairs(older) == expected
        for ref, seat in expected:
            del self.callers[ref], self.seats[seat]
        assert self.tried.pairs(older) == []


Day.TestCase.settings = settings(deadline=None, max_examples=100, stateful_step_count=30)
TestADay = Day.TestCase


def test_a_specialist_stays_free_for_those_who_need_it() -> None:
    tried = matcher(
        [(wants(can(a=1)), (5, 1, CallRef("plain"))), (wants(can(a=1, b=1)), (5, 2, CallRef("special")))],
        [(can(a=1, b=1), (0, Seat("8001"))), (can(a=1), (9, Seat("8002")))],
    )
    assert tried.pairs() == [("plain", "8002"), ("special", "8001")]


def test_an_expert_stays_free_where_less_will_do() -> None:
    tried = matcher(
        [(wants(can(a=2)), (5, 1, CallRef("plain"))), (wants(can(a=5)), (5, 2, CallRef("hard")))],
        [(can(a=5), (0, Seat("8001"))), (can(a=3), (9, Seat("8002")))],
    )
    assert tried.pairs() == [("plain", "8002"), ("hard", "8001")]


def test_a_beginner_does_not_get_a_caller_who_needs_more() -> None:
    tried = matcher([(wants(can(a=3)), (5, 1, CallRef("only")))], [(can(a=2), (0, Seat("8001")))])
    assert tried.pairs() == []


def test_another_skill_serves_where_it_is_good_enough() -> None:
    tried = matcher([(wants(can(a=3), can(b=1)), (5, 1, CallRef("only")))], [(can(b=1), (0, Seat("8001")))])
    assert tried.pairs() == [("only", "8001")]


def test_of_equal_seats_the_one_that_was_free_longest_rings() -> None:
    tried = matcher(
        [(wants(can(a=1)), (5, 1, CallRef("only")))],
        [(can(a=1, b=1), (30, Seat("8001"))), (can(a=1, c=1), (10, Seat("8002")))],
    )
    assert tried.pairs() == [("only", "8002")]


def test_a_higher_class_is_served_before_a_longer_wait() -> None:
    tried = matcher(
        [(wants(can(a=1)), (5, 1, CallRef("early"))), (wants(can(a=1)), (1, 9, CallRef("urgent")))],
        [(can(a=1), (0, Seat("8001")))],
    )
    assert tried.pairs() == [("urgent", "8001")]
