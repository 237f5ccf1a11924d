"""What is logged of a decision."""

from typing import assert_never

import structlog

from calls.live import CallRef
from routing.room import CallBackTurn, Connect, Decision, Overflow

log = structlog.get_logger()


def carried_out(decision: Decision) -> None:
    match decision:
        case Connect():
            log.info("caller_offered", **about(decision))
        case CallBackTurn():
            log.info("caller_called_back", **about(decision))
        case Overflow():
            log.info("caller_overflows", **about(decision))
        case _:
            assert_never(decision)


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
