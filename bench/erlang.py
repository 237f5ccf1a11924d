"""Erlang C: waiting in one queue for any of several equal seats, with nobody giving up.

Source: A. K. Erlang, 1917; in the recursive form that stays exact for thousands of seats.
"""

import math


def waiting_probability(load_erlang: float, seats: int) -> float:
    """The share of callers who have to wait at all; 1 when the load is not less than the seats."""
    if load_erlang >= seats:
        return 1.0
    inverse_b = 1.0
    for seat in range(1, seats + 1):
        inverse_b = 1.0 + inverse_b * seat / load_erlang
    blocking = 1.0 / inverse_b
    return blocking * seats / (seats - load_erlang * (1 - blocking))


def mean_wait_s(load_erlang: float, seats: int, handling_s: float) -> float:
    """The mean wait over all callers, in seconds; infinite when the seats are too few."""
    if load_erlang >= seats:
        return math.inf
    return waiting_probability(load_erlang, seats) * handling_s / (seats - load_erlang)


def service_level(load_erlang: float, seats: int, handling_s: float, within_s: float) -> float:
    """The share of callers who are answered within `within_s` seconds."""
    if load_erlang >= seats:
        return 0.0
    late = waiting_probability(load_erlang, seats) * math.exp(-(seats - load_erlang) * within_s / handling_s)
    return 1.0 - late


def seats_needed(load_erlang: float, handling_s: float, *, within_s: float, level: float) -> int:
    """The fewest seats with which the share `level` (below 1) is answered within `within_s` seconds."""
    low, high = math.floor(load_erlang), math.floor(load_erlang) + 1
    while service_level(load_erlang, high, handling_s, within_s) < level:
        low, high = high, high + max(1, high - low) * 2
    while high - low > 1:
        middle = (low + high) // 2
        if service_level(load_erlang, middle, handling_s, within_s) >= level:
            high = middle
        else:
            low = middle
    return high
