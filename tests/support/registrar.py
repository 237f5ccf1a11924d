"""A small SIP registrar that asks for a password, for telephones to register at."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from phones import digest, sip
from phones.digest import Account
from phones.sip import Where
from phones.wire import Incoming, Wire
from tests.support.scripted_end import QUICK


class Registrar:
    """Knows one account; `contacts` is who is registered, `seen` the Expires of each success."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.contacts: dict[str, int] = {}
        self.seen: list[int] = []
        self.stale_times = 0
        """How often a right answer is called stale."""
        self.least_s = 0
        """Shorter registrations are refused with 423."""
        self.granted_s: int | None = None
        self.where: Where = ("", 0)

    def take(self, incoming: Incoming) -> None:
        headers = incoming.request.headers
        given = headers.get("authorization")
        if given is None or not self._right(given):
            incoming.respond(401, more=(("WWW-Authenticate", 'Digest realm="test", nonce="n1", qop="auth"'),))
        elif self.stale_times:
            self.stale_times -= 1
            stale = 'Digest realm="test", nonce="n2", qop="auth", stale=true'
            incoming.respond(401, more=(("WWW-Authenticate", stale),))
        else:
            self._register(incoming)

    def _register(self, incoming: Incoming) -> None:
        headers = incoming.request.headers
        expires_s = int(headers.required("expires"))
        if 0 < expires_s < self.least_s:
            incoming.respond(423, more=(("Min-Expires", str(self.least_s)),))
            return
        contact = sip.name_address(headers.required("contact")).uri
        self.seen.append(expires_s)
        if expires_s:
            self.contacts[contact] = expires_s
        else:
            self.contacts.pop(contact, None)
        granted_s = self.granted_s or expires_s
        more = tuple(("Contact", f"<{uri}>;expires={granted_s}") for uri in self.contacts)
        incoming.respond(200, more=more)

    def _right(self, given: str) -> bool:
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
        challenge = digest.Challenge(fields["realm"], fields["nonce"], None, with_qop=True, stale=False)
        expected = digest.answer(challenge, self.account, "REGISTER", fields["uri"], cnonce=fields["cnonce"])
        return f'response="{fields["response"]}"' in expected


@asynccontextmanager
async def registrar(account: Account) -> AsyncIterator[Registrar]:
    made = Registrar(account)
    wire = await Wire.open(("127.0.0.1", 0), made.take, QUICK)
    made.where = wire.where
    try:
        yield made
    finally:
        await wire.close()
