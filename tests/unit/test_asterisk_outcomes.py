"""A refused call back is told by two messages, in either order, or by one alone."""

import pytest

from asterisk.heard import event_of
from asterisk.message import AmiMessage
from asterisk.outcomes import HOLD_S, Outcomes
from calls.live import CallBackEnded, CallRef
from tests.support.fake_ami import headed

REF = "7a0e4d3c-7a42-4f0e-9d57-2f4b6a1f0000"


def response(reason: str = "0", ident: str = f"callback-{REF}") -> AmiMessage:
    headers = [("Event", "OriginateResponse"), ("ActionID", ident), ("Response", "Failure"), ("Reason", reason)]
    return headed(headers)


def hangup(cause: str, *, state: str = "0", ref: str = REF) -> AmiMessage:
    return headed(
        [
            ("Event", "Hangup"),
            ("Channel", "PJSIP/carrier-00000001"),
            ("ChannelState", state),
            ("Uniqueid", f"callback-{ref}" if ref else "node1-1700000000.7"),
            ("Cause", cause),
        ]
    )


def told(messages: tuple[AmiMessage, ...]) -> list[str]:
    events = [event_of(message, "node1") for message in messages]
    return [event.why for event in events if isinstance(event, CallBackEnded) and event.ref == CallRef(REF)]


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        ("17", "busy"),
        ("21", "rejected"),
        ("19", "no answer"),
        ("34", "unreachable"),
        ("1", "unreachable"),
        ("0", "failed"),
    ],
)
@pytest.mark.parametrize("first", ["response", "hangup"])
def test_the_cause_of_a_refused_call_is_found_whichever_is_told_first(cause: str, why: str, first: str) -> None:
    outcomes = Outcomes()
    both = [response(), hangup(cause)]
    one, other = both if first == "response" else both[::-1]
    assert told(outcomes.put_together([one], 1.0)) == []
    assert told(outcomes.put_together([other], 1.1)) == [why]
    assert told(outcomes.put_together([], 100.0)) == []


def test_nothing_else_is_held_back_and_the_order_stays() -> None:
    others = (response("5"), response("0", "drill-1"), hangup("16", ref=""), headed([("Event", "UserEvent")]))
    assert Outcomes().put_together(others, 1.0) == others


def test_a_call_for_which_there_was_no_channel_is_told_after_a_moment() -> None:
    outcomes = Outcomes()
    assert outcomes.put_together([response()], 1.0) == ()
    assert outcomes.put_together([hangup("17", ref="another")], 1.0 + HOLD_S / 2) == (hangup("17", ref="another"),)
    assert told(outcomes.put_together([], 1.0 + HOLD_S)) == ["failed"]


@pytest.mark.parametrize("state", ["4", "6"])
def test_the_end_of_a_call_that_came_in_or_was_answered_is_no_cause(state: str) -> None:
    outcomes = Outcomes()
    outcomes.put_together([hangup("17", state=state)], 1.0)
    assert outcomes.put_together([response()], 1.1) == ()
    assert told(outcomes.put_together([], 9.0)) == ["failed"]
