"""Who is next, compared with the rule written down plainly."""

from hypothesis import given, settings
from hypothesis import strategies as st

from calls.live import CallRef, Seat
from routing.matcher import Idle, Matcher, Rank, Skills

SKILLS = st.frozensets(st.sampled_from("abcd"), min_size=1, max_size=3)
RANKS = st.tuples(st.integers(0, 2), st.integers(0, 3))
CALLERS = st.lists(st.tuples(SKILLS, RANKS), max_size=12).map(
    lambda drawn: [(needs, (*rank, CallRef(f"call{at:02}"))) for at, (needs, rank) in enumerate(drawn)]
)
SEATS = st.lists(st.tuples(SKILLS, st.integers(0, 4)), max_size=12).map(
    lambda drawn: [(has, (since, Seat(f"80{at:02}"))) for at, (has, since) in enumerate(drawn)]
)

Callers = list[tuple[Skills, Rank]]
Seats = list[tuple[Skills, Idle]]


def matcher(callers: Callers, seats: Seats) -> Matcher:
    made = Matcher()
    for needs, rank in callers:
        made.add_caller(needs, rank)
    for has, idle in seats:
        made.add_seat(has, idle)
    return made


def plainly(callers: Callers, seats: Seats) -> list[tuple[CallRef, Seat]]:
    """The rule, word for word: callers in their order, each takes the best seat that is left."""
    left = list(seats)
    found = []
    for needs, rank in sorted(callers, key=lambda entry: entry[1]):
        able = [(len(has - needs), idle, has) for has, idle in left if needs <= has]
        if able:
            _, idle, has = min(able, key=lambda entry: entry[:2])
            left.remove((has, idle))
            found.append((rank[2], idle[1]))
    return found


@given(CALLERS, SEATS)
@settings(deadline=None)
def test_pairs_are_those_of_the_plain_rule(callers: Callers, seats: Seats) -> None:
    assert matcher(callers, seats).pairs() == plainly(callers, seats)


@given(CALLERS, SEATS)
@settings(deadline=None)
def test_nobody_is_passed_and_no_able_seat_is_left_idle(callers: Callers, seats: Seats) -> None:
    pairs = dict(matcher(callers, seats).pairs())
    assert len(set(pairs.values())) == len(pairs)
    has = {idle[1]: skills for skills, idle in seats}
    idle = set(has) - set(pairs.values())
    ranks = {rank[2]: (rank, needs) for needs, rank in callers}
    for rank, needs in ranks.values():
        if rank[2] in pairs:
            continue
        assert not any(needs <= has[seat] for seat in idle)
        for later, seat in pairs.items():
            assert ranks[later][0] < rank or not needs <= has[seat]


@given(CALLERS, SEATS, st.data())
@settings(deadline=None)
def test_removals_and_earlier_pairs_leave_no_trace(callers: Callers, seats: Seats, data: st.DataObject) -> None:
    tried = matcher(callers, seats)
    gone_callers = data.draw(st.lists(st.sampled_from(callers), unique=True)) if callers else []
    gone_seats = data.draw(st.lists(st.sampled_from(seats), unique=True)) if seats else []
    for needs, rank in gone_callers:
        tried.remove_caller(needs, rank)
    for has, idle in gone_seats:
        tried.remove_seat(has, idle)
    left = [entry for entry in callers if entry not in gone_callers]
    free = [entry for entry in seats if entry not in gone_seats]
    first = tried.pairs()
    assert first == plainly(left, free)
    assert tried.pairs() == []
    for has, idle in free:
        if idle[1] in dict(first).values():
            tried.add_seat(has, idle)
    served = {ref for ref, _ in first}
    waiting = [entry for entry in left if entry[1][2] not in served]
    assert tried.pairs() == plainly(waiting, free)


def test_a_specialist_stays_free_for_those_who_need_it() -> None:
    tried = matcher(
        [(frozenset("a"), (5, 1, CallRef("plain"))), (frozenset("ab"), (5, 2, CallRef("special")))],
        [(frozenset("ab"), (0, Seat("8001"))), (frozenset("a"), (9, Seat("8002")))],
    )
    assert tried.pairs() == [("plain", "8002"), ("special", "8001")]


def test_of_equal_seats_the_one_that_was_free_longest_rings() -> None:
    tried = matcher(
        [(frozenset("a"), (5, 1, CallRef("only")))],
        [(frozenset("ab"), (30, Seat("8001"))), (frozenset("ac"), (10, Seat("8002")))],
    )
    assert tried.pairs() == [("only", "8002")]


def test_a_higher_class_is_served_before_a_longer_wait() -> None:
    tried = matcher(
        [(frozenset("a"), (5, 1, CallRef("early"))), (frozenset("a"), (1, 9, CallRef("urgent")))],
        [(frozenset("a"), (0, Seat("8001")))],
    )
    assert tried.pairs() == [("urgent", "8001")]
