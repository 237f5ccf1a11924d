"""What stands around panoramisk: each of its weaknesses has a test here."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk.ami import (
    ActionRefused,
    AmiAccess,
    AmiBounds,
    AmiConnection,
    Injection,
    LoginRefused,
    Unanswered,
    _Wire,
    open_ami,
)
from asterisk.heard import HEARD
from asterisk.message import AmiMessage, HeaderDoubled, HeaderMissing
from asterisk.port import Answer, SwitchLost
from asterisk.switch import AmiSwitch
from calls.live import Channel, Seat
from tests.support.fake_ami import GREETING, FakeAmi, fake_ami, frame, headed

PATIENT = AmiBounds(answer_s=20.0, list_s=20.0, ping_every_s=20.0)
HASTY = AmiBounds(answer_s=0.1, list_s=0.1, ping_every_s=20.0)


@pytest.fixture
async def server() -> AsyncIterator[FakeAmi]:
    async with fake_ami() as running:
        yield running


@pytest.fixture
async def connection(server: FakeAmi) -> AsyncIterator[AmiConnection]:
    opened = await open_ami(server.access, HEARD, PATIENT)
    yield opened
    await opened.close()


async def heard(connection: AmiConnection, count: int) -> list[AmiMessage]:
    """The next `count` messages of the inbox."""
    found: list[AmiMessage] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await connection.inbox.batch()
    return found


def message(*headers: tuple[str, str | list[str]]) -> AmiMessage:
    return headed(headers)


# Reading strictly.


def test_a_misspelt_header_is_an_error_and_not_an_empty_text() -> None:
    with pytest.raises(HeaderMissing, match="'Uniqeid'"):
        message(("Event", "Hangup"), ("Uniqueid", "1.2")).required("Uniqeid")


def test_a_doubled_header_is_an_error() -> None:
    with pytest.raises(HeaderDoubled, match="2 times"):
        message(("Event", "Hangup"), ("Channel", ["PJSIP/a-1", "PJSIP/b-1"])).required("Channel")


def test_the_channels_own_header_is_not_taken_for_the_events_missing_one() -> None:
    assert message(("Priority", ["77", "3"])).beside_the_channels_own("Priority") == "3"
    with pytest.raises(HeaderMissing):
        message(("Priority", "77")).beside_the_channels_own("Priority")


class Owner(AmiConnection):
    """Keeps what the wire passes on."""

    def __init__(self) -> None:
        super().__init__(AmiAccess("127.0.0.1", 1, "u", "s"), PATIENT, HEARD)
        self.messages: list[AmiMessage] = []

    def received(self, message: AmiMessage) -> None:
        self.messages.append(message)


@given(cuts=st.lists(st.integers(0, 160)), name=st.text("张三é🚒 ", min_size=1, max_size=8))
def test_no_character_is_lost_however_the_network_cuts_the_stream(cuts: list[int], name: str) -> None:
    stream = GREETING + 2 * frame([("Event", "Hangup"), ("CallerIDName", f"x{name}x")])
    places = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})

    async def read() -> list[str]:
        owner = Owner()
        wire = _Wire(owner)
        wire.connection_made(asyncio.Transport())
        for begin, end in itertools.pairwise(places):
            wire.data_received(stream[begin:end])
        return [found.required("CallerIDName") for found in owner.messages]

    assert asyncio.run(read()) == [f"x{name}x"] * 2


async def test_bytes_that_are_no_utf8_spoil_only_their_own_value(server: FakeAmi, connection: AmiConnection) -> None:
    server.send(b"Event: Hangup\r\nChannel: PJSIP/a-1\r\nCallerIDName: \xff\xfe!\r\n\r\n")
    server.event("Hangup", ("Channel", "PJSIP/b-1"))
    found = await heard(connection, 2)
    assert [one.required("Channel") for one in found] == ["PJSIP/a-1", "PJSIP/b-1"]
    assert found[0].required("CallerIDName").endswith("!")


async def test_a_header_without_a_value_is_kept_wherever_it_stands(server: FakeAmi, connection: AmiConnection) -> None:
    for _ in range(2):
        server.event("UserEvent", ("Keyed", ""), ("Pin", ""))
    for found in await heard(connection, 2):
        assert (found.required("Keyed"), found.required("Pin")) == ("", "")


# Sending.


@pytest.mark.parametrize("value", ["x\r\nAction: Originate", "x\nAction: Originate", "x\r", "x\x00y"])
async def test_a_value_with_a_line_break_is_not_sent(server: FakeAmi, connection: AmiConnection, value: str) -> None:
    with pytest.raises(Injection, match="Channel"):
        await connection.act("Redirect", {"Channel": value})
    await connection.act("Ping")
    assert [action["Action"] for action in server.received] == ["Login", "Ping"]


async def test_before_a_connection_is_made_nothing_can_be_sent(server: FakeAmi) -> None:
    connection = AmiConnection(server.access, PATIENT, HEARD)
    with pytest.raises(SwitchLost):
        await connection.act("Ping")
    switch = AmiSwitch("node1", server.access)
    assert await switch.connect(Channel("node1", "PJSIP/a-1"), Seat("8001")) is Answer.FAILED


async def test_a_command_is_never_sent_again_on_the_next_connection(server: FakeAmi) -> None:
    server.hang_up_on = {"Redirect"}
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        asked = asyncio.create_task(switch.connect(Channel("node1", "PJSIP/a-1"), Seat("8001")))
        assert await anext(batches) is None
        assert await asked is Answer.FAILED
        assert await switch.beat(1)
        assert len(server.actions("Redirect")) == 1
        assert server.connections == 2


# Answers.


async def test_an_action_without_an_answer_ends_at_its_bound_and_its_late_answer_is_no_event(server: FakeAmi) -> None:
    connection = await open_ami(server.access, HEARD, HASTY)
    server.mute = {"DeviceStateList"}
    with pytest.raises(Unanswered, match="DeviceStateList"):
        await connection.rows("DeviceStateList", "DeviceStateListComplete")
    late = server.actions("DeviceStateList")[0]["ActionID"]
    server.event("DeviceStateChange", ("ActionID", late), ("Device", "PJSIP/8001"), ("State", "BUSY"))
    server.event("Hangup", ("Channel", "PJSIP/a-1"))
    assert [one.event for one in await heard(connection, 1)] == ["Hangup"]
    await connection.close()


async def test_answers_find_their_questions_in_whatever_order_they_come(
    server: FakeAmi, connection: AmiConnection
) -> None:
    server.mute = {"Getvar"}
    asked = [asyncio.create_task(connection.act("Getvar", {"Variable": name})) for name in "abc"]
    async with asyncio.timeout(20):
        while len(server.actions("Getvar")) < 3:
            await connection.act("Ping")
    for action in reversed(server.actions("Getvar")):
        answer = [("Response", "Success"), ("ActionID", action["ActionID"]), ("Value", action["Variable"].upper())]
        server.send(frame(answer))
    assert [(await one).required("Value") for one in asked] == ["A", "B", "C"]


async def test_a_list_ends_at_its_own_end_and_events_between_its_rows_are_not_lost(
    server: FakeAmi, connection: AmiConnection
) -> None:
    server.devices = {"PJSIP/8001": "NOT_INUSE", "PJSIP/8002": "BUSY"}
    server.before_list = lambda: server.event("DeviceStateChange", ("Device", "PJSIP/8003"), ("State", "BUSY"))
    rows = await connection.rows("DeviceStateList", "DeviceStateListComplete")
    assert [row.required("Device") for row in rows] == ["PJSIP/8001", "PJSIP/8002"]
    assert [one.required("Device") for one in await heard(connection, 1)] == ["PJSIP/8003"]


async def test_a_refusal_says_why(server: FakeAmi, connection: AmiConnection) -> None:
    with pytest.raises(ActionRefused, match="Redirect: Channel does not exist: PJSIP/a-1"):
        await connection.act("Redirect", {"Channel": "PJSIP/a-1"})


async def test_a_refused_list_ends_at_once(server: FakeAmi, connection: AmiConnection) -> None:
    server.refused = {"Status": "Permission denied"}
    with pytest.raises(ActionRefused, match="Permission denied"):
        await connection.rows("Status", "StatusComplete")


# The inbox.


async def test_events_are_kept_in_their_order_while_nobody_reads(server: FakeAmi, connection: AmiConnection) -> None:
    for number in range(500):
        server.event("Hangup", ("Channel", f"PJSIP/a-{number}"))
    await connection.act("Ping")
    found = await heard(connection, 500)
    assert [one.required("Channel") for one in found] == [f"PJSIP/a-{number}" for number in range(500)]


async def test_events_that_nobody_wants_are_not_kept(server: FakeAmi, connection: AmiConnection) -> None:
    server.event("VarSet", ("Channel", "PJSIP/a-1"))
    server.event("Hangup", ("Channel", "PJSIP/a-1"))
    assert [one.event for one in await heard(connection, 1)] == ["Hangup"]


async def test_a_reader_that_falls_far_behind_gets_a_new_start_instead_of_all_memory(server: FakeAmi) -> None:
    connection = await open_ami(server.access, HEARD, AmiBounds(answer_s=20.0, ping_every_s=20.0, unread=10))
    for number in range(20):
        server.event("Hangup", ("Channel", f"PJSIP/a-{number}"))
    with pytest.raises(SwitchLost, match="more than 10 events"):
        await connection.act("Ping")
    assert len(await connection.inbox.batch()) == 10
    with pytest.raises(SwitchLost, match="more than 10 events"):
        await connection.inbox.batch()
    await connection.close()


# The connection's beginning and end.


async def test_a_refused_login_is_an_error_and_is_not_tried_again(server: FakeAmi) -> None:
    wrong = AmiAccess(server.access.address, server.port, "hotline", "guess")
    switch = AmiSwitch("node1", wrong, PATIENT)
    async with aclosing(switch.batches()) as batches:
        with pytest.raises(LoginRefused, match="Authentication failed") as caught:
            await anext(batches)
    assert "guess" not in str(caught.value) + repr(wrong)
    assert server.connections == 1


async def test_an_asterisk_that_is_about_to_end_is_tried_again(server: FakeAmi) -> None:
    server.refused = {"Login": "Asterisk is shutting down"}
    with pytest.raises(SwitchLost, match="shutting down"):
        await open_ami(server.access, HEARD, PATIENT)


async def test_a_peer_that_falls_silent_is_given_up(server: FakeAmi) -> None:
    connection = await open_ami(server.access, HEARD, AmiBounds(answer_s=0.2, ping_every_s=0.05))
    server.mute = {"Ping"}
    async with asyncio.timeout(20):
        with pytest.raises(SwitchLost, match="did not answer Ping"):
            await connection.inbox.batch()
    await connection.close()


async def test_whoever_waits_for_an_answer_learns_of_the_loss_at_once(
    server: FakeAmi, connection: AmiConnection
) -> None:
    server.hang_up_on = {"Setvar"}
    with pytest.raises(SwitchLost, match="ended the connection"):
        await connection.act("Setvar")
    with pytest.raises(SwitchLost):
        await connection.act("Ping")


async def test_what_was_heard_before_a_loss_is_still_read(server: FakeAmi, connection: AmiConnection) -> None:
    server.event("Hangup", ("Channel", "PJSIP/a-1"))
    await connection.act("Ping")
    await server.cut()
    assert len(await heard(connection, 1)) == 1
    with pytest.raises(SwitchLost):
        await connection.inbox.batch()


@pytest.mark.parametrize(
    ("greeting", "why"),
    [(b"SSH-2.0-OpenSSH_9.2\r\n", "is not Asterisk's manager interface"), (b"", "does not greet")],
)
async def test_something_else_at_the_port_is_told_from_asterisk(server: FakeAmi, greeting: bytes, why: str) -> None:
    server.greeting = greeting
    with pytest.raises(SwitchLost, match=why):
        await open_ami(server.access, HEARD, AmiBounds(answer_s=0.3))


async def test_nobody_at_the_port_is_a_lost_switch() -> None:
    async with fake_ami() as gone:
        access = gone.access
    with pytest.raises(SwitchLost, match="no connection to Asterisk"):
        await open_ami(access, HEARD, PATIENT)


async def test_a_message_without_an_end_does_not_fill_the_memory(server: FakeAmi, connection: AmiConnection) -> None:
    server.send(b"Event: Hangup\r\nX: " + b"x" * 1_100_000)
    with pytest.raises(SwitchLost, match="more than 1000000 bytes"):
        await connection.inbox.batch()


async def test_a_closed_connection_leaves_no_task_behind(server: FakeAmi) -> None:
    before = asyncio.all_tasks()
    connection = await open_ami(server.access, HEARD, AmiBounds(ping_every_s=0.01))
    await connection.act("Ping")
    await connection.close()
    await connection.close()
    await server.cut()
    assert asyncio.all_tasks() == before


async def test_how_an_action_ended_in_the_end_is_an_event_and_not_its_answer(
    server: FakeAmi, connection: AmiConnection
) -> None:
    server.mute = {"Originate"}
    asked = asyncio.create_task(connection.act("Originate", {"Channel": "PJSIP/138@x"}, outcome_id="callback-r1"))
    await until_asked(server, connection, "Originate")
    ident = ("ActionID", "callback-r1")
    server.event("OriginateResponse", ident, ("Response", "Failure"), ("Reason", "5"))
    server.send(frame([("Response", "Success"), ident, ("Message", "Originate successfully queued")]))
    assert (await asked).required("Message") == "Originate successfully queued"
    assert [one.required("Reason") for one in await heard(connection, 1)] == ["5"]


async def until_asked(server: FakeAmi, connection: AmiConnection, action: str) -> None:
    async with asyncio.timeout(20):
        while not server.actions(action):
            await connection.act("Ping")
