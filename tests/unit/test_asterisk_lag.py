"""How far behind Asterisk the switch is, and which far ends answer Asterisk."""

import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from asterisk.ami import AmiBounds
from asterisk.switch import AmiSwitch
from tests.support.fake_ami import FakeAmi, fake_ami, headed

PATIENT = AmiBounds(answer_s=20.0, list_s=20.0, ping_every_s=20.0)


@pytest.fixture
async def server() -> AsyncIterator[FakeAmi]:
    async with fake_ami() as running:
        yield running


async def test_the_age_of_a_batch_is_that_of_its_newest_event(server: FakeAmi) -> None:
    ages: list[float] = []
    switch = AmiSwitch("node1", server.access, PATIENT, aged=ages.append)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        for made_s in (1.0, time.time() - 7):
            server.event("Hangup", ("Timestamp", f"{made_s:.6f}"), ("Channel", "PJSIP/a-1"), ("Cause", "16"))
        await anext(batches)
        server.event("Hangup", ("Channel", "PJSIP/a-2"), ("Cause", "16"))
        await anext(batches)
    # Of an event that does not say when it was made nothing is told.
    assert ages[-1] >= 7
    assert ages[-1] < time.time() - 1.0


@pytest.mark.parametrize("text", ["", "soon", "1,5"])
def test_a_time_that_is_none_is_not_guessed(text: str) -> None:
    assert headed([("Event", "Hangup"), ("Timestamp", text)]).at_s is None
    assert headed([("Event", "Hangup"), ("Timestamp", "1700000000.25")]).at_s == 1_700_000_000.25


@pytest.mark.parametrize(
    ("state", "answers"), [("NOT_INUSE", True), ("INUSE", True), ("UNAVAILABLE", False), ("INVALID", False)]
)
async def test_asterisk_knows_whether_a_far_end_answers(server: FakeAmi, state: str, *, answers: bool) -> None:
    server.devices = {"PJSIP/carrier": state}
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        assert await switch.reachable("carrier") is answers
    assert await switch.reachable("carrier") is None  # The connection is closed.


async def test_what_cannot_be_asked_is_not_known(server: FakeAmi) -> None:
    server.refused = {"Getvar": "Permission denied"}
    switch = AmiSwitch("node1", server.access, PATIENT)
    async with aclosing(switch.batches()) as batches:
        assert await anext(batches) is None
        assert await switch.reachable("carrier") is None
