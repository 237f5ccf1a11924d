"""A call as one of its two ends has it: what is heard, said and pressed, and how it ends."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from phones import sdp, sip
from phones.dialog import ALLOW, Dialog, authorised
from phones.digest import Account, NoAnswer
from phones.g711 import RATE_HZ, Wave
from phones.media import Media
from phones.sip import Request, Response
from phones.wire import Incoming, Wire, new_branch

Side = Literal["near", "far"]

GLARE_TRIES = 8


class Ended(NamedTuple):
    """Who ended a call, and why."""

    side: Side
    """near: this telephone; far: the other side."""
    cause: int | None
    """Q.850, from the Reason header; None when none was given."""
    status: int | None = None
    """The SIP status that refused the call; None when it had been answered or was given up."""


class NotAnswered(ConnectionError):
    """The call ended before anybody answered."""

    def __init__(self, number: str, ended: Ended) -> None:
        super().__init__(f"the call to {number} was not answered: {ended}")
        self.number = number
        self.ended = ended


class Refused(ConnectionError):
    """The other side refused a request within a call, or a registration."""

    def __init__(self, method: str, status: int, reason: str) -> None:
        super().__init__(f"{method} was refused: {status} {reason}")
        self.method = method
        self.status = status


class TooLate(TimeoutError):
    """Something did not happen within its bound."""

    def __init__(self, what: str, within_s: float) -> None:
        super().__init__(f"{what} did not happen within {within_s:g} s")
        self.what = what
        self.within_s = within_s


@dataclass(frozen=True, slots=True)
class Ground:
    """What a call stands on."""

    wire: Wire
    contact: tuple[str, str]
    account: Account | None
    on_end: Callable[["Call"], None]


class Call(ABC):
    """One call; `PlacedCall` and `TakenCall` are its two kinds."""

    glare_t1: tuple[float, float] = (0.0, 4.0)
    """After how many T1 a 491 is tried again, least and most: the called side goes first."""

    def __init__(self, ground: Ground, dialog: Dialog, media: Media, *, number: str, caller: str) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        """Who was called, as dialled."""
        self.caller = caller
        """Who calls, as the From header says."""
        self.media = media
        self.dialog = dialog
        self.ground = ground
        self._rang: asyncio.Future[None] = loop.create_future()
        self._answered: asyncio.Future[None] = loop.create_future()
        self._ended: asyncio.Future[Ended] = loop.create_future()
        self._unconfirmed: Incoming | None = None
        """An INVITE that we answered with 200 and whose ACK has not come; it may bring an answer to our offer."""
        self._confirmed: asyncio.Future[None] = loop.create_future()
        """The ACK of the call's first INVITE; RFC 3261, section 15: no BYE before it."""
        self._asking = False

    # --- what a person does ---

    async def rang(self, within_s: float = 30.0) -> None:
        """Waits until the other side rings. Raises NotAnswered, TooLate."""
        await self._either(self._rang, "ringing", within_s)

    async def answered(self, within_s: float = 30.0) -> None:
        """Waits until the call is answered. Raises NotAnswered, TooLate."""
        await self._either(self._answered, "an answer", within_s)

    async def ended(self, within_s: float = 60.0) -> Ended:
        """Waits until the call is over. Raises TooLate."""
        done, _ = await asyncio.wait([self._ended], timeout=within_s)
        if not done:
            raise TooLate("the end of the call", within_s)
        return self._ended.result()

    @property
    def up(self) -> bool:
        """Answered and not over."""
        return self._answered.done() and not self._ended.done()

    @property
    def over(self) -> bool:
        return self._ended.done()

    @property
    def heard(self) -> Wave:
        """Everything heard since the first packet; what was lost is silence."""
        return self.media.timeline.samples

    @property
    def heard_s(self) -> float:
        """How much was heard so far."""
        return len(self.media.timeline) / RATE_HZ

    @property
    def digits(self) -> str:
        """The keys that the other side pressed."""
        return self.media.digits.pressed

    def say(self, wave: Wave) -> asyncio.Future[bool]:
        """Speaks; may be awaited: True when all of it has gone, False when the call ended before."""
        return self.media.say(wave)

    def press(self, keys: str) -> asyncio.Future[bool]:
        """Presses keys (0-9 * # A-D); may be awaited like `say`. Raises NoSuchKey, CannotPress."""
        return self.media.press(keys)

    async def hold(self) -> None:
        """Puts the other side on hold: it is no longer listened to. Raises Refused."""
        await self._renegotiate("sendonly")

    async def resume(self) -> None:
        """Raises Refused."""
        await self._renegotiate("sendrecv")

    async def refer(self, to: str) -> int:
        """Asks the other side's server to pass it on to a number; the status it answers with, 202 when it will."""
        host, port = self.dialog.way
        return (await self._ask("REFER", more=(self.ground.contact, ("Refer-To", f"<sip:{to}@{host}:{port}>")))).status

    async def hang_up(self, cause: int = 16) -> None:
        """Ends the call, answered or not; it is over when this returns, even if the other side is dead."""
        if self._ended.done():
            return
        if not self._answered.done():
            await self._give_up(cause)
            return
        if self._unconfirmed is not None:
            patience_s = self.ground.wire.timers.patience_s
            futures: list[asyncio.Future[Any]] = [self._confirmed, self._ended]
            await asyncio.wait(futures, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if self._ended.done():
                return
        self._finish(Ended("near", cause))
        await self._ask("BYE", more=(sip.reason(cause),))

    # --- how it is done ---

    @abstractmethod
    async def _give_up(self, cause: int) -> None:
        """Ends a call that was not answered."""

    async def _either(self, wanted: asyncio.Future[None], what: str, within_s: float) -> None:
        futures: list[asyncio.Future[Any]] = [wanted, self._ended]
        await asyncio.wait(futures, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            return
        if self._ended.done():
            raise NotAnswered(self.number, self._ended.result())
        raise TooLate(what, within_s)

    def _ringing(self) -> None:
        if not self._rang.done():
            self._rang.set_result(None)

    def _connected(self) -> None:
        self._ringing()
        if not self._answered.done():
            self._answered.set_result(None)
        self.media.start()

    def _finish(self, ended: Ended) -> None:
        if not self._ended.done():
            self._ended.set_result(ended)
            self.media.close()
            if self._unconfirmed is not None:
                self._unconfirmed.confirmed()  # Nothing is repeated for a call that is over.
            self.ground.on_end(self)

    def vanish(self) -> None:
        """Is gone without a word, as a telephone whose plug was pulled."""
        self._finish(Ended("near", None))

    def via(self) -> tuple[str, str]:
        return self.ground.wire.via(new_branch())

    async def _ask(self, method: str, *, more: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Response:
        """A request within the dialog, with credentials when they are asked for."""
        request = self.dialog.request(method, self.via(), more=more, body=body)
        on_success = self._acknowledge if method == "INVITE" else None
        response = await self.ground.wire.ask(request, self.dialog.way, on_success)
        try:
            again = authorised(request, response, self.ground.account, self.via())
        except NoAnswer:
            again = None
        if again is None:
            return response
        self.dialog.local_cseq += 1
        return await self.ground.wire.ask(again, self.dialog.way, on_success)

    async def _renegotiate(self, direction: sdp.Direction) -> None:
        if not self.up:
            raise Refused("INVITE", 481, "the call is not up")
        self._asking = True
        try:
            response = await self._offered(direction)
        finally:
            self._asking = False
        if response.status >= 300:
            raise Refused("INVITE", response.status, response.reason)
        self.media.agree(response.body)

    async def _offered(self, direction: sdp.Direction) -> Response:
        """Offers; when both sides offer at once (491), once more after a while (RFC 3261, section 14.1)."""
        for _ in range(GLARE_TRIES):
            response = await self._ask("INVITE", more=(self.ground.contact, ALLOW), body=self.media.offer(direction))
            if response.status != 491 or self.over:
                break
            self._asking = False  # Meanwhile the other side may go first.
            least, most = self.glare_t1
            await asyncio.sleep(random.uniform(least, most) * self.ground.wire.timers.t1_s)  # noqa: S311 - no secret
            self._asking = True
        return response

    def _acknowledge(self, response: Response) -> None:
        """Every 200 to an INVITE has an ACK that is a request of its own."""
        number = response.headers.cseq[0]
        self.ground.wire.send(self.dialog.request("ACK", self.via(), cseq=number), self.dialog.way)

    def take(self, incoming: Incoming) -> None:
        """A request of the other side within this call."""
        request = incoming.request
        if request.method == "ACK":
            self._acked(request)
            return
        number = request.headers.cseq[0]
        if number <= self.dialog.remote_cseq:
            incoming.respond(500)
            return
        self.dialog.remote_cseq = number
        match request.method:
            case "BYE":
                incoming.respond(200)
                self._far_end(sip.q850_cause(request.headers))
            case "INVITE" | "UPDATE":
                self._renegotiated(incoming)
            case "OPTIONS" | "INFO" | "NOTIFY":
                incoming.respond(200, more=(ALLOW,))
            case _:
                incoming.respond(405, more=(ALLOW,))

    def _far_end(self, cause: int | None) -> None:
        self._finish(Ended("far", cause))

    def _expect_ack(self, invite: Incoming) -> None:
        self._unconfirmed = invite
        invite.on_unconfirmed = self._part

    def _acked(self, request: Request) -> None:
        """Ends the repeating of a 200, and may bring the answer to our offer."""
        invite = self._unconfirmed
        if invite is None or request.headers.cseq[0] != invite.request.headers.cseq[0]:
            return
        self._settled(invite)
        if request.body and not invite.request.body:
            self._agree_or_end(request.body)

    def _settled(self, invite: Incoming) -> None:
        self._unconfirmed = None
        invite.confirmed()
        if not self._confirmed.done():
            self._confirmed.set_result(None)

    def _agree_or_end(self, answer: bytes) -> None:
        try:
            self.media.agree(answer)
        except sdp.NoCommonMedia:
            self._part()

    def _part(self) -> None:
        """Says BYE to a call that cannot go on, without waiting for the answer."""
        if not self._ended.done():
            request = self.dialog.request("BYE", self.via(), more=(sip.reason(16),))
            self._finish(Ended("near", None))
            self.ground.wire.start(request, self.dialog.way, lambda _: None)

    def _renegotiated(self, incoming: Incoming) -> None:
        """The other side holds, resumes, moves its media, or only says that it is still there."""
        request = incoming.request
        offers = request.method == "INVITE" or bool(request.body)
        before = self._unconfirmed
        if offers and (self._asking or (before is not None and not before.request.body)):
            incoming.respond(491)
            return
        if before is not None and request.method == "INVITE":
            self._settled(before)  # Whoever goes on has heard our 200: only its ACK was lost.
        try:
            body = self._described(request)
        except sdp.NoCommonMedia:
            incoming.respond(488)
            return
        contact = request.headers.get("contact")
        if contact is not None:
            self.dialog.target = sip.name_address(contact).uri
        kind = (("Content-Type", "application/sdp"),) if body else ()
        if request.method == "INVITE":
            self._expect_ack(incoming)
        incoming.respond(200, more=(self.ground.contact, ALLOW, *kind), body=body)

    def _described(self, request: Request) -> bytes:
        if request.body:
            return self.media.answer(request.body)
        return self.media.offer(self.media.direction) if request.method == "INVITE" else b""
