"""SIP transactions over one UDP socket (RFC 3261, section 17; RFC 6026): repeats and time-outs."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from phones import sip
from phones.sip import Headers, Message, Request, Response, Where


@dataclass(frozen=True, slots=True)
class Timers:
    """RFC 3261's T1, T2 and T4 in seconds; smaller ones make lossy tests quick."""

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0

    @property
    def patience_s(self) -> float:
        """64·T1: how long an answer (or an ACK) is awaited."""
        return 64 * self.t1_s


class NoSocket(OSError):
    """The address cannot be bound."""

    def __init__(self, where: Where, why: OSError) -> None:
        super().__init__(why.errno, f"cannot listen on {where[0]}:{where[1]} ({why.strerror}): choose another port")
        self.where = where


def new_branch() -> str:
    return sip.BRANCH_COOKIE + secrets.token_hex(8)


class Outgoing:
    """A request of ours under way: repeated until answered; 408 is handed on when nobody answers."""

    def __init__(self, wire: "Wire", request: Request, to: Where, on_response: Callable[[Response], None]) -> None:
        self.request = request
        self._wire = wire
        self._to = to
        self._on_response = on_response
        self._invite = request.method == "INVITE"
        self._interval_s = wire.timers.t1_s
        self._final: Response | None = None
        self._proceeding = False
        loop = asyncio.get_running_loop()
        self._repeat: asyncio.TimerHandle | None = loop.call_later(self._interval_s, self._send_again)
        self._limit = loop.call_later(wire.timers.patience_s, self._nobody)
        wire.send(request, to)

    def stop(self) -> None:
        self._limit.cancel()
        self._rest()

    def _rest(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def _send_again(self) -> None:
        self._wire.send(self.request, self._to)
        self._interval_s *= 2
        if not self._invite:
            self._interval_s = min(self._interval_s, self._wire.timers.t2_s)
        self._repeat = asyncio.get_running_loop().call_later(self._interval_s, self._send_again)

    def _nobody(self) -> None:
        self.stop()
        self._wire.forget(self)
        self._on_response(sip.response_to(self.request, 408, sip.REASONS[408]))

    def take(self, response: Response) -> None:
        """One response that belongs here, perhaps a repeated one."""
        if response.status < 200:
            self._provisional(response)
            return
        if self._final is None:
            self._finish(response)
            self._on_response(response)
        elif self._invite and response.status < 300:
            self._on_response(response)  # Repeated because our ACK was lost: the call sends it again.
        if self._invite and response.status >= 300:
            self._wire.send(self._ack(response), self._to)

    def _provisional(self, response: Response) -> None:
        if self._final is not None:
            return
        if self._invite:
            self._rest()
            self._limit.cancel()  # A telephone may ring as long as it likes.
        elif not self._proceeding:
            self._interval_s = self._wire.timers.t2_s
        self._proceeding = True
        self._on_response(response)

    def _finish(self, response: Response) -> None:
        self.stop()
        self._final = response
        timers = self._wire.timers
        kept_s = timers.patience_s if self._invite else timers.t4_s
        self._limit = asyncio.get_running_loop().call_later(kept_s, self._wire.forget, self)

    def _ack(self, response: Response) -> Request:
        asked = self.request.headers
        return Request(
            "ACK",
            self.request.uri,
            Headers(
                (
                    ("Via", asked.all("via")[0]),
                    *(("Route", value) for value in asked.all("route")),
                    ("From", asked.required("from")),
                    ("To", response.headers.required("to")),
                    ("Call-ID", asked.required("call-id")),
                    ("CSeq", f"{asked.cseq[0]} ACK"),
                    ("Max-Forwards", "70"),
                )
            ),
        )


class Incoming:
    """A request from elsewhere: it is handed on once, and its answer is repeated as often as needed."""

    def __init__(self, wire: "Wire", request: Request, source: Where) -> None:
        self.request = request
        self.source = source
        self.on_unconfirmed: Callable[[], None] | None = None
        """Called when a final answer to an INVITE was never acknowledged."""
        self._wire = wire
        self._invite = request.method == "INVITE"
        self._answer: Response | None = None
        self._confirmed = False
        self._interval_s = wire.timers.t1_s
        self._repeat: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None

    @property
    def ignored(self) -> bool:
        """Whether not even a provisional answer was given."""
        return self._answer is None

    @property
    def final(self) -> bool:
        """Whether the last word was said."""
        return self._answer is not None and self._answer.status >= 200

    def respond(
        self, status: int, *, tag: sip.Tag | None = None, more: tuple[tuple[str, str], ...] = (), body: bytes = b""
    ) -> None:
        """Answers; nothing happens after a final answer was given."""
        if self.final:
            return
        phrase = sip.REASONS.get(status, "Answer")
        self._answer = sip.response_to(self.request, status, phrase, tag=tag, more=more, body=body)
        self._send()
        if status < 200:
            return
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(self._wire.timers.patience_s, self._enough)
        if self._invite:
            self._repeat = loop.call_later(self._interval_s, self._send_again)

    def confirmed(self) -> None:
        """Its ACK arrived."""
        self._confirmed = True
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def repeated(self) -> None:
        """The same request arrived again."""
        if self._answer is not None and not self._confirmed:
            self._send()

    def stop(self) -> None:
        self.confirmed()
        if self._limit is not None:
            self._limit.cancel()

    def _send(self) -> None:
        if self._answer is not None:
            self._wire.send(self._answer, self._way_back())

    def _way_back(self) -> Where:
        top = sip.via(self.request.headers.all("via")[0])
        return self.source if "rport" in top.params else (self.source[0], top.port)

    def _send_again(self) -> None:
        self._send()
        self._interval_s = min(self._interval_s * 2, self._wire.timers.t2_s)
        self._repeat = asyncio.get_running_loop().call_later(self._interval_s, self._send_again)

    def _enough(self) -> None:
        unheard = self._invite and not self._confirmed
        self.stop()
        self._wire.forget(self)
        if unheard and self.on_unconfirmed is not None:
            self.on_unconfirmed()


class Wire(asyncio.DatagramProtocol):
    """One UDP socket with its transactions."""

    def __init__(self, on_request: Callable[[Incoming], None], timers: Timers) -> None:
        self.timers = timers
        self.unreadable = 0
        """How many datagrams were not SIP."""
        self._on_request = on_request
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outgoing: dict[tuple[str, str], Outgoing] = {}
        self._incoming: dict[tuple[str, str, str], Incoming] = {}
        self.where: Where = ("", 0)

    @classmethod
    async def open(cls, where: Where, on_request: Callable[[Incoming], None], timers: Timers) -> "Wire":
        """Binds the address; port 0 takes a free one. Raises NoSocket."""
        loop = asyncio.get_running_loop()
        try:
            _, wire = await loop.create_datagram_endpoint(lambda: cls(on_request, timers), local_addr=where)
        except OSError as error:
            raise NoSocket(where, error) from error
        return wire

    async def close(self) -> None:
        """Stops every transaction and gives the socket back."""
        for outgoing in self._outgoing.values():
            outgoing.stop()
        for incoming in self._incoming.values():
            incoming.stop()
        self._outgoing.clear()
        self._incoming.clear()
        if self._transport is not None:
            self._transport.close()
            await self._closed

    def send(self, message: Message, to: Where) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(sip.encode(message), to)

    def start(self, request: Request, to: Where, on_response: Callable[[Response], None]) -> Outgoing:
        """Sends a request whose top Via holds a new branch; every response goes to `on_response`."""
        transaction = Outgoing(self, request, to, on_response)
        self._outgoing[_ours(request.headers, request.method)] = transaction
        return transaction

    async def ask(self, request: Request, to: Where, on_success: Callable[[Response], None] | None = None) -> Response:
        """Sends a request and returns its final response, 408 when nobody answers.

        `on_success` gets every 2xx of an INVITE, repeated ones too: each needs its ACK.
        """
        final: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def take(response: Response) -> None:
            if on_success is not None and 200 <= response.status < 300:
                on_success(response)
            if response.status >= 200 and not final.done():
                final.set_result(response)

        self.start(request, to, take)
        return await final

    def via(self, branch: str) -> tuple[str, str]:
        """The Via header of a request of ours."""
        return "Via", f"{sip.VERSION}/UDP {self.where[0]}:{self.where[1]};branch={branch};rport"

    def under_way(self, cancel: Request) -> Incoming | None:
        """The INVITE that a CANCEL is about."""
        return self._incoming.get(_theirs(cancel.headers, "INVITE"))

    def forget(self, transaction: Outgoing | Incoming) -> None:
        if isinstance(transaction, Outgoing):
            self._outgoing.pop(_ours(transaction.request.headers, transaction.request.method), None)
        else:
            self._incoming.pop(_theirs(transaction.request.headers, transaction.request.method), None)

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # In Python 3.11 asyncio's own transport is no subclass of DatagramTransport: nothing to check with.
        self._transport = cast(asyncio.DatagramTransport, transport)
        host, port = transport.get_extra_info("sockname")[:2]
        self.where = (host, port)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed.done():
            self._closed.set_result(None)

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        if not data.strip(b"\r\n\0"):
            return  # A keep-alive.
        try:
            self._take(sip.parse(data), (str(addr[0]), int(addr[1])))
        except sip.Malformed:
            self.unreadable += 1

    def _take(self, message: Message, source: Where) -> None:
        if isinstance(message, Request):
            self._take_request(message, source)
            return
        outgoing = self._outgoing.get(_ours(message.headers, message.headers.cseq[1]))
        if outgoing is not None:
            outgoing.take(message)

    def _take_request(self, request: Request, source: Where) -> None:
        key = _theirs(request.headers, request.method)
        known = self._incoming.get(key)
        if request.method == "ACK":
            if known is not None:
                known.confirmed()  # The ACK of a refusal ends here; that of a 200 has a branch of its own.
                return
            self._on_request(Incoming(self, request, source))
        elif known is not None:
            known.repeated()
        else:
            incoming = Incoming(self, _marked(request, source), source)
            self._incoming[key] = incoming
            self._on_request(incoming)


def _ours(headers: Headers, method: str) -> tuple[str, str]:
    return sip.via(headers.all("via")[0]).branch, method


def _theirs(headers: Headers, method: str) -> tuple[str, str, str]:
    """RFC 3261, section 17.2.3; the ACK of a refused INVITE has the INVITE's branch."""
    top = sip.via(headers.all("via")[0])
    mark = top.branch
    if not mark.startswith(sip.BRANCH_COOKIE):  # An element older than RFC 3261.
        mark = f"{mark} {headers.required('call-id')} {headers.cseq[0]}"
    return mark, f"{top.host}:{top.port}", "INVITE" if method == "ACK" else method


def _marked(request: Request, source: Where) -> Request:
    """Writes into the top Via where the request really came from (RFC 3581)."""
    vias = request.headers.all("via")
    top = sip.via(vias[0])
    marked = vias[0]
    if top.params.get("rport") == "":
        marked = marked.replace(";rport", f";rport={source[1]}", 1)
    if top.host != source[0] and "received" not in top.params:
        marked += f";received={source[0]}"
    items = [("Via", marked), *(("Via", value) for value in vias[1:]), *request.headers.without("via").items]
    return Request(request.method, request.uri, Headers(tuple(items)), request.body)
