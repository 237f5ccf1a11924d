"""A call that comes in: ringing, answering, refusing, and being given up by the caller."""

from phones import sdp, sip
from phones.call import Call, Ended, Ground
from phones.dialog import ALLOW, Dialog
from phones.media import Media
from phones.wire import Incoming


class TakenCall(Call):
    """The called end."""

    def __init__(
        self, ground: Ground, dialog: Dialog, media: Media, invite: Incoming, *, number: str, caller: str
    ) -> None:
        super().__init__(ground, dialog, media, number=number, caller=caller)
        self.invite = invite

    def ring(self) -> None:
        if not self.invite.final:
            self.invite.respond(180, tag=self.dialog.local_tag, more=(self.ground.contact, ALLOW))
            self._ringing()

    def progress(self) -> bool:
        """Sound before the answer; False when the caller had gone, or offered no sound that we have."""
        request = self.invite.request
        if self.invite.final or not request.body:
            return False
        try:
            body = self.media.answer(request.body)
        except sdp.NoCommonMedia:
            return False
        more = (self.ground.contact, ALLOW, ("Content-Type", "application/sdp"))
        self.invite.respond(183, tag=self.dialog.local_tag, more=more, body=body)
        self._ringing()
        self.media.start()
        return True

    def answer(self) -> bool:
        """Takes the call; False when the caller had gone or offered no sound that we have."""
        if self.invite.final:
            return False
        request = self.invite.request
        try:
            body = self.media.answer(request.body) if request.body else self.media.offer()
        except sdp.NoCommonMedia:
            self.refuse(488)
            return False
        self._expect_ack(self.invite)
        kind = ("Content-Type", "application/sdp")
        self.invite.respond(200, tag=self.dialog.local_tag, more=(self.ground.contact, ALLOW, kind), body=body)
        self._connected()
        return True

    def refuse(self, status: int = 486, cause: int | None = None, to: str | None = None) -> None:
        """to: a URI that the caller is sent to instead."""
        if not self.invite.final:
            more = (sip.reason(cause),) if cause is not None else ()
            more = (*more, ("Contact", f"<{to}>")) if to is not None else more
            self.invite.respond(status, tag=self.dialog.local_tag, more=more)
            self._finish(Ended("near", cause, status))

    def given_up(self, cause: int | None) -> None:
        """The caller cancelled; after our 200 that comes too late and a BYE will follow."""
        if not self.invite.final:
            self.invite.respond(487, tag=self.dialog.local_tag)
            self._finish(Ended("far", cause))

    async def _give_up(self, cause: int) -> None:
        self.refuse(480, cause)

    def _far_end(self, cause: int | None) -> None:
        self.given_up(cause)  # A BYE before the answer ends the INVITE too.
        super()._far_end(cause)
