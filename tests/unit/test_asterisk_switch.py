"""The switch on top of one AMI connection after another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from asterisk.ami import AmiBounds
from asterisk.port import Answer, DialBack, SwitchLost
from asterisk.switch import AmiSwitch, NoNumber
from calls.live import Agent, AsksPlace, CallRef, Channel, Device, HungUp, LeftRoom, Seat, SeatChanged
from tests.support.fake_ami import FakeAmi, FakeChannel, fake_ami

PATIENT = AmiBounds(answer_s=20.0, list_s=20.0, ping_every_s=20.0)


@pytest.fixture
async def server() -> AsyncIterator[FakeAmi]:
    async with fake_ami() as running:
        yield running


async def test_an_unreadable_message_is_counted_and_the_next_one_is_read(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        server.event("Hangup", ("Channel", "PJSIP/a-1"), ("Cause", "sixteen"))
        server.event("Hangup", ("Channel", "PJSIP/a-2"))
        server.event("Hangup", ("Channel", "PJSIP/a-3"), ("Cause", "16"))
        assert await anext(batches) == (HungUp(Channel("node1", "PJSIP/a-3"), 16),)
    assert switch.unreadable == 2


async def test_all_that_has_arrived_is_one_batch(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        for number in range(5):
            server.event("Hangup", ("Channel", f"PJSIP/a-{number}"), ("Cause", "16"))
        assert await switch.beat(1)
        assert await anext(batches) == tuple(HungUp(Channel("node1", f"PJSIP/a-{number}"), 16) for number in range(5))


async def test_a_snapshot_replaces_what_was_heard_before_it_but_keeps_what_came_during_it(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT)
    server.devices = {"PJSIP/8001": "BUSY"}
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        # The reader waits for news already, as the controller's does.
        reading = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        server.event("UserEvent", ("UserEvent", "Left"), ("Ref", "old"), ("To", "seat"))
        server.device("8001", "NOT_INUSE")
        server.before_list = lambda: server.event("UserEvent", ("UserEvent", "Left"), ("Ref", "new"), ("To", "seat"))
        await switch.snapshot()
        assert not reading.done()
        during = LeftRoom(CallRef("new"), "seat")
        assert await reading == (SeatChanged(Seat("8001"), Device.FREE), during, during)


async def test_a_snapshot_costs_nothing_of_what_it_does_not_tell(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT)
    channel = Channel("node1", "PJSIP/a-1")
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        server.event("UserEvent", ("UserEvent", "Ask"), ("Ref", "a"), ("Channel", channel.name))
        server.event("Hangup", ("Channel", channel.name), ("Cause", "16"))
        await switch.snapshot()
        assert await anext(batches) == (AsksPlace(CallRef("a"), channel), HungUp(channel, 16))


async def test_a_redirect_is_not_sent_when_that_is_no_longer_wanted(server: FakeAmi) -> None:
    server.channels["PJSIP/a-1"] = FakeChannel("room")
    channel = Channel("node1", "PJSIP/a-1")
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        assert await switch.connect(channel, Seat("8001"), only_if=lambda: False) is Answer.FAILED
        assert await switch.overflow(channel, "duty", only_if=lambda: False) is Answer.FAILED
        assert server.actions("Redirect") == []
        assert await switch.connect(channel, Seat("8001"), only_if=lambda: True) is Answer.DONE


async def test_a_snapshot_that_fails_gives_the_connection_up(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT)
    server.refused = {"Status": "Permission denied"}
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        with pytest.raises(SwitchLost, match="Permission denied"):
            await switch.snapshot()
        server.refused = {}
        assert await anext(batches) is None
        assert (await switch.snapshot()).waiting == ()


async def test_a_redirect_names_the_seat_as_extension_and_is_sent_once(server: FakeAmi) -> None:
    server.channels["PJSIP/a-1"] = FakeChannel("room")
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        assert await switch.connect(Channel("node1", "PJSIP/a-1"), Seat("8001")) is Answer.DONE
    (sent,) = server.actions("Redirect")
    assert {name: sent[name] for name in ("Channel", "Context", "Exten", "Priority")} == {
        "Channel": "PJSIP/a-1",
        "Context": "connect",
        "Exten": "8001",
        "Priority": "1",
    }


async def test_who_is_at_a_seat_is_told_before_the_caller_goes_there_and_only_when_it_changes(server: FakeAmi) -> None:
    server.channels["PJSIP/a-1"] = FakeChannel("room")
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        for agent in (Agent("1001"), Agent("1001"), None):
            await switch.connect(Channel("node1", "PJSIP/a-1"), Seat("8001"), agent)
    told = [
        (action["Action"], action.get("Value"))
        for action in server.received
        if action["Action"] in ("Setvar", "Redirect")
    ]
    sent = ("Redirect", None)
    assert told == [("Setvar", "1001"), sent, sent, ("Setvar", ""), sent]


async def test_a_reader_that_is_cancelled_can_close_the_switch(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT)

    async def read() -> None:
        async with aclosing(switch.batches()) as batches:
            async for _batch in batches:
                reading.set()

    reading = asyncio.Event()
    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    await asyncio.wait({task})
    await switch.close()
    assert not await switch.beat(1)


async def test_a_seat_of_the_settings_that_must_not_ring_is_paused_because_it_cannot_be_taken_out(
    server: FakeAmi,
) -> None:
    server.fixed = {"survival_a": {"PJSIP/8001"}}
    server.members = {("survival_a", "PJSIP/8001"): False}
    switch = AmiSwitch("node1", server.access, PATIENT, demands=[frozenset({"a"}), frozenset({"b"})])
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        assert await switch.man(Seat("8001"), Agent("1001"), frozenset({"b"}), paused=False) is Answer.DONE
        assert server.members == {("survival_a", "PJSIP/8001"): True, ("survival_b", "PJSIP/8001"): False}
        assert await switch.man(Seat("8001"), None, frozenset({"a"}), paused=False) is Answer.DONE
        assert server.members == {("survival_a", "PJSIP/8001"): False}


async def test_seats_behind_a_proxy_are_known_by_their_dial_string(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT, demands=[frozenset({"a"})], dial="PJSIP/{seat}@proxy")
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        await switch.man(Seat("8001"), Agent("1001"), frozenset({"a"}), paused=False)
    (added,) = server.actions("QueueAdd")
    assert (added["Interface"], added["MemberName"]) == ("PJSIP/8001@proxy", "8001")
    assert "StateInterface" not in added


async def test_only_a_telephone_number_can_be_blocked(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        with pytest.raises(NoNumber):
            await switch.block("138@arrival", "20991231")
    assert server.actions("Originate") == []


async def test_a_call_back_carries_all_that_a_waiting_caller_is_known_by(server: FakeAmi) -> None:
    switch = AmiSwitch("node1", server.access, PATIENT)
    call = DialBack(
        CallRef("r2"), CallRef("r1"), 2, "138", "carrier", 30, Seat("8001"), "12333", frozenset("ab"), 4, "zh", 17
    )
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        assert await switch.dial_back(call) is Answer.DONE
    (sent,) = server.actions("Originate")
    assert sent["Variable"] == (
        "HL_REF=r2,HL_FIRST=r1,HL_ATTEMPT=2,HL_NUMBER=12333,HL_SKILLS=a+b,"
        "HL_PRIO=4,HL_T0=17,HL_LANG=zh,HL_TRUNK=carrier,HL_TO=138"
    )
    wanted = {"Channel": "PJSIP/138@carrier", "Context": "callback", "Exten": "8001", "CallerID": "12333"}
    wanted |= {"Timeout": "30000", "Async": "true", "ActionID": "callback-r2"}
    assert {name: sent[name] for name in wanted} == wanted


async def test_both_ends_of_a_talk_are_redirected_by_one_command(server: FakeAmi) -> None:
    server.channels |= {name: FakeChannel("connect") for name in ("PJSIP/a-1", "PJSIP/8001-2", "PJSIP/110-3")}
    one, leg, other = (Channel("node1", name) for name in server.channels)
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        assert await switch.consult(one, leg, "8002", join=True) is Answer.DONE
        assert server.channels[leg.name].variables["HL_JOIN"] == "yes"
        assert [found.context for found in server.channels.values()] == ["held", "consult", "connect"]
        assert await switch.join((one, leg, other)) is Answer.DONE
    consulted, first, last = server.actions("Redirect")
    assert (consulted["Channel"], consulted["ExtraChannel"]) == (one.name, leg.name)
    assert (first["Channel"], "ExtraChannel" in first) == (one.name, False)
    assert (last["Channel"], last["ExtraChannel"]) == (leg.name, other.name)
    assert [found.context for found in server.channels.values()] == ["party"] * 3
