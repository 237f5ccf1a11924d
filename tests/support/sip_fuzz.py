"""Malformed SIP, as much of it as is wanted: in the spirit of RFC 4475, of scanners, and of broken networks.

The same seed gives the same messages. Each is one datagram of at most 60 kB.
"""

import random
from collections.abc import Callable, Iterator

LONGEST = 60_000
METHODS = ("REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "NOTIFY", "MESSAGE", "REFER", "ACK", "BYE", "CANCEL", "FOO")
USERS = ("8001", "7777", "12345", "99", "", "a%00b", "%0d%0aEvent:%20x", "用户", "1;2", '"', "\x00", "'--", "${EXTEN}")
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"

Headers = list[tuple[str, str]]
Change = Callable[[random.Random, Headers], None]


def messages(seed: int, count: int, here: str, there: str) -> Iterator[bytes]:
    """`count` datagrams from `here` to `there`, both as address:port."""
    dice = random.Random(seed)  # noqa: S311 - nothing of it is secret
    for serial in range(count):
        kind = dice.random()
        if kind < 0.05:
            yield _noise(dice)
        elif kind < 0.12:
            yield _answer(dice, serial, here)
        else:
            yield _request(dice, serial, here, there)


def _request(dice: random.Random, serial: int, here: str, there: str) -> bytes:
    method, user = dice.choice(METHODS), dice.choice(USERS)
    headers: Headers = [
        ("Via", f"SIP/2.0/UDP {here};branch=z9hG4bKf{serial};rport"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:{user}@127.0.0.1>;tag=f{serial}"),
        ("To", f"<sip:{user}@127.0.0.1>"),
        ("Call-ID", f"f{serial}@{here}"),
        ("CSeq", f"1 {method}"),
        ("Contact", f"<sip:{user}@{here}>"),
    ]
    body = _body(dice) if method in ("INVITE", "MESSAGE", "NOTIFY") else ""
    headers += [("Content-Type", "application/sdp")] if body else []
    headers.append(("Content-Length", str(len(body.encode()))))
    for change in dice.choices(_CHANGES, k=dice.randint(0, 3)):
        change(dice, headers)
    first = dice.choice(_FIRST_LINES).format(method=method, user=user, there=there)
    text = first + "\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n" + body
    return _broken(dice, text.encode("utf-8", "surrogateescape"))[:LONGEST]


_FIRST_LINES = (
    *("{method} sip:{user}@{there} SIP/2.0",) * 12,
    "{method} sip:{there} SIP/2.0",
    "{method} sip:{user}@{there} SIP/7.0",
    "{method}  sip:{user}@{there}  SIP/2.0",
    "{method} <sip:{user}@{there}> SIP/2.0",
    "{method} sip:{user}@{there};;,;,,;x=y?Route=%3Csip:1@x%3E SIP/2.0",
    "{method} nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0",
    "{method} sip:%00%00@{there}:99999999 SIP/2.0",
    "{method} tel:+8613800138000;phone-context=x SIP/2.0",
    "{method} sip:{user}@[::1]:5060 SIP/2.0 ",
    "{method}",
    "!interesting-Method0123456789_*+`.%indeed'~ sip:{user}@{there} SIP/2.0",
)


def _answer(dice: random.Random, serial: int, here: str) -> bytes:
    """A response to a request that was never sent."""
    status = dice.choice((0, 99, 100, 180, 200, 302, 401, 407, 486, 503, 600, 999, 4_294_967_301))
    text = (
        f"SIP/2.0 {status} {'x' * dice.randint(0, 300)}\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKr{serial}\r\n"
        f"From: <sip:1@{here}>;tag=1\r\nTo: <sip:1@{here}>;tag=2\r\nCall-ID: r{serial}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:110@{here}>\r\nContent-Length: 0\r\n\r\n"
    )
    return _broken(dice, text.encode())


def _noise(dice: random.Random) -> bytes:
    return dice.choice(
        (
            b"",
            b"\0",
            b"\r\n\r\n",
            b"jaK\x00",
            b"\x00\x01\x00\x08\x21\x12\xa4\x42" + dice.randbytes(20),  # A binding request of STUN.
            b"\x80\x08" + dice.randbytes(170),  # RTP.
            dice.randbytes(dice.randint(1, 2_000)),
            b"INVITE " * 2_000,
            b"\r\n" * 10_000,
            b"(" * 30_000,
        )
    )


def _body(dice: random.Random) -> str:
    return dice.choice(
        (
            "",
            _SDP,
            _SDP.replace("audio 9", "audio 99999999999"),
            _SDP.replace("127.0.0.1", "999.999.999.999"),
            _SDP + "a=rtpmap:8 PCMA/-1\r\n" * 200,
            _SDP + "m=audio 9 RTP/AVP 8\r\n" * 500,
            _SDP.replace("v=0", "v=" + "9" * 500),
            "\r\n" * 100,
            "%n%s" * 500,
            "--x\r\n" * 300,
        )
    )


def _set(headers: Headers, name: str, value: str) -> None:
    headers[:] = [(one, value if one == name else old) for one, old in headers]


def _length(dice: random.Random, headers: Headers) -> None:
    _set(headers, "Content-Length", dice.choice(("-1", "99999999999999999999", "9999", "x", "", "1", "0 0", "0x10")))


def _sequence(dice: random.Random, headers: Headers) -> None:
    _set(headers, "CSeq", dice.choice(("-1 INVITE", "99999999999 INVITE", "1", "INVITE 1", "1 BYE", "0x1 OPTIONS", "")))


def _route(dice: random.Random, headers: Headers) -> None:
    via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"
    headers += [("Via", via + str(number)) for number in range(dice.choice((1, 70, 300)))]
    headers.append(("Route", "<sip:127.0.0.3;lr>, <sip:127.0.0.4:1;lr>"))
    headers.append(("Record-Route", "<" * dice.randint(1, 50)))


def _huge(dice: random.Random, headers: Headers) -> None:
    name = dice.choice(("Subject", "Call-ID", "From", "Contact", "X", "Authorization", "User-Agent", "Via"))
    headers.append((name, dice.choice(("x", "<", "é", ";a=b", '"', "%", "sip:")) * dice.choice((100, 4_000, 12_000))))


def _missing(dice: random.Random, headers: Headers) -> None:
    headers.pop(dice.randrange(len(headers)))


def _doubled(dice: random.Random, headers: Headers) -> None:
    headers.append(dice.choice(headers))


def _folded(dice: random.Random, headers: Headers) -> None:
    place = dice.randrange(len(headers))
    name, value = headers[place]
    headers[place] = (dice.choice((name.upper() + " ", name + "\t", name)), "\r\n  \t " + value + " \r\n\t")


def _injected(dice: random.Random, headers: Headers) -> None:
    line = dice.choice(("%0d%0aEvent:%20UserEvent", "\rEvent: x", "\nAction: Originate", "\x00", "\x1b[2J", "\u202e"))
    headers.append(
        (dice.choice(("From", "To", "Contact", "User-Agent", "Reason", "Diversion")), f'"{line}" <sip:{line}@x>')
    )


def _login(dice: random.Random, headers: Headers) -> None:
    value = dice.choice(
        (
            "Digest",
            "Digest " + "a=b," * 500,
            'Digest username="8001", realm="asterisk", nonce="1/x", uri="sip:x", response="' + "f" * 5_000 + '"',
            'Digest username="' + "\\" * 99 + '"',
            "NoOneKnowsThisScheme opaque-data=here",
            'Digest username="8001",realm="asterisk",nonce="",uri="",response="",qop=auth-int,nc=zz,algorithm=MD6',
        )
    )
    headers.append((dice.choice(("Authorization", "Proxy-Authorization")), value))


def _wishes(dice: random.Random, headers: Headers) -> None:
    headers += [
        ("Require", dice.choice(("nothingSupportsThis", "100rel", "timer"))),
        ("Expires", dice.choice(("0", "-1", "99999999999999999999", "soon"))),
        ("Session-Expires", dice.choice(("1", "-90", "99999999999"))),
        ("Replaces", "f1@x;to-tag=1;from-tag=2"),
        ("Refer-To", dice.choice(("<sip:110@127.0.0.1>", "<sip:1?Replaces=x>", "x", "<tel:1>"))),
        ("Event", dice.choice(("presence", "refer", "x" * 3_000))),
        ("Accept", "application/sdp;q=0.0000001, text/x\x7f"),
    ]


_CHANGES: tuple[Change, ...] = (
    _length,
    _sequence,
    _route,
    _huge,
    _missing,
    _doubled,
    _folded,
    _injected,
    _login,
    _wishes,
)


def _broken(dice: random.Random, data: bytes) -> bytes:
    """Perhaps cut, with some bytes changed, or with more behind it."""
    kind = dice.random()
    if kind < 0.1:
        return data[: dice.randrange(len(data) + 1)]
    if kind < 0.25 and data:
        bad = bytearray(data)
        for _ in range(dice.randint(1, 20)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        return bytes(bad)
    if kind < 0.3:
        return data + dice.randbytes(dice.randint(1, 500))
    return data
