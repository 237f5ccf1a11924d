"""Where a survival queue puts a caller: by priority and by the moment in which the wait began."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.compiled_city import compiled
from tests.support.settings_maker import city

TODAY = date(2026, 11, 23)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
MOST = 2**31 - 1
"""Asterisk reads a queue position into an int."""


def position(priority: int, began: datetime) -> int:
    """Of a caller, in files that were compiled on TODAY; the greatest is served first."""
    text = compiled(city(), today=TODAY).files["extensions.conf"]
    (formula,) = set(re.findall(r"Set\(QUEUE_PRIO=\$\[(.*)\]\)", text))
    whole = re.fullmatch(
        r"\((\d+) - \$\{HL_PRIO\}\) \* (\d+) \+ (\d+) - FLOOR\(\(\$\{HL_T0\} - (\d+)\) / (\d+)\)", formula
    )
    assert whole is not None, formula
    lowest, step, most, epoch_ms, unit_ms = map(int, whole.groups())
    return (lowest - priority) * step + most - (int(began.timestamp() * 1000) - epoch_ms) // unit_ms


@pytest.mark.parametrize(
    "began",
    [
        pytest.param(MIDNIGHT - timedelta(hours=14), id="the day has just begun in the city farthest ahead"),
        pytest.param(MIDNIGHT - timedelta(days=3), id="a clock that is set back by days"),
        pytest.param(MIDNIGHT + timedelta(days=480), id="files of long ago"),
    ],
)
def test_emergencies_come_before_everybody_and_each_class_by_its_wait(began: datetime) -> None:
    later = began + timedelta(seconds=1)
    order = [position(priority, moment) for priority in range(10) for moment in (began, later)]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order)
    assert 0 <= min(order) < max(order) <= MOST
