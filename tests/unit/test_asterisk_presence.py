"""Which channels Asterisk has no more: known of all that were asked for, or of none."""

import pytest

from asterisk.ami import AmiBounds, LoginRefused
from asterisk.port import SwitchLost
from asterisk.presence import absent
from tests.support.fake_ami import fake_ami

PATIENT = AmiBounds(answer_s=20.0, list_s=20.0, ping_every_s=20.0)
HASTY = AmiBounds(answer_s=0.1, list_s=0.1, ping_every_s=20.0)
ASKED = ("node1-1.1", "node1-1.2")


async def test_a_channel_is_absent_when_asterisk_says_that_there_is_none() -> None:
    async with fake_ami() as server:
        assert await absent(server.access, ASKED, PATIENT) == frozenset()
        server.refused["Getvar"] = "No such channel"
        assert await absent(server.access, ASKED, PATIENT) == frozenset(ASKED)
        told = [(action["Channel"], action["Variable"]) for action in server.actions("Getvar")]
        assert told == [(channel, "UNIQUEID") for channel in ASKED] * 2
        assert server.connections == 2


@pytest.mark.parametrize("why", ["Permission denied", "No such"])
async def test_any_other_refusal_says_nothing(why: str) -> None:
    async with fake_ami() as server:
        server.refused["Getvar"] = why
        with pytest.raises(SwitchLost):
            await absent(server.access, ASKED, PATIENT)


async def test_an_answer_that_is_missing_says_nothing() -> None:
    async with fake_ami() as server:
        server.mute.add("Getvar")
        with pytest.raises(SwitchLost):
            await absent(server.access, ASKED, HASTY)
        server.mute.clear()
        server.hang_up_on.add("Getvar")
        with pytest.raises(SwitchLost):
            await absent(server.access, ASKED, PATIENT)


async def test_a_login_that_is_refused_is_told() -> None:
    async with fake_ami() as server:
        server.refused["Login"] = "Authentication failed"
        with pytest.raises(LoginRefused):
            await absent(server.access, ASKED, PATIENT)
