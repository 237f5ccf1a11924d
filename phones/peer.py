"""The far end of a trunk: a stand-in for a carrier or for an emergency centre. It never registers."""

from dataclasses import dataclass

from phones import sdp, sip
from phones.behaviour import Answers, Behaviour
from phones.line import Line, caller_of
from phones.placed import PlacedCall
from phones.sip import Headers, Request, Where
from phones.wire import Timers


@dataclass(frozen=True, slots=True)
class Dialled:
    """A call that arrived over the trunk."""

    number: str
    caller: str
    name: str
    """The caller's display name."""
    headers: Headers


class Peer(Line):
    """Takes whatever its server sends it, answers OPTIONS, and places citizens' calls."""

    def __init__(
        self,
        server: Where,
        *,
        address: str,
        port: int = 0,
        name: str = "peer",
        behave: Behaviour | None = None,
        codecs: tuple[int, ...] = (sdp.PCMA, sdp.PCMU),
        timers: Timers | None = None,
    ) -> None:
        super().__init__(name, (address, port), server, behave=behave or Answers(), codecs=codecs, timers=timers)
        self.dialled: list[Dialled] = []
        """Every call that arrived, whatever became of it, in order."""

    async def call(
        self,
        number: str,
        *,
        caller: str,
        name: str = "",
        server: Where | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> PlacedCall:
        """Places a citizen's call.

        `caller` may hold anything, line breaks too: it is %-escaped. Raises Unsendable for a `name`
        with control characters.
        """
        return await self.place(number, caller=caller, domain=self.where[0], name=name, server=server, headers=headers)

    def noticed(self, invite: Request) -> None:
        name = sip.name_address(invite.headers.required("from")).name
        self.dialled.append(Dialled(sip.uri(invite.uri).user, caller_of(invite), name, invite.headers))
