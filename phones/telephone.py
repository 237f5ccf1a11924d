"""A telephone: a caller's, or a seat's that registers and waits for calls."""

import asyncio
import re
from typing import Self

from phones import sdp, sip
from phones.behaviour import Behaviour, Rings
from phones.call import Refused
from phones.dialog import authorised, new_tag
from phones.digest import Account, NoAnswer
from phones.line import Line
from phones.placed import PlacedCall
from phones.sip import Headers, Request, Response, Where
from phones.wire import Timers, new_branch

RETRY_S = 5.0
"""After a registration that failed."""


class Telephone(Line):
    """With a password it registers at its server and keeps registered; without, it only calls."""

    def __init__(
        self,
        user: str,
        server: Where,
        *,
        password: str | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        behave: Behaviour | None = None,
        expires_s: int = 120,
        codecs: tuple[int, ...] = (sdp.PCMA, sdp.PCMU),
        timers: Timers | None = None,
    ) -> None:
        account = Account(user, password) if password is not None else None
        super().__init__(
            user, (address, port), server, behave=behave or Rings(), account=account, codecs=codecs, timers=timers
        )
        self.registered = False
        """Whether the server knows this telephone, as far as is known here."""
        self._wanted = False
        self._expires_s = expires_s
        self._register_id = f"{new_tag()}@{address}"
        self._register_cseq = 0

    async def __aenter__(self) -> Self:
        """Raises NoSocket, and Refused when the registration is."""
        await super().__aenter__()
        if self._account is not None:
            try:
                expires_s = await self._register(self._expires_s)
            except BaseException:
                await self.die()
                raise
            self._wanted = True
            self._tasks.start(self._keep_registered(expires_s), "registration")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.registered and self._wire is not None:
            leaving = asyncio.ensure_future(self.unregister())
            await asyncio.wait([leaving], timeout=self.parting_s)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        await super().__aexit__()

    async def call(
        self,
        number: str,
        *,
        caller_id: str | None = None,
        name: str = "",
        server: Where | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> PlacedCall:
        """Places a call; the caller is this telephone's user unless `caller_id` says otherwise."""
        to = server or self.server
        caller = self.user if caller_id is None else caller_id
        return await self.place(number, caller=caller, domain=to[0], name=name, server=to, headers=headers)

    async def register(self) -> None:
        """Registers (again), after `unregister` for instance. Raises Refused."""
        self._wanted = True
        await self._register(self._expires_s)

    async def unregister(self) -> None:
        """Takes its registration back. Raises Refused."""
        self._wanted = self.registered = False
        await self._register(0)

    async def _keep_registered(self, expires_s: float) -> None:
        while True:
            await asyncio.sleep(expires_s / 2)
            if not self._wanted:
                continue
            try:
                expires_s = await self._register(self._expires_s)
            except Refused:
                self.registered = False
                expires_s = 2 * RETRY_S

    async def _register(self, expires_s: int) -> float:
        """Returns how long the registration holds, in seconds. Raises Refused."""
        response = await self._asked_to_register(expires_s)
        if response.status == 423 and expires_s:
            expires_s = int(response.headers.get("min-expires") or 3600)
            response = await self._asked_to_register(expires_s)
        if response.status >= 300:
            raise Refused("REGISTER", response.status, response.reason)
        self.registered = expires_s > 0
        return self._granted_s(response, expires_s)

    async def _asked_to_register(self, expires_s: int) -> Response:
        wire = self._open
        self._register_cseq += 1
        us = f"<{sip.Uri(self.user, *self.server)}>"
        headers = Headers(
            (
                wire.via(new_branch()),
                ("Max-Forwards", "70"),
                ("From", f"{us};tag={new_tag()}"),
                ("To", us),
                ("Call-ID", self._register_id),
                ("CSeq", f"{self._register_cseq} REGISTER"),
                self.contact,
                ("Expires", str(expires_s)),
            )
        )
        request = Request("REGISTER", str(sip.Uri("", *self.server)), headers)
        response = await wire.ask(request, self.server)
        for _ in range(2):  # Once for the password, once more if the nonce was stale.
            try:
                again = authorised(request, response, self._account, wire.via(new_branch()))
            except NoAnswer:
                break
            if again is None:
                break
            self._register_cseq += 1
            request = again
            response = await wire.ask(request, self.server)
        return response

    def _granted_s(self, response: Response, asked_s: int) -> float:
        """What the server granted to this very contact, else what it granted to all, else what was asked."""
        host, port = self.where
        for contact in response.headers.all("contact"):
            address = sip.name_address(contact)
            if re.search(rf"@{re.escape(host)}:{port}\b", address.uri) and address.params.get("expires", "").isdigit():
                return float(address.params["expires"])
        expires = response.headers.get("expires")
        return float(expires) if expires is not None and expires.isdigit() else float(asked_s)
