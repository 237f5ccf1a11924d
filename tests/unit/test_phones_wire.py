"""Transactions: what is not answered is repeated, and what was answered is not handled twice."""

import asyncio

import pytest

from phones import sip
from phones.sip import Request, Response
from phones.wire import NoSocket, Timers, Wire
from tests.support.scripted_end import HASTY, ScriptedEnd, scripted_end, until


class Deaf(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.datagrams: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.datagrams.append(data)


async def test_a_request_that_nobody_answers_is_repeated_and_ends_with_408() -> None:
    transport, deaf = await asyncio.get_running_loop().create_datagram_endpoint(Deaf, local_addr=("127.0.0.1", 0))
    async with scripted_end(HASTY) as end:
        to = transport.get_extra_info("sockname")
        answers = await asyncio.gather(*(end.open.ask(end.request(it, to), to) for it in ("OPTIONS", "INVITE")))
        assert [answer.status for answer in answers] == [408, 408]
    transport.close()
    await asyncio.sleep(0)
    methods = [data.split()[0] for data in deaf.datagrams]
    assert methods.count(b"OPTIONS") > 3
    assert methods.count(b"INVITE") > 3
    assert len(set(deaf.datagrams)) == 2


async def test_a_repeated_request_gets_the_same_answer_and_is_handed_on_once() -> None:
    async with scripted_end(HASTY) as here, scripted_end(HASTY) as there:
        request = here.request("OPTIONS", there.where)
        asking = asyncio.ensure_future(here.open.ask(request, there.where))
        incoming = await there.next("OPTIONS")
        incoming.respond(200)
        assert (await asking).status == 200
        again = here.request("OPTIONS", there.where, branch=_branch(request))
        assert (await here.open.ask(again, there.where)).status == 200
        assert there.waiting == 0


async def test_a_refusal_is_repeated_until_its_ack_comes() -> None:
    patient = Timers(t1_s=0.01, t2_s=0.03, t4_s=0.03)
    transport, deaf = await asyncio.get_running_loop().create_datagram_endpoint(Deaf, local_addr=("127.0.0.1", 0))
    where = transport.get_extra_info("sockname")
    async with scripted_end() as here, scripted_end(patient) as there:
        # An INVITE by hand, so that nothing acknowledges the refusal by itself.
        invite = sip.encode(here.request("INVITE", there.where))
        invite = invite.replace(f":{here.where[1]};".encode(), f":{where[1]};".encode())
        transport.sendto(invite, there.where)
        incoming = await there.next("INVITE")
        unheard: list[bool] = []
        incoming.on_unconfirmed = lambda: unheard.append(True)
        incoming.respond(486, tag=sip.Tag("t"))
        await until(lambda: len(deaf.datagrams) >= 4)
        transport.sendto(invite.replace(b"INVITE sip", b"ACK sip").replace(b"1 INVITE", b"1 ACK"), there.where)
        await asyncio.sleep(2 * patient.patience_s)
        assert not unheard
        assert there.waiting == 0
    transport.close()
    await asyncio.sleep(0)


async def test_a_ringing_call_is_neither_repeated_nor_given_up() -> None:
    responses: list[Response] = []
    async with scripted_end(HASTY) as here, scripted_end(HASTY) as there:
        invite = here.request("INVITE", there.where)
        here.open.start(invite, there.where, responses.append)
        incoming = await there.next("INVITE")
        incoming.respond(180)
        await asyncio.sleep(HASTY.patience_s * 1.1)
        incoming.respond(200)
        await until(lambda: responses[-1:] != [] and responses[-1].status == 200)
        assert 408 not in [response.status for response in responses]


async def test_noise_is_counted_and_hurts_nobody() -> None:
    async with scripted_end() as here, scripted_end() as there:
        assert there.open.where != here.open.where
        noise = Request("OPTIONS", "sip:x", here.request("OPTIONS", there.where).headers.without("cseq"))
        here.open.send(noise, there.where)
        asking = asyncio.ensure_future(here.open.ask(here.request("OPTIONS", there.where), there.where))
        (await there.next("OPTIONS")).respond(200)
        await asking
        assert there.open.unreadable == 1


async def test_a_taken_port_is_named() -> None:
    async with scripted_end() as here:
        with pytest.raises(NoSocket, match=f":{here.where[1]} "):
            await Wire.open(here.where, ScriptedEnd().take, HASTY)


def _branch(request: Request) -> str:
    return sip.via(request.headers.all("via")[0]).branch
