"""What is logged of a decision."""

from typing import assert_never

import structlog

from calls.live import CallRef
from routing.room import CallBackTurn, Connect, Decision, Overflow

log = structlog.get_logger()


def carried_out(decision: Decision) -> None:
    match decision:
        case Connect():
            event = "caller_offered"
        case CallBackTurn():
            event = "caller_called_back"
        case Overflow():
            event = "caller_overflows"
        case _:
            assert_never(decision)
    log.info(event, **about(decision))


def about(decision: Decision) -> dict[str, CallRef | str]:
    match decision:
        case Connect(caller, seat):
            return {"call": caller.ref, "seat": seat}
        case Overflow(caller, way):
            return {"call": caller.ref, "way": way}
        case CallBackTurn(place, ref, seat):
            return {"call": ref, "first": place.first, "seat": seat}
        case _:
            assert_never(decision)
