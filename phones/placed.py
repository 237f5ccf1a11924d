"""A call that we place: INVITE with its refusals, credentials and races (RFC 3261, section 13.2)."""

import asyncio

from phones import sdp, sip
from phones.call import Call, Ended, Ground
from phones.dialog import ALLOW, Dialog, authorised
from phones.digest import NoAnswer
from phones.media import Media
from phones.sip import Request, Response
from phones.wire import Outgoing


class PlacedCall(Call):
    """The calling end."""

    glare_t1 = (4.2, 8.0)

    def __init__(self, ground: Ground, dialog: Dialog, media: Media, *, number: str, caller: str) -> None:
        super().__init__(ground, dialog, media, number=number, caller=caller)
        self.statuses: list[int] = []
        """Every status that came for the INVITE, in order, repeated ones left out."""
        self._invite: Outgoing | None = None
        self._giving_up: int | None = None
        self._cancelled = False

    def place(self, more: tuple[tuple[str, str], ...]) -> None:
        """Sends the INVITE; `more` are headers of the caller's own."""
        headers = (self.ground.contact, ALLOW, *more)
        self._start(self.dialog.request("INVITE", self.via(), more=headers, body=self.media.offer()))

    def _start(self, invite: Request) -> None:
        self._invite = self.ground.wire.start(invite, self.dialog.first_hop, self._responded)

    def _responded(self, response: Response) -> None:
        if self._invite is None or response.headers.cseq[0] != self._invite.request.headers.cseq[0]:
            return  # Of the attempt before the credentials.
        if response.status not in self.statuses:
            self.statuses.append(response.status)
        if response.status < 200:
            self._progress(response)
        elif response.status < 300:
            self._accepted(response)
        elif not self._with_credentials(response):
            self._refused(response)

    def _progress(self, response: Response) -> None:
        if self._giving_up is not None:
            self._cancel(self._giving_up)
        if response.status in (180, 183):
            self._ringing()
        if response.body and not self._answered.done():
            try:
                self.media.agree(response.body)  # Sound before the answer.
            except sdp.NoCommonMedia:
                return

    def _accepted(self, response: Response) -> None:
        if self._answered.done() or self._ended.done():
            # Repeated because our ACK was lost, or it won against our giving up.
            self._acknowledge(response)
            return
        self.dialog.learn(response)
        self._acknowledge(response)
        if self._giving_up is not None:
            self._part_with(self._giving_up)
            return
        try:
            self.media.agree(response.body)
        except sdp.NoCommonMedia:
            self._part()
            return
        self._connected()

    def _with_credentials(self, refusal: Response) -> bool:
        if self._invite is None or self._giving_up is not None:
            return False
        try:
            again = authorised(self._invite.request, refusal, self.ground.account, self.via())
        except NoAnswer:
            return False
        if again is None:
            return False
        self.dialog.local_cseq += 1
        self._start(again)
        return True

    def _refused(self, response: Response) -> None:
        if self._giving_up is not None:
            self._finish(Ended("near", self._giving_up))
        else:
            self._finish(Ended("far", sip.q850_cause(response.headers), response.status))

    async def _give_up(self, cause: int) -> None:
        """CANCEL, but not before a first response (RFC 3261, section 9.1); a 200 that wins gets ACK and BYE."""
        if self._giving_up is None:
            self._giving_up = cause
            if self.statuses and self.statuses[-1] < 200:
                self._cancel(cause)
        # With no response at all the INVITE's own limit ends the call; after it, CANCEL's.
        await asyncio.wait([self._ended], timeout=2 * self.ground.wire.timers.patience_s)
        self._finish(Ended("near", cause))

    def _cancel(self, cause: int) -> None:
        if self._cancelled or self._invite is None:
            return
        self._cancelled = True
        invite = self._invite.request
        cancel = self.dialog.request(
            "CANCEL",
            ("Via", invite.headers.all("via")[0]),
            more=(sip.reason(cause),),
            cseq=invite.headers.cseq[0],
        )
        self.ground.wire.start(cancel, self.dialog.first_hop, self._cancel_answered)

    def _cancel_answered(self, response: Response) -> None:
        """The INVITE still needs its final answer: 487, or a 200 that was quicker. 64·T1 is the bound."""
        if response.status >= 300:
            self._finish(Ended("near", self._giving_up))
        elif response.status >= 200:
            patience_s = self.ground.wire.timers.patience_s
            asyncio.get_running_loop().call_later(patience_s, self._finish, Ended("near", self._giving_up))

    def _part_with(self, cause: int) -> None:
        request = self.dialog.request("BYE", self.via(), more=(sip.reason(cause),))
        self._finish(Ended("near", cause))
        self.ground.wire.start(request, self.dialog.way, lambda _: None)
