"""Which addresses are to be banned."""

from hypothesis import given
from hypothesis import strategies as st

from routing.bans import ADDRESSES, KNOWN_FOR_MS, KNOWN_MAY_FAIL, BanRules, Suspects

RULES = BanRules(failures=5, within_ms=10_000)
HERE, THERE = "192.0.2.1", "192.0.2.2"


def test_so_many_failures_within_the_span_are_too_many() -> None:
    suspects = Suspects(RULES)
    assert [suspects.failed(HERE, at) for at in (0, 1000, 2000, 3000, 4000)] == [0, 0, 0, 0, 5]


def test_failures_further_apart_are_not() -> None:
    suspects = Suspects(RULES)
    assert not any(suspects.failed(HERE, at) for at in range(0, 1_000_000, 2500))


def test_each_address_counts_for_itself() -> None:
    suspects = Suspects(RULES)
    assert not any(suspects.failed(address, at) for at in range(4) for address in (HERE, THERE))
    assert suspects.failed(HERE, 5) == 5


def test_counting_begins_anew_after_a_ban() -> None:
    suspects = Suspects(RULES)
    assert [suspects.failed(HERE, 0) for _ in range(10)] == [0, 0, 0, 0, 5] * 2


def test_a_right_sign_in_takes_failures_away_and_makes_an_address_known() -> None:
    suspects = Suspects(RULES)
    assert not any(suspects.failed(HERE, at) for at in range(4))
    suspects.signed_in(HERE, 5)
    found = [suspects.failed(HERE, 6) for _ in range(RULES.failures * KNOWN_MAY_FAIL)]
    assert found == [0] * (len(found) - 1) + [len(found)]


def test_an_address_is_known_for_a_while_only() -> None:
    suspects = Suspects(RULES)
    suspects.signed_in(HERE, 0)
    assert [suspects.failed(HERE, KNOWN_FOR_MS) for _ in range(5)] == [0, 0, 0, 0, 5]


def test_forged_addresses_make_no_known_one_forgotten() -> None:
    suspects = Suspects(RULES)
    suspects.signed_in(HERE, 0)
    for number in range(2 * ADDRESSES):
        suspects.failed(f"forged {number}", 1)
    assert not any(suspects.failed(HERE, 2) for _ in range(RULES.failures))
    assert len(suspects._heard) <= ADDRESSES


@given(st.lists(st.tuples(st.sampled_from((HERE, THERE)), st.integers(0, 4000)), max_size=60))
def test_no_ban_has_fewer_failures_than_the_rules_say(steps: list[tuple[str, int]]) -> None:
    suspects, now_ms = Suspects(RULES), 0
    failures: dict[str, list[int]] = {HERE: [], THERE: []}
    for address, later_ms in steps:
        now_ms += later_ms
        failures[address].append(now_ms)
        recent = [at for at in failures[address] if at > now_ms - RULES.within_ms]
        times = suspects.failed(address, now_ms)
        assert times == (len(recent) if len(recent) >= RULES.failures else 0)
        failures[address] = [] if times else recent
