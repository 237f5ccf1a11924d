"""What both sides of a call keep in mind between its requests (RFC 3261, section 12)."""

import re
import secrets
from dataclasses import dataclass

from phones import digest, sip
from phones.digest import Account
from phones.sip import Headers, Request, Response, Tag, Where

ALLOW = ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY")


def new_tag() -> Tag:
    return Tag(secrets.token_hex(6))


@dataclass(slots=True)
class Dialog:
    call_id: str
    local: str
    """Our From (or To) with its tag."""
    remote: str
    """The other side's To (or From); without a tag until it answered."""
    target: str
    """The URI that requests go to: the other side's Contact."""
    first_hop: Where
    """Where its signalling came from (or where the first request goes)."""
    local_tag: Tag
    routes: tuple[str, ...] = ()
    local_cseq: int = 0
    remote_cseq: int = -1

    @classmethod
    def called(cls, request: Request, source: Where, tag: Tag) -> "Dialog":
        """The called side's view of an INVITE."""
        headers = request.headers
        to = headers.required("to")
        contact = headers.get("contact")
        return cls(
            call_id=headers.required("call-id"),
            local=f"{to};tag={tag}" if "<" in to else f"<{to}>;tag={tag}",
            remote=headers.required("from"),
            target=sip.name_address(contact).uri if contact else str(sip.Uri("", *source)),
            first_hop=source,
            local_tag=tag,
            routes=headers.all("record-route"),
            remote_cseq=headers.cseq[0],
        )

    def learn(self, response: Response) -> None:
        """The calling side: who answered, and the way to them."""
        self.remote = response.headers.required("to")
        contact = response.headers.get("contact")
        if contact is not None:
            self.target = sip.name_address(contact).uri
        self.routes = tuple(reversed(response.headers.all("record-route")))

    @property
    def way(self) -> Where:
        """Where a request is sent: the first route, else the target if that is an address."""
        route = sip.name_address(self.routes[0]).uri if self.routes else self.target
        try:
            hop = sip.uri(route)
        except sip.Malformed:
            return self.first_hop
        return (hop.host, hop.port) if re.fullmatch(r"[0-9.]+", hop.host) else self.first_hop

    def request(
        self,
        method: str,
        via: tuple[str, str],
        *,
        more: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        cseq: int | None = None,
    ) -> Request:
        """A request in this dialog; `cseq` is given for an ACK or CANCEL, which repeat the INVITE's."""
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        items = [
            via,
            ("Max-Forwards", "70"),
            *(("Route", route) for route in self.routes),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            *more,
        ]
        if body:
            items.append(("Content-Type", "application/sdp"))
        return Request(method, self.target, Headers(tuple(items)), body)


def authorised(request: Request, refusal: Response, account: Account | None, via: tuple[str, str]) -> Request | None:
    """The request once more with credentials, one CSeq later; None when they would not help.

    `via` holds the new branch. Raises digest.NoAnswer, sip.Malformed.
    """
    asked, given = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}.get(
        refusal.status, ("", "")
    )
    if not asked or account is None:
        return None
    challenge = digest.read(refusal.headers.required(asked))
    if request.headers.get(given) is not None and not challenge.stale:
        return None  # The password was wrong.
    number, method = request.headers.cseq
    kept = request.headers.without("via", "cseq", given)
    more = (("CSeq", f"{number + 1} {method}"), (given, digest.answer(challenge, account, method, request.uri)))
    return Request(method, request.uri, Headers((via, *kept.plus(*more).items)), request.body)
