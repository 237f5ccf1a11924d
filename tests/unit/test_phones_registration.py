"""Seats register, stay registered, and leave."""

import pytest

from phones.call import Refused
from phones.digest import Account
from phones.telephone import Telephone
from tests.support.registrar import registrar
from tests.support.scripted_end import QUICK, until

ACCOUNT = Account("8001", "secret")


async def test_a_seat_registers_with_its_password_and_takes_it_back_at_the_end() -> None:
    async with registrar(ACCOUNT) as server:
        async with Telephone("8001", server.where, password="secret", timers=QUICK) as seat:
            assert seat.registered
            assert list(server.contacts) == [f"sip:8001@127.0.0.1:{seat.where[1]}"]
        assert not server.contacts
        assert server.seen == [120, 0]


async def test_a_wrong_password_is_told_at_once() -> None:
    async with registrar(ACCOUNT) as server:
        with pytest.raises(Refused) as raised:
            async with Telephone("8001", server.where, password="wrong", timers=QUICK):
                pass
        assert raised.value.status == 401
        assert not server.contacts


async def test_a_stale_nonce_is_answered_once_more() -> None:
    async with registrar(ACCOUNT) as server:
        server.stale_times = 1
        async with Telephone("8001", server.where, password="secret", timers=QUICK) as seat:
            assert seat.registered


async def test_a_registration_that_is_too_short_is_lengthened() -> None:
    async with registrar(ACCOUNT) as server:
        server.least_s = 300
        async with Telephone("8001", server.where, password="secret", expires_s=60, timers=QUICK):
            assert server.seen == [300]


async def test_a_registration_is_renewed_before_it_ends() -> None:
    async with registrar(ACCOUNT) as server:
        server.granted_s = 1
        async with Telephone("8001", server.where, password="secret", timers=QUICK):
            await until(lambda: len(server.seen) >= 3)


async def test_a_seat_may_leave_and_come_back() -> None:
    async with registrar(ACCOUNT) as server:
        async with Telephone("8001", server.where, password="secret", timers=QUICK) as seat:
            await seat.unregister()
            assert not server.contacts
            await seat.register()
            assert server.contacts
        assert not server.contacts
