"""Calls between two telephones, and between a telephone and an end that a test moves by hand."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from phones import sip, voices
from phones.behaviour import Answers, Behaviour, Rejects, Rings, Silent
from phones.call import Call, Ended, NotAnswered, TooLate
from phones.ears import Ears
from phones.line import NotOpen
from phones.media import CannotPress
from phones.peer import Peer
from phones.sdp import PCMA, PCMU
from phones.telephone import Telephone
from tests.support.scripted_end import HASTY, QUICK, ScriptedEnd, scripted_end, tag_of, until

NOWHERE = ("127.0.0.1", 9)
AGENT, CALLER = voices.voice("agent", "8001"), voices.voice("caller", "13800001111")


def a_peer(behave: Behaviour, codecs: tuple[int, ...] = (PCMA, PCMU)) -> Peer:
    return Peer(NOWHERE, address="127.0.0.2", behave=behave, codecs=codecs, timers=QUICK)


def a_phone(server: tuple[str, int]) -> Telephone:
    return Telephone("8001", server, timers=QUICK)


def sockets() -> int:
    return sum("socket:" in str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


async def test_two_telephones_hear_each_other_and_each_other_s_keys() -> None:
    await asyncio.gather(talk((PCMA,)), talk((PCMU, PCMA)))


async def talk(codecs: tuple[int, ...]) -> None:
    ears = Ears({"agent": AGENT, "caller": CALLER})
    async with a_peer(Answers(after_s=0.05, says=AGENT), codecs) as peer, a_phone(peer.where) as phone:
        call = await phone.call("12345", caller_id="13800001111", name='Li "x" \\ 四')
        await call.rang()
        await call.answered()
        assert await call.press("1*")
        assert await call.say(CALLER)
        other = peer.calls[0]
        await until(lambda: call.heard_s > 2.3 and other.heard_s > 2.6)
        await call.hang_up()
        assert await other.ended() == Ended("far", 16)
        assert await call.ended() == Ended("near", 16)
    assert [one.prompt for one in ears.listen(call.heard)] == ["agent"]
    assert [one.prompt for one in ears.listen(other.heard)] == ["caller"]
    assert other.digits == "1*"
    dialled = peer.dialled[0]
    assert (dialled.number, dialled.caller, dialled.name) == ("12345", "13800001111", 'Li "x" \\ 四')
    assert call.statuses == [100, 180, 200]


async def test_the_called_side_may_end_the_call_too() -> None:
    behave = Answers(says=AGENT[:800], again=True, hangs_up_after_s=None)
    async with a_peer(behave) as peer, a_phone(peer.where) as phone:
        call = await phone.call("110")
        await call.answered()
        await peer.calls[0].hang_up(cause=31)
        assert await call.ended() == Ended("far", 31)
        assert not await call.say(AGENT), "nothing can be said after the end"
        assert not await call.press("1")


async def test_one_that_hangs_up_by_itself_does_so_after_it_spoke() -> None:
    async with a_peer(Answers(says=AGENT[:800], hangs_up_after_s=0.05)) as peer, a_phone(peer.where) as phone:
        call = await phone.call("110")
        assert (await call.ended()).side == "far"


@pytest.mark.parametrize(
    ("behave", "ended"),
    [(Rejects(486, 17), Ended("far", 17, 486)), (Rejects(503), Ended("far", None, 503))],
)
async def test_a_refusal_tells_status_and_cause(behave: Behaviour, ended: Ended) -> None:
    async with a_peer(behave) as peer, a_phone(peer.where) as phone:
        call = await phone.call("12345")
        with pytest.raises(NotAnswered) as raised:
            await call.answered()
        assert raised.value.ended == ended


async def test_a_caller_who_gives_up_while_it_rings_cancels() -> None:
    async with a_peer(Rings()) as peer, a_phone(peer.where) as phone:
        call = await phone.call("12345")
        with pytest.raises(TooLate):
            await call.answered(within_s=0.05)
        other = await peer.next_call()
        await call.rang()
        await call.hang_up()
        assert await call.ended() == Ended("near", 16)
        assert await other.ended() == Ended("far", 16)


async def test_a_silent_line_ends_with_408_and_may_still_look_alive() -> None:
    async with a_peer(Silent(alive=True)) as peer, Telephone("8001", peer.where, timers=HASTY) as phone:
        call = await phone.call("12345")
        assert await phone.reaches() == 200
        assert (await call.ended()).status == 408
        assert peer.dialled
        assert not peer.calls


async def test_hold_is_heard_as_nothing_and_resume_as_speech() -> None:
    async with a_peer(Answers(says=AGENT, again=True)) as peer, a_phone(peer.where) as phone:
        call = await phone.call("12345")
        await call.answered()
        await until(lambda: call.heard_s > 0.2)
        await call.hold()
        assert (call.media.direction, peer.calls[0].media.direction) == ("sendonly", "recvonly")
        sent = peer.calls[0].media.sent
        await until(lambda: peer.calls[0].heard_s > 0.5)
        assert peer.calls[0].media.sent <= sent + 1
        await call.resume()
        heard_s = call.heard_s
        await until(lambda: call.heard_s > heard_s + 0.2)


async def test_both_sides_may_hold_at_the_same_moment() -> None:
    async with a_peer(Answers()) as peer, a_phone(peer.where) as phone:
        call = await phone.call("12345")
        await call.answered()
        await asyncio.gather(call.hold(), peer.calls[0].hold())
        assert call.up


async def test_a_telephone_that_dies_says_nothing() -> None:
    async with a_peer(Answers()) as peer, a_phone(peer.where) as phone:
        call = await phone.call("12345")
        await call.answered()
        await phone.die()
        assert peer.calls[0].up
        with pytest.raises(NotOpen):
            await phone.call("12345")


async def test_every_socket_is_given_back_even_in_the_middle_of_calls() -> None:
    before = sockets()
    async with a_peer(Rings()) as peer, a_phone(peer.where) as phone:
        await (await phone.call("1")).rang()
        peer.behave = Answers(says=AGENT, again=True)
        await (await phone.call("2")).answered()
        await phone.call("3")
        assert sockets() > before + 4
    assert sockets() == before


async def test_a_line_break_in_a_name_places_no_call() -> None:
    async with a_phone(NOWHERE) as phone:
        with pytest.raises(sip.Unsendable):
            await phone.call("12345", name="x\r\nX-Evil: 1")


async def test_a_hostile_caller_arrives_as_it_is_without_forging_headers() -> None:
    hostile = 'a"<>;tag=1\r\nX-Evil: yes'
    async with a_peer(Rings()) as peer, a_phone(peer.where) as phone:
        await (await phone.call("#1*", caller_id=hostile)).rang()
        assert peer.dialled[0].caller == hostile
        assert peer.dialled[0].number == "#1*"
        assert peer.dialled[0].headers.get("x-evil") is None


# --- races, by hand -------------------------------------------------------------------------------


async def calling(phone: Telephone, end: ScriptedEnd) -> tuple[Call, sip.Request]:
    call = await phone.call("12345", server=end.where)
    return call, (await end.next("INVITE")).request


async def test_giving_up_waits_for_a_first_response_before_it_cancels() -> None:
    async with scripted_end() as end, a_phone(NOWHERE) as phone:
        call = await phone.call("12345", server=end.where)
        invite = await end.next("INVITE")
        leaving = asyncio.ensure_future(call.hang_up(cause=31))
        await asyncio.sleep(0.05)
        assert end.waiting == 0
        invite.respond(180, tag=sip.Tag("t"), more=(end.contact(),))
        cancel = await end.next("CANCEL")
        assert end.open.under_way(cancel.request) is invite
        assert sip.q850_cause(cancel.request.headers) == 31
        cancel.respond(200)
        invite.respond(487, tag=sip.Tag("t"))
        await leaving
        assert await call.ended() == Ended("near", 31)


async def test_an_answer_that_is_quicker_than_the_cancel_gets_ack_and_bye() -> None:
    async with scripted_end() as end, a_phone(NOWHERE) as phone:
        call = await phone.call("12345", server=end.where)
        invite = await end.next("INVITE")
        invite.respond(180, tag=sip.Tag("t"), more=(end.contact(),))
        await call.rang()
        leaving = asyncio.ensure_future(call.hang_up())
        cancel = await end.next("CANCEL")
        invite.respond(200, tag=sip.Tag("t"), more=(end.contact(),), body=end.sound())
        cancel.respond(200)
        assert (await end.next("ACK")).request.headers.cseq[0] == invite.request.headers.cseq[0]
        bye = await end.next("BYE")
        assert tag_of(bye.request.headers.required("to")) == "t"
        bye.respond(200)
        await leaving
        assert await call.ended() == Ended("near", 16)


async def test_an_end_that_answers_the_cancel_but_never_the_call_is_left_after_a_while() -> None:
    async with scripted_end() as end, Telephone("8001", NOWHERE, timers=HASTY) as phone:
        call = await phone.call("12345", server=end.where)
        (await end.next("INVITE")).respond(180, tag=sip.Tag("t"))
        await call.rang()
        leaving = asyncio.ensure_future(call.hang_up())
        (await end.next("CANCEL")).respond(200)
        await leaving
        assert call.over


async def test_a_cancel_that_comes_after_the_answer_changes_nothing() -> None:
    async with scripted_end() as end, a_peer(Answers()) as peer:
        invite = end.request("INVITE", peer.where, body=end.sound())
        answered = await end.open.ask(invite, peer.where)
        assert answered.status == 200
        branch = sip.via(invite.headers.all("via")[0]).branch
        cancelled = await end.open.ask(end.request("CANCEL", peer.where, branch=branch), peer.where)
        assert cancelled.status == 200
        assert peer.calls[0].up
        tag = tag_of(answered.headers.required("to"))
        end.open.send(end.request("ACK", peer.where, to_tag=tag), peer.where)
        bye = await end.open.ask(end.request("BYE", peer.where, to_tag=tag, cseq=2), peer.where)
        assert bye.status == 200
        assert (await peer.calls[0].ended()).side == "far"


async def test_an_answer_that_nobody_acknowledges_is_hung_up() -> None:
    async with scripted_end() as end, Peer(NOWHERE, address="127.0.0.1", timers=HASTY) as peer:
        invite = end.request("INVITE", peer.where, body=end.sound())
        answered = await end.open.ask(invite, peer.where)
        assert answered.status == 200
        bye = await end.next("BYE")
        bye.respond(200)
        assert (await peer.calls[0].ended()).side == "near"


async def test_an_offer_may_come_with_the_acknowledgement() -> None:
    """An INVITE without a description: ours stands in the 200, theirs in the ACK."""
    async with scripted_end() as end, a_peer(Answers()) as peer:
        answered = await end.open.ask(end.request("INVITE", peer.where), peer.where)
        assert b"m=audio" in answered.body
        tag = tag_of(answered.headers.required("to"))
        end.open.send(end.request("ACK", peer.where, to_tag=tag, body=end.sound()), peer.where)
        await until(lambda: peer.calls[0].media.sent > 2)


async def established(end: ScriptedEnd, peer: Peer) -> str:
    answered = await end.open.ask(end.request("INVITE", peer.where, body=end.sound()), peer.where)
    tag = tag_of(answered.headers.required("to"))
    end.open.send(end.request("ACK", peer.where, to_tag=tag), peer.where)
    await until(peer.calls[0]._confirmed.done)
    return tag


async def test_whatever_is_asked_within_a_call_is_answered() -> None:
    async with scripted_end() as end, a_peer(Answers()) as peer:
        tag = await established(end, peer)
        expected = {"OPTIONS": 200, "INFO": 200, "UPDATE": 200, "NOTIFY": 200, "REFER": 405}
        for cseq, (method, status) in enumerate(expected.items(), 2):
            request = end.request(method, peer.where, to_tag=tag, cseq=cseq)
            assert (await end.open.ask(request, peer.where)).status == status, method
        stale = await end.open.ask(end.request("INFO", peer.where, to_tag=tag, cseq=2), peer.where)
        assert stale.status == 500
        timer = (("Session-Expires", "90;refresher=uac"),)
        refresh = end.request("INVITE", peer.where, to_tag=tag, cseq=20, more=timer, body=end.sound())
        again = await end.open.ask(refresh, peer.where)
        assert again.status == 200
        assert b"m=audio" in again.body
        # An INVITE may follow although the ACK of the one before was lost …
        ours = await end.open.ask(end.request("INVITE", peer.where, to_tag=tag, cseq=21), peer.where)
        assert b"m=audio" in ours.body
        # … but not while an answer to our own offer is missing.
        busy = await end.open.ask(end.request("INVITE", peer.where, to_tag=tag, cseq=22), peer.where)
        assert busy.status == 491
        answer = end.request("ACK", peer.where, to_tag=tag, cseq=21, body=end.sound())
        end.open.send(answer, peer.where)
        useless = end.sound().replace(b"RTP/AVP 8 0", b"RTP/AVP 9")
        bad = end.request("INVITE", peer.where, to_tag=tag, cseq=23, body=useless)
        assert (await end.open.ask(bad, peer.where)).status == 488
        assert peer.calls[0].up


@pytest.mark.parametrize(("more", "number", "status"), [((("Require", "100rel"),), "100", 420), ((), "100", 488)])
async def test_a_call_that_cannot_be_served_is_refused(
    more: tuple[tuple[str, str], ...], number: str, status: int
) -> None:
    async with scripted_end() as end, a_peer(Answers()) as peer:
        request = end.request("INVITE", peer.where, number=number, more=more, body=b"v=0\r\n")
        assert (await end.open.ask(request, peer.where)).status == status


async def test_requests_of_no_known_call_are_told_so() -> None:
    async with scripted_end() as end, a_peer(Answers()) as peer:
        assert (await end.open.ask(end.request("BYE", peer.where, to_tag="x"), peer.where)).status == 481
        assert (await end.open.ask(end.request("CANCEL", peer.where), peer.where)).status == 481
        assert (await end.open.ask(end.request("MESSAGE", peer.where), peer.where)).status == 405


async def test_keys_need_the_other_side_s_agreement() -> None:
    async with scripted_end() as end, a_phone(NOWHERE) as phone:
        call, invite = await calling(phone, end)
        assert invite.method == "INVITE"
        incoming = end.open.under_way(invite)
        assert incoming is not None
        lines = [line for line in end.sound().split(b"\r\n") if b":101 " not in line]
        body = b"\r\n".join(lines).replace(b"8 0 101", b"8 0")
        incoming.respond(200, tag=sip.Tag("t"), more=(end.contact(),), body=body)
        await call.answered()
        with pytest.raises(CannotPress):
            call.press("1")
        await phone.die()


async def test_silence_is_sent_while_nothing_is_said() -> None:
    async with a_peer(Answers()) as peer, a_phone(peer.where) as phone:
        call = await phone.call("12345")
        await until(lambda: call.heard_s > 0.1 and peer.calls[0].heard_s > 0.1)
        assert np.abs(call.heard).max() <= 8
