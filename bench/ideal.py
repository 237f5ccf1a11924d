"""The best that these seats can do with these calls: longest wait first, and nothing takes any time but talking."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from bench.figures import Skills
from bench.load import Planned


def ideal_waits_s(
    calls: Sequence[Planned], needs: Mapping[str, Skills], seats: Mapping[str, Skills], talk_s: float
) -> list[tuple[Skills, float]]:
    """What each caller needs and how long they wait, in the order in which they are served.

    A caller gets, of the free seats that can serve them, one with the fewest skills.
    """
    talk_ms = round(talk_s * 1000)
    events = [(call.at_ms, place, "") for place, call in enumerate(calls)]
    heapify(events)
    free, waiting, found = set(seats), [], list[tuple[Skills, float]]()
    while events:
        now_ms, place, seat = heappop(events)
        if seat:
            free.add(seat)
        else:
            waiting.append(calls[place])
        for call in list(waiting):
            able = [one for one in free if needs[call.number] <= seats[one]]
            if able:
                taken = min(able, key=lambda one: (len(seats[one]), one))
                free.remove(taken)
                waiting.remove(call)
                found.append((needs[call.number], (now_ms - call.at_ms) / 1000))
                heappush(events, (now_ms + talk_ms, len(calls), taken))
    return found
