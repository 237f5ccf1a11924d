"""A SIP user agent at one address: what telephones and the far ends of trunks have in common."""

import asyncio
from typing import Self, assert_never

from phones import sdp, sip
from phones.behaviour import Answers, Behaviour, Rejects, Rings, Silent
from phones.call import Call, Ground, TooLate
from phones.dialog import ALLOW, Dialog, new_tag
from phones.digest import Account
from phones.media import Media
from phones.placed import PlacedCall
from phones.sip import Headers, Request, Where
from phones.taken import TakenCall
from phones.tasks import Tasks
from phones.wire import Incoming, Timers, Wire, new_branch


class NotOpen(RuntimeError):
    """The line is used outside its `async with`."""

    def __init__(self) -> None:
        super().__init__("the line is not open: use it inside `async with`")


class Line:
    """Places and takes calls; an async context manager. Everything is given back at the end."""

    def __init__(
        self,
        user: str,
        where: Where,
        server: Where,
        *,
        behave: Behaviour,
        account: Account | None = None,
        codecs: tuple[int, ...] = (sdp.PCMA, sdp.PCMU),
        timers: Timers | None = None,
    ) -> None:
        self.user = user
        self.server = server
        self.behave = behave
        """May be changed at any time; it holds for the calls that come after."""
        self.calls: list[Call] = []
        """Every call of this line, those that are over too."""
        self._bind = where
        self._account = account
        self._codecs = codecs
        self._timers = timers or Timers()
        self._wire: Wire | None = None
        self._tasks = Tasks()
        self._live: dict[tuple[str, str], Call] = {}
        self._arrived: asyncio.Queue[TakenCall] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._wire = await Wire.open(self._bind, self._take, self._timers)
        return self

    async def __aexit__(self, *_: object) -> None:
        partings = [asyncio.ensure_future(call.hang_up()) for call in self._live.values()]
        if partings:
            await asyncio.wait(partings, timeout=self.parting_s)
        for parting in partings:
            parting.cancel()
        await asyncio.gather(*partings, return_exceptions=True)
        await self._close()

    @property
    def parting_s(self) -> float:
        """How long the end of calls is waited for when the line is closed: 2 s, as RFC 3261's timers are."""
        return 4 * self._timers.t1_s

    async def die(self) -> None:
        """Is gone without a word: no BYE, no unregistering, as if its plug had been pulled."""
        await self._close()

    async def _close(self) -> None:
        wire, self._wire = self._wire, None
        if wire is None:
            return
        try:
            await self._tasks.close()
        finally:
            for call in list(self._live.values()):
                call.vanish()
            await wire.close()
            await asyncio.gather(*(call.media.gone() for call in self.calls))

    @property
    def where(self) -> Where:
        """The address and port of its SIP socket."""
        return self._open.where

    @property
    def _open(self) -> Wire:
        if self._wire is None:
            raise NotOpen
        return self._wire

    @property
    def contact(self) -> tuple[str, str]:
        return "Contact", f"<{sip.Uri(self.user, *self.where)}>"

    # --- calling ---

    async def place(
        self,
        number: str,
        *,
        caller: str,
        domain: str,
        name: str = "",
        server: Where | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> PlacedCall:
        """Places a call; it is returned at once, ringing or not.

        `caller` may hold anything: what a URI cannot hold is escaped. `headers` stand in the INVITE.
        Raises Unsendable for control characters in a header or the name.
        """
        wire, to = self._open, server or self.server
        media = await Media.open(self.where[0], self._codecs)
        tag = new_tag()
        target = str(sip.Uri(number, *to))
        shown = f"{sip.quoted_name(name)} " if name else ""
        dialog = Dialog(
            call_id=f"{new_tag()}@{self.where[0]}",
            local=f"{shown}<{sip.Uri(caller, domain)}>;tag={tag}",
            remote=f"<{target}>",
            target=target,
            first_hop=to,
            local_tag=tag,
        )
        call = PlacedCall(self._ground(wire), dialog, media, number=number, caller=caller)
        self._keep(call)
        try:
            call.place(headers)
        except sip.Unsendable:
            call.vanish()
            raise
        return call

    def _ground(self, wire: Wire) -> Ground:
        return Ground(wire, self.contact, self._account, self._over)

    def _keep(self, call: Call) -> None:
        self.calls.append(call)
        self._live[call.dialog.call_id, call.dialog.local_tag] = call

    def _over(self, call: Call) -> None:
        self._live.pop((call.dialog.call_id, call.dialog.local_tag), None)

    async def reaches(self, server: Where | None = None) -> int:
        """Asks the server for a sign of life by OPTIONS; the status, 408 when there was none."""
        wire, to = self._open, server or self.server
        us = sip.Uri(self.user, *self.where)
        headers = Headers(
            (
                wire.via(new_branch()),
                ("Max-Forwards", "70"),
                ("From", f"<{us}>;tag={new_tag()}"),
                ("To", f"<{sip.Uri('', *to)}>"),
                ("Call-ID", f"{new_tag()}@{self.where[0]}"),
                ("CSeq", "1 OPTIONS"),
                self.contact,
            )
        )
        return (await wire.ask(Request("OPTIONS", str(sip.Uri("", *to)), headers), to)).status

    # --- being called ---

    async def next_call(self, within_s: float = 30.0) -> TakenCall:
        """The next call that comes in, whatever becomes of it. Raises TooLate."""
        getting = asyncio.ensure_future(self._arrived.get())
        try:
            await asyncio.wait([getting], timeout=within_s)
        finally:
            # Also when whoever waits is cancelled: the call is for the one who asks next.
            getting.cancel()
        if not getting.done():
            raise TooLate("a call", within_s)
        return getting.result()

    def _take(self, incoming: Incoming) -> None:
        """Every request that arrives."""
        request = incoming.request
        tag = sip.name_address(request.headers.required("to")).tag
        if request.method == "CANCEL":
            self._cancelled(incoming)
        elif tag is not None:
            call = self._live.get((request.headers.required("call-id"), tag))
            if call is not None:
                call.take(incoming)
            elif request.method != "ACK":
                incoming.respond(481)
        elif request.method == "INVITE":
            self._invited(incoming)
        elif request.method == "OPTIONS":
            if not isinstance(self.behave, Silent) or self.behave.alive:
                incoming.respond(200, tag=new_tag(), more=(ALLOW, ("Accept", "application/sdp")))
        elif request.method != "ACK":
            incoming.respond(405, tag=new_tag(), more=(ALLOW,))

    def _cancelled(self, incoming: Incoming) -> None:
        invite = self._open.under_way(incoming.request)
        if invite is None:
            incoming.respond(481, tag=new_tag())
            return
        if invite.ignored:
            return  # Whoever is silent does not answer this either.
        incoming.respond(200, tag=new_tag())
        cause = sip.q850_cause(incoming.request.headers)
        for call in list(self._live.values()):
            if isinstance(call, TakenCall) and call.invite is invite:
                call.given_up(cause)
                return
        invite.respond(487, tag=new_tag())

    def _invited(self, incoming: Incoming) -> None:
        request = incoming.request
        try:
            number = sip.uri(request.uri).user
            dialog = Dialog.called(request, incoming.source, new_tag())
        except sip.Malformed:
            incoming.respond(400, tag=new_tag())
            return
        self.noticed(request)
        unknown = request.headers.all("require")
        if isinstance(self.behave, Silent):
            return
        if unknown:
            incoming.respond(420, tag=new_tag(), more=(("Unsupported", ", ".join(unknown)),))
            return
        incoming.respond(100)
        self._tasks.start(self._received(incoming, dialog, number, self.behave), "incoming call")

    def noticed(self, invite: Request) -> None:
        """Called with each INVITE that begins a call, before anything is answered."""

    async def _received(
        self, incoming: Incoming, dialog: Dialog, number: str, behave: Answers | Rings | Rejects
    ) -> None:
        wire = self._open
        media = await Media.open(self.where[0], self._codecs)
        caller = caller_of(incoming.request)
        call = TakenCall(self._ground(wire), dialog, media, incoming, number=number, caller=caller)
        self._keep(call)
        if incoming.final:  # The caller gave up in the meantime.
            call.vanish()
            return
        self._arrived.put_nowait(call)
        match behave:
            case Answers():
                await _answer(call, behave)
            case Rings(after_s):
                await asyncio.sleep(after_s)
                call.ring()
            case Rejects(status, cause, says, to):
                if says is not None and call.progress():
                    await call.say(says)
                call.refuse(status, cause, to)
            case _:
                assert_never(behave)


async def _answer(call: TakenCall, behave: Answers) -> None:
    call.ring()
    await asyncio.sleep(behave.after_s)
    if not call.answer():
        return
    loop = asyncio.get_running_loop()
    answered_s = loop.time()
    if behave.says is not None:
        gone = call.say(behave.says)
        while behave.again and await gone:
            gone = call.say(behave.says)
    if behave.hangs_up_after_s is not None:
        await asyncio.sleep(max(0.0, answered_s + behave.hangs_up_after_s - loop.time()))
        await call.hang_up()


def caller_of(request: Request) -> str:
    """The user in the From header; the whole URI when it is no SIP URI."""
    address = sip.name_address(request.headers.required("from")).uri
    try:
        return sip.uri(address).user
    except sip.Malformed:
        return address
