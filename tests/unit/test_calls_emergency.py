"""How soon an emergency number had the caller who wanted it."""

from calls.emergency import passed_on_ms
from tests.support.journal_lines import MadeCall


def arrived(dialled: str = "110") -> MadeCall:
    call = MadeCall()
    call.arrive(dialled=dialled)
    return call


def tried(call: MadeCall, trunk: str, *, rings_ms: int, answers: bool) -> None:
    call.step("TRUNK", trunk=trunk, dial="110")
    leg = call.leg(trunk)
    if answers:
        call.event("ANSWER", leg, wait_ms=rings_ms)
    else:
        call.hangup(leg, cause=38, wait_ms=rings_ms)
    call.step("TRUNK_END", trunk=trunk, status="ANSWER" if answers else "CHANUNAVAIL")


def test_it_counts_from_the_wish_to_the_answer() -> None:
    call = arrived()
    call.step("EMERGENCY", number="110", by="dialled")
    tried(call, "police", rings_ms=800, answers=True)
    call.end()
    assert passed_on_ms(call.rows) == 1_000


def test_the_first_line_that_is_dead_costs_its_time() -> None:
    call = arrived()
    call.step("EMERGENCY", number="110", by="dialled")
    tried(call, "police", rings_ms=500, answers=False)
    tried(call, "police_two", rings_ms=800, answers=True)
    call.end()
    assert passed_on_ms(call.rows) == 1_800


def test_what_was_answered_before_the_wish_does_not_count() -> None:
    call = arrived("12345")
    call.enter_room()
    leg = call.talk()
    call.step("EMERGENCY", number="110", by="transfer")
    tried(call, "police", rings_ms=300, answers=True)
    call.end(by=leg)
    assert passed_on_ms(call.rows) == 500


def test_who_reaches_nobody_has_no_time() -> None:
    call = arrived()
    call.step("EMERGENCY", number="110", by="dialled")
    tried(call, "police", rings_ms=500, answers=False)
    call.end()
    assert passed_on_ms(call.rows) is None


def test_a_call_without_such_a_wish_has_none() -> None:
    call = arrived("12345")
    call.enter_room()
    call.talk()
    call.end()
    assert passed_on_ms(call.rows) is None
