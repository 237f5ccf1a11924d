"""What is logged of a decision."""

from typing import assert_never

import structlog

from calls.live import CallRef
from routing.room import CallBackTurn, Connect, Decision, Overflow

log = structlog.get_logger()


def carried_out(decision: Decision) -> None:
    told = log.bind(**about(decision))
    match decision:
        case Connect():
            told.info("caller_offered")
        case CallBackTurn():
            told.info("caller_called_back")
        case Overflow():
            told.info("caller_overflows")
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
