"""Why a call back reached nobody: two messages tell it together, in either order.

The OriginateResponse of a call that was refused has the reason 0, whatever the line answered: Asterisk
asks its dialling for the cause, which has forgotten it. The Hangup of the call's channel has the cause.
Where no channel could be made there is no Hangup.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from asterisk.ami import Inbox
from asterisk.message import AmiMessage

CALL_BACK_ID = "callback-"
"""Begins the action id of a call back, and its channel's id; the new call's ref follows, so that its outcome
can be told."""
HOLD_S = 0.5
"""So long a response without a reason is held back for its channel's end; as a rule they come together."""

_NO_REASON = "0"
_UP = frozenset({"4", "6"})
"""ChannelState of a call that was put through, and of one that was answered."""
_REMEMBERED = 100


class Outcomes:
    """What was told by one message of two. One for each connection."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, AmiMessage]] = {}
        """By ref: until when it is held, and the response."""
        self._causes: dict[str, str] = {}

    async def batch(self, inbox: Inbox) -> tuple[AmiMessage, ...]:
        """What has arrived, and what was held back until now; may be nothing. Raises SwitchLost."""
        if not self._held:
            return self.put_together(await inbox.batch(), asyncio.get_running_loop().time())
        messages: tuple[AmiMessage, ...] = ()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(due_s for due_s, _ in self._held.values())):
                messages = await inbox.batch()
        return self.put_together(messages, asyncio.get_running_loop().time())

    def put_together(self, messages: Iterable[AmiMessage], now_s: float) -> tuple[AmiMessage, ...]:
        """The messages in their order, each response that was held as soon as it has a `Cause`, or is due."""
        found: list[AmiMessage] = []
        for message in messages:
            found += self._heard(message, now_s)
        for ref, (due_s, response) in list(self._held.items()):
            if due_s <= now_s:
                del self._held[ref]
                found.append(response)
        return tuple(found)

    def _heard(self, message: AmiMessage, now_s: float) -> tuple[AmiMessage, ...]:
        if message.event == "Hangup":
            return message, *self._ended(message)
        ident = message.action_id or ""
        if message.event != "OriginateResponse" or not ident.startswith(CALL_BACK_ID):
            return (message,)
        if message.optional("Response") != "Failure" or message.optional("Reason") != _NO_REASON:
            return (message,)
        ref = ident.removeprefix(CALL_BACK_ID)
        cause = self._causes.pop(ref, None)
        if cause is None:
            self._held[ref] = (now_s + HOLD_S, message)
            return ()
        return (_with_cause(message, cause),)

    def _ended(self, hangup: AmiMessage) -> tuple[AmiMessage, ...]:
        """The response that was held back for this end."""
        channel = hangup.optional("Uniqueid") or ""
        if not channel.startswith(CALL_BACK_ID) or hangup.optional("ChannelState") in _UP:
            return ()
        ref, cause = channel.removeprefix(CALL_BACK_ID), hangup.optional("Cause") or ""
        if ref in self._held:
            return (_with_cause(self._held.pop(ref)[1], cause),)
        self._causes[ref] = cause
        while len(self._causes) > _REMEMBERED:
            del self._causes[next(iter(self._causes))]
        return ()


def _with_cause(response: AmiMessage, cause: str) -> AmiMessage:
    return response.led_by("Cause", cause)
