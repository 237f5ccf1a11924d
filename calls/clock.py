"""Times of a call whose machine's clock was set meanwhile."""

from collections.abc import Iterable
from dataclasses import replace

from calls.cel import Row

SLACK_US = 500_000
"""Asterisk writes from several threads: a line may be so much older than the one before it."""


def steadied(rows: Iterable[Row]) -> tuple[tuple[Row, ...], bool]:
    """The rows with times that do not jump back, and whether the clock did. `rows`: in the order of their lines.

    The clock before the jump goes on: what comes after it is later by as much as the jump, so that no
    duration is negative. How long the jump itself took is not known, and counts as nothing. A jump
    forwards looks like a long silence, and stays.
    """
    ahead_us = latest_us = 0
    stepped = False
    steady = []
    for row in rows:
        at_us = row.at_us + ahead_us
        if at_us < latest_us - SLACK_US:
            ahead_us += latest_us - at_us
            at_us, stepped = latest_us, True
        latest_us = max(latest_us, at_us)
        steady.append(replace(row, at_us=at_us) if ahead_us else row)
    return tuple(steady), stepped
