"""SIP messages over UDP (RFC 3261): text to values and back, strictly where it matters."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType
from urllib.parse import quote, unquote

Where = tuple[str, int]
"""An IPv4 address and a UDP port."""

Tag = NewType("Tag", str)

VERSION = "SIP/2.0"
BRANCH_COOKIE = "z9hG4bK"

_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "k": "supported",
    "s": "subject",
    "e": "content-encoding",
    "x": "session-expires",
}
_LISTS = frozenset({"via", "route", "record-route", "contact", "supported", "require", "allow"})
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_PARAM = re.compile(r";\s*([^\s=;]+)(?:\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^;\s]*))?\s*")
_NAME_ADDRESS = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<([^>]*)>\s*(.*)', re.DOTALL)
_URI = re.compile(r"sips?:(?:([^@]*)@)?([A-Za-z0-9.-]+)(?::(\d{1,5}))?((?:;[^?]*)?)(?:\?.*)?", re.IGNORECASE)


class Malformed(ValueError):
    """What was received is not SIP as RFC 3261 writes it."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__(f"{what}: {text[:120]!r}")
        self.what = what
        self.text = text


class Unsendable(ValueError):
    """A header's value holds a line break or another control character, and would forge headers."""

    def __init__(self, header: str, value: str) -> None:
        super().__init__(f"the header {header} cannot hold {value!r}: take the control characters out")
        self.header = header
        self.value = value


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers in the order they stand in; names are compared without regard to case or short form."""

    items: tuple[tuple[str, str], ...]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header; those that share a line with commas are taken apart."""
        wanted = name.lower()
        found: list[str] = []
        for key, value in self.items:
            if _long(key) == wanted:
                found.extend(split_list(value) if wanted in _LISTS else (value,))
        return tuple(found)

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def required(self, name: str) -> str:
        """Raises Malformed when the header is missing."""
        value = self.get(name)
        if value is None:
            raise Malformed(f"no {name} header", "")
        return value

    def without(self, *names: str) -> "Headers":
        gone = {name.lower() for name in names}
        return Headers(tuple(item for item in self.items if _long(item[0]) not in gone))

    def plus(self, *more: tuple[str, str]) -> "Headers":
        return Headers(self.items + more)

    @property
    def cseq(self) -> tuple[int, str]:
        """The sequence number and the method it belongs to."""
        found = re.fullmatch(r"(\d{1,10})\s+(\S+)", self.required("cseq"))
        if found is None:
            raise Malformed("CSeq is not a number and a method", self.required("cseq"))
        return int(found[1]), found[2]


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    reason: str
    headers: Headers
    body: bytes = b""


Message = Request | Response


@dataclass(frozen=True, slots=True)
class Uri:
    """`sip:user@host:port;params`; the user with its %-escapes undone."""

    user: str
    host: str
    port: int = 5060

    def __str__(self) -> str:
        user = quote(self.user, safe="-_.!~*'()&=+$,;?/")
        return f"sip:{user}@{self.host}:{self.port}" if user else f"sip:{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class NameAddress:
    """The value of From, To, Contact, Route: a name, a URI and the header's own parameters."""

    name: str
    uri: str
    params: dict[str, str]

    @property
    def tag(self) -> Tag | None:
        return Tag(self.params["tag"]) if "tag" in self.params else None


@dataclass(frozen=True, slots=True)
class Via:
    host: str
    port: int
    params: dict[str, str]

    @property
    def branch(self) -> str:
        return self.params.get("branch", "")


def _long(name: str) -> str:
    lower = name.lower()
    return _COMPACT.get(lower, lower)


def split_list(value: str) -> tuple[str, ...]:
    """Takes a header's value apart at its commas, but not at those in quotes or angle brackets."""
    parts: list[str] = []
    begin = 0
    quoted = bracketed = escaped = False
    for at, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = char == "\\", char != '"'
        elif char == '"':
            quoted = True
        elif char in "<>":
            bracketed = char == "<"
        elif char == "," and not bracketed:
            parts.append(value[begin:at].strip())
            begin = at + 1
    parts.append(value[begin:].strip())
    return tuple(part for part in parts if part)


def params(text: str) -> dict[str, str]:
    """`;tag=x;lr` as a mapping with small-letter names; a parameter without a value has ''."""
    found: dict[str, str] = {}
    at = 0
    text = text.strip()
    while at < len(text):
        match = _PARAM.match(text, at)
        if match is None:
            raise Malformed("parameters cannot be read", text)
        value = match[2] or ""
        found[match[1].lower()] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        at = match.end()
    return found


def name_address(value: str) -> NameAddress:
    found = _NAME_ADDRESS.fullmatch(value)
    if found is not None:
        name = re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else (found[2] or "")
        return NameAddress(name, found[3].strip(), params(found[4]))
    # Without brackets every parameter belongs to the header (RFC 3261, section 20.10).
    uri, semicolon, rest = value.strip().partition(";")
    return NameAddress("", uri.strip(), params(semicolon + rest))


def uri(text: str) -> Uri:
    """A SIP URI; raises Malformed for another scheme or a host that is no host."""
    found = _URI.fullmatch(text.strip())
    if found is None:
        raise Malformed("not a SIP URI", text)
    user = (found[1] or "").partition(":")[0]
    return Uri(unquote(user, errors="replace"), found[2], int(found[3] or 5060))


def via(value: str) -> Via:
    found = re.fullmatch(r"SIP\s*/\s*2\.0\s*/\s*\S+\s+([^\s;:]+)(?:\s*:\s*(\d{1,5}))?\s*(;.*)?", value, re.DOTALL)
    if found is None:
        raise Malformed("not a Via header", value)
    return Via(found[1], int(found[2] or 5060), params(found[3] or ""))


def quoted_name(name: str) -> str:
    """A display name as it stands in a header."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse(datagram: bytes) -> Message:
    """One datagram as a message. Raises Malformed."""
    head, _, body = datagram.lstrip(b"\r\n").partition(b"\r\n\r\n")
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8", repr(head)) from error
    # A line that begins with a blank continues the one before it.
    first, *lines = re.sub(r"\r\n[ \t]+", " ", text).split("\r\n")
    if any(_CONTROL.search(line) for line in (first, *lines)):
        raise Malformed("control characters", text)
    headers = Headers(tuple(_header(line) for line in lines))
    message = _began(first, headers, _body(headers, body))
    for name in ("via", "from", "to", "call-id"):
        headers.required(name)
    via(headers.all("via")[0])
    method = headers.cseq[1]
    if isinstance(message, Request) and method != message.method:
        raise Malformed("CSeq names another method", method)
    return message


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.rstrip(" \t")
    if not colon or not _TOKEN.fullmatch(name):
        raise Malformed("not a header", line)
    return name, value.strip(" \t")


def _began(first: str, headers: Headers, body: bytes) -> Message:
    answer = re.fullmatch(r"SIP/2\.0 ([1-6]\d\d) ?(.*)", first, re.IGNORECASE)
    if answer is not None:
        return Response(int(answer[1]), answer[2], headers, body)
    question = re.fullmatch(r"(\S+) (\S+) SIP/2\.0", first, re.IGNORECASE)
    if question is None or not _TOKEN.fullmatch(question[1]):
        raise Malformed("neither a request nor a response", first)
    return Request(question[1], question[2], headers, body)


def _body(headers: Headers, received: bytes) -> bytes:
    length = headers.get("content-length")
    if length is None:
        return received
    if not re.fullmatch(r"\d{1,9}", length) or int(length) > len(received):
        raise Malformed("Content-Length is not the body's", length)
    return received[: int(length)]


def encode(message: Message) -> bytes:
    """A message as one datagram, with its Content-Length. Raises Unsendable."""
    match message:
        case Request(method, target, headers, body):
            first = f"{method} {target} {VERSION}"
        case Response(status, reason, headers, body):
            first = f"{VERSION} {status} {reason}"
    if _CONTROL.search(first):
        raise Unsendable("of the first line", first)
    lines = [first]
    for name, value in (*headers.without("content-length").items, ("Content-Length", str(len(body)))):
        if _CONTROL.search(value):
            raise Unsendable(name, value)
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def response_to(
    request: Request,
    status: int,
    reason: str,
    *,
    tag: Tag | None = None,
    more: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """An answer with everything that it must repeat of the request (RFC 3261, section 8.2.6)."""
    kept: list[tuple[str, str]] = [("Via", value) for value in request.headers.all("via")]
    kept += [("Record-Route", value) for value in request.headers.all("record-route")]
    kept.append(("From", request.headers.required("from")))
    to = request.headers.required("to")
    if tag is not None and status > 100 and name_address(to).tag is None:
        to = f"{to};tag={tag}" if "<" in to else f"<{to}>;tag={tag}"
    kept.append(("To", to))
    kept.append(("Call-ID", request.headers.required("call-id")))
    kept.append(("CSeq", request.headers.required("cseq")))
    return Response(status, reason, Headers((*kept, *more)), body)


REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    600: "Busy Everywhere",
    603: "Decline",
}


def q850_cause(headers: Headers) -> int | None:
    """The cause in a Reason header (RFC 3326) such as `Q.850;cause=16`; None when there is none."""
    for value in headers.all("reason"):
        for part in split_list(value):
            protocol, _, rest = part.partition(";")
            if protocol.strip().upper() == "Q.850":
                cause = params(";" + rest).get("cause", "")
                return int(cause) if cause.isdigit() else None
    return None


def reason(cause: int) -> tuple[str, str]:
    """A Reason header for a Q.850 cause."""
    return "Reason", f"Q.850;cause={cause}"
