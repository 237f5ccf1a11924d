"""The figures of the fairness benchmark, on lines of callers made by hand."""

import pytest

from bench.fairness import EQUAL, EVEN, GROWN_SEATS, PROJECT, Result, equal_callers, growing, scarce_skill, targets
from bench.figures import Caller, Figures, Skills, Talk, figures, idle_ms, passed, percentile
from bench.ideal import ideal_waits_s
from bench.load import Planned, planned
from bench.queues import queues
from bench.rounds import Round
from bench.traced import callers

GENERAL: Skills = frozenset({"general"})
HOUSING: Skills = frozenset({"housing"})
BOTH = GENERAL | HOUSING
SEATS = {"8001": GENERAL, "8002": GENERAL}


def caller(name: str, waits_ms: int, talk: tuple[str, int, int] | None = None, needs: Skills = GENERAL) -> Caller:
    """`talk`: the seat, when it rang and when the talk ended, in ms; it answered 1 ms after it rang."""
    if talk is None:
        return Caller(name, needs, waits_ms * 1000)
    seat, rings_ms, ends_ms = talk
    return Caller(name, needs, waits_ms * 1000, Talk(seat, rings_ms * 1000, (rings_ms + 1) * 1000, ends_ms * 1000))


def test_nobody_is_passed_when_callers_are_served_in_their_order() -> None:
    line = [caller("a", 0, ("8001", 500, 900)), caller("b", 100, ("8002", 600, 900))]
    assert passed(line, SEATS) == 0


def test_a_later_caller_who_is_connected_first_passed_the_longer_waiter() -> None:
    line = [caller("a", 0, ("8001", 600, 900)), caller("b", 100, ("8002", 500, 900))]
    assert passed(line, SEATS) == 1


def test_two_seats_that_ring_together_pass_nobody_unless_every_microsecond_counts() -> None:
    line = [caller("a", 0, ("8001", 510, 900)), caller("b", 100, ("8002", 500, 900))]
    assert passed(line, SEATS) == 0
    assert passed(line, SEATS, together_us=0) == 1


def test_callers_who_begin_to_wait_together_pass_nobody() -> None:
    line = [caller("a", 0, ("8001", 900, 1900)), caller("b", 10, ("8002", 500, 900))]
    assert passed(line, SEATS) == 0


def test_who_never_came_to_a_seat_was_passed_by_everybody_later() -> None:
    line = [caller("a", 0), caller("b", 100, ("8001", 500, 900)), caller("c", 200, ("8002", 500, 900))]
    assert passed(line, SEATS) == 2


def test_a_longer_waiter_whom_the_seat_cannot_serve_is_not_passed() -> None:
    line = [caller("a", 0, ("8002", 900, 1900), needs=HOUSING), caller("b", 100, ("8001", 500, 900))]
    assert passed(line, {"8001": GENERAL, "8002": BOTH}) == 0
    assert passed(line, {"8001": BOTH, "8002": BOTH}) == 1


def test_a_seat_is_idle_from_its_last_talk_to_its_next_ring_while_somebody_waits() -> None:
    line = [caller("a", 0, ("8001", 10, 1000)), caller("b", 500, ("8001", 1100, 2000))]
    assert idle_ms(line, SEATS) == [100.0]


def test_a_seat_that_nobody_needs_is_not_idle() -> None:
    line = [caller("a", 0, ("8001", 10, 1000)), caller("b", 5000, ("8001", 5010, 6000))]
    assert idle_ms(line, SEATS) == [10.0]


def test_a_seat_is_not_idle_for_somebody_whom_it_cannot_serve() -> None:
    line = [
        caller("a", 0, ("8001", 10, 1000)),
        caller("b", 500, ("8002", 3000, 4000), needs=HOUSING),
        caller("c", 2000, ("8001", 2010, 3000)),
    ]
    assert idle_ms(line, {"8001": GENERAL, "8002": BOTH}) == [10.0]


def test_the_wait_at_hand_counts_over_several_callers_but_not_over_a_break() -> None:
    line = [
        caller("a", 0, ("8001", 10, 1000)),
        caller("b", 1100, ("8002", 1150, 9000)),
        caller("c", 1200, ("8003", 1400, 9000)),
        caller("d", 1300, ("8001", 1500, 2000)),
    ]
    assert idle_ms(line, {**SEATS, "8003": GENERAL}) == [300.0]


def test_a_round_counts_who_did_not_have_the_whole_talk_as_failed() -> None:
    line = [caller("a", 0, ("8001", 100, 1601)), caller("b", 0, ("8002", 100, 700)), caller("c", 0)]
    found = figures(line, SEATS, placed=4, whole_s=1.4)
    assert (found.calls, found.failed) == (4, 3)
    assert found.wait_max_s == pytest.approx(0.101)


def test_a_round_without_any_talk_has_figures_all_the_same() -> None:
    found = figures([caller("a", 0)], SEATS, placed=1, whole_s=1.4)
    assert (found.failed, found.passed_percent, found.wait_max_s, found.idle_median_ms) == (1, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 2), (0.75, 3), (0.95, 4), (1.0, 4)])
def test_a_percentile_is_one_of_the_values(share: float, value: float) -> None:
    assert percentile([4, 2, 1, 3], share) == value


def line_of(kind: str, at: str, channel: str, uniqueid: str, linkedid: str, *, exten: str = "") -> str:
    return ",".join(f'"{value}"' for value in (kind, at, channel, uniqueid, linkedid, "c", exten, "", ""))


def test_a_talk_is_read_from_the_journal() -> None:
    lines = [
        line_of("CHAN_START", "100.000000", "PJSIP/carrier-1", "n-1", "n-1", exten="12319"),
        line_of("ROOM", "100.500000", "PJSIP/carrier-1", "n-1", "n-1"),
        line_of("CHAN_START", "101.000000", "PJSIP/8001-1", "n-2", "n-1"),
        line_of("HANGUP", "101.100000", "PJSIP/8001-1", "n-2", "n-1"),
        line_of("CHAN_START", "102.000000", "PJSIP/8002-1", "n-3", "n-1"),
        line_of("ANSWER", "102.250000", "PJSIP/8002-1", "n-3", "n-1"),
        line_of("HANGUP", "103.750000", "PJSIP/8002-1", "n-3", "n-1"),
        line_of("CHAN_START", "104.000000", "PJSIP/carrier-2", "n-4", "n-4", exten="110"),
    ]
    (found,) = callers(lines, {"12319": GENERAL}, SEATS)
    assert found == Caller("n-1", GENERAL, 100_500_000, Talk("8002", 102_000_000, 102_250_000, 103_750_000))
    assert found.wait_s == pytest.approx(1.75)


def test_a_caller_who_was_hung_up_on_while_waiting_has_no_talk() -> None:
    lines = [
        line_of("CHAN_START", "100.000000", "PJSIP/carrier-1", "n-1", "n-1", exten="12319"),
        line_of("ROOM", "100.500000", "PJSIP/carrier-1", "n-1", "n-1"),
        line_of("HANGUP", "101.000000", "PJSIP/carrier-1", "n-1", "n-1"),
    ]
    assert callers(lines, {"12319": GENERAL}, SEATS) == [Caller("n-1", GENERAL, 100_500_000)]


def test_the_same_seed_gives_the_same_calls_and_each_caller_calls_once() -> None:
    plan = planned({"12319": 0.5, "12333": 0.5}, a_second=6, for_s=60, arrivals="poisson", seed=1)
    assert plan == planned({"12319": 0.5, "12333": 0.5}, a_second=6, for_s=60, arrivals="poisson", seed=1)
    assert len({one.caller for one in plan}) == len(plan)
    assert 300 < len(plan) < 420
    assert [one.at_ms for one in plan] == sorted(one.at_ms for one in plan)


def test_even_calls_to_each_number_come_at_equal_distances() -> None:
    plan = planned({"12319": 0.8, "12329": 0.2}, a_second=5, for_s=3, arrivals="even", seed=1)
    assert [one.at_ms for one in plan if one.number == "12319"] == [250 * place for place in range(12)]
    assert [one.at_ms for one in plan if one.number == "12329"] == [500, 1500, 2500]
    assert len({one.caller for one in plan}) == 15


def test_the_ideal_line_waits_only_for_seats() -> None:
    plan = [Planned(at_ms, "12319", str(at_ms)) for at_ms in (0, 100, 200)]
    assert ideal_waits_s(plan, {"12319": GENERAL}, SEATS, 1.5) == [(GENERAL, 0.0), (GENERAL, 0.0), (GENERAL, 1.3)]


def test_the_ideal_line_gives_a_seat_to_the_longest_waiter_whom_it_can_serve() -> None:
    plan = [Planned(0, "12319", "a"), Planned(1, "12319", "b"), Planned(2, "12329", "c"), Planned(3, "12319", "d")]
    waits = ideal_waits_s(plan, {"12319": GENERAL, "12329": HOUSING}, {"8001": GENERAL, "8002": BOTH}, 1.0)
    assert waits == [(GENERAL, 0.0), (GENERAL, 0.0), (GENERAL, 0.997), (HOUSING, 0.999)]


def test_a_seat_is_a_member_of_each_queue_that_it_can_serve() -> None:
    text = queues({"ordinary": GENERAL, "housing": HOUSING}, {"8001": BOTH, "8004": GENERAL}, strategy="rrmemory")
    general, housing = text.partition("[housing]")[0], text.partition("[housing]")[2]
    assert general.count("member =>") == 2
    assert housing.count("member =>") == 1
    assert "PJSIP/8001" in housing


def test_a_queue_that_asterisk_would_take_for_its_general_section_is_refused() -> None:
    with pytest.raises(ValueError, match="general"):
        queues({"general": GENERAL}, {"8001": GENERAL}, strategy="rrmemory")


def test_every_way_of_a_contest_gets_the_same_calls() -> None:
    assert equal_callers(20, 1).load == equal_callers(20, 1).load
    scarce = scarce_skill(60, 1, "even").load
    special = [one for one in scarce.calls if "housing" in scarce.needs[one.number]]
    assert 0.1 < len(special) / len(scarce.calls) < 0.3
    assert sum("housing" in has for has in scarce.seats.values()) == 3


def test_so_many_times_the_seats_get_so_many_times_the_calls() -> None:
    loads = [one.load for one in growing(1)]
    assert [len(load.seats) for load in loads] == [*GROWN_SEATS]
    assert all(0.7 < len(load.calls) / (15 * len(load.seats)) < 1.3 for load in loads)


def result(contest: str, way: str, **changed: float) -> Result:
    values = {
        "passed_percent": 0.0, "passed_at_all_percent": 0.0, "wait_mean_s": 1.0, "wait_median_s": 1.0,
        "wait_max_s": 2.0, "idle_median_ms": 5.0, "idle_p95_ms": 9.0, **changed,
    }  # fmt: skip
    failed, scarce = int(values.pop("failed", 0)), values.pop("scarce_s", 0.5)
    made = Figures(calls=10, failed=failed, **values)
    return Result(contest, 0.0, Round(way, made, 1.0, None, {"housing": scarce}, 0))


def met(*results: Result) -> list[bool]:
    return [target.met for target in targets(results)]


def test_targets_are_measured_against_the_better_of_the_queues() -> None:
    rivals = (result(EQUAL, "four queues", wait_mean_s=2.0), result(EQUAL, "one queue", wait_mean_s=9.0))
    skills = result(EVEN, PROJECT.name)
    assert met(result(EQUAL, PROJECT.name, wait_mean_s=1.2), *rivals, skills) == [True] * 5
    assert met(result(EQUAL, PROJECT.name, wait_mean_s=1.3), *rivals, skills) == [True, False, True, True, True]


def test_the_worst_round_of_this_project_counts() -> None:
    rival, good = result(EQUAL, "one queue", wait_mean_s=9.0), result(EQUAL, PROJECT.name)
    bad = result(EQUAL, PROJECT.name, passed_percent=0.3, idle_median_ms=20.0, failed=1)
    skills = result(EVEN, PROJECT.name), result(EVEN, PROJECT.name, scarce_s=1.0)
    assert met(good, bad, rival, *skills) == [False, True, False, False, False]
