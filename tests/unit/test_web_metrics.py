"""What Prometheus reads: its form, its labels, and who may read it."""

import re
from dataclasses import replace
from typing import Any

import pytest

from calls.record import Outcome
from tests.support.metrics_of import FULL, NUMBERS, metrics
from tests.support.tools import says
from web.metrics import Reading


def values(text: str) -> dict[str, float]:
    """Each series with its value."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def told(now: Reading = FULL) -> dict[str, float]:
    return values(metrics(now).text().decode())


def test_promtool_finds_nothing_to_say_of_the_exposition() -> None:
    made = metrics()
    made.ended("12345", "answered", 3_000, ours=False)
    made.emergency("110", 800)
    made.decision.observe(0.001)
    assert says("promtool", "check", "metrics", given=made.text()) == (0, "")


def test_a_reading_is_told_as_it_is() -> None:
    found = told()
    assert found["hotline_steering"] == 1
    assert found['hotline_callers_waiting{number="12345"}'] == 3
    assert found['hotline_seats{state="free"}'] == 2
    assert found['hotline_cover_least{shift="night",skill="social"}'] == 4
    assert found['hotline_restarts_total{part="asterisk",wanted="no"}'] == 2
    assert found['hotline_disk_state{state="low"}'] == 1
    assert sum(value for name, value in found.items() if name.startswith("hotline_disk_state")) == 1


@pytest.mark.parametrize(
    ("field", "metric"),
    [
        ("heartbeat_age_s", "hotline_heartbeat_age_seconds"),
        ("disk_free_bytes", "hotline_disk_free_bytes"),
        ("audit_faults", "hotline_audit_faults"),
        ("certificate_ends_s", "hotline_certificate_end_seconds"),
        ("look_age_s", "hotline_look_age_seconds"),
    ],
)
def test_what_is_not_known_has_no_sample(field: str, metric: str) -> None:
    assert metric in told()
    unknown: dict[str, Any] = {field: None}
    assert metric not in told(replace(FULL, **unknown))


def test_a_call_is_counted_by_its_number_and_outcome() -> None:
    made = metrics()
    for number, outcome, wait_ms in (
        ("12345", "answered", 4_000),
        ("12345", "abandoned", 90_000),
        ("110", "emergency", None),
    ):
        made.ended(number, outcome, wait_ms, ours=False)
    found = values(made.text().decode())
    assert found['hotline_calls_total{number="12345",outcome="answered"}'] == 1
    assert found['hotline_calls_total{number="12345",outcome="abandoned"}'] == 1
    assert found['hotline_calls_total{number="110",outcome="emergency"}'] == 1
    # Only who was answered waited to the end.
    assert found['hotline_wait_seconds_count{number="12345"}'] == 1
    assert found['hotline_wait_seconds_bucket{le="5.0",number="12345"}'] == 1


def test_calls_of_the_hotlines_own_are_no_citizens_calls() -> None:
    made = metrics()
    made.ended("12345", "answered", 4_000, ours=True)
    found = values(made.text().decode())
    assert found['hotline_called_back_total{outcome="answered"}'] == 1
    assert found['hotline_calls_total{number="12345",outcome="answered"}'] == 0


def test_an_emergency_counts_whether_it_was_answered() -> None:
    made = metrics()
    made.emergency("110", 1_500)
    made.emergency("110", None)
    found = values(made.text().decode())
    assert found['hotline_emergencies_total{answered="yes",number="110"}'] == 1
    assert found['hotline_emergencies_total{answered="no",number="110"}'] == 1
    assert found['hotline_emergency_seconds_sum{number="110"}'] == 1.5


def test_whatever_callers_dial_there_are_only_so_many_series() -> None:
    made = metrics()
    before = len(values(made.text().decode()))
    for serial in range(300):
        made.ended(f"1380000{serial:04d}", "refused_unknown", None, ours=False)
        made.emergency(f"1380000{serial:04d}", 100)
    found = values(made.text().decode())
    assert found['hotline_calls_total{number="other",outcome="refused_unknown"}'] == 300
    assert not [name for name in found if "1380000" in name]
    assert len(found) < before + 40


def test_every_outcome_of_every_number_is_there_from_the_beginning() -> None:
    found = told()
    for number in NUMBERS:
        for outcome in Outcome:
            assert found[f'hotline_calls_total{{number="{number}",outcome="{outcome.value}"}}'] == 0


def test_two_registries_know_nothing_of_each_other() -> None:
    one, other = metrics(), metrics()
    one.snapshots.inc()
    assert values(one.text().decode())["hotline_snapshots_total"] == 1
    assert values(other.text().decode())["hotline_snapshots_total"] == 0


def test_no_time_of_birth_and_no_exemplar_stands_in_it() -> None:
    text = metrics().text().decode()
    assert "_created" not in text
    assert not re.search(r"^[^#\n]+#", text, re.MULTILINE)
