"""What Asterisk's messages mean to the controller."""

import pytest

from asterisk.heard import VARIABLES, Offered, Unreadable, event_of, seat_of, standing_of, survival_queue
from asterisk.message import AmiMessage, HeaderMissing
from asterisk.parties import parties_of
from asterisk.port import Party
from calls.live import (
    CallBackEnded,
    CallRef,
    CameBack,
    Channel,
    DeskCode,
    Device,
    EnteredRoom,
    EnteredSurvival,
    LeftRoom,
    Seat,
    SeatDialled,
    SentToSeat,
    Waiting,
    WantsCallBack,
)
from tests.support.fake_ami import headed

CALLER = "13800000001"
WHO = Waiting(
    Channel("node1", "PJSIP/carrier_a-0000001c"), CallRef("r1"), 1750, frozenset({"a", "b"}), 3, "12333", "zh", CALLER
)
ROOM = {"Ref": "r1", "T0": "1750", "Skills": "a+b", "Priority": "3", "Number": "12333", "Language": "zh"}
ROOM |= {"Caller": CALLER}
ROW = {
    "CONTEXT": "room",
    "EXTEN": "s",
    "HL_REF": "r1",
    "HL_T0": "1750",
    "HL_SKILLS": "a+b",
    "HL_PRIO": "3",
    "HL_NUMBER": "12333",
    "HL_LANG": "zh",
    "HL_SEAT": "",
}


def user_event(name: str, body: dict[str, str]) -> AmiMessage:
    """With the channel's own headers before the body, as Asterisk writes it."""
    headers: dict[str, list[str]] = {"Event": ["UserEvent"], "Channel": [WHO.channel.name], "Language": ["en"]}
    headers |= {"Priority": ["9"], "UserEvent": [name]}
    for header, value in body.items():
        headers[header] = [*headers.get(header, []), value]
    return headed((header, values) for header, values in headers.items())


def row(
    bridge: str = "",
    data: str = "",
    number: str = CALLER,
    channel: str = WHO.channel.name,
    state: str = "6",
    **changed: str,
) -> AmiMessage:
    values = ROW | changed
    lines = [f"{name}={values[name]}" for name in VARIABLES if name in values]
    headers = [("Event", "Status"), ("Channel", channel), ("CallerIDNum", number), ("BridgeID", bridge)]
    headers += [("ChannelState", state), ("Data", data), ("Linkedid", "node1-1.1")]
    return headed([*headers, ("Variable", lines)])


def test_a_caller_enters_the_room() -> None:
    assert event_of(user_event("Room", ROOM), "node1") == EnteredRoom(WHO)


def test_a_caller_enters_survival() -> None:
    assert event_of(user_event("Survival", ROOM | {"Queue": "survival_a_b"}), "node1") == EnteredSurvival(
        WHO, "survival_a_b"
    )


def test_a_caller_comes_back_from_a_seat_and_leaves() -> None:
    back = user_event("Back", {"Ref": "r1", "Seat": "8001", "Why": "BUSY"})
    assert event_of(back, "node1") == CameBack(CallRef("r1"), Seat("8001"), "BUSY")
    assert event_of(user_event("Left", {"Ref": "r1", "To": "emergency"}), "node1") == LeftRoom(
        CallRef("r1"), "emergency"
    )


def test_an_agents_transfer_to_a_seat_may_be_told_by_another_channel_than_the_callers() -> None:
    sent = {"Ref": "r1", "Seat": "8002"}
    assert event_of(user_event("Sent", sent), "node1") == SentToSeat(WHO.ref, WHO.channel, Seat("8002"))
    other = Channel("node1", "PJSIP/carrier_a-0000001d")
    told = event_of(user_event("Sent", sent | {"On": other.name}), "node1")
    assert told == SentToSeat(WHO.ref, other, Seat("8002"), talking=True)


def test_a_waiting_caller_wants_to_be_called_back() -> None:
    assert event_of(user_event("CallBack", ROOM | {"To": "13900000000"}), "node1") == WantsCallBack(WHO, "13900000000")


@pytest.mark.parametrize("to", ["", "13900000000;x", "1" * 21, "１２３"])
def test_nobody_is_called_back_at_what_is_no_telephone_number(to: str) -> None:
    with pytest.raises(Unreadable, match="To"):
        event_of(user_event("CallBack", ROOM | {"To": to}), "node1")


@pytest.mark.parametrize(
    ("reason", "why"), [("5", "busy"), ("3", "no answer"), ("1", "no answer"), ("8", "unreachable"), ("0", "failed")]
)
def test_a_call_back_that_reached_nobody_tells_why(reason: str, why: str) -> None:
    assert event_of(outcome("callback-r1", "Failure", reason), "node1") == CallBackEnded(WHO.ref, None, why)


def test_a_call_back_that_was_answered_is_told_by_the_call_itself() -> None:
    assert event_of(outcome("callback-r1", "Success", "4"), "node1") is None
    reached = event_of(user_event("Reached", {"Ref": "r1"}), "node1")
    assert reached == CallBackEnded(WHO.ref, WHO.channel, "")


def test_the_outcome_of_something_else_that_was_dialled_means_nothing() -> None:
    assert event_of(outcome("hotline-7", "Failure", "5"), "node1") is None


def outcome(action_id: str, response: str, reason: str) -> AmiMessage:
    headers = [("Event", "OriginateResponse"), ("ActionID", action_id), ("Response", response), ("Reason", reason)]
    return headed(headers)


DESK = {"Seat": "8001", "Code": "*11", "Keyed": "1001", "Pin": "4711"}


def test_a_code_dialled_at_a_seat_is_heard_and_its_pin_is_not_shown() -> None:
    heard = event_of(user_event("Desk", DESK), "node1")
    assert heard == SeatDialled(WHO.channel, Seat("8001"), DeskCode.SIGN_ON, "1001", "4711")
    assert "4711" not in repr(heard)


@pytest.mark.parametrize("wrong", [{"Code": "*19"}, {"Seat": "carrier"}, {"Keyed": "1" * 10}, {"Pin": "x4711"}])
def test_a_code_that_cannot_be_is_refused_without_telling_a_pin(wrong: dict[str, str]) -> None:
    with pytest.raises(Unreadable, match=next(iter(wrong))) as caught:
        event_of(user_event("Desk", DESK | wrong), "node1")
    assert "4711" not in str(caught.value)


def test_a_caller_whose_number_is_not_told_has_none() -> None:
    found = standing_of(row(number="<unknown>"), "node1")
    assert isinstance(found, EnteredRoom)
    assert found.caller.caller == ""


def test_the_parties_of_a_call_are_told_apart() -> None:
    rows = (
        row(channel="PJSIP/8001-00000002", HL_REF="r1", data="(Outgoing Line)"),
        row(CONTEXT="held"),
        row(channel="PJSIP/tax_centre-00000003", HL_REF="(null)", CONTEXT="party"),
        row(channel="PJSIP/8002-00000004", HL_REF="(null)", data="(Outgoing Line)", state="5"),
    )
    assert parties_of(rows, WHO.ref, "node1") == (
        Party(WHO.channel, "held", "carrier_a", seat=False, caller=True),
        Party(Channel("node1", "PJSIP/8001-00000002"), "", "8001", seat=True, caller=False),
        Party(Channel("node1", "PJSIP/tax_centre-00000003"), "party", "tax_centre", seat=False, caller=False),
        Party(Channel("node1", "PJSIP/8002-00000004"), "", "8002", seat=True, caller=False, answered=False),
    )


def test_other_events_mean_nothing() -> None:
    assert event_of(user_event("Weather", {}), "node1") is None
    assert event_of(headed([("Event", "Newchannel")]), "node1") is None
    assert seat_of(headed([("Device", "PJSIP/carrier_a"), ("State", "INUSE")])) is None


@pytest.mark.parametrize("missing", sorted(ROOM))
def test_a_caller_of_whom_something_is_unknown_is_not_made_up(missing: str) -> None:
    body = {header: value for header, value in ROOM.items() if header != missing}
    with pytest.raises(HeaderMissing, match=missing):
        event_of(user_event("Room", body), "node1")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("T0", ""),
        ("T0", "-5"),
        ("T0", "٣"),
        ("T0", "9" * 19),
        ("Priority", "10"),
        ("Priority", ""),
        ("Skills", ""),
        ("Skills", "a+"),
        ("Skills", "A B"),
        ("Ref", ""),
    ],
)
def test_a_value_that_cannot_be_is_refused(header: str, value: str) -> None:
    with pytest.raises(Unreadable, match=header):
        event_of(user_event("Room", ROOM | {header: value}), "node1")


@pytest.mark.parametrize(
    ("state", "device"),
    [
        ("NOT_INUSE", Device.FREE),
        ("INUSE", Device.BUSY),
        ("ONHOLD", Device.BUSY),
        ("RINGING", Device.RINGING),
        ("UNAVAILABLE", Device.GONE),
        ("UNKNOWN", Device.GONE),
    ],
)
def test_a_seats_device_state_is_understood(state: str, device: Device) -> None:
    change = seat_of(headed([("Event", "DeviceStateChange"), ("Device", "PJSIP/8001"), ("State", state)]))
    assert change is not None
    assert (change.seat, change.device) == ("8001", device)


def test_an_unheard_of_device_state_is_refused() -> None:
    with pytest.raises(Unreadable, match="DREAMING"):
        seat_of(headed([("Event", "DeviceStateChange"), ("Device", "PJSIP/8001"), ("State", "DREAMING")]))


def test_the_context_tells_where_a_caller_stands() -> None:
    assert standing_of(row(), "node1") == EnteredRoom(WHO)
    assert standing_of(row(CONTEXT="survival"), "node1") == EnteredSurvival(WHO, "survival_a_b")
    assert standing_of(row(CONTEXT="connect", HL_SEAT="8001"), "node1") == Offered(
        WHO.ref, WHO.channel, Seat("8001"), WHO
    )
    assert standing_of(row(CONTEXT="menu_main_zh"), "node1") is None


def test_a_caller_redirected_this_very_moment_is_at_the_seat() -> None:
    assert standing_of(row(CONTEXT="connect", EXTEN="8001"), "node1") == Offered(
        WHO.ref, WHO.channel, Seat("8001"), WHO
    )


def test_what_follows_a_talk_still_belongs_to_the_seat() -> None:
    assert standing_of(row(CONTEXT="talked", HL_SEAT="8001"), "node1") == Offered(
        WHO.ref, WHO.channel, Seat("8001"), WHO
    )


def test_a_survivor_whom_a_seat_has_answered_waits_no_more_and_is_at_that_seat() -> None:
    assert standing_of(row(CONTEXT="survival", bridge="5f0c"), "node1") is None
    assert standing_of(row(CONTEXT="survival", bridge="5f0c", HL_SEAT="8001"), "node1") == Offered(
        WHO.ref, WHO.channel, Seat("8001"), WHO
    )


@pytest.mark.parametrize("unset", ["HL_REF", "HL_T0", "HL_SKILLS", "HL_PRIO"])
def test_a_caller_on_its_way_into_the_room_is_left_to_its_event(unset: str) -> None:
    assert standing_of(row(**{unset: "(null)"}), "node1") is None


def test_the_leg_that_rings_a_seat_is_no_caller() -> None:
    assert standing_of(row(CONTEXT="connect", HL_SEAT="8001", data="(Outgoing Line)"), "node1") is None


def test_a_row_without_the_variables_that_were_asked_for_is_refused() -> None:
    with pytest.raises(HeaderMissing, match="Variable"):
        standing_of(headed([("Event", "Status"), ("Channel", "PJSIP/a-1")]), "node1")


def test_a_survival_queue_bears_its_skills() -> None:
    assert survival_queue("english+labour") == "survival_english_labour"
